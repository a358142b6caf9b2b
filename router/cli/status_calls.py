"""How each backend's calls went of late, by telemetry, for `waggle status`.

Nothing here quotes a request, unless telemetry keeps words: the detail of an error that may quote a
request is never written down. What looks like a secret was hidden before the row was written.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
from rich.markup import escape

from router.telemetry.query.utc import know_utc
from router.telemetry.store import catalog, manifest
from router.telemetry.store.manifest import Damaged
from router.wire.plain_text import plain

HOURS = 24
_LONGEST = 100  # characters of an error
# A call that nobody waited for says nothing about its backend. `disabled` and `breaker_open` were
# never made; what opened the breaker is the news.
_QUERY = """
with attempts as (
  select ts, unnest(attempts, max_depth := 2) from all_requests where ts >= $since),
calls as (
  select *, error_type in ('left_behind', 'deadline') as unknown, error_type is null as good
  from attempts where coalesce(error_type, '') not in ('disabled', 'breaker_open'))
select backend, count(*) as calls,
       avg(good::int) filter (where good or not unknown) as answered,
       avg(latency_ms) filter (where good) as mean_ms,
       max_by({'at': ts, 'fault': error_type, 'status': status, 'detail': detail}, ts)
         filter (where not good and not unknown) as failure
from calls group by backend
"""


@dataclass(frozen=True, slots=True)
class BackendRecord:
    """The calls of a backend: how many, the share that it answered, and the last error."""

    calls: int | None = 0  # None: unknown, as are all that are None
    answered: float | None = None
    mean_ms: float | None = None
    last_error: str = ""
    last_error_at: str = ""


NO_CALLS = BackendRecord()
UNKNOWN_CALLS = BackendRecord(calls=None)


class CallsUnknown(Exception):
    """Telemetry cannot be read; the message says why."""


def calls_of(folder: Path, now: dt.datetime) -> dict[str, BackendRecord]:
    """The record of each backend that was called. Raises `CallsUnknown`."""
    if not (folder / catalog.CATALOG_FILE).is_file():
        return {}
    know_utc()
    try:
        with duckdb.connect(config={"python_enable_replacements": False}) as con:
            for statement in catalog.rows_in_memory(folder.absolute(), manifest.load(folder)):
                con.execute(statement)
            rows = con.execute(_QUERY, {"since": now - dt.timedelta(hours=HOURS)}).fetchall()
    except (duckdb.Error, Damaged) as error:  # rows moved meanwhile, or the folder is damaged
        why = " ".join(plain(str(error)).split())
        raise CallsUnknown(f"calls are not known, for telemetry cannot be read: {why}") from None
    return {name: _record(*row) for name, *row in rows}


def _record(
    calls: int, answered: float | None, mean_ms: float | None, failure: dict[str, object] | None
) -> BackendRecord:
    if failure is None:
        return BackendRecord(calls, answered, mean_ms)
    status = f" {failure['status']}" if failure["status"] else ""
    detail = f": {failure['detail']}" if failure["detail"] else ""
    text = " ".join(plain(f"{failure['fault']}{status}{detail}").split())[:_LONGEST]
    return BackendRecord(calls, answered, mean_ms, text, f"{failure['at']:%Y-%m-%d %H:%M:%S}")


def calls_line(record: BackendRecord) -> tuple[str, str, str, str]:
    """The cells of a table."""
    error = f"{record.last_error_at} {record.last_error}" if record.last_error else ""
    return (
        "" if record.calls is None else f"{record.calls:,}",
        "" if record.answered is None else f"{record.answered:.1%}",
        "" if record.mean_ms is None else f"{record.mean_ms:,.0f} ms",
        escape(error),
    )
