"""Another user of the machine, who tries to read, replace and connect to what a service keeps."""

import os
import socket
import stat
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.attack.attack import Outcome, Target
from tests.other_user import as_another_user


async def another_user(target: Target) -> Outcome:
    """Needs root, to become the other user; otherwise nothing is tried."""
    if os.geteuid() != 0:
        return Outcome(0)
    data = target.service.data
    paths = [path for path in data.rglob("*") if not path.is_symlink()]
    roots = [data, *_links_to(data)]
    wide = [
        f"{path} has mode {path.lstat().st_mode & 0o777:o}"
        for path in (data, *paths)
        if path.exists() and path.lstat().st_mode & 0o077
    ]
    intrusions = as_another_user(lambda: _intrusions(roots, paths))
    return Outcome(3 * len(paths) + len(roots), (*intrusions, *wide))


def _intrusions(roots: Sequence[Path], paths: Sequence[Path]) -> list[str]:
    tries: list[tuple[str, Path, Callable[[Path], object]]] = []
    tries += [("list", root, os.listdir) for root in roots]
    for path in paths:
        tries += [("read", path, _read), ("append to", path, _append), ("replace", path, _replace)]
    succeeded = []
    for verb, path, action in tries:
        try:
            action(path)
        except OSError:
            continue
        succeeded.append(f"another user could {verb} {path}")
    return succeeded


def _read(path: Path) -> None:
    """Open a file, or connect to a socket."""
    if stat.S_ISSOCK(path.stat().st_mode):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    else:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def _append(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK))


def _replace(path: Path) -> None:
    path.rename(path)  # does nothing, but needs the right to write the folder


def _links_to(data: Path) -> list[Path]:
    """The short links in the folder for temporary files that lead into the data folder."""
    links = [path for path in Path(tempfile.gettempdir()).glob("waggle*") if path.is_symlink()]
    return [link for link in links if data in link.resolve().parents]
