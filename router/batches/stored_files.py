"""The files that callers upload, and those that their batches write, apart for each key.

A file is there once its record is: the content is written first, both beside and renamed. Only the
owner of the service can read the folder. What a key holds together is bounded, and a file goes when
its time is over. Not covered: machines that do not share the data folder.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from router.config.batches import FileSettings
from router.files import alone, sync_folder, write_durably
from router.wire.errors import NotFound, Refused

PURPOSES = ("batch", "user_data")  # what a caller may upload; a batch writes `batch_output`
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ORPHAN_SECONDS = 3600.0
DAY = 86_400


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The record of one file."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    expires_at: int
    stores: Sequence[str] = ()  # of knowledge, whose words it may hold

    def json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.bytes,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


def _reads_nothing(key_id: str, store: str) -> bool:  # noqa: ARG001
    return False


class QuotaExceeded(Refused):
    """The key's files would need more than a key may hold."""

    def __init__(self, held: int, size: int, most: int) -> None:
        message = (
            f"This key's files hold {held} bytes, and {size} more are beyond "
            f"server.files.quota_bytes = {most}: delete some of /v1/files."
        )
        super().__init__(413, "file_quota_exceeded", message, "file")


class FileStore:
    """All files below one folder. Its methods wait for the disk: call them in a thread."""

    def __init__(
        self,
        folder: Path,
        settings: FileSettings,
        may_read: Callable[[str, str], bool] = _reads_nothing,
    ) -> None:
        """`may_read` says whether a key may read a store of knowledge at this moment."""
        self.folder, self.settings, self.may_read = folder, settings, may_read

    def add(
        self,
        key_id: str,
        content: bytes,
        *,
        file_id: str,
        filename: str,
        purpose: str,
        now: float,
        keep_seconds: float | None = None,
        held_beside: int = 0,
    ) -> StoredFile:
        """Store a file durably; `QuotaExceeded` if the key holds too much already. `held_beside`
        are the bytes that its batches hold."""
        folder = self._opened(key_id)
        record = self.record(file_id, len(content), filename, purpose, now, keep_seconds)
        with alone(folder / ".lock"):
            self.check_room(key_id, len(content), now=now, held_beside=held_beside)
            write_durably(_content(folder, file_id), content)
            self._register(folder, record)
        return record

    def check_room(self, key_id: str, size: int, *, now: float, held_beside: int) -> None:
        """Raise `QuotaExceeded` if the key may not hold so many bytes more."""
        held = sum(each.bytes for each in self.all(key_id, now=now)) + held_beside
        if held + size > self.settings.quota_bytes:
            raise QuotaExceeded(held, size, self.settings.quota_bytes)

    def adopt(self, key_id: str, path: Path, record: StoredFile) -> None:
        """Take over a file that a batch wrote. Does nothing if that was done before."""
        folder = self._opened(key_id)
        with suppress(FileNotFoundError):
            path.replace(_content(folder, record.id))
            sync_folder(folder)
        with suppress(FileNotFoundError):
            size = _content(folder, record.id).stat().st_size
            self._register(folder, replace(record, bytes=size))

    def record(
        self,
        file_id: str,
        size: int,
        filename: str,
        purpose: str,
        now: float,
        keep_seconds: float | None,
    ) -> StoredFile:
        keep = self.settings.keep_days * DAY if keep_seconds is None else keep_seconds
        return StoredFile(file_id, size, int(now), filename, purpose, int(now + keep))

    def all(self, key_id: str, *, now: float) -> list[StoredFile]:
        """The files of a key, the newest first."""
        files = [each for each in map(_read, self._records(key_id)) if each is not None]
        there = [each for each in files if each.expires_at > now]
        return sorted(there, key=lambda each: (each.created_at, each.id), reverse=True)

    def get(self, key_id: str, file_id: str, *, now: float, reads: bool = True) -> StoredFile:
        """A file of this key; `NotFound` for any other, and for one with words of a store that the
        key may not read now, unless it is not to be read."""
        record = None
        if _ID.fullmatch(file_id):
            record = _read(self._of(key_id) / f"{file_id}.json")
        if record is not None and reads:
            barred = any(not self.may_read(key_id, store) for store in record.stores)
            record = None if barred else record
        if record is None or record.expires_at <= now:
            raise NotFound("file_not_found", f"There is no file `{file_id[:80]}`.", "file_id")
        return record

    def path(self, key_id: str, file_id: str) -> Path:
        """Where the content of a file lies."""
        return _content(self._of(key_id), file_id)

    def delete(self, key_id: str, file_id: str, *, now: float) -> None:
        self.get(key_id, file_id, now=now, reads=False)
        self._remove(self._of(key_id), file_id)

    def tidy(self, now: float, wall: Callable[[], float] = time.time) -> None:
        """Remove the files whose time is over, and contents that never got a record."""
        for folder in self._folders():
            for path in folder.glob("*.json"):
                record = _read(path)
                if record is not None and record.expires_at <= now:
                    self._remove(folder, record.id)
            for path in folder.glob("*.content"):
                with suppress(FileNotFoundError):
                    old = wall() - path.stat().st_mtime > _ORPHAN_SECONDS
                    if old and not path.with_suffix(".json").exists():
                        path.unlink()

    def _register(self, folder: Path, record: StoredFile) -> None:
        fields = {name: getattr(record, name) for name in StoredFile.__slots__}
        write_durably(folder / f"{record.id}.json", orjson.dumps(fields))

    def _remove(self, folder: Path, file_id: str) -> None:
        (folder / f"{file_id}.json").unlink(missing_ok=True)  # first: what has no record is gone
        _content(folder, file_id).unlink(missing_ok=True)

    def _records(self, key_id: str) -> Iterator[Path]:
        return self._of(key_id).glob("*.json")

    def _folders(self) -> list[Path]:
        return [each for each in self.folder.glob("*") if each.is_dir()]

    def _of(self, key_id: str) -> Path:
        return self.folder / owner_name(key_id)

    def _opened(self, key_id: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = self._of(key_id)
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder


def owner_name(key_id: str) -> str:
    """The folder of a key. Whoever needs no key has one folder together."""
    if not key_id:
        return "anyone"
    if _ID.fullmatch(key_id) and key_id != "anyone":
        return key_id
    return blake2b(key_id.encode(), digest_size=16).hexdigest()


def new_file_id(unique: str) -> str:
    return "file-" + unique.replace("-", "")


def pieces_of(path: Path, size: int = 256 * 2**10) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece


def _content(folder: Path, file_id: str) -> Path:
    return folder / f"{file_id}.content"


def _read(path: Path) -> StoredFile | None:
    try:
        return StoredFile(**orjson.loads(path.read_bytes()))
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return None


def linked(path: Path, beside: Path) -> None:
    """Keep a file under a second name, also after its first name is gone."""
    beside.unlink(missing_ok=True)
    os.link(path, beside)
