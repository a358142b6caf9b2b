"""`waggle serve`: starts the service, runs until it stops, and leaves no process behind."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.panel import Panel

from router.cli.client import ServiceClient
from router.cli.context import CommandContext, in_context, keys_to_serve
from router.cli.specialist import refresh_in_child
from router.cli.terminal import CommandRefused, InputRefused, err, facts, out, show_refusal
from router.config.config import Config
from router.deployment import local_service, processes
from router.deployment.closed_folder import FolderNotOurs
from router.deployment.dashboard_process import Pages
from router.deployment.doctor import port_free
from router.deployment.local_service import RunningService
from router.deployment.ray_environment import keep_link, remove_links
from router.keys import Key
from router.telemetry.store import catalog
from router.wire.addresses import reachable


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

    Without a waggle.yaml, the embedded default runs: no key, no model server, no network.
    Example: waggle serve --port 9000
    """
    begun = time.monotonic()
    config = here.config_with(host=host, port=port)
    keys = keys_to_serve(config)
    _refuse_what_cannot_start(config, ray_address)
    refresh_in_child(config, here.config_file)
    processes.adopt_orphans()
    signal.signal(signal.SIGTERM, _interrupt)
    start = _Start(config, keys, str(here.source.resolve()), ray_address, begun)
    code, ended = _run(start)
    out.print("Stopped. Nothing is left running.")
    if not ended:  # In a normal exit, Ray would wait for ended processes, then abort.
        sys.stdout.flush()
        os._exit(code)
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Start:
    """The arguments with which a service starts."""

    config: Config
    keys: Sequence[Key]
    source: str  # path of the configuration file
    ray_address: str | None  # address of somebody else's cluster; None to start our own
    begun: float

    @property
    def own_ray(self) -> bool:
        return self.ray_address is None


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


def _run(start: _Start) -> tuple[int, bool]:
    """Run until Ctrl-C or a failure. Return the exit status, and whether Ray ended in time."""
    config, pages = start.config, Pages(start.config)
    try:
        ray_folder = local_service.prepare(config, own_ray=start.own_ray, starting=True)
    except FolderNotOurs as error:
        raise InputRefused(error.wrong, error.mend) from None
    status = out.status("Starting Ray …")
    status.start()
    code = 0
    try:
        record = _started(start, ray_folder, pages.url, status.update)
        status.stop()
        _welcome(config, start.keys, record, time.monotonic() - start.begun)
        while True:
            pages.watch()
            keep_link(ray_folder)
            time.sleep(1)
    except KeyboardInterrupt:
        status.update("Stopping …")
        status.start()
    except (RuntimeError, TimeoutError, ConnectionError) as error:
        code = 1
        status.stop()
        show_refusal(error)
        err.print(f"The logs are in {config.data}/ray/session_latest/logs")
    finally:
        ended = _end(start, pages)
        status.stop()
    return code, ended


def _started(
    start: _Start, ray_folder: Path, dashboard: str, tell: Callable[[str], None]
) -> RunningService:
    """Start the service, and write the record by which other commands find it."""
    # Import Ray only now: at its import, it reads the environment that `prepare` has set.
    from router.deployment import cluster

    config, ray_address = start.config, start.ray_address
    if ray_address is None:
        ray_address = cluster.start_ray(ray_folder)
        local_service.close_to_others(config.data)  # Ray opens its folders to every user
    else:
        cluster.connect(ray_address)
    for number in (signal.SIGTERM, signal.SIGINT):  # Ray's own handlers leave processes.
        signal.signal(number, _interrupt)
    cluster.start_serve(config)
    tell("Starting the service …")
    cluster.deploy(config, start.keys, seconds=180, tell=tell)
    url = f"http://{reachable(config.server.host)}:{config.server.port}"
    ServiceClient(url).wait_until_ready(seconds=30)
    if start.own_ray and not catalog.appeared(config.telemetry_folder, seconds=30):
        out.print("[yellow]Telemetry is written, but no query works yet: see logs/waggle.log")
    local_service.close_to_others(config.data)  # Ray's agents have made folders since
    pid = os.getpid()
    record = RunningService(
        pid, processes.born(pid), url, ray_address, start.source, start.own_ray, dashboard
    )
    local_service.remember(config.data, record)
    return record


def _end(start: _Start, pages: Pages) -> bool:
    """Stop everything that this command started, and return whether Ray ended in time."""
    from router.deployment import cluster

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pages.close()
    ended = True
    if start.own_ray:
        ended = processes.within(25.0, cluster.stop)
        processes.end_descendants()
        remove_links(start.config.data)
    else:
        cluster.remove()
    local_service.forget(start.config.data)
    return ended


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _welcome(config: Config, keys: Sequence[Key], record: RunningService, seconds: float) -> None:
    url = record.url
    rows = {
        "OpenAI base_url": f"{url}/v1",
        "Models": ", ".join(("auto", *config.plans, *config.backends)),
        "Keys": str(len(keys) or "none: loopback only"),
        "Health": f"{url}/health/ready",
        "Metrics": f"{url}/metrics",
        "Dashboard": record.dashboard or "none: dashboard.enabled is false",
        "Telemetry": f"{config.data}/telemetry",
        "Logs": f"{config.data}/logs",
    }
    out.print(Panel(facts(rows), title=f"Waggle is up, {seconds:.1f} s", expand=False))
    header = " -H 'authorization: Bearer wg-…'" if keys else ""
    json_header = "-H 'content-type: application/json'"
    body = _example_request(config)
    curl = f"curl {url}/v1/chat/completions{header} {json_header} -d '{body}'"
    out.print("Try it:\n")
    out.print(curl, soft_wrap=True, markup=False)
    out.print('\nor: waggle ask "…"    (another terminal)    Ctrl-C stops.')


def _example_request(config: Config) -> str:
    if any(backend.kind == "generator" for backend in config.backends.values()):
        prompt = 'Three customers: {\\"name\\": \\"string\\", \\"age\\": \\"int 18..90\\"}'
    else:
        prompt = "Why do bees dance?"
    return f'{{"model": "auto", "messages": [{{"role": "user", "content": "{prompt}"}}]}}'
