"""Remembers which queries a store's tables get, how often, and how long they took.

The log holds the form of a query without what a question said: each value that is compared with a
column is left out. `filled` puts values of the column in its place, for a measurement.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from router.knowledge.rows.schema import Cell, Rows, Run
from router.knowledge.rows.sql import literal
from router.sqlite_file import SqliteFile
from router.value import value

FILE = "queries.sqlite"
MOST_FORMS = 500
_TOKEN = re.compile(
    r"""(?P<column>"(?:[^"]|"")*"\."(?:[^"]|"")*")|(?P<name>"(?:[^"]|"")*")"""
    r"""|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"""
    r"""|(?P<word>[A-Za-z_]+)|(?P<sign><>|<=|>=|[=<>])|(?P<space>\s+)|(?P<mark>.)""",
    re.S,
)
_HOLE = re.compile(r"\{(\"(?:[^\"]|\"\")*\"\.\"(?:[^\"]|\"\")*\")\}")
_GOING_ON = frozenset(("IN", "NOT", "BETWEEN", "AND"))


@value
class LoggedQuery:
    """The form of a query: how often it ran, and its time in all."""

    form: str
    count: int
    seconds: float


# Texts in a query that no question said: formats of dates, months, days of the week.
_FIXED = re.compile(r"'(?:%[A-Za-z]|%Y-%m|\d{1,2}|-Q|[A-Z][a-z]+day)'")


def form_of(sql: str) -> str:
    """A query without the values that it compares columns with; empty if a text would stay."""
    parts = list(_parts(sql))
    left = [part for part in parts if part.startswith("'") and not _FIXED.fullmatch(part)]
    return "" if left else "".join(parts)


def _parts(sql: str) -> Iterator[str]:
    column, compared = "", False  # the latest column, and whether it is being compared
    for match in _TOKEN.finditer(sql):
        text, kind = match[0], match.lastgroup
        if kind == "column":
            column, compared = text, False
        elif kind == "sign" or (kind == "word" and text in _GOING_ON):
            compared = bool(column)
        elif kind in ("text", "number") and compared:
            text = "{" + column + "}"
        elif kind not in ("space", "text", "number") and text not in ("(", ","):
            column, compared = "", False
        yield text


def filled(form: str, drawn: Callable[[str], Cell]) -> str:
    """A query of this form, with the value that `drawn` gives for each column."""
    return _HOLE.sub(lambda hole: literal(drawn(hole[1])), form)


class QueryLog(SqliteFile):
    """The log of one store, a file beside the store's."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / FILE

    def _open(self, *, first: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=30.0, isolation_level=None, check_same_thread=False
        )
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")  # a log may lose its last lines
        if first:
            self._path.chmod(0o600)
            connection.execute(
                "create table if not exists queries (form text primary key, "
                "count integer not null, seconds real not null) without rowid"
            )
        return connection

    def note(self, sql: str, seconds: float) -> None:
        form = form_of(sql)
        if not form:
            return
        with self._transaction() as connection:
            connection.execute(
                "insert into queries values (?, 1, ?) on conflict (form) do update "
                "set count = count + 1, seconds = seconds + excluded.seconds",
                (form, seconds),
            )
            connection.execute(
                "delete from queries where form in (select form from queries "
                "order by count desc, form limit -1 offset ?)",
                (MOST_FORMS,),
            )

    def queries(self) -> Sequence[LoggedQuery]:
        """The forms, those that took the most time in all first."""
        rows = self._connection.execute(
            "select form, count, seconds from queries order by seconds desc, form"
        )
        return [LoggedQuery(*row) for row in rows]


def logged(run: Run, log: QueryLog, *, clock: Callable[[], float] = time.perf_counter) -> Run:
    """The same `run`, whose queries are remembered."""

    def run_and_note(sql: str) -> Rows:
        began = clock()
        rows = run(sql)
        log.note(sql, clock() - began)
        return rows

    return run_and_note
