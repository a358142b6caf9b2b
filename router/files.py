"""Writes files that are whole or absent, and takes locks that end with their holder.

Each file is written beside its target and then renamed into place. A durable write also survives a
power cut. Two processes that write the same path take turns, and the later write wins.

Not covered: file systems without atomic renames or without `flock`, such as some network mounts.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file without waiting for the disk. Readers see the old content or the new."""
    _write(path, content, mode, durable=False)


def write_durably(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file so that the new content survives a power cut."""
    _write(path, content, mode, durable=True)


def replace_durably(beside: Path, path: Path) -> None:
    """Rename a finished file to `path`; its content and its name survive a power cut."""
    sync_file(beside)
    beside.replace(path)
    sync_folder(path.parent)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder, and rename it to `path` when the block ends without an error.

    Readers find nothing at `path` for an instant: a folder cannot be replaced in one step.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _place_beside(path, _open_folder) as (_, beside):
        _empty(beside)
        try:
            yield beside
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        for made in beside.rglob("*"):
            if made.is_dir():
                sync_folder(made)
            else:
                sync_file(made)
        sync_folder(beside)
        shutil.rmtree(path, ignore_errors=True)
        beside.replace(path)
    sync_folder(path.parent)


def append_lines(handle: int, lines: bytes, *, durable: bool = False) -> None:
    """Append whole lines to a file that the caller has locked; after an error, cut the file back.

    An unfinished last line, left by a writer that was killed, is removed first.
    """
    size = _end_of_last_line(handle)
    os.ftruncate(handle, size)
    try:
        _write_all(handle, lines, size)
        if durable:
            os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


@contextmanager
def alone(path: Path) -> Iterator[int]:
    """Hold the lock on a file during the block. Yield the file's handle for reading and writing.

    The kernel releases the lock when its holder dies.
    """
    handle = _open_file(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def lock_if_free(path: Path) -> int | None:
    """Lock a file, and return the handle that holds the lock; None if the lock is taken."""
    handle = _open_file(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def create_locked(path: Path) -> int:
    """Create a file for appending, locked before another process can open the file by its name."""
    hidden = path.with_suffix(".new")
    handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        hidden.rename(path)
    except OSError:
        os.close(handle)
        raise
    return handle


def held(path: Path, lock: Callable[[int, int], None] = fcntl.flock) -> bool:
    """Whether a living process holds a lock of this kind on a file."""
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


def sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: syncing a file does not cover the file's name."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, content: bytes, mode: int, *, durable: bool) -> None:
    with _place_beside(path, _open_beside) as (handle, beside):
        try:
            os.fchmod(handle, mode)
            os.ftruncate(handle, 0)
            _write_all(handle, content, 0)
            if durable:
                os.fsync(handle)
        except OSError:
            beside.unlink()
            raise
        beside.replace(path)
    if durable:
        sync_folder(path.parent)


@contextmanager
def _place_beside(path: Path, opened: Callable[[Path], int]) -> Iterator[tuple[int, Path]]:
    """Lock `<path>.new`, where the next version is written, and yield its handle and its path."""
    beside = path.with_name(path.name + ".new")
    while True:
        handle = opened(beside)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_at(handle, beside):  # else another writer renamed `beside` meanwhile
                yield handle, beside
                return
        finally:
            os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.lstat())
    return False


def _open_file(path: Path, flags: int = 0) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o600)


def _open_beside(path: Path) -> int:
    return _open_file(path, os.O_NOFOLLOW)


def _open_folder(path: Path) -> int:
    while True:
        path.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another writer renamed the folder meanwhile
            return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _write_all(handle: int, content: bytes, at: int) -> None:
    rest = memoryview(content)
    while rest:
        written = os.pwrite(handle, rest, at)
        rest, at = rest[written:], at + written


def _end_of_last_line(handle: int) -> int:
    at = os.fstat(handle).st_size
    while at > 0:
        start = max(at - 4096, 0)
        newline = os.pread(handle, at - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        at = start
    return 0
