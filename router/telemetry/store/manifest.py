"""What is sealed: the one file that says which segments count.

It is replaced whole and durably, so every change to the store happens at one instant or not at all.
A segment that it does not name is not there, whatever lies in the folder.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from router.files import write_durably
from router.telemetry.tables import VERSION

Ranges = tuple[tuple[int, int], ...]  # numbers of rows, both ends included, rising, apart
Covers = Mapping[str, Ranges]  # by writer


class Damaged(Exception):
    """The store cannot be trusted as it is; the message says what to do."""


class OtherVersion(Damaged):
    """A part of the store was written by another version of Waggle."""

    def __init__(self, where: Path, version: object) -> None:
        super().__init__(
            f"{where} is of version {version}, and this Waggle reads version {VERSION} only: use "
            "the Waggle that wrote it, or move the folder of telemetry away to begin anew"
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed file. It accounts for the rows it covers: they are in it, or were removed on
    purpose, or could not be read when it was sealed."""

    table: str
    file: str
    rows: int
    bytes: int
    crc: int
    first: int  # timestamps of its rows, in microseconds
    last: int
    covers: Covers = field(default_factory=dict)
    removed: int = 0
    damaged: int = 0

    def path(self, folder: Path) -> Path:
        return folder / "segments" / self.file

    def whole_in(self, folder: Path) -> bool:
        try:
            return self.path(folder).stat().st_size == self.bytes
        except FileNotFoundError:
            return False


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that could not be read when it was sealed, and where the bytes were put aside."""

    file: str
    reason: str
    at: int
    size: int
    kept: str
    found_at: float


@dataclass(frozen=True, slots=True)
class Manifest:
    generation: int = 0
    segments: tuple[Segment, ...] = ()
    sealed: Mapping[str, float] = field(default_factory=dict)  # journals, until they are removed
    gone: Mapping[str, Covers] = field(default_factory=dict)  # by table: rows no segment has now
    damage: tuple[Damage, ...] = ()

    def of(self, table: str) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.segments if segment.table == table)

    def legible(self, folder: Path) -> "Manifest":
        """Without the segments that are gone or cut: the others are to be read all the same."""
        return replace(self, segments=tuple(s for s in self.segments if s.whole_in(folder)))

    def after(
        self, *, without: Iterable[Segment] = (), adding: Iterable[Segment] = (), **changes: Any
    ) -> "Manifest":
        left = {segment.file for segment in without}
        kept = (segment for segment in self.segments if segment.file not in left)
        segments = (*kept, *adding)
        return replace(self, generation=self.generation + 1, segments=segments, **changes)


def load(folder: Path) -> Manifest:
    path = folder / "manifest.json"
    try:
        told = orjson.loads(path.read_bytes())
        if told.get("version") != VERSION:
            raise OtherVersion(path, told.get("version"))
        segments = tuple(_segment(one) for one in told["segments"])
        gone = {table: _covers(covers) for table, covers in told["gone"].items()}
        damage = tuple(Damage(**one) for one in told["damage"])
        return Manifest(told["generation"], segments, told["sealed"], gone, damage)
    except FileNotFoundError:
        if any((folder / "segments").glob("*.parquet")):
            raise Damaged(
                f"{path} is missing though there are segments: copy {_previous(path).name} to its "
                "place, or move the segments away to begin anew"
            ) from None
        return Manifest()
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise Damaged(
            f"{path} cannot be read ({error}): copy {_previous(path).name} to its place"
        ) from None


def store(folder: Path, manifest: Manifest) -> None:
    path = folder / "manifest.json"
    previous = _previous(path)
    if path.exists():
        previous.unlink(missing_ok=True)
        os.link(path, previous)
    content = {"version": VERSION, **asdict(manifest)}
    write_durably(path, orjson.dumps(content, option=orjson.OPT_INDENT_2))


def merged(*covers: Covers) -> Covers:
    """The rows that any of these cover."""
    writers = {writer for one in covers for writer in one}
    return {
        writer: joined(r for one in covers for r in one.get(writer, ()))
        for writer in sorted(writers)
    }


def joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)


def count(covers: Covers) -> int:
    return sum(high - low + 1 for ranges in covers.values() for low, high in ranges)


def has(covers: Covers, writer: str, number: int) -> bool:
    return any(low <= number <= high for low, high in covers.get(writer, ()))


def overlap(one: tuple[int, int], ranges: Ranges) -> bool:
    return any(low <= one[1] and one[0] <= high for low, high in ranges)


def _segment(told: dict[str, Any]) -> Segment:
    return Segment(**{**told, "covers": _covers(told["covers"])})


def _covers(told: Mapping[str, Any]) -> Covers:
    return {w: tuple((low, high) for low, high in ranges) for w, ranges in told.items()}


def _previous(path: Path) -> Path:
    return path.with_name("manifest.previous.json")
