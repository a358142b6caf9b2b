"""A copy of a store's tables on which changes of storage are tried and measured.

The copy lies beside the store, holds its rows alone, and is deleted at the end. The queries are
those that the store was asked, with values drawn from the rows. A change whose answers differ is an
error.
"""

import contextlib
import random
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from shutil import disk_usage

from router.knowledge.rows.loading import quoted
from router.knowledge.rows.query_log import LoggedQuery, filled
from router.knowledge.rows.schema import Cell, TableSchema
from router.value import value

Cost = Callable[[sqlite3.Connection, str], float]
_ROUNDS = 5
_SAMPLES = 200  # values of a column from which queries draw
_DRAWS = 3  # queries of each form


class NoRoom(OSError):
    """The disk has too little room for a copy of the tables."""


class AnswersDiffer(Exception):
    """A change of storage changed an answer; it is never proposed."""


@value
class Trial:
    """A query of the log, with values, and how often its form was asked."""

    sql: str
    weight: float


def seconds(connection: sqlite3.Connection, sql: str) -> float:
    """The least time of several runs of a query."""
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        connection.execute(sql).fetchall()
        best = min(best, time.perf_counter() - began)
    return best


@contextlib.contextmanager
def rehearsal(
    store: Path, tables: Sequence[TableSchema], queries: Sequence[LoggedQuery], cost: Cost
) -> Iterator["Rehearsal"]:
    """A copy of a store's tables, ready to try changes. Raises `NoRoom`."""
    if disk_usage(store.parent).free < 3 * store.stat().st_size:
        raise NoRoom(f"a copy needs three times the {store.stat().st_size >> 20} MB of the store")
    with tempfile.TemporaryDirectory(prefix=".advice-", dir=store.parent) as scratch:
        connection = sqlite3.connect(Path(scratch) / "copy.sqlite", isolation_level=None)
        try:
            connection.execute("pragma synchronous = off")
            _copy(connection, store, tables)
            yield Rehearsal(connection, tables, queries, cost)
        finally:
            connection.close()


def _copy(connection: sqlite3.Connection, store: Path, tables: Sequence[TableSchema]) -> None:
    connection.execute("attach ? as store", (f"{store}",))
    names = {table.stored for table in tables}
    made = connection.execute(
        "select name, sql from store.sqlite_master where sql is not null "
        "and type in ('table', 'index') order by type = 'index', name"
    ).fetchall()
    for name, sql in made:
        if name in names:
            connection.execute(sql)
            connection.execute(f"insert into {quoted(name)} select * from store.{quoted(name)}")
    owners = dict(connection.execute("select name, tbl_name from store.sqlite_master").fetchall())
    for name, sql in made:
        if name not in names and owners[name] in names:
            connection.execute(sql)
    connection.execute("detach store")
    connection.execute("analyze")


class Rehearsal:
    def __init__(
        self,
        connection: sqlite3.Connection,
        tables: Sequence[TableSchema],
        queries: Sequence[LoggedQuery],
        cost: Cost,
    ) -> None:
        self.connection, self._cost = connection, cost
        self.tables = {table.stored: table for table in tables}
        self._samples: dict[str, list[Cell]] = {}
        self.trials = [trial for query in queries for trial in self._trials(query)]
        self.answers = self._answers(self.trials)

    def _trials(self, query: LoggedQuery) -> Iterator[Trial]:
        """Queries of one form; none if its tables or columns are gone."""
        for draw in range(_DRAWS):
            chance = random.Random(f"{query.form} {draw}")
            try:
                sql = filled(query.form, partial(self._drawn, chance))
                self.connection.execute(f"explain {sql}")
            except (sqlite3.Error, LookupError):
                return
            yield Trial(sql, query.count / _DRAWS)

    def _drawn(self, chance: random.Random, column: str) -> Cell:
        if column not in self._samples:
            table = column.partition('"."')[0] + '"'
            rows = self.connection.execute(
                f"select {column} from {table} where {column} is not null "
                f"order by rowid * 2654435761 % 1000003 limit {_SAMPLES}"
            ).fetchall()
            self._samples[column] = [cell for (cell,) in rows]
        return chance.choice(self._samples[column])  # an empty column has no queries to try

    def _answers(self, trials: Sequence[Trial]) -> list[list[tuple[Cell, ...]]]:
        return [_rounded(self.connection.execute(each.sql).fetchall()) for each in trials]

    def cost(self, rewritten: Callable[[str], str] = lambda sql: sql) -> float:
        """The mean cost of a query of the log. Raises `AnswersDiffer`."""
        total = 0.0
        for trial, answer in zip(self.trials, self.answers, strict=True):
            sql = rewritten(trial.sql)
            if _rounded(self.connection.execute(sql).fetchall()) != answer:
                raise AnswersDiffer(sql)
            total += trial.weight * self._cost(self.connection, sql)
        return total / sum(trial.weight for trial in self.trials)

    def bytes(self) -> int:
        """The bytes of the pages in use."""
        (pages,) = self.connection.execute("pragma page_count").fetchone()
        (free,) = self.connection.execute("pragma freelist_count").fetchone()
        (size,) = self.connection.execute("pragma page_size").fetchone()
        return int((pages - free) * size)

    @contextlib.contextmanager
    def trying(self) -> Iterator[None]:
        """A change of the copy that is undone at the end."""
        self.connection.execute("savepoint trial")
        try:
            yield
        finally:
            self.connection.execute("rollback to trial")
            self.connection.execute("release trial")

    def writing(self, stored: str) -> float:
        """The seconds that writing all rows of a table takes, with its indexes."""
        name = quoted(stored)
        with self.trying():
            self.connection.execute(f"create table again as select * from {name}")
            self.connection.execute(f"delete from {name}")
            began = time.perf_counter()
            self.connection.execute(f"insert into {name} select * from again")
            return time.perf_counter() - began

    def compared(self) -> Mapping[tuple[str, str], float]:
        """How often each column is compared with a value, by table and name."""
        weights: dict[tuple[str, str], float] = {}
        for trial in self.trials:
            for stored, column in set(_COMPARED.findall(trial.sql)):
                key = stored.replace('""', '"'), column.replace('""', '"')
                weights[key] = weights.get(key, 0.0) + trial.weight
        return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


_COMPARED = re.compile(
    r'(?<!")"((?:[^"]|"")*+)"\."((?:[^"]|"")*+)" (?:=|<|>|<=|>=|IN|BETWEEN) ?[\'(\d-]', re.S
)


def _rounded(rows: Sequence[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    """Rows whose sums may differ in the last digits, as another order adds them up."""
    return [
        tuple(float(f"{cell:.9g}") if isinstance(cell, float) else cell for cell in row)
        for row in rows
    ]
