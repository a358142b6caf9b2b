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
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

import duckdb

from router.files import held, replace_durably
from router.telemetry import rollup
from router.telemetry.log import SUFFIX
from router.telemetry.sql import listed, quoted
from router.telemetry.store.file_views import file_lists, file_views
from router.telemetry.store.manifest import Manifest
from router.telemetry.tables import FEATURES, TABLES

CATALOG_FILE = "telemetry.duckdb"
_OPEN_AGAIN = "this-database-was-replaced-long-ago-open-it-again"
_VIEWS = ("views.sql", "efficiency.sql")
_DATABASE = CATALOG_FILE.removesuffix(".duckdb")  # as DuckDB names the database of the file


def publish(con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> None:
    """Replace the catalog by the catalog of this manifest, which `con` makes."""
    guard = _guard(folder, manifest.generation)
    guard.parent.mkdir(parents=True, exist_ok=True)
    for older in guard.parent.glob("*" + SUFFIX):
        if older != guard and _fresh(older):
            _retire(older)
    guard.touch()
    master = folder / "work" / CATALOG_FILE  # the keeper's copy, which no reader can change
    if not _updated(con, master, folder, manifest):
        _create(con, master, folder, manifest)
    beside = folder / (CATALOG_FILE + ".new")
    shutil.copyfile(master, beside)
    replace_durably(beside, folder / CATALOG_FILE)


def in_memory(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """The SQL that makes the views and macros in a new database in memory, named as the file's is.

    The folder may be relative. The macros and other views are made over empty views first, since
    making a view takes longer the more files it reads.
    """
    return (
        *_empty_in_memory(),
        *_other_views(),
        _published_view(folder, manifest, ()),
        *file_views(folder, manifest, file_lists(folder, manifest)),
    )


def rows_in_memory(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """`in_memory` with the views of rows alone, and `judged`: most of the time goes into others."""
    return (
        *_empty_in_memory(),
        _judged_view(),
        *file_views(folder, manifest, file_lists(folder, manifest)),
    )


def _empty_in_memory() -> Iterator[str]:
    yield f"ATTACH ':memory:' AS {_DATABASE}; USE {_DATABASE}; DETACH memory"
    yield "SET TimeZone = 'UTC'"
    for name, columns in _columns_of_file_views().items():
        yield _empty_view(name, columns)


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


def _create(con: duckdb.DuckDBPyConnection, master: Path, folder: Path, manifest: Manifest) -> None:
    for leftover in (master, master.with_name(master.name + ".wal")):
        leftover.unlink(missing_ok=True)
    views = tuple(file_views(folder, manifest))
    with _opened(con, master):
        for statement in (*_file_lists(folder, manifest, views), *views, *_other_views()):
            con.execute(statement)


def _updated(
    con: duckdb.DuckDBPyConnection, master: Path, folder: Path, manifest: Manifest
) -> bool:
    """Replace only the lists of files, and the views over them where a table got its first segment
    or other columns. False if other views changed."""
    if not master.exists():
        return False
    views = tuple(file_views(folder, manifest))
    try:
        with _opened(con, master):
            before = con.execute("SELECT edition, shape FROM published").fetchone()
            if before is None or before[0] != _edition():
                return False
            same = before[1] == _digest(views)
            for statement in (*_file_lists(folder, manifest, views), *(() if same else views)):
                con.execute(statement)
    except duckdb.Error:
        return False
    return True


@contextmanager
def _opened(con: duckdb.DuckDBPyConnection, master: Path) -> Iterator[None]:
    """Work on a database in one transaction. An older DuckDB, such as an analyst's, can read its
    format, too."""
    con.execute(f"ATTACH {quoted(master)} AS {_DATABASE} (STORAGE_VERSION 'v1.2.0')")
    try:
        con.execute(f"USE {_DATABASE}; BEGIN")
        try:
            yield
            con.execute("COMMIT")
        except BaseException:
            con.execute("ROLLBACK")
            raise
    finally:
        con.execute(f"USE memory; DETACH {_DATABASE}")


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
    return _digest((*_other_views(), columns))


def _digest(statements: Sequence[object]) -> str:
    return blake2b(repr(statements).encode(), digest_size=8).hexdigest()


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


def _file_lists(folder: Path, manifest: Manifest, views: Sequence[str]) -> Iterator[str]:
    """The macros that name files, for these views, and what was published when."""
    guards = [_guard(folder, manifest.generation)]
    for name, paths in file_lists(folder, manifest, guards).items():
        yield f"CREATE OR REPLACE MACRO {name}() AS {paths}"
    yield _published_view(folder, manifest, views)


def _published_view(folder: Path, manifest: Manifest, views: Sequence[str]) -> str:
    return (
        f"CREATE OR REPLACE VIEW published AS SELECT {manifest.generation} AS generation, "
        f"make_timestamp({time.time_ns() // 1000}) AS at, {quoted(folder)} AS folder, "
        f"{quoted(_edition())} AS edition, {quoted(_digest(views))} AS shape"
    )


def _judged_view() -> str:
    return f"CREATE VIEW judged AS FROM {rollup.judged('all_signals')}"


def _other_views() -> Iterator[str]:
    """The views and macros that build on the views that name files."""
    yield f"CREATE VIEW rollup AS {rollup.added_up('rollup_parts')}"
    yield _judged_view()
    folder = files("router.telemetry")
    text = "\n".join(folder.joinpath(name).read_text() for name in _VIEWS)
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


def _guard(folder: Path, number: int) -> Path:
    return folder / "catalogs" / _OPEN_AGAIN / f"{number}{SUFFIX}"


# The guard of the current catalog is writable. The guard of a replaced catalog is read-only, and
# its modification time is the moment of the replacement.
def _fresh(guard: Path) -> bool:
    return bool(guard.stat().st_mode & 0o200)


def _retire(guard: Path) -> None:
    os.utime(guard)
    guard.chmod(0o400)
