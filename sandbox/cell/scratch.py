"""Scratch files that exist only in the worker's memory.

Until `close` is called, file functions use the real file system, so that libraries can load.
Afterwards, relative paths and paths below /tmp name scratch files; other paths are refused.
"""

import builtins
import errno
import io
import os
import posixpath
import stat
import tempfile
from collections.abc import Iterator
from typing import Any

_MOST_FILES = 64
_HOME = "/tmp"
_real: dict[str, Any] = {}


class _Files:
    def __init__(self) -> None:
        self.closed = False
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = {_HOME}


_here = _Files()


class _KeptFile(io.BytesIO):
    """A binary file whose bytes become visible to other readers at every flush."""

    def __init__(self, path: str, start: bytes, *, append: bool) -> None:
        super().__init__(start)
        self._path, self._append = path, append
        if append:
            self.seek(0, io.SEEK_END)

    def write(self, data: Any) -> int:
        if self._append:
            self.seek(0, io.SEEK_END)
        return super().write(data)

    def flush(self) -> None:
        if not self.closed:
            _here.files[self._path] = self.getvalue()

    def close(self) -> None:
        self.flush()
        super().close()


def install() -> None:
    """Replace Python's file functions. Call this before libraries load and keep the originals."""
    for name in ("stat", "lstat", "listdir", "scandir", "mkdir", "rmdir", "remove", "unlink"):
        _real[name] = getattr(os, name)
        setattr(os, name, _replacement(name))
    for name in ("rename", "replace", "access", "getcwd"):
        _real[name] = getattr(os, name)
        setattr(os, name, _replacement(name))
    _real["open"] = builtins.open
    builtins.open = io.open = _open


def close() -> None:
    """Switch from the real file system to files in memory."""
    _here.closed = True
    tempfile.NamedTemporaryFile = _temporary  # type: ignore[assignment]
    tempfile.TemporaryFile = _temporary  # type: ignore[assignment]
    tempfile.mkdtemp = _temporary_folder  # type: ignore[assignment]
    tempfile.tempdir = _HOME


def _replacement(name: str) -> Any:
    def function(*given: Any, **named: Any) -> Any:
        if not _here.closed:
            return _real[name](*given, **named)
        return _SCRATCH_FUNCTIONS[name](*given, **named)

    function.__name__ = name
    return function


def _open(
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    if not _here.closed or isinstance(file, int):
        return _real["open"](file, mode, buffering, encoding, errors, newline, closefd, opener)
    letters = set(mode)
    if letters - set("rwxabt+") or len(letters & set("rwxa")) != 1:
        raise ValueError(f"invalid mode: {mode!r}")
    path = _scratch(file)
    there = path in _here.files
    if path in _here.folders:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    if "r" in letters and not there:
        raise _missing(file)
    if "x" in letters and there:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), file)
    if not there:
        _room_for(path, file)
    start = b"" if letters & set("wx") else _here.files.get(path, b"")
    if letters == {"r"} or letters == {"r", "t"} or letters == {"r", "b"}:
        raw: io.BytesIO = io.BytesIO(start)
    else:
        raw = _KeptFile(path, start, append="a" in letters)
        raw.flush()
    if "b" in letters:
        raw.name = str(file)
        return raw
    return io.TextIOWrapper(raw, encoding or "utf-8", errors, newline)


def _scratch(path: Any) -> str:
    """The absolute path of a scratch file. Raises `PermissionError` for a path outside /tmp."""
    name = os.fspath(path)
    if isinstance(name, bytes):
        name = name.decode()
    full = posixpath.normpath(posixpath.join(_HOME, name))
    if full != _HOME and not full.startswith(_HOME + "/"):
        message = "the machine's files are out of reach: use relative paths, or paths below /tmp"
        raise PermissionError(errno.EACCES, message, path)
    return full


def _room_for(path: str, given: Any) -> None:
    if posixpath.dirname(path) not in _here.folders:
        raise _missing(given)
    if len(_here.files) + len(_here.folders) > _MOST_FILES:
        raise OSError(errno.ENOSPC, f"at most {_MOST_FILES} files can exist", given)


def _missing(path: Any) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _stat(path: Any, **_: Any) -> os.stat_result:
    full = _scratch(path) if not isinstance(path, int) else ""
    if full in _here.folders:
        return os.stat_result((stat.S_IFDIR | 0o755, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    if full in _here.files:
        size = len(_here.files[full])
        return os.stat_result((stat.S_IFREG | 0o644, 0, 0, 1, 0, 0, size, 0, 0, 0))
    raise _missing(path)


def _listdir(path: Any = ".") -> list[str]:
    full = _scratch(path)
    if full not in _here.folders:
        raise _missing(path)
    every = (*_here.files, *(_here.folders - {_HOME}))
    return sorted(posixpath.basename(p) for p in every if posixpath.dirname(p) == full)


class _FileEntry:
    def __init__(self, folder: str, name: str) -> None:
        self.name, self.path = name, posixpath.join(folder, name)

    def is_dir(self, **_: Any) -> bool:
        return _scratch(self.path) in _here.folders

    def is_file(self, **_: Any) -> bool:
        return not self.is_dir()

    def is_symlink(self) -> bool:
        return False

    def stat(self, **_: Any) -> os.stat_result:
        return _stat(self.path)

    def __fspath__(self) -> str:
        return self.path


class _Scan:
    def __init__(self, path: Any = ".") -> None:
        self._entries = iter([_FileEntry(os.fspath(path), name) for name in _listdir(path)])

    def __iter__(self) -> Iterator[_FileEntry]:
        return self._entries

    def __enter__(self) -> Iterator[_FileEntry]:
        return self._entries

    def __exit__(self, *_: object) -> None:
        pass


def _mkdir(path: Any, mode: int = 0o777, **_: Any) -> None:  # noqa: ARG001 - as os.mkdir
    full = _scratch(path)
    if full in _here.folders or full in _here.files:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    _room_for(full, path)
    _here.folders.add(full)


def _rmdir(path: Any, **_: Any) -> None:
    if _listdir(path):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
    _here.folders.discard(_scratch(path))


def _remove(path: Any, **_: Any) -> None:
    if _here.files.pop(_scratch(path), None) is None:
        raise _missing(path)


def _rename(old: Any, new: Any, **_: Any) -> None:
    source, target = _scratch(old), _scratch(new)
    if source not in _here.files:
        raise _missing(old)
    _here.files[target] = _here.files.pop(source)


def _access(path: Any, mode: int, **_: Any) -> bool:  # noqa: ARG001 - as os.access
    try:
        _stat(path)
    except OSError:
        return False
    return True


def _temporary(mode: str = "w+b", *given: Any, suffix: str = "", **named: Any) -> Any:
    kept = {key: named[key] for key in ("encoding", "newline", "errors") if key in named}
    path = f"{_HOME}/tmp{len(_here.files)}{suffix or ''}"
    opened = _open(path, mode.replace("r", "w"), *given, **kept)
    if isinstance(opened, io.TextIOWrapper):
        opened.buffer.name = path
    return opened


def _temporary_folder(suffix: str | None = None, *_: Any, **__: Any) -> str:
    path = f"{_HOME}/folder{len(_here.folders)}{suffix or ''}"
    _mkdir(path)
    return path


_SCRATCH_FUNCTIONS: dict[str, Any] = {
    "stat": _stat, "lstat": _stat, "listdir": _listdir, "scandir": _Scan, "mkdir": _mkdir,
    "rmdir": _rmdir, "remove": _remove, "unlink": _remove, "rename": _rename, "replace": _rename,
    "access": _access, "getcwd": lambda: _HOME,
}  # fmt: skip
