"""The data sets of a service: folders of frozen versions, each with its card and its report.

A version never changes, but for one reason: rows of a caller who is forgotten are taken out of it,
and its card says so. A version that cannot be read is removed whole when somebody is forgotten.
"""

import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from router.files import alone, whole_folder
from router.training.data_query import DataRefused, checked_name
from router.training.data_rows import SPLITS, BadRow, DataRow, Split, lines_of, row_of

CARD, REPORT = "card.json", "report.json"
_VERSION = re.compile(r"v([1-9][0-9]*)")
_ASKED_FOR = re.compile(r"v?([1-9][0-9]*)")
Rows = Mapping[Split, tuple[DataRow, ...]]


@dataclass(frozen=True, slots=True)
class DataSet:
    name: str
    version: int
    card: Mapping[str, Any]
    rows: Rows

    @property
    def reference(self) -> str:
        return f"{self.name}@v{self.version}"

    @property
    def hash(self) -> str:
        """Stands for all rows of the version."""
        return str(self.card["hash"])

    @property
    def everything(self) -> Iterator[DataRow]:
        return (row for split in SPLITS for row in self.rows[split])


class DataSets:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if self.versions(path.name))

    def versions(self, name: str) -> list[int]:
        """The numbers of the versions, the latest last."""
        folder = self.folder / name
        paths = folder.iterdir() if folder.is_dir() else ()
        numbers = (_VERSION.fullmatch(path.name) for path in paths)
        return sorted(int(number[1]) for number in numbers if number)

    def latest(self, name: str) -> DataSet | None:
        versions = self.versions(name)
        return self.load(name, versions[-1]) if versions else None

    def named(self, reference: str) -> DataSet:
        """The data set `NAME` (its latest version), `NAME@v3` or `NAME@3`."""
        name, _, version = reference.partition("@")
        versions = self.versions(checked_name(name))
        if not versions:
            there = ", ".join(self.names()) or "none"
            raise DataRefused(
                f"there is no data set {name} (there is {there}): make it with `waggle data make`"
            )
        number = _ASKED_FOR.fullmatch(version) if version else None
        if version and (number is None or int(number[1]) not in versions):
            there = ", ".join(f"v{each}" for each in versions)
            raise DataRefused(f"{reference}: {name} has no version {version}; it has {there}")
        return self.load(name, int(number[1]) if number else versions[-1])

    def load(self, name: str, version: int) -> DataSet:
        """A version whose files are as they were written; refuse if they are not."""
        folder = self._folder(name, version)
        try:
            card = orjson.loads((folder / CARD).read_bytes())
            contents = {split: (folder / f"{split}.jsonl").read_bytes() for split in SPLITS}
            rows = {split: _rows(split, content) for split, content in contents.items()}
            written = card["files"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataRefused(
                f"{folder} is damaged ({error}): remove that folder, and make the set again"
            ) from None
        for split, content in contents.items():
            if written.get(f"{split}.jsonl") != sha256(content).hexdigest():
                raise DataRefused(
                    f"{folder}/{split}.jsonl is not what was written: "
                    "remove that folder, and make the set again"
                )
        return DataSet(name, version, card, rows)

    def report(self, data_set: DataSet) -> Mapping[str, Any]:
        path = self._folder(data_set.name, data_set.version) / REPORT
        report: Mapping[str, Any] = orjson.loads(path.read_bytes())
        return report

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes or forgets during the block."""
        with alone(self.folder / "lock"):
            yield

    def write(self, data_set: DataSet, report: Mapping[str, Any]) -> None:
        """Write a version whole, durably and for its owner alone; the caller holds the lock."""
        with whole_folder(self._folder(data_set.name, data_set.version)) as beside:
            beside.chmod(0o700)
            for split in SPLITS:
                _put(beside / f"{split}.jsonl", lines_of(data_set.rows[split]))
            _put(beside / CARD, _json(data_set.card))
            _put(beside / REPORT, _json(report))

    def remove(self, name: str, version: int) -> None:
        shutil.rmtree(self._folder(name, version))

    def remove_unfinished(self) -> None:
        """Remove what a killed writer left; the caller holds the lock."""
        for path in self.folder.glob("*/*.new"):
            shutil.rmtree(path)

    def _folder(self, name: str, version: int) -> Path:
        return self.folder / name / f"v{version}"


def hashes_of(rows: Rows) -> dict[str, str]:
    """The hash of each file of rows."""
    return {f"{split}.jsonl": sha256(lines_of(rows[split])).hexdigest() for split in SPLITS}


def hash_of_files(files: Mapping[str, str]) -> str:
    """The one hash that stands for all rows of a version."""
    return sha256(orjson.dumps(dict(files), option=orjson.OPT_SORT_KEYS)).hexdigest()


def without(rows: Rows, ids: Collection[str]) -> Rows:
    return {split: tuple(row for row in rows[split] if row.id not in ids) for split in SPLITS}


def _rows(split: Split, content: bytes) -> tuple[DataRow, ...]:
    rows = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            rows.append(row_of(line))
        except BadRow as error:
            raise ValueError(f"{split}.jsonl line {number} is no row ({error})") from None
    return tuple(rows)


def _put(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _json(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(dict(value), option=orjson.OPT_INDENT_2) + b"\n"
