"""`waggle serve`: starts the service, runs until it stops, and leaves no process behind."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.status import Status

from router.cli.client import ServiceClient
from router.cli.context import CommandContext, in_context, keys_to_serve
from router.cli.specialist import refresh_in_child
from router.cli.terminal import (
    CommandRefused,
    InputRefused,
    err,
    facts,
    out,
    show_refusal,
    utc_time,
)
from router.config.config import Config
from router.deployment import local_service, processes
from router.deployment.closed_folder import FolderNotOurs
from router.deployment.cluster_process import ClusterProcess, ignore_signals
from router.deployment.dashboard_process import Pages
from router.deployment.doctor import port_free
from router.deployment.ingress import Ingress
from router.deployment.local_service import RunningService
from router.deployment.ray_environment import haproxy, keep_link, ray_folder, remove_links
from router.deployment.supervision import Supervision
from router.keys import Key
from router.telemetry.store import catalog
from router.wire.addresses import reachable

_TURN_SECONDS, _LINK_SECONDS = 0.1, 60.0


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
    start = _Start(config, keys, here.source.resolve(), ray_address, begun)
    try:
        command = Command(start)
    except FolderNotOurs as error:
        raise InputRefused(error.wrong, error.mend) from None
    raise typer.Exit(command.run())


@dataclass(frozen=True, slots=True)
class _Start:
    """The arguments with which a service starts."""

    config: Config
    keys: Sequence[Key]
    source: Path  # the configuration file
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


class Command:
    """The shell of a service: its terminal, its signals, and the child that holds its cluster."""

    def __init__(self, start: _Start) -> None:
        self._start, self._first = start, True
        self._pages = Pages(start.config)
        self._status: Status | None = None
        self._signals, self._link_kept = 0, 0.0
        ingress = self._ingress() if start.own_ray else None
        self._supervision = Supervision(start.config, self, ingress, lambda: (self._pages.pid,))

    def run(self) -> int:
        """Run until Ctrl-C or a failure, and return the exit status."""
        data = self._start.config.data
        processes.adopt_orphans()
        local_service.log_to_file(data)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # `nohup` ignores SIGHUP for us
                signal.signal(number, self._interrupt)
        code = 0
        try:
            self._supervision.start()
            self._first = False
            while True:
                self._pages.watch()
                self._supervision.turn()
                self._keep_link()
                time.sleep(_TURN_SECONDS)
        except KeyboardInterrupt:
            pass
        except (RuntimeError, TimeoutError, ConnectionError) as error:
            code, refusal = 1, error
            self._hide()
            self._say(lambda: show_refusal(refusal))
            self._say(lambda: err.print(f"The logs are in {data}/ray/session_latest/logs"))
        finally:
            self._signals = max(self._signals, 1)  # from now on, a signal only hurries us
            self._end()
        self._say(lambda: out.print("Stopped. Nothing is left running."))
        return code

    def begin(self) -> ClusterProcess:
        start = self._start
        if start.own_ray and not self._first:
            local_service.end_left_behind(start.config.data)
        self._folder = local_service.prepare(start.config, own_ray=start.own_ray, starting=True)
        folder = self._folder
        process = ClusterProcess(
            lambda tell: _started(start, folder, tell, first=self._first),
            lambda: _stopped(own_ray=start.own_ray),
            self._end_rest,
            start.config.data / "logs" / "cluster.log",
        )
        self._show("Starting Ray …")  # a thread draws it: not before the fork
        return process

    def tell(self, text: str) -> None:
        self._hide()
        self._say(lambda: out.print(f"{utc_time(time.time())} {escape(text)}", soft_wrap=True))

    def progress(self, text: str) -> None:
        self._show(text)

    def lost(self) -> None:
        self._remember(ray_address="")

    def up(self, ray_address: str) -> None:
        self._hide()
        record = self._remember(ray_address)
        if self._first:
            seconds = time.monotonic() - self._start.begun
            self._say(lambda: _welcome(self._start.config, self._start.keys, record, seconds))

    def _remember(self, ray_address: str) -> RunningService:
        """Write the record by which other commands find the service."""
        config, pid, born = self._start.config, os.getpid(), processes.born(os.getpid())
        url = f"http://{reachable(config.server.host)}:{config.server.port}"
        source, own_ray = str(self._start.source), self._start.own_ray
        record = RunningService(pid, born, url, ray_address, source, own_ray, self._pages.url)
        try:
            local_service.remember(config.data, record)
        except OSError:  # a full disk must not keep a lost service down
            if self._first:
                raise
        return record

    def _keep_link(self) -> None:
        now = time.monotonic()
        if self._start.own_ray and now - self._link_kept > _LINK_SECONDS:
            self._link_kept = now
            keep_link(self._folder)

    def _ingress(self) -> Ingress:
        server, data = self._start.config.server, self._start.config.data
        host = f"ipv6@{server.host}" if ":" in server.host else server.host
        return Ingress(ray_folder(data), data, haproxy(), f"{host}:{server.port}")

    def _end(self) -> None:
        self._show("Stopping …")
        self._pages.close()
        self._supervision.stop(hurry=lambda: self._signals > 1)
        if self._start.own_ray:
            remove_links(self._start.config.data)
        local_service.forget(self._start.config.data)
        self._hide()

    def _end_rest(self) -> None:
        """End what a killed command left, in the child that outlived it."""
        if self._start.own_ray:
            local_service.end_left_behind(self._start.config.data)
            remove_links(self._start.config.data)

    def _interrupt(self, number: int, frame: object) -> None:  # noqa: ARG002
        self._signals += 1
        if self._signals == 1:
            raise KeyboardInterrupt

    def _show(self, text: str) -> None:
        if self._status is None:
            self._status = out.status(text)
            self._say(self._status.start)
        else:
            self._status.update(text)

    def _hide(self) -> None:
        if self._status is not None:
            self._say(self._status.stop)
            self._status = None

    def _say(self, write: Callable[[], object]) -> None:
        """Write to the terminal, which may have been closed."""
        with contextlib.suppress(OSError):
            write()


def _started(start: _Start, folder: Path, tell: Callable[[str], None], *, first: bool) -> str:
    """Start the service, in the child, and return Ray's address."""
    # Import Ray only now: at its import, it reads the environment that `prepare` has set.
    from router.deployment import cluster

    deployed = None if first else local_service.last_deployed(start.config.data)
    config, keys = deployed or (start.config, start.keys)
    ray_address = start.ray_address
    if ray_address is None:
        ray_address = cluster.start_ray(folder)
        local_service.close_to_others(config.data)  # Ray opens its folders to every user
    else:
        cluster.connect(ray_address)
    ignore_signals()
    cluster.start_serve(config)
    tell("Starting the service …")
    cluster.deploy(config, keys, seconds=180, tell=tell)
    url = f"http://{reachable(config.server.host)}:{config.server.port}"
    ServiceClient(url).wait_until_ready(seconds=30)
    if start.own_ray and not catalog.appeared(config.telemetry_folder, seconds=30):
        out.print("[yellow]Telemetry is written, but no query works yet: see logs/waggle.log")
    local_service.close_to_others(config.data)  # Ray's agents have made folders since
    return ray_address


def _stopped(*, own_ray: bool) -> None:
    """Let running calls end, and stop what `_started` started; in the child."""
    from router.deployment import cluster

    if own_ray:
        processes.within(25.0, cluster.stop)
        processes.end_descendants()
    else:
        cluster.remove()


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
