"""One view's reading of telemetry: what several panels need is read once, into tables of the
connection, and their queries are asked of those. The queries themselves stay what they are.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.pages import learning
from dashboard.panel import PanelQuery
from dashboard.source import QueryAnswer, Source, moment
from router.telemetry.rollup import KEYS, SUMS

_SUMMED = ", ".join(f"sum({name}) as {name}" for name in SUMS)
_KEYS = ", ".join(name for name in KEYS if name != "minute")


@dataclass(frozen=True, slots=True)
class _Shared:
    """As it stands in the SQL of panels, how it is read into a table, and how long that will do."""

    text: str
    read: str
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return f"shared_{hashlib.blake2b(self.text.encode(), digest_size=8).hexdigest()}"


class Kept:
    """Tables that will do for a while, as long as the connection is the same."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[int, float]] = {}

    def has(self, name: str, connection: int) -> bool:
        made_in, until = self._until.get(name, (0, 0.0))
        return made_in == connection and time.monotonic() < until

    def add(self, name: str, connection: int, seconds: float) -> None:
        self._until[name] = connection, time.monotonic() + seconds

    def pop_old(self, connection: int) -> Sequence[str]:
        """Those that will do no longer, where they are still there."""
        now = time.monotonic()
        old = [(name, made_in) for name, (made_in, until) in self._until.items() if until <= now]
        for name, _ in old:
            del self._until[name]
        return [name for name, made_in in old if made_in == connection]


class PageReading:
    def __init__(self, source: Source, asked: PanelQuery, kept: Kept) -> None:
        self.asked = asked
        self._source, self._kept = source, kept
        self._read: set[str] = set()
        for name in kept.pop_old(self._connection):
            source.ask(f"drop table if exists {name}")

    def ask(self, sql: str) -> QueryAnswer:
        """Raises `Missing` or `Failed`."""
        return self._source.ask(self._through(sql, _shared(self.asked)))

    def _through(self, sql: str, shared: Sequence[_Shared]) -> str:
        """The same query of the tables that were read, where it names what they hold."""
        for at in reversed(range(len(shared))):
            one = shared[at]
            if one.text not in sql:
                continue
            if one.text not in self._read and not self._kept.has(one.name, self._connection):
                made = self._through(one.read, shared[:at])
                self._source.ask(f"create or replace temp table {one.name} as {made}")
                self._kept.add(one.name, self._connection, one.seconds)
            self._read.add(one.text)
            sql = sql.replace(one.text, one.name)
        return sql

    @property
    def _connection(self) -> int:
        return self._source.connection


def _shared(asked: PanelQuery) -> Sequence[_Shared]:
    """What several panels read. Later ones are made of earlier ones."""
    span, sums = asked.span, asked.sums
    if 60 <= span.bucket_seconds < 3600:  # then that is what the macro reads, in half the time
        sums = (
            f"rollup_parts where minute >= {moment(span.since)} and minute < {moment(span.until)}"
        )
    summed = (
        f"select time_bucket({span.every}, minute) as minute, {_KEYS}, {_SUMMED} "
        f"from {sums} group by all"
    )
    curve, routed = learning.controlled(asked), learning.routed(asked)
    return (
        _Shared(f"({routed})", routed, 15.0),
        _Shared(asked.sums, summed),
        _Shared(asked.rows, f"from {asked.rows}"),
        _Shared(asked.calls, f"from {asked.calls}"),
        # Where a point is minutes long, a second makes no difference to it.
        _Shared(f"({curve})", curve, min(span.bucket_seconds / 20, 3.0)),
    )
