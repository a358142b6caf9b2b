"""Where batches lie: a record for each, its lines, its answers, and the wish to cancel it.

Any router makes batches and wishes them cancelled; only the one that carries batches out changes
their records. The methods wait for the disk: call them in a thread.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from router.batches.records import BatchRecord, batch_in
from router.batches.stored_files import linked, owner_name
from router.files import alone, write_durably, write_whole
from router.wire.errors import NotFound, Refused

_ID = re.compile(r"batch_[A-Za-z0-9]{1,64}")


class TooManyBatches(Refused):
    """The key has too many batches that have not ended."""

    def __init__(self, most: int) -> None:
        message = (
            f"This key has {most} batches that have not ended, as many as server.batches.open lets "
            "it: wait for one, or cancel one."
        )
        super().__init__(429, "too_many_batches", message)


class BatchStore:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def lock(self) -> Path:
        """The file whose lock makes a process the one that carries batches out."""
        return self.folder / "owner.lock"

    def create(self, record: BatchRecord, lines: Path, *, most_open: int) -> None:
        """Store a new batch durably, with its lines, which stay also if their file is deleted."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = self._of(record.key_id)
        folder.mkdir(exist_ok=True, mode=0o700)
        with alone(folder / ".lock"):
            if sum(each.open for each in self.all(record.key_id)) >= most_open:
                raise TooManyBatches(most_open)
            linked(lines, self.lines(record))
            self.save(record)

    def save(self, record: BatchRecord, *, durably: bool = True) -> None:
        write = write_durably if durably else write_whole
        write(self._of(record.key_id) / f"{record.id}.json", record.written())

    def all(self, key_id: str) -> list[BatchRecord]:
        """The batches of a key, the newest first."""
        records = _read_all(self._of(key_id))
        return sorted(records, key=lambda each: (each.created_at, each.id), reverse=True)

    def get(self, key_id: str, batch_id: str) -> BatchRecord:
        """A batch of this key; `NotFound` for any other."""
        record = None
        if _ID.fullmatch(batch_id):
            record = _read(self._of(key_id) / f"{batch_id}.json")
        if record is None:
            raise NotFound("batch_not_found", f"There is no batch `{batch_id[:80]}`.", "batch_id")
        return record

    def end(self, record: BatchRecord) -> None:
        """Save a batch that has ended, durably, and drop what only its work needed."""
        self.save(record)
        for path in (self.lines(record), self.output(record), self.errors(record)):
            path.unlink(missing_ok=True)

    def wish_cancelled(self, record: BatchRecord, now: float) -> None:
        path = self._cancelling(record)
        if record.open and not path.exists():
            write_durably(path, b"%d" % now)

    def cancelling_at(self, record: BatchRecord) -> int | None:
        """When somebody asked to cancel the batch, if anybody did."""
        with suppress(FileNotFoundError, ValueError):
            return int(self._cancelling(record).read_bytes())
        return None

    def unfinished(self) -> list[BatchRecord]:
        """The batches of all keys that have not ended, the oldest first."""
        records = []
        for lines in self.folder.glob("*/*.lines"):  # an ended batch has none
            record = _read(lines.with_suffix(".json"))
            if record is not None and record.open:
                records.append(record)
        return sorted(records, key=lambda each: (each.created_at, each.id))

    def held_bytes(self, key_id: str) -> int:
        """What the batches of a key hold that is no file of it (any more)."""
        held = 0
        for path in self._of(key_id).glob("batch_*"):
            with suppress(FileNotFoundError):
                facts = path.stat()
                lines = path.suffix == ".lines" and facts.st_nlink == 1  # its file was deleted
                if lines or path.suffix in (".output", ".errors"):
                    held += facts.st_size
        return held

    def tidy(self, before: float) -> None:
        """Remove the batches that were made before a moment and have ended."""
        for folder in [each for each in self.folder.glob("*") if each.is_dir()]:
            for record in _read_all(folder):
                if not record.open and record.created_at < before:
                    for path in folder.glob(f"{record.id}.*"):
                        path.unlink(missing_ok=True)

    def lines(self, record: BatchRecord) -> Path:
        return self._of(record.key_id) / f"{record.id}.lines"

    def output(self, record: BatchRecord) -> Path:
        """Where answers are written until the batch ends."""
        return self._of(record.key_id) / f"{record.id}.output"

    def errors(self, record: BatchRecord) -> Path:
        return self._of(record.key_id) / f"{record.id}.errors"

    def _cancelling(self, record: BatchRecord) -> Path:
        return self._of(record.key_id) / f"{record.id}.cancel"

    def _of(self, key_id: str) -> Path:
        return self.folder / owner_name(key_id)


def _read_all(folder: Path) -> Iterator[BatchRecord]:
    for path in folder.glob("batch_*.json"):
        record = _read(path)
        if record is not None:
            yield record


def _read(path: Path) -> BatchRecord | None:
    try:
        return batch_in(path.read_bytes())
    except FileNotFoundError:
        return None
