"""`waggle serve`: starts the service, runs until it stops, and leaves no process behind."""

import socket
import time
from typing import Annotated

import typer
from rich.markup import escape

from router.cli.context import CommandContext, in_context, keys_to_serve
from router.cli.init_notice import notice
from router.cli.reload import record_configuration
from router.cli.serving import Command, Start
from router.cli.specialist import refresh_in_child
from router.cli.terminal import (
    CommandRefused,
    InputRefused,
    out,
)
from router.config.config import Config
from router.config.environment import environment_of
from router.config.load import EMBEDDED
from router.deployment import local_service
from router.deployment.closed_folder import FolderNotOurs
from router.deployment.ray_environment import port_free
from router.discovery.providers import VARIABLES


@in_context
def serve(
    here: CommandContext,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; overrides server.host.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; overrides server.port.")
    ] = None,
    ray_address: Annotated[
        str | None, typer.Option(help="Run on this Ray cluster instead of starting one.")
    ] = None,
) -> None:
    """Start the service and run until Ctrl-C, which stops it cleanly.

    Without a waggle.yaml, the embedded default runs: no key, no model server, no network. It uses
    no key and no server that it finds; `waggle init` writes a waggle.yaml for them.
    Example: waggle serve --port 9000
    """
    begun = time.monotonic()
    config = here.config_with(host=host, port=port)
    keys = keys_to_serve(config)
    _refuse_what_cannot_start(config, ray_address)
    if here.source == EMBEDDED and (text := notice(environment_of(VARIABLES))):
        out.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)
    refreshing = refresh_in_child(config)
    start = Start(config, keys, here.source.resolve(), ray_address, begun, refreshing)
    record_configuration(here, config, "configuration served")
    try:
        command = Command(start)
    except FolderNotOurs as error:
        raise InputRefused(error.wrong, error.mend) from None
    raise typer.Exit(command.run())


def _refuse_what_cannot_start(config: Config, ray_address: str | None) -> None:
    try:
        closed = local_service.close_to_others(config.data)
    except FolderNotOurs as error:
        raise InputRefused(error.wrong, error.mend) from None
    except OSError as error:
        wrong = f"the data folder {config.data} cannot be made: {error.strerror}"
        raise InputRefused(wrong, "set server.data, or give another --data") from None
    if closed:
        out.print(f"[yellow]Other users could reach {closed[0]}[/]", end="")
        out.print(f" and {len(closed) - 1} more paths: now they cannot.", soft_wrap=True)
    if (running := local_service.find_running(config.data)) is not None:
        where = f"{running.url} (pid {running.pid})"
        raise CommandRefused(f"a service already runs on {config.data}: {where}")
    if ray_address is not None:
        _refuse_unreachable(ray_address)
    else:
        local_service.end_left_behind(config.data)
        if not port_free(config.server.host, config.server.port):
            taken = f"{config.server.host}:{config.server.port} is taken"
            raise CommandRefused(taken, "stop what listens there, or give another --port")


def _refuse_unreachable(ray_address: str) -> None:
    """Try the address first, because Ray itself would try a dead address for minutes."""
    host, _, port = ray_address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():  # only Ray can resolve an address such as `auto`
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5.0).close()
    except (OSError, OverflowError) as error:
        wrong = f"--ray-address {ray_address} cannot be reached ({error})"
        mend = "start a cluster there with `ray start --head`, or give the address of a cluster"
        raise CommandRefused(wrong, mend) from None
