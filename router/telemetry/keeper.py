"""Runs the keeper in a process of its own, so that sealing delays no request.

Of all routers, the one that holds the lock on the folder runs the keeper, and starts it again when
it ends. When that router dies, its keeper dies too, and another router gets the lock.
"""

import contextlib
import ctypes
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import orjson

from router.config.server import TelemetrySettings
from router.files import lock_if_free
from router.telemetry.store.keep import Keeper, RetentionRules
from router.telemetry.store.manifest import Damaged

_PARENT_DEATH_SIGNAL = 1
_PAUSE_SECONDS = 0.5
_PRUNE_SECONDS = 60.0
_RESTART_SECONDS = 2.0  # the shortest time between two starts of the keeper
_DAY = 86_400
_NICENESS = 10  # a low priority: requests come first, and sealing can wait
_log = logging.getLogger("waggle")


def rules_of(settings: TelemetrySettings) -> RetentionRules:
    keep = settings.keep_days
    return RetentionRules(
        keep_seconds=None if keep is None else keep * _DAY,
        keep_bytes=settings.keep_bytes,
        grace_seconds=settings.grace_seconds,
    )


class KeeperProcess:
    """Runs the keeper for a router, unless another router runs it already."""

    def __init__(self, folder: Path, settings: TelemetrySettings) -> None:
        self._folder = folder
        self._settings = settings
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = float("-inf")
        self.watch()

    def follow(self, settings: TelemetrySettings) -> None:
        """Restart the keeper if the settings changed."""
        if settings != self._settings:
            self._settings = settings
            self.stop()
        self.watch()

    def watch(self) -> None:
        """Start the keeper if no router runs it. Call this method every few seconds."""
        if self._lock is None:
            self._lock = lock_if_free(self._folder / "keeper.owner")
        if self._lock is None or (self._process is not None and self._process.poll() is None):
            return
        if time.monotonic() - self._started_at < _RESTART_SECONDS:
            return
        self._started_at = time.monotonic()
        settings = orjson.dumps(self._settings.model_dump(mode="json")).decode()
        module = (sys.executable, "-m", "router.telemetry.keeper")
        self._process = subprocess.Popen(
            [*module, str(self._folder), settings, str(os.getpid())],
            stdin=subprocess.DEVNULL,
            process_group=0,  # a terminal's Ctrl-C ends the router, which stops the keeper
        )

    def close(self) -> None:
        self.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process = None
            self._started_at = float("-inf")


def run(folder: Path, settings: TelemetrySettings, router: int) -> None:
    """Seal, merge, prune and sweep as long as the router with this number lives."""
    keeper = Keeper(folder, rules_of(settings))
    sealed_at = pruned_at = 0.0
    keeper.recover()
    if settings.otlp.endpoint:
        _export(folder, settings)
    while os.getppid() == router:
        now = time.monotonic()
        if now - sealed_at >= settings.seal_seconds:
            sealed_at = now
            keeper.tend()
            keeper.sweep()
        if now - pruned_at >= _PRUNE_SECONDS:
            pruned_at = now
            keeper.prune()
        keeper.free()
        time.sleep(_PAUSE_SECONDS)


def _export(folder: Path, settings: TelemetrySettings) -> None:
    # This import takes a third of the memory, and most services do not export.
    from router.telemetry.otlp import Exporter

    exporter = Exporter(folder, settings.otlp)
    stop = threading.Event()
    thread = threading.Thread(
        target=exporter.run, args=(stop, settings.seal_seconds), name="otlp", daemon=True
    )
    thread.start()


def main() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    folder = Path(sys.argv[1])
    settings = TelemetrySettings.model_validate(orjson.loads(sys.argv[2]))
    router = int(sys.argv[3])  # an argument, since the router may be dead by now
    if os.getppid() != router:
        return
    (folder.parent / "logs").mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(folder.parent / "logs" / "waggle.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    _log.addHandler(handler)
    os.nice(_NICENESS)
    gc.freeze()
    try:
        run(folder, settings, router)
    except Damaged as error:
        _log.error("telemetry is written, but not sealed: %s", error)
        signal.pause()  # wait to be stopped: a restart would fail in the same way
    except Exception:
        _log.exception("the keeper failed and will be started again")
        sys.exit(1)


if __name__ == "__main__":
    main()
