"""`telemetry.duckdb`: views and macros and no rows, so that anyone may open it while rows come.

The views list sealed segments one by one, and read whatever journals lie in the folder except those
sealed into these segments. So each published catalog sees every row once: what was sealed when it
was published, and all that was written since, up to the row acknowledged just before the query.

Sealed journals are removed after a while. A catalog from before names a file that goes with them,
so whoever holds one open that long is told to open it again rather than shown fewer rows.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

import duckdb

from router.files import held, replace_durably
from router.telemetry import rollup
from router.telemetry.log import SUFFIX
from router.telemetry.sql import from_live_journals, from_segments, listed, quoted
from router.telemetry.store.manifest import Manifest
from router.telemetry.store.segments import rows_of
from router.telemetry.tables import FEATURES, TABLES, TableSchema

CATALOG_FILE = "telemetry.duckdb"
_OPEN_AGAIN = "this-database-was-replaced-long-ago-open-it-again"
_VIEWS = "views.sql"


def publish(folder: Path, manifest: Manifest) -> None:
    """Put a catalog of this manifest in the place of the last one."""
    guard = _guard(folder, manifest.generation)
    guard.parent.mkdir(parents=True, exist_ok=True)
    for older in guard.parent.glob("*" + SUFFIX):
        if older != guard and _fresh(older):
            _retire(older)
    guard.touch()
    ours = folder / "work" / CATALOG_FILE  # what others do to the one they open does not come back
    if not _changed(ours, folder, manifest):
        _anew(ours, folder, manifest)
    beside = folder / (CATALOG_FILE + ".new")
    shutil.copyfile(ours, beside)
    replace_durably(beside, folder / CATALOG_FILE)


def _anew(ours: Path, folder: Path, manifest: Manifest) -> None:
    for leftover in (ours, ours.with_name(ours.name + ".wal")):
        leftover.unlink(missing_ok=True)
    with _opened(ours) as con:
        con.execute("BEGIN")
        for statement in (*changing(folder, manifest), *fixed()):
            con.execute(statement)
        con.execute("COMMIT")


def _changed(ours: Path, folder: Path, manifest: Manifest) -> bool:
    """Change in the last one what changes, a third of the work; if it is of our edition."""
    if not ours.exists():
        return False
    try:
        with _opened(ours) as con:
            if con.execute("SELECT edition FROM published").fetchall() != [(_edition(),)]:
                return False
            con.execute("BEGIN")
            for statement in changing(folder, manifest):
                con.execute(statement)
            con.execute("COMMIT")
    except duckdb.Error:
        return False
    return True


def _opened(ours: Path) -> duckdb.DuckDBPyConnection:
    """In a format that the DuckDB of analysts reads too, which may be older than ours."""
    return duckdb.connect(str(ours), config={"storage_compatibility_version": "v1.2.0"})


def appeared(folder: Path, *, seconds: float) -> bool:
    """Wait for the first one: the keeper publishes it, and whoever asks before finds nothing."""
    until = time.monotonic() + seconds
    while not (folder / CATALOG_FILE).exists():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def taken(folder: Path) -> bool:
    """Whether somebody opened the catalog for writing, as plain `duckdb FILE` does: until there is
    a new one, nobody else can open it."""
    return held(folder / CATALOG_FILE, fcntl.lockf)  # DuckDB's locks are of that kind


@cache
def _edition() -> str:
    """Another one with each change to what does not change otherwise."""
    columns = [(table.name, *table.columns.items()) for table in TABLES.values()]
    return blake2b(repr((*fixed(), columns)).encode(), digest_size=8).hexdigest()


def expire(folder: Path, *, before: float) -> None:
    """Have catalogs that were replaced before this moment ask to be opened again."""
    for guard in (folder / "catalogs" / _OPEN_AGAIN).glob("*" + SUFFIX):
        if not _fresh(guard) and guard.stat().st_mtime < before:
            guard.unlink()


def published(folder: Path) -> tuple[int, str] | None:
    """Generation and folder of the catalog that lies there, if one can be read."""
    try:
        with duckdb.connect(str(folder / CATALOG_FILE), read_only=True) as con:
            return con.execute("SELECT generation, folder FROM published").fetchone()
    except duckdb.Error:
        return None


def changing(folder: Path, manifest: Manifest) -> Iterator[str]:
    """The views that name files; those that are gone or cut are in no answer, and told of
    elsewhere."""
    manifest = manifest.legible(folder)
    yield (
        f"CREATE OR REPLACE VIEW published AS SELECT {manifest.generation} AS generation, "
        f"make_timestamp({time.time_ns() // 1000}) AS at, {quoted(folder)} AS folder, "
        f"{quoted(_edition())} AS edition"
    )
    for table in TABLES.values():
        yield f"CREATE OR REPLACE VIEW all_{table.name} AS {_all_rows(folder, manifest, table)}"
    yield "CREATE OR REPLACE VIEW unsealed AS " + " UNION ALL ".join(
        f"SELECT {quoted(table.name)} AS name, count(*) AS n, min(ts) AS oldest, max(ts) AS newest "
        f"FROM {_live(folder, manifest, table)} HAVING count(*) > 0"
        for table in TABLES.values()
    )
    columns = ", ".join(rollup.COLUMNS)
    live = rollup.of_requests(_live(folder, manifest, TABLES["requests"]))
    for name, unsealed in (("rollup", live), ("hours", rollup.by_hour(f"({live})"))):
        paths = [segment.path(folder) for segment in manifest.of(name)]
        sealed = f"SELECT {columns} FROM {from_segments(paths)} UNION ALL " if paths else ""
        rows = f"{sealed}SELECT {columns} FROM ({unsealed})"
        yield f"CREATE OR REPLACE VIEW {name}_parts AS {rows}"


def fixed() -> Iterator[str]:
    """The views and macros that are made of those."""
    yield f"CREATE VIEW rollup AS {rollup.added_up('rollup_parts')}"
    yield f"CREATE VIEW judged AS FROM {rollup.judged('all_signals')}"
    text = files("router.telemetry").joinpath(_VIEWS).read_text()
    features = " ".join(
        f"WHEN features_version = {version} AND len(features) = {len(names)} "
        f"THEN map({listed(names)}, features)"
        for version, names in FEATURES.items()
    )
    for name, told in {
        "sums": rollup.SUMMED_BINS,
        "features": f"CASE {features} END",
        "bins": rollup.bins_of("latency_ms"),
    }.items():
        text = text.replace("{" + name + "}", told)
    yield from split(text)


def split(text: str) -> Iterator[str]:
    """The statements of a file, whose last lines end in a semicolon."""
    for statement in text.split(";\n"):
        if any(line and not line.startswith("--") for line in statement.splitlines()):
            yield statement


def _all_rows(folder: Path, manifest: Manifest, table: TableSchema) -> str:
    live = f"SELECT {', '.join(table.columns)} FROM {_live(folder, manifest, table)}"
    sealed = manifest.of(table.name)
    return f"FROM {rows_of(folder, sealed)} UNION ALL {live}" if sealed else live


def _live(folder: Path, manifest: Manifest, table: TableSchema) -> str:
    """Rows of journals that were not sealed when this was published."""
    journals = folder / "journal" / table.name
    guard = _guard(folder, manifest.generation)
    rows = from_live_journals(table, [journals / ("*" + SUFFIX), guard])
    prefix = f"journal/{table.name}/"
    sealed = "|".join(path.removeprefix(prefix) for path in manifest.sealed if prefix in path)
    # One search in one string: a list of names would be gone through for each file.
    seen = f"contains('|{sealed}|', '|' || parse_filename(filename) || '|')"
    return f"(FROM {rows} WHERE NOT {seen})" if sealed else rows


def _guard(folder: Path, number: int) -> Path:
    return folder / "catalogs" / _OPEN_AGAIN / f"{number}{SUFFIX}"


# The guard of the catalog in force is writable; one that was replaced is not, and its time is when.
def _fresh(guard: Path) -> bool:
    return bool(guard.stat().st_mode & 0o200)


def _retire(guard: Path) -> None:
    os.utime(guard)
    guard.chmod(0o400)
