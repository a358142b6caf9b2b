"""Who asks for the words of a store, by the record of the caller's key and nothing else."""

from collections.abc import Iterable
from pathlib import Path

from router.keys import Key, load_keys
from router.value import value


@value
class Reader:
    """One caller. `locale` is the team of its key; an admin may do everything."""

    key_id: str
    name: str
    locale: str
    admin: bool = False


ANYONE = Reader("", "", "", admin=True)  # on a machine without keys, every caller is its owner
NOBODY = Reader("", "", "")  # no key, an unknown key or a revoked key, once keys exist


class Readers:
    """The readers behind the ids of keys, by a key file that may be replaced at any time.

    Each question looks whether the file was replaced, so that a revoked key reads nothing more.
    """

    def __init__(self, keys_file: Path) -> None:
        self._file = keys_file
        self._state: tuple[int, ...] = ()
        self._readers: dict[str, Reader] = {}
        self._teams: dict[str, str] = {}

    def reader(self, key_id: str) -> Reader:
        """The reader with this key. Raises `ValueError` if the key file cannot be read."""
        self._look()
        if not self._readers and not key_id:
            return ANYONE
        return self._readers.get(key_id, NOBODY)

    def team_of(self, name: str) -> str:
        """The team of the key with this name; empty if it has none."""
        self._look()
        return self._teams.get(name, "")

    def _look(self) -> None:
        state = _state_of(self._file)
        if state != self._state or not state:
            keys = load_keys(self._file)
            self._readers = {key.id: reader_of(key) for key in keys}
            self._teams = _teams(keys)
            self._state = state


def reader_of(key: Key) -> Reader:
    """The reader with this key, as it stands now."""
    if key.revoked:
        return NOBODY
    return Reader(key.id, key.name, key.team, admin="admin" in key.scopes)


def _teams(keys: Iterable[Key]) -> dict[str, str]:
    return {key.name: key.team for key in keys if key.team and not key.revoked}


def _state_of(path: Path) -> tuple[int, ...]:
    """What changes whenever the file is replaced; empty if there is no file."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return ()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
