"""A service as its command runs it: terminal, signals, and the child that holds the cluster."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.status import Status

from router.cli.client import ServiceClient
from router.cli.specialist import Refreshing
from router.cli.terminal import err, out, show_refusal, utc_time
from router.cli.welcome import welcome
from router.config.config import Config
from router.deployment import local_service, processes
from router.deployment.cluster_process import ClusterProcess, ignore_signals
from router.deployment.dashboard_process import Pages
from router.deployment.ingress import Ingress
from router.deployment.local_service import RunningService
from router.deployment.proxy import haproxy
from router.deployment.ray_environment import keep_link, ray_folder, remove_links
from router.deployment.supervision import Supervision
from router.deployment.workers.forks import WorkerForks
from router.keys import Key
from router.wire.addresses import reachable

_TURN_SECONDS, _LINK_SECONDS = 0.1, 60.0


@dataclass(frozen=True, slots=True)
class Start:
    """The arguments with which a service starts."""

    config: Config
    keys: Sequence[Key]
    source: Path  # the configuration file
    ray_address: str | None  # address of somebody else's cluster; None to start our own
    begun: float
    refreshing: Refreshing | None = None  # reads changed documents beside the start

    @property
    def own_ray(self) -> bool:
        return self.ray_address is None


class Command:
    """The shell of a service: its terminal, its signals, and the child that holds its cluster."""

    def __init__(self, start: Start) -> None:
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
            lambda: _lost(own_ray=start.own_ray),
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
        self._await_documents()
        self._hide()
        record = self._remember(ray_address)
        if self._first:
            seconds = time.monotonic() - self._start.begun
            self._say(lambda: welcome(self._start.config, self._start.keys, record, seconds))

    def _await_documents(self) -> None:
        """Wait until changed documents have been read, and show what the reader wrote."""
        if self._first and self._start.refreshing is not None:
            self._show("Reading changed documents …")
            written = self._start.refreshing.wait()
            self._hide()
            self._say(lambda: out.print(escape(written), end="", soft_wrap=True))

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

    def obey_signals(self) -> None:
        # Python drops an exception that a signal raises inside a finalizer.
        if self._signals:
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


def _started(start: Start, folder: Path, tell: Callable[[str], None], *, first: bool) -> str:
    """Start the service, in the child, and return Ray's address."""
    # The process that forks workers imports Ray beside us.
    forks = WorkerForks(folder) if start.own_ray else None
    # Import Ray only now: at its import, it reads the environment that `prepare` has set.
    from router.deployment import cluster
    from router.telemetry.store import catalog  # loads DuckDB

    deployed = None if first else local_service.last_deployed(start.config.data)
    config, keys = deployed or (start.config, start.keys)
    ray_address = start.ray_address
    if ray_address is None:
        ray_address = cluster.start_ray(folder, forks)
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


def _lost(*, own_ray: bool) -> str:
    """Why Ray counts our cluster as lost; in the child. Empty while it does not."""
    from router.deployment import cluster

    return cluster.lost() if own_ray else ""
