"""Reads the journals of a folder, and says which of their lines can be sealed.

A line is good if its checksum is right and its row was not sealed before. Bad lines are reported
and moved to the folder `damaged`, and the good lines beside them are sealed. A last line without
its end was never acknowledged, so it is dropped.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from router.files import write_durably
from router.telemetry.lines import decoded
from router.telemetry.log import NOBODY, SUFFIX
from router.telemetry.store.manifest import (
    Covers,
    Damage,
    Manifest,
    OtherVersion,
    Ranges,
    count,
    has,
    joined,
    overlap,
)
from router.telemetry.tables import ROW_VERSION

_log = logging.getLogger("waggle")


@dataclass(frozen=True, slots=True)
class CheckedJournal:
    """A journal whose lines were checked one by one."""

    path: Path
    writer: str
    size: int
    ranges: Ranges  # the numbers of the good rows
    rows: int
    bad: tuple[tuple[int, bytes], ...] = ()  # byte offsets and bad lines
    instead: bytes | None = None  # the content to seal, if it differs from the file

    def content(self) -> bytes:
        return self.path.read_bytes() if self.instead is None else self.instead

    def halves(self) -> list["CheckedJournal"]:
        """Two journals with half of the rows each; a journal of one row stays as it is."""
        content = self.content()
        lines = [line + b"\n" for line in content.split(b"\n") if line]
        if len(lines) < 2:
            return [replace(self, instead=content)]
        numbers = [n for low, high in self.ranges for n in range(low, high + 1)]
        middle = len(lines) // 2
        return [
            replace(
                self,
                instead=b"".join(lines[part]),
                ranges=joined((n, n) for n in numbers[part]),
                rows=len(lines[part]),
                bad=(),
            )
            for part in (slice(None, middle), slice(middle, None))
        ]

    def all_bad(self) -> "CheckedJournal":
        return replace(self, bad=((self.ranges[0][0], self.content()),))


def unsealed_journals(folder: Path, manifest: Manifest, table: str) -> Iterator[Path]:
    """The journals of a table that are not sealed, both open and closed."""
    for path in sorted((folder / "journal" / table).glob("*" + SUFFIX)):
        if path.name != NOBODY and relative(folder, path) not in manifest.sealed:
            yield path


def relative(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def check(path: Path, sealed: Covers) -> CheckedJournal:
    """Read a journal, and leave out rows that were already sealed from another file."""
    writer = path.name.partition(".")[0]
    content = path.read_bytes()
    lines = decoded(content)
    for version in lines.versions - {b"%d" % ROW_VERSION}:
        raise OtherVersion(path, version.decode())
    numbers, good = lines.numbers, lines.good
    gapless = bool(numbers) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    ranges: Ranges = ((numbers[0], numbers[-1]),) if gapless else joined((n, n) for n in numbers)
    again = not gapless and len(set(numbers)) < len(numbers)
    if again or any(overlap(*ends, sealed.get(writer, ())) for ends in ranges):
        first = {
            n: line
            for n, line in zip(reversed(numbers), reversed(good), strict=True)
            if not has(sealed, writer, n)
        }
        numbers, good, again = sorted(first), [first[n] for n in sorted(first)], True
        ranges = joined((n, n) for n in numbers)
    instead = None
    if again or lines.bad or lines.torn:
        instead = b"".join(line + b"\n" for line in good)
    return CheckedJournal(path, writer, len(content), ranges, len(good), tuple(lines.bad), instead)


def covers_of(journals: Iterable[CheckedJournal]) -> tuple[Covers, int]:
    """The row numbers that these journals account for, and how many of the rows cannot be read.

    If a journal has a bad line, a number missing between two good lines is the bad line's.
    """
    numbers: dict[str, list[tuple[int, int]]] = defaultdict(list)
    damaged = 0
    for journal in journals:
        ranges = journal.ranges
        if journal.bad and ranges:
            whole = ((ranges[0][0], ranges[-1][1]),)
            lost = count({"": whole}) - count({"": ranges})
            if lost <= len(journal.bad):
                damaged += lost
                ranges = whole
        numbers[journal.writer] += ranges
    return {writer: joined(ranges) for writer, ranges in numbers.items()}, damaged


def put_aside(folder: Path, journal: CheckedJournal) -> list[Damage]:
    """Write each bad line of a journal to a file of its own, for somebody to look at."""
    damage = []
    for at, line in journal.bad:
        kept = f"damaged/{journal.path.name}.{at}"
        write_durably(folder / kept, line)
        file = relative(folder, journal.path)
        damage.append(Damage(file, "checksum", at, len(line), kept, time.time()))
        _log.error("telemetry: %s cannot be read at byte %d: see %s", file, at, kept)
    return damage
