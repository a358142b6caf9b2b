"""Keeps other users of this machine out of the data folder.

Folders become 0700, programs 0700, all other files and sockets 0600, whatever stood there before. A
folder that another user owns or could replace is refused: whoever can replace a program or a socket
of the service becomes the user who runs the service.

Not covered: root, and processes of the user who runs the service.
"""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_OTHERS = 0o077
# A folder with one of these is a data folder of Waggle, and we may close it.
_MARKS = frozenset({"secrets.json", "telemetry", "keys.json", "specialists"})
_OF_THE_DISK = "lost+found"  # an otherwise empty disk holds this


class FolderNotOurs(PermissionError):
    """Another user owns this path, or could put something else in its place."""

    def __init__(self, wrong: str, mend: str) -> None:
        super().__init__(f"{wrong}: {mend}")
        self.wrong, self.mend = wrong, mend


@dataclass(frozen=True, slots=True)
class Opening:
    """A path that other users could reach, or that one of them owns."""

    path: Path
    wrong: str
    mend: str


def trusted_users(sudo_uid: str) -> frozenset[int]:
    """The users who may own our folder and those above it: root, ourselves, and who called sudo.

    In a container without root, the owner of `/` stands for the root of the machine.
    """
    caller = {int(sudo_uid)} if sudo_uid.isdecimal() else set()
    return frozenset({0, os.geteuid(), Path("/").stat().st_uid, *caller})


def make_closed(folder: Path, users: Collection[int]) -> list[Path]:
    """Make the data folder, or close the one that is there; return the paths that stood open."""
    _refuse_unsafe_place(folder, users)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_shared_folder(folder)
    return close_folder(folder, users)


def close_folder(folder: Path, users: Collection[int]) -> list[Path]:
    """Close a folder and all below it to other users; return the paths that stood open.

    The path of another user raises: its content may be a trap.
    """
    closed = []
    for path, state in _walk(folder):
        if state.st_uid not in users:
            opening = _foreign(path, state)
            raise FolderNotOurs(f"{path} {opening.wrong}", opening.mend)
        if _may_close(state):
            # The folder around the path is closed by now: nobody can put a link in its place.
            with suppress(FileNotFoundError):
                path.chmod(_closed_mode(state))
                closed.append(path)
    return closed


def openings(folder: Path, users: Collection[int]) -> Iterator[Opening]:
    """What below a folder, the folder included, is open to other users or belongs to one."""
    for path, state in _walk(folder):
        if state.st_uid not in users:
            yield _foreign(path, state)
        elif state.st_mode & _OTHERS:
            wrong = f"has mode {stat.S_IMODE(state.st_mode):04o}"
            yield Opening(path, wrong, f"chmod {_closed_mode(state):04o} {path}")


def _refuse_unsafe_place(folder: Path, users: Collection[int]) -> None:
    """Refuse a place where another user could put a folder of their own."""
    real = folder.resolve()
    may_close = real.is_dir() and os.geteuid() in (0, real.stat().st_uid)
    for place in real.parents if may_close else (real, *real.parents):
        if not place.is_dir():
            continue
        state = place.stat()
        if state.st_uid not in users:
            wrong = f"{place} belongs to user {state.st_uid}, who could replace {folder}"
            raise FolderNotOurs(wrong, "choose a data folder below folders of your own or of root")
        if state.st_mode & stat.S_IWOTH and not state.st_mode & stat.S_ISVTX:
            wrong = f"every user may write in {place}, and so could replace {folder}"
            raise FolderNotOurs(wrong, f"`chmod o-w {place}`, or choose another data folder")


def _refuse_shared_folder(folder: Path) -> None:
    """Refuse an open folder with other things in it: closing it would lock their users out."""
    names = {path.name for path in folder.iterdir()} - {_OF_THE_DISK}
    if names and folder.stat().st_mode & _OTHERS and not names & _MARKS:
        wrong = f"{folder} holds other files, such as {min(names)}, and other users may read there"
        raise FolderNotOurs(wrong, f"give Waggle a folder of its own, such as {folder / 'var'}")


def _may_close(state: os.stat_result) -> bool:
    """Whether a path stands open and is ours to close.

    A file with a second name may be a file of ours elsewhere that an intruder linked here.
    """
    linked = stat.S_ISREG(state.st_mode) and state.st_nlink > 1
    ours = os.geteuid() in (0, state.st_uid)
    return ours and not linked and bool(state.st_mode & _OTHERS)


def _foreign(path: Path, state: os.stat_result) -> Opening:
    me = os.geteuid()
    mend = f"run as that user, or look at it and delete it, or `chown {me} {path}`"
    return Opening(path, f"belongs to user {state.st_uid}, and this is user {me}", mend)


def _closed_mode(state: os.stat_result) -> int:
    program = stat.S_ISREG(state.st_mode) and state.st_mode & stat.S_IXUSR
    return 0o700 if program or stat.S_ISDIR(state.st_mode) else 0o600


def _walk(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """A folder and all below it, parents first. Links are left out, because they have no mode.

    So are files that a running service deletes meanwhile, and what only root may list.
    """
    todo = [folder.resolve()]
    while todo:
        path = todo.pop()
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            state = path.lstat()
            if stat.S_ISLNK(state.st_mode):
                continue
            yield path, state
            if stat.S_ISDIR(state.st_mode):
                todo += path.iterdir()
