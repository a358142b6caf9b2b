"""Reads telemetry for one view: rows that several panels need are read once, into temporary tables.

Where a panel's query names such rows, the query runs over the table that holds them. A viewer who
copies the query gets the panel's own text, which has the same answer.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.pages import controls
from dashboard.pages.growth_patterns import analysed_time
from dashboard.panel import PanelQuery
from dashboard.source import QueryAnswer, Source, moment
from router.telemetry.rollup import KEYS, SUMS

_SUMMED = ", ".join(f"sum({name}) as {name}" for name in SUMS)
_KEYS = ", ".join(name for name in KEYS if name != "minute")


@dataclass(frozen=True, slots=True)
class _SharedTable:
    """Rows that several panels read."""

    text: str  # the SQL with which panels name these rows
    read: str  # the query that fills the table
    seconds: float = 0.0  # for how long later readings may use the table

    @property
    def name(self) -> str:
        return f"shared_{hashlib.blake2b(self.text.encode(), digest_size=8).hexdigest()}"


class KeptTables:
    """The tables that later readings may still use, while the connection stays the same."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[int, float]] = {}

    def has(self, name: str, connection: int) -> bool:
        made_in, until = self._until.get(name, (0, 0.0))
        return made_in == connection and time.monotonic() < until

    def add(self, name: str, connection: int, seconds: float) -> None:
        self._until[name] = connection, time.monotonic() + seconds

    def pop_old(self, connection: int) -> Sequence[str]:
        """Forget the tables that are too old, and return those that this connection still holds."""
        now = time.monotonic()
        old = [(name, made_in) for name, (made_in, until) in self._until.items() if until <= now]
        for name, _ in old:
            del self._until[name]
        return [name for name, made_in in old if made_in == connection]


class PageReading:
    """Answers the queries of one page's panels."""

    def __init__(self, source: Source, query: PanelQuery, kept: KeptTables) -> None:
        self.query = query
        self._source, self._kept = source, kept
        self._read: set[str] = set()
        for name in kept.pop_old(self._connection):
            source.ask(f"drop table if exists {name}")

    def ask(self, sql: str) -> QueryAnswer:
        """Answer a panel's query. Raises `Missing` or `QueryFailed`."""
        return self._source.ask(self._over_tables(sql, _shared(self.query)))

    def _over_tables(self, sql: str, shared: Sequence[_SharedTable]) -> str:
        """The query, in which each shared text is replaced by the table that holds its rows."""
        for at in reversed(range(len(shared))):
            table = shared[at]
            if table.text not in sql:
                continue
            if table.text not in self._read and not self._kept.has(table.name, self._connection):
                made = self._over_tables(table.read, shared[:at])
                self._source.ask(f"create or replace temp table {table.name} as {made}")
                self._kept.add(table.name, self._connection, table.seconds)
            self._read.add(table.text)
            sql = sql.replace(table.text, table.name)
        return sql

    @property
    def _connection(self) -> int:
        return self._source.connection


def _shared(query: PanelQuery) -> Sequence[_SharedTable]:
    """The tables that several panels read. A later table may be built from earlier tables."""
    span, sums = query.span, query.sums
    if 60 <= span.bucket_seconds < 3600:  # the macro would read the same parts in twice the time
        sums = (
            f"rollup_parts where minute >= {moment(span.since)} and minute < {moment(span.until)}"
        )
    summed = (
        f"select time_bucket({span.every}, minute) as minute, {_KEYS}, {_SUMMED} "
        f"from {sums} group by all"
    )
    curve, routed = controls.controlled(query), controls.routed(query)
    analysed = analysed_time(query)
    return (
        _SharedTable(f"({routed})", routed, 15.0),
        _SharedTable(query.sums, summed),
        _SharedTable(query.rows, f"from {query.rows}"),
        _SharedTable(query.calls, f"from {query.calls}"),
        _SharedTable(f"({analysed.known_rows})", analysed.known_rows),
        _SharedTable(f"({analysed.worth})", analysed.worth),
        # If each point covers minutes, a curve that is a second old looks the same.
        _SharedTable(f"({curve})", curve, min(span.bucket_seconds / 20, 3.0)),
    )
