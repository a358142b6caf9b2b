"""Locks the calling process so that it can read some folders, and change nothing anywhere.

On Linux: as root it becomes another user; Landlock leaves files below these folders, for reading
only, and no network; a filter of system calls refuses to open a file for writing, to start a
process, to make a socket and all that is not on its list. Elsewhere, or where the kernel lacks a
lock, the process runs without that lock and the caller learns which locks hold.

Not covered: a kernel exploit; what the process has open already.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from sandbox.cell import lockdown, seccomp

LOCK_NAMES = ("landlock", "seccomp")  # each of them alone refuses to write


def lock(folders: Sequence[Path], *, user_id: int) -> tuple[str, ...]:
    """Lock this process, and return the names of the locks that hold. It must have one thread.

    Raises `OSError` if a lock that the kernel has was refused, or if the process can write still.
    """
    locks: list[str] = []
    if threading.active_count() > 1 or _threads() > 1:
        raise OSError("the locks are for one thread, and this process has more")
    if sys.platform == "linux" and seccomp.SUPPORTED:
        if os.geteuid() == 0:
            lockdown.read_as(user_id)
            locks.append("user")
        lockdown.die_with_parent()
        lockdown.hide_memory()
        if lockdown.landlock_version():
            lockdown.landlock(folders)
            locks.append("landlock")
        if seccomp.available():
            seccomp.install_reading()
            locks.append("seccomp")
    if set(locks) & set(LOCK_NAMES):
        for folder in folders:
            _prove(folder)
    return tuple(locks)


def _threads() -> int:
    with contextlib.suppress(FileNotFoundError):
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208
    return 1


def _prove(folder: Path) -> None:
    attempt = folder / f".written-by-{os.getpid()}"
    with contextlib.suppress(PermissionError):
        os.close(os.open(attempt, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        attempt.unlink()
        raise OSError("the locks hold, and yet this process can write")
