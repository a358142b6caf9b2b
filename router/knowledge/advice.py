"""Advice on how a store keeps its rows: an index, a partition, fewer bytes; each measured first.

Every change is tried on a copy with the queries that the store was asked (`rehearsal.py`). It is
proposed only if it pays by a wide margin, and each proposal and refusal carries its figures. Only
`create_index` changes the store.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Literal

from router.knowledge.rehearsal import AnswersDiffer, Cost, Rehearsal, rehearsal, seconds
from router.knowledge.rows.keeping import schemas_of
from router.knowledge.rows.loading import quoted
from router.knowledge.rows.query_log import QueryLog
from router.knowledge.rows.sql import literal
from router.knowledge.store import KnowledgeStore
from router.knowledge.store_tables import FILE
from router.value import value

Kind = Literal["index", "partition", "compress"]

LEAST_SAVED = 0.2  # of the mean cost of a query
LEAST_BYTES_SAVED = 0.25
MOST_SLOWER = 0.1  # of the mean cost, that fewer bytes may take
_MOST_FORMS = 20  # of the log, those that took the most time
_MOST_COLUMNS, _MOST_PARTS, _MOST_INDEXES = 5, 16, 3
_FEW_ROWS = 1_000  # a smaller table needs no advice


@value
class Finding:
    """One change of storage, tried on a copy: what a query costs and what is stored, by figures."""

    kind: Kind
    table: str
    columns: tuple[str, ...]
    proposed: bool
    cost_before: float
    cost_after: float
    bytes_before: int
    bytes_after: int
    writing_before: float = 0.0
    writing_after: float = 0.0
    statement: str = ""  # that makes the change, where one does

    @property
    def saved(self) -> float:
        return 1 - self.cost_after / self.cost_before if self.cost_before else 0.0

    @property
    def bytes_saved(self) -> float:
        return 1 - self.bytes_after / self.bytes_before if self.bytes_before else 0.0


@value
class Advice:
    """What was tried, with how many logged queries; the proposals first."""

    queries: int
    findings: tuple[Finding, ...]

    @property
    def proposals(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.proposed)


def advise(store: KnowledgeStore, log: QueryLog, *, cost: Cost = seconds) -> Advice:
    """Try what may help this store's queries. Raises `NoRoom`."""
    tables = [table for table in schemas_of(store) if table.rows >= _FEW_ROWS]
    queries = log.queries()[:_MOST_FORMS]
    if not tables or not queries:
        return Advice(0, ())
    with rehearsal(store.folder / FILE, tables, queries, cost) as copy:
        if not copy.trials:
            return Advice(0, ())
        findings = [*_indexes(copy), *_partitions(copy), *_compressed(copy)]
    questions = sum(query.count for query in queries)
    return Advice(questions, tuple(sorted(findings, key=lambda f: (not f.proposed, -f.saved))))


def create_index(store: KnowledgeStore, finding: Finding) -> None:
    """Create a proposed index; it is made again whenever its table is replaced."""
    with store.changing() as connection:
        connection.execute(finding.statement)


def _indexes(copy: Rehearsal) -> Iterator[Finding]:
    """Indexes on columns that queries compare, the best first; each beside those before it."""
    left = list(_index_columns(copy))
    for _ in range(_MOST_INDEXES):
        before, size = copy.cost(), copy.bytes()
        tried = [_try_index(copy, stored, columns, before, size) for stored, columns in left]
        if not tried:
            return
        best = min(tried, key=lambda finding: finding.cost_after)
        yield from (finding for finding in tried if not finding.proposed)
        left = [
            (stored, columns)
            for (stored, columns), finding in zip(left, tried, strict=True)
            if finding.proposed and finding is not best
        ]
        if not best.proposed:
            return
        yield best
        copy.connection.execute(best.statement)
        copy.connection.execute("analyze")


def _index_columns(copy: Rehearsal) -> Iterator[tuple[str, tuple[str, ...]]]:
    by_table: dict[str, list[str]] = {}
    for stored, column in copy.compared():
        if stored in copy.tables:
            by_table.setdefault(stored, []).append(column)
    for stored, columns in by_table.items():
        few = columns[:_MOST_COLUMNS]
        yield from ((stored, (column,)) for column in few)
        yield from ((stored, pair) for pair in combinations(few[:3], 2))


def _try_index(
    copy: Rehearsal, stored: str, columns: tuple[str, ...], before: float, size: int
) -> Finding:
    name = quoted(f"{stored} by {', '.join(columns)}")
    listed = ", ".join(quoted(column) for column in columns)
    statement = f"create index if not exists {name} on {quoted(stored)} ({listed})"
    writing = copy.writing(stored)
    with copy.trying():
        copy.connection.execute(statement)
        copy.connection.execute("analyze")
        after, grown, slower = copy.cost(), copy.bytes(), copy.writing(stored)
    proposed = after <= (1 - LEAST_SAVED) * before
    table = copy.tables[stored].name
    return Finding(
        "index", table, columns, proposed, before, after, size, grown, writing, slower, statement
    )


def _partitions(copy: Rehearsal) -> Iterator[Finding]:
    """Tables split by a column of few values, beside the indexes that are proposed."""
    for stored, column in list(copy.compared())[:_MOST_COLUMNS]:
        if stored not in copy.tables:
            continue
        name = quoted(column)
        values = copy.connection.execute(
            f"select distinct {name} from {quoted(stored)} limit {_MOST_PARTS + 1}"
        ).fetchall()
        if 1 < len(values) <= _MOST_PARTS:
            parts = {value: f"{stored} part {n}" for n, (value,) in enumerate(values)}
            yield _measured(copy, "partition", stored, column, _split(copy, stored, column, parts))


def _split(
    copy: Rehearsal, stored: str, column: str, parts: dict[object, str]
) -> Callable[[], Callable[[str], str]]:
    """How a table is split, and how a query that names one value is sent to its part."""
    name, table = quoted(column), quoted(stored)

    def change() -> Callable[[str], str]:
        for cell, part in parts.items():
            copy.connection.execute(
                f"create table {quoted(part)} as select * from {table} where {name} is ?", (cell,)
            )
        copy.connection.execute(f"drop table {table}")
        every = " union all ".join(f"select * from {quoted(part)}" for part in parts.values())
        copy.connection.execute(f"create view {table} as {every}")
        sent = {
            f"{table}.{name} = {literal(cell)}": quoted(part)  # type: ignore[arg-type]
            for cell, part in parts.items()
            if cell is not None
        }

        def rewritten(sql: str) -> str:
            if " OR " in sql or "FILTER" in sql:  # other rows may count too
                return sql
            part = next((p for named, p in sent.items() if named in sql), None)
            return sql if part is None else sql.replace(table, part)

        return rewritten

    return change


def _compressed(copy: Rehearsal) -> Iterator[Finding]:
    """Texts that repeat, kept once beside the rows, which then hold short numbers."""
    for stored, table in copy.tables.items():
        texts = [column.name for column in table.columns if column.kind == "text"]
        repeating = tuple(name for name in texts if _repeats(copy, stored, name))
        if repeating:
            change = _dictionary(copy, stored, repeating)
            yield _measured(copy, "compress", stored, ", ".join(repeating), change)


def _repeats(copy: Rehearsal, stored: str, column: str) -> bool:
    rows, distinct, length = copy.connection.execute(
        f"select count({quoted(column)}), count(distinct {quoted(column)}), "
        f"avg(length({quoted(column)})) from {quoted(stored)}"
    ).fetchone()
    return bool(rows) and distinct * 10 <= rows and length >= 6


def _dictionary(
    copy: Rehearsal, stored: str, columns: Sequence[str]
) -> Callable[[], Callable[[str], str]]:
    table, kept = quoted(stored), quoted(f"{stored} short")

    def change() -> Callable[[str], str]:
        shown, joins, short = [], [], []
        for number, column in enumerate(copy.tables[stored].columns):
            name = quoted(column.name)
            if column.name not in columns:
                shown.append(f"s.{name} as {name}")
                short.append(f"t.{name}")
                continue
            words = quoted(f"{stored} words {number}")
            copy.connection.execute(
                f"create table {words} (id integer primary key, word text unique)"
            )
            copy.connection.execute(
                f"insert into {words} (word) select distinct {name} from {table} "
                f"where {name} is not null order by 1"
            )
            shown.append(f"w{number}.word as {name}")
            joins.append(f" left join {words} w{number} on w{number}.id = s.{name}")
            short.append(f"(select id from {words} where word = t.{name}) as {name}")
        copy.connection.execute(f"create table {kept} as select {', '.join(short)} from {table} t")
        copy.connection.execute(f"drop table {table}")
        copy.connection.execute(
            f"create view {table} as select {', '.join(shown)} from {kept} s{''.join(joins)}"
        )
        return lambda sql: sql

    return change


def _measured(
    copy: Rehearsal,
    kind: Kind,
    stored: str,
    columns: str,
    change: Callable[[], Callable[[str], str]],
) -> Finding:
    """Try a change of a whole table, and undo it."""
    before, size = copy.cost(), copy.bytes()
    with copy.trying():
        try:
            rewritten = change()
            copy.connection.execute("analyze")
            after, grown = copy.cost(rewritten), copy.bytes()
        except AnswersDiffer:
            after, grown = float("inf"), size
    if kind == "compress":
        fewer = grown <= (1 - LEAST_BYTES_SAVED) * size
        proposed = fewer and after <= (1 + MOST_SLOWER) * before
    else:
        proposed = after <= (1 - LEAST_SAVED) * before
    return Finding(kind, copy.tables[stored].name, (columns,), proposed, before, after, size, grown)
