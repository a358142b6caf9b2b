"""Files that are whole or not there, and stay so when the machine loses power."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make names durable: a file's own fsync does not cover the entry in its folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_durably(beside: Path, path: Path) -> None:
    """Put a finished file in its place; readers see the old or the new."""
    sync_file(beside)
    beside.replace(path)
    sync_folder(path.parent)


def write_durably(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file by new content that outlives a power cut; readers see the old or the new."""
    replace_durably(_write_beside(path, content, mode), path)


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file by new content without waiting for the disk; readers see old or new."""
    _write_beside(path, content, mode).replace(path)


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return beside


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock that the kernel lets go when its holder dies, however it dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def lock_if_free(path: Path) -> int | None:
    """A handle that holds the lock until it is closed, or nothing where another holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def held(path: Path, lock: Callable[[int, int], None] = fcntl.flock) -> bool:
    """Whether some living process has locked this file, in the way that it locks."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        lock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(handle)
