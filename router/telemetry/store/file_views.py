"""The views that read files: the rows of each table, sealed or not, and their sums.

In the catalog's file these views name no file: each list of files is a macro, which takes a
twentieth of the time that views take to make, so that a change of files replaces the macros alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from router.telemetry import rollup
from router.telemetry.log import SUFFIX
from router.telemetry.sql import from_live_journals, listed, quoted
from router.telemetry.store.manifest import Manifest
from router.telemetry.store.segments import rows_of
from router.telemetry.tables import TABLES, TableSchema

_SEGMENTS, _JOURNALS, _SEALED = "_segments_of_", "_journals_of_", "_sealed_journals_of_"


def file_lists(folder: Path, manifest: Manifest, guards: Sequence[Path] = ()) -> Mapping[str, str]:
    """SQL for the lists of files that the views read, by the name of the macro.

    Missing and cut files are left out, and the keeper reports them. `guards` are read with each
    table's journals.
    """
    manifest = manifest.legible(folder)
    paths = {}
    for name in (*TABLES, *rollup.TABLES):
        paths[f"{_SEGMENTS}{name}"] = listed(s.path(folder) for s in manifest.of(name))
    for name in TABLES:
        journals = folder / "journal" / name
        paths[f"{_JOURNALS}{name}"] = listed([journals / ("*" + SUFFIX), *guards])
        prefix = f"journal/{name}/"
        sealed = "|".join(path.removeprefix(prefix) for path in manifest.sealed if prefix in path)
        # Searching a single string is faster than comparing with each name of a list.
        paths[f"{_SEALED}{name}"] = quoted(f"|{sealed}|")
    return paths


def file_views(
    folder: Path, manifest: Manifest, lists: Mapping[str, str] | None = None
) -> Iterator[str]:
    """SQL for the views over files. The `lists` stand in them; without lists, calls of macros."""
    manifest = manifest.legible(folder)

    def paths(name: str) -> str:
        return f"{name}()" if lists is None else lists[name]

    def live(table: TableSchema) -> str:
        """SQL for the rows of the journals that are not sealed."""
        rows = from_live_journals(table, paths(f"{_JOURNALS}{table.name}"))
        sealed = paths(f"{_SEALED}{table.name}")
        return f"(FROM {rows} WHERE NOT contains({sealed}, '|' || parse_filename(filename) || '|'))"

    for table in TABLES.values():
        rows = f"SELECT {', '.join(table.columns)} FROM {live(table)}"
        if segments := manifest.of(table.name):
            sealed = rows_of(folder, segments, paths(f"{_SEGMENTS}{table.name}"))
            rows = f"FROM {sealed} UNION ALL {rows}"
        yield f"CREATE OR REPLACE VIEW all_{table.name} AS {rows}"
    yield "CREATE OR REPLACE VIEW unsealed AS " + " UNION ALL ".join(
        f"SELECT {quoted(table.name)} AS name, count(*) AS n, min(ts) AS oldest, max(ts) AS newest "
        f"FROM {live(table)} HAVING count(*) > 0"
        for table in TABLES.values()
    )
    columns = ", ".join(rollup.COLUMNS)
    new = rollup.of_requests(live(TABLES["requests"]))
    for name, unsealed in (("rollup", new), ("hours", rollup.by_hour(f"({new})"))):
        rows = f"SELECT {columns} FROM ({unsealed})"
        if manifest.of(name):
            sealed = f"SELECT {columns} FROM read_parquet({paths(f'{_SEGMENTS}{name}')})"
            rows = f"{sealed} UNION ALL {rows}"
        yield f"CREATE OR REPLACE VIEW {name}_parts AS {rows}"
