"""The catalog `telemetry.duckdb` has views and macros but no rows: anybody may open it.

The views name the sealed segments, and read all journals in the folder except the journals sealed
into these segments. So a catalog shows every row once: the rows sealed when it was published, and
all rows written since, up to the last row acknowledged before the query.

The keeper removes sealed journals after a while. An older catalog names a guard file that is
removed with them, so a reader who still holds that catalog gets an error that says to open it
again, not fewer rows.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
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
_DATABASE = CATALOG_FILE.removesuffix(".duckdb")  # as DuckDB names the database of the file


def publish(folder: Path, manifest: Manifest) -> None:
    """Replace the catalog by the catalog of this manifest."""
    guard = _guard(folder, manifest.generation)
    guard.parent.mkdir(parents=True, exist_ok=True)
    for older in guard.parent.glob("*" + SUFFIX):
        if older != guard and _fresh(older):
            _retire(older)
    guard.touch()
    master = folder / "work" / CATALOG_FILE  # the keeper's copy, which no reader can change
    if not _updated(master, folder, manifest):
        _create(master, folder, manifest)
    beside = folder / (CATALOG_FILE + ".new")
    shutil.copyfile(master, beside)
    replace_durably(beside, folder / CATALOG_FILE)


def in_memory(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """The SQL that makes the views and macros in a new database in memory, named as the file's is.

    The folder may be relative. The macros and other views are made over empty views first, since
    making a view takes longer the more files it reads.
    """
    return (
        f"ATTACH ':memory:' AS {_DATABASE}; USE {_DATABASE}; DETACH memory",
        "SET TimeZone = 'UTC'",
        *(_empty_view(name, columns) for name, columns in _columns_of_file_views().items()),
        *_other_views(),
        *_file_views(folder, manifest, guarded=False),
    )


def failing_view(name: str, wrong: str) -> str:
    """SQL for a view that says what is wrong with its files when a query reads it."""
    text = f"{name} cannot be read; run `waggle telemetry verify`. {wrong}"
    values = ", ".join(
        f"CAST(error({quoted(text)}) AS {type_}) AS {column}"
        for column, type_ in _columns_of_file_views()[name].items()
    )
    return f"CREATE OR REPLACE VIEW {name} AS SELECT {values} WHERE error({quoted(text)}) IS NULL"


def _empty_view(name: str, columns: Mapping[str, str]) -> str:
    nothing = ", ".join(f"NULL::{type_} AS {column}" for column, type_ in columns.items())
    return f"CREATE VIEW {name} AS SELECT {nothing} WHERE false"


def _columns_of_file_views() -> Mapping[str, Mapping[str, str]]:
    sums = dict.fromkeys(("rollup_parts", "hours_parts"), rollup.COLUMNS)
    unsealed = {"name": "VARCHAR", "n": "BIGINT", "oldest": "TIMESTAMP", "newest": "TIMESTAMP"}
    rows = {f"all_{table.name}": table.columns for table in TABLES.values()}
    return {**rows, **sums, "unsealed": unsealed}


def _create(master: Path, folder: Path, manifest: Manifest) -> None:
    for leftover in (master, master.with_name(master.name + ".wal")):
        leftover.unlink(missing_ok=True)
    with _opened(master) as con:
        con.execute("BEGIN")
        for statement in (*_file_views(folder, manifest), *_other_views()):
            con.execute(statement)
        con.execute("COMMIT")


def _updated(master: Path, folder: Path, manifest: Manifest) -> bool:
    """Replace only the views that name files: a third of the work. False if other views changed."""
    if not master.exists():
        return False
    try:
        with _opened(master) as con:
            if con.execute("SELECT edition FROM published").fetchall() != [(_edition(),)]:
                return False
            con.execute("BEGIN")
            for statement in _file_views(folder, manifest):
                con.execute(statement)
            con.execute("COMMIT")
    except duckdb.Error:
        return False
    return True


def _opened(master: Path) -> duckdb.DuckDBPyConnection:
    """Open a database whose format an older DuckDB, such as an analyst's, can read too."""
    return duckdb.connect(str(master), config={"storage_compatibility_version": "v1.2.0"})


def appeared(folder: Path, *, seconds: float) -> bool:
    """Wait until the keeper has published the first catalog; False if time runs out."""
    until = time.monotonic() + seconds
    while not (folder / CATALOG_FILE).exists():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def taken(folder: Path) -> bool:
    """Whether somebody opened the catalog for writing, as plain `duckdb FILE` does.

    Until the keeper replaces the catalog, nobody else can open it.
    """
    return held(folder / CATALOG_FILE, fcntl.lockf)  # DuckDB locks by `lockf`


@cache
def _edition() -> str:
    """A digest of the columns and of the views that name no files; a change needs a new catalog."""
    columns = [(table.name, *table.columns.items()) for table in TABLES.values()]
    return blake2b(repr((*_other_views(), columns)).encode(), digest_size=8).hexdigest()


def expire(folder: Path, *, before: float, after: float = float("inf")) -> None:
    """Make readers of catalogs that were replaced before one moment, or after another, open the
    catalog again."""
    for guard in (folder / "catalogs" / _OPEN_AGAIN).glob("*" + SUFFIX):
        if not _fresh(guard) and not before <= guard.stat().st_mtime <= after:
            guard.unlink()


def published(folder: Path) -> tuple[int, str] | None:
    """The generation and the folder in the catalog, if it can be read."""
    try:
        with duckdb.connect(str(folder / CATALOG_FILE), read_only=True) as con:
            return con.execute("SELECT generation, folder FROM published").fetchone()
    except duckdb.Error:
        return None


def _file_views(folder: Path, manifest: Manifest, *, guarded: bool = True) -> Iterator[str]:
    """The views that name files; they leave out missing and cut files, which the keeper reports."""
    manifest = manifest.legible(folder)
    guard = [_guard(folder, manifest.generation)] if guarded else []
    yield (
        f"CREATE OR REPLACE VIEW published AS SELECT {manifest.generation} AS generation, "
        f"make_timestamp({time.time_ns() // 1000}) AS at, {quoted(folder)} AS folder, "
        f"{quoted(_edition())} AS edition"
    )
    for table in TABLES.values():
        rows = _all_rows(folder, manifest, table, guard)
        yield f"CREATE OR REPLACE VIEW all_{table.name} AS {rows}"
    yield "CREATE OR REPLACE VIEW unsealed AS " + " UNION ALL ".join(
        f"SELECT {quoted(table.name)} AS name, count(*) AS n, min(ts) AS oldest, max(ts) AS newest "
        f"FROM {_live(folder, manifest, table, guard)} HAVING count(*) > 0"
        for table in TABLES.values()
    )
    columns = ", ".join(rollup.COLUMNS)
    live = rollup.of_requests(_live(folder, manifest, TABLES["requests"], guard))
    for name, unsealed in (("rollup", live), ("hours", rollup.by_hour(f"({live})"))):
        paths = [segment.path(folder) for segment in manifest.of(name)]
        sealed = f"SELECT {columns} FROM {from_segments(paths)} UNION ALL " if paths else ""
        rows = f"{sealed}SELECT {columns} FROM ({unsealed})"
        yield f"CREATE OR REPLACE VIEW {name}_parts AS {rows}"


def _other_views() -> Iterator[str]:
    """The views and macros that build on the views that name files."""
    yield f"CREATE VIEW rollup AS {rollup.added_up('rollup_parts')}"
    yield f"CREATE VIEW judged AS FROM {rollup.judged('all_signals')}"
    text = files("router.telemetry").joinpath(_VIEWS).read_text()
    features = " ".join(
        f"WHEN features_version = {version} AND len(features) = {len(names)} "
        f"THEN map({listed(names)}, features)"
        for version, names in FEATURES.items()
    )
    for name, sql in {
        "sums": rollup.SUMMED_BINS,
        "features": f"CASE {features} END",
        "bins": rollup.bins_of("latency_ms"),
        "off_policy": files("router.telemetry").joinpath("off_policy.sql").read_text().rstrip(),
    }.items():
        text = text.replace("{" + name + "}", sql)
    yield from _statements(text)


def _statements(text: str) -> Iterator[str]:
    """The SQL statements of a text; the last line of each statement ends in a semicolon."""
    for statement in text.split(";\n"):
        if any(line and not line.startswith("--") for line in statement.splitlines()):
            yield statement


def _all_rows(folder: Path, manifest: Manifest, table: TableSchema, guard: Sequence[Path]) -> str:
    live = f"SELECT {', '.join(table.columns)} FROM {_live(folder, manifest, table, guard)}"
    sealed = manifest.of(table.name)
    return f"FROM {rows_of(folder, sealed)} UNION ALL {live}" if sealed else live


def _live(folder: Path, manifest: Manifest, table: TableSchema, guard: Sequence[Path]) -> str:
    """SQL for the rows of the journals that this manifest does not name as sealed."""
    journals = folder / "journal" / table.name
    rows = from_live_journals(table, [journals / ("*" + SUFFIX), *guard])
    prefix = f"journal/{table.name}/"
    sealed = "|".join(path.removeprefix(prefix) for path in manifest.sealed if prefix in path)
    # Searching a single string is faster than comparing with each name of a list.
    is_sealed = f"contains('|{sealed}|', '|' || parse_filename(filename) || '|')"
    return f"(FROM {rows} WHERE NOT {is_sealed})" if sealed else rows


def _guard(folder: Path, number: int) -> Path:
    return folder / "catalogs" / _OPEN_AGAIN / f"{number}{SUFFIX}"


# The guard of the current catalog is writable. The guard of a replaced catalog is read-only, and
# its modification time is the moment of the replacement.
def _fresh(guard: Path) -> bool:
    return bool(guard.stat().st_mode & 0o200)


def _retire(guard: Path) -> None:
    os.utime(guard)
    guard.chmod(0o400)
