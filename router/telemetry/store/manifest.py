"""The manifest: the file that names the segments of the store.

Each change replaces the manifest whole and durably, so the change happens at an instant or not at
all. A segment that the manifest does not name does not count, although its file may exist. A copy
lies beside the manifest, and is used if the manifest's own bytes were damaged.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from router.files import write_durably
from router.telemetry.tables import ROW_VERSION

Ranges = tuple[tuple[int, int], ...]  # first and last row numbers; sorted, not adjacent
Covers = Mapping[str, Ranges]  # the row numbers of each writer


class Damaged(Exception):
    """The store cannot be used in its present state; the message says what to do."""


class OtherVersion(Damaged):
    """Another version of Waggle wrote a part of the store."""

    def __init__(self, where: Path, version: object) -> None:
        super().__init__(
            f"{where} is of version {version}, and this Waggle reads version {ROW_VERSION} only: "
            "use the Waggle that wrote it, or move the folder of telemetry away to begin anew"
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed file. It holds every row that it covers, except rows that were removed on purpose
    and rows that could not be read at sealing."""

    table: str
    file: str
    rows: int
    bytes: int
    crc: int
    first: int  # the earliest and the latest row, in microseconds
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
    """Bytes that could not be read at sealing, and the file to which they were moved."""

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
    sealed: Mapping[str, float] = field(default_factory=dict)  # when each journal was sealed
    gone: Mapping[str, Covers] = field(default_factory=dict)  # numbers of removed rows, by table
    damage: tuple[Damage, ...] = ()

    def of(self, table: str) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.segments if segment.table == table)

    def legible(self, folder: Path) -> "Manifest":
        """The manifest without missing or cut segments, which would make every query fail."""
        return replace(self, segments=tuple(s for s in self.segments if s.whole_in(folder)))

    def after(
        self, *, without: Iterable[Segment] = (), adding: Iterable[Segment] = (), **changes: Any
    ) -> "Manifest":
        left = {segment.file for segment in without}
        kept = (segment for segment in self.segments if segment.file not in left)
        segments = (*kept, *adding)
        return replace(self, generation=self.generation + 1, segments=segments, **changes)


def load(folder: Path) -> Manifest:
    """The manifest, or its copy if the manifest cannot be read. Raises `Damaged`."""
    return load_and_judge(folder)[0]


def load_and_judge(folder: Path) -> tuple[Manifest, str]:
    """The manifest, and what is wrong with its file. If the file is damaged, this is the copy."""
    path = folder / "manifest.json"
    try:
        return _read(path), ""
    except OtherVersion:
        raise
    except FileNotFoundError:
        wrong = f"{path.name} is missing though there are segments"
    except (orjson.JSONDecodeError, AttributeError, LookupError, TypeError, ValueError) as error:
        wrong = f"{path.name} cannot be read ({error})"
    try:
        return _read(_copy(path)), wrong
    except (OSError, AttributeError, LookupError, TypeError, ValueError):
        if not path.exists() and not any((folder / "segments").glob("*.parquet")):
            return Manifest(), ""
        raise Damaged(
            f"{wrong}, nor can {_copy(path).name}: restore one of them from a copy of this folder, "
            "or move the segments away to begin anew"
        ) from None


def _read(path: Path) -> Manifest:
    stored = orjson.loads(path.read_bytes())
    if stored.get("version") != ROW_VERSION:
        raise OtherVersion(path, stored.get("version"))
    segments = tuple(_segment(fields) for fields in stored["segments"])
    gone = {table: _covers(covers) for table, covers in stored["gone"].items()}
    damage = tuple(Damage(**fields) for fields in stored["damage"])
    return Manifest(stored["generation"], segments, stored["sealed"], gone, damage)


def store(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest, its copy first: the copy is never older than the manifest.

    An older copy could name files that are gone, and leave out the files that hold their rows now.
    """
    path = folder / "manifest.json"
    content = {"version": ROW_VERSION, **asdict(manifest)}
    written = orjson.dumps(content, option=orjson.OPT_INDENT_2)
    write_durably(_copy(path), written)
    write_durably(path, written)


def merged(*covers: Covers) -> Covers:
    """The row numbers that are in any of these covers."""
    ranges: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for part in covers:
        for writer, some in part.items():
            ranges[writer] += some
    return {writer: joined(ranges[writer]) for writer in sorted(ranges)}


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


def overlap(first: int, last: int, ranges: Ranges) -> bool:
    return any(low <= last and first <= high for low, high in ranges)


def _segment(fields: dict[str, Any]) -> Segment:
    if Path(fields["file"]).name != fields["file"]:
        raise ValueError(f"a segment has no path of its own: {fields['file']!r}")
    return Segment(**{**fields, "covers": _covers(fields["covers"])})


def _covers(ranges: Mapping[str, Any]) -> Covers:
    return {writer: tuple((low, high) for low, high in some) for writer, some in ranges.items()}


def _copy(path: Path) -> Path:
    return path.with_name("manifest.copy.json")
