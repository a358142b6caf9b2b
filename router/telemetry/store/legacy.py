"""The request log of the first release, taken into the store once.

It was one file a router beside the folders of today, with neither checksums nor numbers: a line
that is JSON is believed, and its place in the file is its number.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import orjson

from router.files import held
from router.telemetry import rollup
from router.telemetry.sql import from_journals
from router.telemetry.store import segments
from router.telemetry.store.manifest import Manifest, Segment
from router.telemetry.tables import REQUESTS

VERSION = 1


def logs(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("requests-*.jsonl")):
        if not held(path):
            yield path


def take(
    con: duckdb.DuckDBPyConnection, folder: Path, path: Path, manifest: Manifest
) -> tuple[Segment, ...]:
    """Segments of that version. The caller removes the file once the manifest names them."""
    if any(path.stem in segment.covers for segment in manifest.of("requests")):
        return ()  # taken before, by one who was killed before removing it
    rows = [row for line in path.read_bytes().splitlines() if (row := _row(line)) is not None]
    if not rows:
        return ()
    copy = folder / "work" / path.name
    numbered = ({"v": VERSION, "n": number, **row} for number, row in enumerate(rows, 1))
    copy.write_bytes(b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in numbered))
    columns = ", ".join(REQUESTS.columns_of(VERSION))
    source = from_journals(REQUESTS, VERSION, [copy])
    covers = {path.stem: ((1, len(rows)),)}
    made = segments.write(
        con,
        folder,
        "requests",
        VERSION,
        f"SELECT {columns} FROM {source} ORDER BY request_id",
        rows=len(rows),
        covers=covers,
    )
    copy.unlink()
    new = segments.rows_of(folder, [made])
    return (made, *segments.write_rollup(con, folder, rollup.of_requests(new)))


def _row(line: bytes) -> dict[str, object] | None:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and "request_id" in row else None
