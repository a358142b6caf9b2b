"""Is everything there that was ever acknowledged, and is it what was written?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from router.files import alone
from router.telemetry.sql import quoted
from router.telemetry.store import catalog, manifest
from router.telemetry.store.manifest import Covers, Manifest, Ranges, Segment, count, merged
from router.telemetry.store.seal import check, covers_of, relative, unsealed
from router.telemetry.store.segments import checksum
from router.telemetry.tables import TABLES


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """Something that is wrong, and what follows from it."""

    where: str
    problem: str
    mend: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    rows: Mapping[str, int]
    segments: int
    journals: int
    bytes: int
    findings: tuple[AuditFinding, ...]


@dataclass(frozen=True, slots=True)
class _Live:
    """What the journals that are not sealed hold."""

    covers: Mapping[str, Covers]
    rows: Mapping[str, int]
    journals: int
    findings: tuple[AuditFinding, ...]


def verify(folder: Path) -> AuditReport:
    """Read everything once. A service may go on writing meanwhile."""
    with alone(folder / "keeper.lock"):  # so that manifest and journals are of one moment
        try:
            now = manifest.load(folder)
        except manifest.Damaged as error:
            return AuditReport(
                {}, 0, 0, 0, (AuditFinding("manifest.json", str(error), "see above"),)
            )
        live = _live(folder, now)
        published = catalog.published(folder)
    findings = [*live.findings, *_damage(folder, now), *_gaps(now, live.covers)]
    if published is None:
        mend = "start the service, or run `waggle telemetry compact`"
        findings.append(AuditFinding(catalog.CATALOG_FILE, "cannot be opened", mend))
    with duckdb.connect() as con:
        for segment in now.segments:
            findings += _segment(con, folder, segment)
    rows = {
        name: sum(s.rows for s in now.of(name)) + live.rows.get(name, 0)
        for name in (*TABLES, "rollup")
    }
    size = sum(segment.bytes for segment in now.segments)
    return AuditReport(rows, len(now.segments), live.journals, size, tuple(findings))


def _segment(
    con: duckdb.DuckDBPyConnection, folder: Path, segment: Segment
) -> Iterator[AuditFinding]:
    path = segment.path(folder)
    mend = "restore it from a copy of this folder; its rows cannot be read"
    if not path.is_file():
        yield AuditFinding(segment.file, f"is missing, with {segment.rows} rows", mend)
        return
    if checksum(path) != (segment.bytes, segment.crc):
        yield AuditFinding(
            segment.file, f"its checksum is wrong; it holds {segment.rows} rows", mend
        )
        return
    told = con.execute(f"SELECT count(*) FROM read_parquet({quoted(path)})").fetchone()
    if told is None or told[0] != segment.rows:
        yield AuditFinding(segment.file, f"has {told and told[0]} rows, not {segment.rows}", mend)
    if segment.covers:
        accounted = segment.rows + segment.removed + segment.damaged
        if count(segment.covers) != accounted:
            problem = f"accounts for {count(segment.covers)} rows, and has or had {accounted}"
            yield AuditFinding(segment.file, problem, "this is a bug: please report it")


def _damage(folder: Path, now: Manifest) -> Iterator[AuditFinding]:
    """Told until somebody has looked at what was put aside, and removed it."""
    for one in now.damage:
        if (folder / one.kept).exists():
            problem = f"{one.size} bytes at {one.at} could not be read ({one.reason})"
            yield AuditFinding(one.file, problem, f"look at {one.kept}, then remove it")


def _gaps(now: Manifest, live: Mapping[str, Covers]) -> Iterator[AuditFinding]:
    """Rows that nothing accounts for, and rows that two segments claim."""
    for name in TABLES:
        sealed = [segment.covers for segment in now.of(name)]
        for writer, ranges in merged(*sealed).items():
            twice = sum(count({"": one.get(writer, ())}) for one in sealed) - count({"": ranges})
            if twice:
                problem = f"{twice} rows of {writer} are in two segments"
                yield AuditFinding(name, problem, "this is a bug: please report it")
        everything = merged(*sealed, now.gone.get(name, {}), live.get(name, {}))
        for writer, ranges in everything.items():
            for low, high in missing(ranges):
                rows = f"row {low}" if low == high else f"rows {low} to {high}"
                problem = f"{rows} of {writer} are missing"
                mend = "they were lost: a full disk (see events), or a file taken away"
                yield AuditFinding(name, problem, mend)


def missing(ranges: Ranges) -> Iterator[tuple[int, int]]:
    """The numbers from 1 up to the last that are not in these ranges."""
    expected = 1
    for low, high in ranges:
        if low > expected:
            yield expected, low - 1
        expected = high + 1


def _live(folder: Path, now: Manifest) -> _Live:
    covers: dict[str, Covers] = {}
    rows: dict[str, int] = {}
    findings: list[AuditFinding] = []
    journals = 0
    for name in TABLES:
        for path in unsealed(folder, now, name):
            journals += 1
            try:
                journal = check(path, {})
            except manifest.OtherVersion as error:
                findings.append(AuditFinding(relative(folder, path), str(error), "see above"))
                continue
            covers[name] = merged(covers.get(name, {}), covers_of([journal])[0])
            rows[name] = rows.get(name, 0) + journal.rows
            for at, _ in journal.bad:
                problem = f"the line at byte {at} is not what was written"
                findings.append(
                    AuditFinding(relative(folder, path), problem, "it will be put aside at sealing")
                )
    return _Live(covers, rows, journals, tuple(findings))
