"""Runs the feeder in a process of its own, so that reading and encoding delay no request.

Of all routers, the one that holds the lock runs the feeder, and starts it again when it ends or
when the stores of the configuration change. When that router dies, its feeder dies too.
"""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import orjson

from router.config.config import Config
from router.config.knowledge import StoreSettings
from router.files import lock_if_free
from router.knowledge.encoders import encoder_to_fill
from router.knowledge.feeding.feeder import Feeder

_PARENT_DEATH_SIGNAL = 1
_RESTART_SECONDS = 2.0
_log = logging.getLogger("waggle")


class FeederProcess:
    """Runs the feeder for a router, unless another router runs it already."""

    def __init__(self, config: Config) -> None:
        self._folder, self._work = config.knowledge_folder, _work(config)
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = float("-inf")
        self.watch()

    def follow(self, config: Config) -> None:
        """Restart the feeder if the stores changed."""
        if _work(config) != self._work:
            self._work = _work(config)
            self.stop()
        self.watch()

    def watch(self) -> None:
        """Start the feeder if there is a store and no router runs it. Call it every few seconds."""
        if self._work is None:
            return
        if self._lock is None:
            self._lock = lock_if_free(self._folder / "feeder.owner")
        if self._lock is None or (self._process is not None and self._process.poll() is None):
            return
        if time.monotonic() - self._started_at < _RESTART_SECONDS:
            return
        self._started_at = time.monotonic()
        module = (sys.executable, "-m", "router.knowledge.feeding.process")
        self._process = subprocess.Popen(
            [*module, str(self._folder), str(os.getpid())],
            stdin=subprocess.PIPE,
            process_group=0,  # a terminal's Ctrl-C ends the router, which stops the feeder
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._work)  # not an argument: queries may hold passwords
        self._process.stdin.close()

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


def _work(config: Config) -> bytes | None:
    """What the feeder must know; None without a store."""
    if not config.knowledge:
        return None
    stores = {name: each.model_dump(mode="json") for name, each in config.knowledge.items()}
    return orjson.dumps({"encoders": str(config.encoders_folder), "stores": stores})


def main() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    folder, work = Path(sys.argv[1]), orjson.loads(sys.stdin.buffer.read())
    logs = folder.parent / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(logs / "waggle.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    _log.addHandler(handler)
    stores = {n: StoreSettings.model_validate(each) for n, each in work["stores"].items()}
    router = int(sys.argv[2])  # an argument, since the router may be dead by now
    try:
        feeder = Feeder(folder, stores, partial(encoder_to_fill, work["encoders"]))
        feeder.run(lambda: os.getppid() == router)
    except Exception:
        _log.exception("the feeder failed and will be started again")
        sys.exit(1)


if __name__ == "__main__":
    main()
