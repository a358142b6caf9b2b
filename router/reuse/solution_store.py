"""The truth about solutions: one SQLite file that every router writes and follows.

A solution is there when its transaction has ended, synced, before anything points at it; ids only
grow, and each change gets a number in the journal, so whoever follows the journal misses nothing.
Several processes may write: SQLite lets one at a time, and the others wait.
"""

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from router.reuse.solution import Solution

_FILE = "solutions.sqlite"
_WELL, _BADLY = 0.7, 0.3  # ratings that prove a solution, and that put it away
_UNPROVEN_SECONDS = 3600.0  # how long a verdict is waited for
_SCHEMA = """
create table if not exists solutions (
  id integer primary key autoincrement, scope text not null, space blob not null,
  exact blob not null, kind text not null, request text not null, answer text not null,
  program text not null, spec text not null, seed integer not null, vector blob not null,
  encoder text not null, state text not null, proof text not null, parent integer not null,
  change text not null, plan text not null, backend text not null, model text not null,
  policy_version text not null, cost_usd real not null, seconds real not null,
  created real not null, expires real not null, request_id text not null,
  uses integer not null, successes real not null, failures real not null,
  last_used real not null, reviewed text not null);
create index if not exists by_exact on solutions (exact);
create index if not exists by_space on solutions (space, id) where state = 'proven';
create index if not exists by_parent on solutions (parent) where parent > 0;
create index if not exists by_expiry on solutions (expires);
create table if not exists journal (
  seq integer primary key autoincrement, solution integer not null, space blob not null,
  what text not null);
create table if not exists served (
  request_id text primary key, solution integer not null, at real not null) without rowid;
create table if not exists checks (
  seq integer primary key autoincrement, bucket text not null, space blob not null,
  wrong integer not null, weight real not null, at real not null, solution integer not null);
"""
_COLUMNS = [f.name for f in fields(Solution) if f.name != "id"]
_INSERT = f"insert into solutions ({', '.join(_COLUMNS)}) values ({', '.join('?' * len(_COLUMNS))})"
_BY_EXACT = (
    "select id, scope, kind, answer, plan, backend, model from solutions "
    "where exact = ? and state = 'proven' and expires > ?"
)
_SELECT = f"select id, {', '.join(_COLUMNS)} from solutions"


class UnreadableStore(RuntimeError):
    """The file cannot be opened or is damaged; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    seq: int
    solution: int
    space: bytes
    what: str  # in, out


@dataclass(frozen=True, slots=True)
class ReuseCheck:
    """A remembered answer held against a new one, or judged by whoever got it."""

    bucket: str
    space: bytes
    wrong: bool
    weight: float
    at: float
    solution: int
    seq: int = 0


class SolutionStore:
    """One connection for each thread; a transaction is all or nothing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / _FILE
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        if not self.path.exists():  # requests and answers: nobody else's to read
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            self._connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            mend = "move it away to begin anew, or put a copy back"
            raise UnreadableStore(f"{self.path} cannot be read ({error}): {mend}") from None

    @property
    def _connection(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if known is None:
            known = sqlite3.connect(
                self.path, timeout=10, isolation_level=None, check_same_thread=False
            )
            known.execute("pragma journal_mode = wal")
            known.execute("pragma synchronous = full")
            known.execute("pragma mmap_size = 268435456")
            self._local.connection = known
            self._all.append(known)
        return known

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._local = threading.local()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        connection.execute("begin immediate")
        try:
            yield connection
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")

    # -- writing --------------------------------------------------------------------------------

    def add(self, solutions: Sequence[Solution]) -> list[int]:
        """Their ids, once they are on the disk."""
        ids: list[int] = []
        with self._transaction() as connection:
            for one in solutions:
                id_ = connection.execute(_INSERT, _row(one)).lastrowid
                assert id_ is not None
                ids.append(id_)
                if one.request_id:
                    _serve(connection, one.request_id, id_, one.created)
                if one.state == "proven":
                    _tell(connection, id_, one.space, "in")
                    self._replace(connection, one, id_)
        return ids

    def _replace(self, connection: sqlite3.Connection, one: Solution, id_: int) -> None:
        """One answer to one request: the newest proven one stands for those before it."""
        older = connection.execute(
            "select id, space from solutions where exact = ? and scope = ? and id <> ? and "
            "state = 'proven'",
            (one.exact, one.scope, id_),
        ).fetchall()
        for other, space in older:
            connection.execute("update solutions set state = 'deprecated' where id = ?", (other,))
            _tell(connection, other, space, "out")

    def serve(self, uses: Iterable[tuple[str, int, float]]) -> None:
        """Which solution answered which request: request, solution, time."""
        with self._transaction() as connection:
            for request_id, id_, at in uses:
                _serve(connection, request_id, id_, at)
                connection.execute(
                    "update solutions set uses = uses + 1, last_used = ? where id = ?", (at, id_)
                )

    def judge(
        self, verdicts: Iterable[tuple[str, float, float, str]], *, ttl_seconds: float
    ) -> list[int]:
        """What was said of answers: request, score, weight, who says so. Proves solutions, and
        puts wrong ones away with all that came of them; those are given back."""
        away: list[int] = []
        with self._transaction() as connection:
            for request_id, score, weight, proof in verdicts:
                found = connection.execute(
                    "select s.id, s.state, s.space, s.exact, s.scope from served v "
                    "join solutions s on s.id = v.solution where v.request_id = ?",
                    (request_id,),
                ).fetchone()
                if found is None:
                    continue
                id_, state, space, exact, scope = found
                connection.execute(
                    "update solutions set successes = successes + ?, failures = failures + ? "
                    "where id = ?",
                    (weight * score, weight * (1 - score), id_),
                )
                if score >= _WELL and state == "unproven":
                    connection.execute(
                        "update solutions set state = 'proven', proof = ?, expires = ? "
                        "where id = ?",
                        (proof, time.time() + ttl_seconds, id_),
                    )
                    _tell(connection, id_, space, "in")
                    one = Solution(scope, space, exact, "text", "")
                    self._replace(connection, one, id_)
                elif score <= _BADLY and state in ("unproven", "proven"):
                    away += _quarantined(connection, id_)
        return away

    def check(self, checks: Iterable[ReuseCheck]) -> None:
        with self._transaction() as connection:
            connection.executemany(
                "insert into checks (bucket, space, wrong, weight, at, solution) "
                "values (?, ?, ?, ?, ?, ?)",
                [(c.bucket, c.space, c.wrong, c.weight, c.at, c.solution) for c in checks],
            )

    def quarantine(self, id_: int) -> list[int]:
        with self._transaction() as connection:
            return _quarantined(connection, id_)

    def deprecate(self, id_: int, why: str) -> None:
        with self._transaction() as connection:
            connection.execute(
                "update solutions set state = 'deprecated', change = ? where id = ?", (why, id_)
            )
            space = connection.execute(
                "select space from solutions where id = ?", (id_,)
            ).fetchone()
            if space:
                _tell(connection, id_, space[0], "out")

    def review(self, id_: int, told: str) -> None:
        with self._transaction() as connection:
            connection.execute("update solutions set reviewed = ? where id = ?", (told, id_))

    def retire(self, now: float, *, most: int) -> int:
        """What is over its time goes, what fared badly, and, beyond the most there may be, what is
        used least. How many went."""
        with self._transaction() as connection:
            gone = connection.execute(
                "select id, space, state from solutions where expires <= ? or (state = 'unproven' "
                "and created <= ?) or (state = 'proven' and failures >= 2 and "
                "failures > successes + uses * 0.05)",
                (now, now - _UNPROVEN_SECONDS),
            ).fetchall()
            for id_, space, state in gone:
                _delete(connection, id_, space, state)
            count = connection.execute(
                "select count(*) from solutions where state = 'proven'"
            ).fetchone()[0]
            least: list[Any] = []
            if count > most:
                least = connection.execute(
                    "select id, space, state from solutions where state = 'proven' "
                    "order by (uses + successes * 2) * 1.0 / (1 + (? - max(last_used, created)) "
                    "/ 86400.0), id limit ?",
                    (now, count - most),
                ).fetchall()
            for id_, space, state in least:
                _delete(connection, id_, space, state)
            connection.execute("delete from served where at <= ?", (now - 30 * 86_400,))
            return len(gone) + len(least)

    def forget(self, *, ids: Sequence[int] = (), scope: str | None = None) -> int:
        """Deleted for good, with all that came of them."""
        with self._transaction() as connection:
            if scope is not None:
                found = connection.execute("select id from solutions where scope = ?", (scope,))
                ids = [*ids, *(id_ for (id_,) in found)]
            gone = 0
            for id_ in dict.fromkeys(other for one in ids for other in _line(connection, one)):
                space = connection.execute(
                    "select space from solutions where id = ?", (id_,)
                ).fetchone()
                if space:
                    connection.execute("delete from solutions where id = ?", (id_,))
                    _tell(connection, id_, space[0], "out")
                    gone += 1
            return gone

    # -- reading --------------------------------------------------------------------------------

    def exact(self, exact: bytes, now: float) -> Solution | None:
        """The proven solution of this very request: what it takes to give its answer again."""
        row = self._connection.execute(_BY_EXACT, (exact, now)).fetchone()
        if row is None:
            return None
        id_, scope, kind, answer, plan, backend, model = row
        return Solution(
            scope, b"", exact, kind, "", answer, state="proven",
            plan=plan, backend=backend, model=model, id=id_,
        )  # fmt: skip

    def get(self, id_: int) -> Solution | None:
        row = self._connection.execute(f"{_SELECT} where id = ?", (id_,)).fetchone()
        return None if row is None else _solution(row)

    def served(self, request_id: str) -> int:
        row = self._connection.execute(
            "select solution from served where request_id = ?", (request_id,)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def descendants(self, id_: int) -> list[int]:
        return _line(self._connection, id_)[1:]

    def everything(self, where: str = "1", given: Sequence[Any] = ()) -> Iterator[Solution]:
        for row in self._connection.execute(f"{_SELECT} where {where}", given):
            yield _solution(row)

    def position(self) -> int:
        row = self._connection.execute("select max(seq) from journal").fetchone()
        return int(row[0] or 0)

    def changes(self, since: int, most: int = 2_000) -> list[Change]:
        rows = self._connection.execute(
            "select seq, solution, space, what from journal where seq > ? order by seq limit ?",
            (since, most),
        )
        return [Change(*row) for row in rows]

    def vectors(self, ids: Sequence[int]) -> dict[int, tuple[bytes, str]]:
        """Vector and encoder of those that are proven."""
        found: dict[int, tuple[bytes, str]] = {}
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            marks = ", ".join("?" * len(some))
            rows = self._connection.execute(
                f"select id, vector, encoder from solutions where state = 'proven' and "
                f"id in ({marks})",
                some,
            )
            found |= {id_: (vector, encoder) for id_, vector, encoder in rows}
        return found

    def all_vectors(
        self, encoder: str, where: str = "1"
    ) -> Iterator[tuple[list[int], list[bytes]]]:
        """Ids and vectors of this encoder, some thousands at a time."""
        rows = self._connection.execute(
            f"select id, vector from solutions where {where} and encoder = ? and vector <> x''",
            (encoder,),
        )
        while some := rows.fetchmany(5_000):
            yield [id_ for id_, _ in some], [vector for _, vector in some]

    def living(self, space: bytes) -> list[int]:
        rows = self._connection.execute(
            "select id from solutions where space = ? and state = 'proven' order by id", (space,)
        )
        return [id_ for (id_,) in rows]

    def spaces(self) -> list[tuple[bytes, int]]:
        rows = self._connection.execute(
            "select space, count(*) from solutions where state = 'proven' group by space"
        )
        return [(space, n) for space, n in rows]

    def checks(self, since: int) -> list[ReuseCheck]:
        rows = self._connection.execute(
            "select bucket, space, wrong, weight, at, solution, seq from checks where seq > ? "
            "order by seq",
            (since,),
        )
        return [
            ReuseCheck(b, s, bool(w), weight, at, id_, n) for b, s, w, weight, at, id_, n in rows
        ]

    def counts(self) -> dict[str, int]:
        rows = self._connection.execute("select state, count(*) from solutions group by state")
        return dict(rows)

    def damage(self) -> list[str]:
        """What SQLite itself finds wrong with the file."""
        rows = self._connection.execute("pragma quick_check").fetchall()
        return [said for (said,) in rows if said != "ok"]


def _serve(connection: sqlite3.Connection, request_id: str, id_: int, at: float) -> None:
    connection.execute(
        "insert or replace into served (request_id, solution, at) values (?, ?, ?)",
        (request_id, id_, at),
    )


def _tell(connection: sqlite3.Connection, id_: int, space: bytes, what: str) -> None:
    connection.execute(
        "insert into journal (solution, space, what) values (?, ?, ?)", (id_, space, what)
    )


def _delete(connection: sqlite3.Connection, id_: int, space: bytes, state: str) -> None:
    connection.execute("delete from solutions where id = ?", (id_,))
    if state == "proven":
        _tell(connection, id_, space, "out")


def _line(connection: sqlite3.Connection, id_: int) -> list[int]:
    """A solution, and all that came of it."""
    rows = connection.execute(
        "with recursive line(id) as (select ? union select s.id from solutions s join line l "
        "on s.parent = l.id) select id from line",
        (id_,),
    )
    return [one for (one,) in rows]


def _quarantined(connection: sqlite3.Connection, id_: int) -> list[int]:
    away = []
    for one in _line(connection, id_):
        found = connection.execute(
            "select space, state from solutions where id = ?", (one,)
        ).fetchone()
        if found is None or found[1] == "quarantined":
            continue
        connection.execute("update solutions set state = 'quarantined' where id = ?", (one,))
        _tell(connection, one, found[0], "out")
        away.append(one)
    return away


def _row(one: Solution) -> list[Any]:
    return [json.dumps(one.spec) if name == "spec" else getattr(one, name) for name in _COLUMNS]


_SPEC = 1 + _COLUMNS.index("spec")


def _solution(row: Sequence[Any]) -> Solution:
    told = list(row)
    spec = told[_SPEC]
    told[_SPEC] = json.loads(spec) if spec != "{}" else {}
    return Solution(id=told[0], **dict(zip(_COLUMNS, told[1:], strict=True)))
