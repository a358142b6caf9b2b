"""The rows of a data set as a trainer reads them, and where data sets lie."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import orjson

from router.models.features import Asked, words_of
from router.training.data_rows import SPLITS
from router.training.data_sets import DataSets, hash_of_files

T = TypeVar("T")
GOOD = 0.5  # the least quality of an answer that is worth learning


class BadData(ValueError):
    """A data set is missing, or cannot be learned from; the message names the rule and the mend."""


@dataclass(frozen=True, slots=True)
class Example:
    """A request, the answer of its teacher, and how good the answer was, from 0 to 1."""

    id: str
    words: Asked
    answer: str
    quality: float = 1.0
    teacher: str = ""  # the plan that answered
    language: str = ""
    pattern: str = ""
    shown: bool = False  # whether a person gave the answer, and not a plan
    rejected: str = ""  # a worse answer to the same request
    soft: Mapping[str, float] = field(default_factory=dict)  # the teacher's chances of each answer


@dataclass(frozen=True, slots=True)
class DataSet:
    """One version of a data set, in a folder that does not change."""

    name: str
    version: int
    folder: Path
    hash: str

    @property
    def reference(self) -> str:
        return f"{self.name}@v{self.version}"

    @property
    def fields(self) -> Mapping[str, Any]:
        return {"name": self.name, "version": self.version, "hash": self.hash}

    def examples(self, split: str) -> list[Example]:
        return list(_read(self.folder / f"{split}.jsonl", _example))

    def rows(self, split: str) -> Iterator[Mapping[str, Any]]:
        """The rows as they were written: with whole conversations and rejected answers."""
        return _read(self.folder / f"{split}.jsonl", _row)


def data_set(folder: Path, reference: str) -> DataSet:
    """The data set that `NAME` or `NAME@2` means, below the folder of training data."""
    name, mark, number = reference.partition("@")
    number = number.removeprefix("v")
    if not name or Path(name).name != name or name.startswith("."):
        raise BadData(f"{reference!r} is no name of a data set: write NAME or NAME@v2")
    sets = DataSets(folder)
    there = sets.versions(name)
    if not there:
        names = ", ".join(sets.names()) or "none"
        raise BadData(
            f"no data set is called {name} (there is {names}): make it with `waggle data make`"
        )
    if mark and not (number.isdigit() and int(number) in there):
        versions = ", ".join(f"{name}@v{each}" for each in there)
        raise BadData(f"{reference!r} is no version of {name}: there is {versions}")
    version = int(number) if mark else there[-1]
    place = folder / name / f"v{version}"
    return DataSet(name, version, place, _hash_of(place))


def _hash_of(folder: Path) -> str:
    """The hash of the rows as they lie there now, which is the card's unless they were changed."""
    paths = {f"{split}.jsonl": folder / f"{split}.jsonl" for split in SPLITS}
    contents = {name: path.read_bytes() if path.is_file() else b"" for name, path in paths.items()}
    return hash_of_files({name: sha256(content).hexdigest() for name, content in contents.items()})


def _read(path: Path, read: Callable[[Any], T]) -> Iterator[T]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield read(orjson.loads(line))
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
                kind = type(error).__name__  # an error's text may quote the row
                raise BadData(
                    f"{path.name} line {number} is no row ({kind}): make the data set again"
                ) from None


def _row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(row["messages"], list) or not isinstance(row["answer"], str):
        raise TypeError
    return row


def _example(row: Mapping[str, Any]) -> Example:
    quality = row.get("quality")
    soft = row.get("soft") or {}
    return Example(
        str(row["id"]),
        words_of(row["messages"]),
        str(row["answer"]),
        1.0 if quality is None else float(quality),
        str(row.get("plan") or ""),
        str(row.get("language") or ""),
        str(row.get("pattern") or ""),
        row.get("source") == "demonstration",
        str(row.get("rejected") or ""),
        {str(answer): float(chance) for answer, chance in soft.items()},
    )
