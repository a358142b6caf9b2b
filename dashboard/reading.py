"""One view's reading of telemetry: what several panels need is read once, into tables of the
connection, and their queries are asked of those. The queries themselves stay what they are.
"""

from collections.abc import Sequence

from dashboard.pages import learning
from dashboard.panel import Asked
from dashboard.source import Source, Told
from router.telemetry.rollup import KEYS, SUMS

_SUMMED = ", ".join(f"sum({name}) as {name}" for name in SUMS)
_KEYS = ", ".join(name for name in KEYS if name != "minute")


class Reading:
    def __init__(self, source: Source, asked: Asked) -> None:
        self.asked = asked
        self._source = source
        self._read: set[str] = set()

    def ask(self, sql: str) -> Told:
        """Raises `Missing` or `Failed`."""
        return self._source.ask(self._through(sql, _shared(self.asked)))

    def _through(self, sql: str, shared: Sequence[tuple[str, str, str]]) -> str:
        """The same query of the tables that were read, where it names what they hold."""
        for at in reversed(range(len(shared))):
            text, name, read = shared[at]
            if text not in sql:
                continue
            if text not in self._read:
                made = self._through(read, shared[:at])
                self._source.ask(f"create or replace temp table {name} as {made}")
                self._read.add(text)
            sql = sql.replace(text, name)
        return sql


def _shared(asked: Asked) -> Sequence[tuple[str, str, str]]:
    """As it stands in the SQL of panels, the table it is read into, and how. Later ones are made of
    earlier ones."""
    summed = (
        f"select time_bucket({asked.span.every}, minute) as minute, {_KEYS}, {_SUMMED} "
        f"from {asked.sums} group by all"
    )
    curve = learning.controlled(asked)
    return (
        (asked.sums, "shared_sums", summed),
        (asked.rows, "shared_rows", f"from {asked.rows}"),
        (asked.calls, "shared_calls", f"from {asked.calls}"),
        (f"({curve})", "shared_curve", curve),
    )
