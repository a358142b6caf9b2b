"""Processes that die in the middle of a write, and disks that are full."""

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def killed_before_rename(action: Callable[[], object]) -> bool:
    """Run an action in a child process that dies at its first rename. True if it died."""

    def die(event: str, args: object) -> None:
        if event == "os.rename":
            os.kill(os.getpid(), signal.SIGKILL)

    return _died(lambda: sys.addaudithook(die), action) == signal.SIGKILL


def killed_midway(action: Callable[[], object], *, after_bytes: int) -> bool:
    """Run an action in a child process that dies when its file exceeds a size. True if it died."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (after_bytes, after_bytes))

    return _died(limit, action) == signal.SIGXFSZ


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process exceed a size, so that the disk seems to be full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _died(prepare: Callable[[], object], action: Callable[[], object]) -> int:
    """The signal that the child died of; 0 if the child reached its end."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            action()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])
