"""Checks that every acknowledged row is in the store, with the bytes that were written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from router.files import alone
from router.telemetry.sql import quoted
from router.telemetry.store import catalog, manifest
from router.telemetry.store.journals import check, covers_of, relative, unsealed_journals
from router.telemetry.store.manifest import Covers, Manifest, Ranges, Segment, count, merged
from router.telemetry.store.segments import checksum
from router.telemetry.tables import TABLES


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """A problem of the store, and how to mend it."""

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
class _Unsealed:
    """What the unsealed journals hold."""

    covers: Mapping[str, Covers]
    rows: Mapping[str, int]
    journals: int
    findings: tuple[AuditFinding, ...]


def verify(folder: Path) -> AuditReport:
    """Read the whole store once and report its problems. A service may write meanwhile."""
    with alone(folder / "keeper.lock"):  # read manifest and journals at the same moment
        try:
            now, wrong = manifest.load_and_judge(folder)
        except manifest.Damaged as error:
            return AuditReport(
                {}, 0, 0, 0, (AuditFinding("manifest.json", str(error), "see above"),)
            )
        unsealed = _unsealed(folder, now)
        published = catalog.published(folder)
    findings = [
        *_unreadable(wrong),
        *unsealed.findings,
        *_damage(folder, now),
        *_gaps(now, unsealed.covers),
    ]
    if published is None:
        mend = "start the service, or run `waggle telemetry compact`"
        findings.append(AuditFinding(catalog.CATALOG_FILE, "cannot be opened", mend))
    with duckdb.connect() as con:
        for segment in now.segments:
            findings += _segment(con, folder, segment)
    rows = {
        name: sum(s.rows for s in now.of(name)) + unsealed.rows.get(name, 0)
        for name in (*TABLES, "rollup")
    }
    size = sum(segment.bytes for segment in now.segments)
    return AuditReport(rows, len(now.segments), unsealed.journals, size, tuple(findings))


def _unreadable(wrong: str) -> Iterator[AuditFinding]:
    if wrong:
        mend = "its copy is in use: start the service, or run `waggle telemetry compact`"
        yield AuditFinding("manifest.json", wrong, mend)


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
    rows = con.execute(f"SELECT count(*) FROM read_parquet({quoted(path)})").fetchone()
    if rows != (segment.rows,):
        yield AuditFinding(segment.file, f"has {rows and rows[0]} rows, not {segment.rows}", mend)
    if segment.covers:
        accounted = segment.rows + segment.removed + segment.damaged
        if count(segment.covers) != accounted:
            problem = f"accounts for {count(segment.covers)} rows, and has or had {accounted}"
            yield AuditFinding(segment.file, problem, "this is a bug: please report it")


def _damage(folder: Path, now: Manifest) -> Iterator[AuditFinding]:
    """Unreadable bytes that were moved aside, and that nobody has looked at and removed yet."""
    for damage in now.damage:
        if (folder / damage.kept).exists():
            problem = f"{damage.size} bytes at {damage.at} could not be read ({damage.reason})"
            yield AuditFinding(damage.file, problem, f"look at {damage.kept}, then remove it")


def _gaps(now: Manifest, unsealed: Mapping[str, Covers]) -> Iterator[AuditFinding]:
    """Row numbers that are in no file, and rows that are in two segments."""
    for name in TABLES:
        sealed = [segment.covers for segment in now.of(name)]
        for writer, ranges in merged(*sealed).items():
            held = sum(count({"": covers.get(writer, ())}) for covers in sealed)
            twice = held - count({"": ranges})
            if twice:
                problem = f"{twice} rows of {writer} are in two segments"
                yield AuditFinding(name, problem, "this is a bug: please report it")
        everything = merged(*sealed, now.gone.get(name, {}), unsealed.get(name, {}))
        for writer, ranges in everything.items():
            for low, high in missing(ranges):
                rows = f"row {low}" if low == high else f"rows {low} to {high}"
                problem = f"{rows} of {writer} are missing"
                mend = "they were lost to a full disk (see events), or a file was removed"
                yield AuditFinding(name, problem, mend)


def missing(ranges: Ranges) -> Iterator[tuple[int, int]]:
    """The gaps in these ranges, which should begin at 1."""
    expected = 1
    for low, high in ranges:
        if low > expected:
            yield expected, low - 1
        expected = high + 1


def _unsealed(folder: Path, now: Manifest) -> _Unsealed:
    covers: dict[str, Covers] = {}
    rows: dict[str, int] = {}
    findings: list[AuditFinding] = []
    journals = 0
    for name in TABLES:
        for path in unsealed_journals(folder, now, name):
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
    return _Unsealed(covers, rows, journals, tuple(findings))
