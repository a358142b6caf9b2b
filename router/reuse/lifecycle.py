"""Everything that happens to solutions: adding, judging, replacing, quarantining, retiring,
forgetting.

Each function runs in the caller's transaction. The journal records each solution that comes into
use or goes out of use; the indexes follow the journal.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from router.reuse.evidence import forget_verdicts
from router.reuse.programs.lines import LibraryLine, add_lines, adopt, forget_lines, star
from router.reuse.solution import Solution
from router.reuse.solution_rows import INSERT, row_of

GOOD, BAD = 0.7, 0.3  # a score of at least GOOD proves, one of at most BAD quarantines
_UNPROVEN_SECONDS = 3600.0  # how long an unproven solution waits for a judgement
_SERVED_SECONDS = 30 * 86_400.0  # how long a judgement still counts for the solution that answered


@dataclass(frozen=True, slots=True)
class Use:
    """The fact that a solution answered a request of a key."""

    request_id: str
    solution: int
    at: float
    key: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """A judgement of the answer to a request; `proof` names the source and the metric."""

    request_id: str
    score: float
    weight: float
    proof: str
    at: float = 0.0


def add(connection: sqlite3.Connection, solution: Solution) -> int:
    id_ = connection.execute(INSERT, row_of(solution)).lastrowid
    assert id_ is not None
    if solution.request_id:
        _link(connection, Use(solution.request_id, id_, solution.created))
    if solution.state == "proven":
        _record(connection, id_, solution.space, "in")
        _deprecate_older(connection, solution.exact, solution.scope, id_)
    return id_


def add_use(connection: sqlite3.Connection, use: Use) -> None:
    _link(connection, use)
    connection.execute(
        "update solutions set uses = uses + 1, last_used = ? where id = ?", (use.at, use.solution)
    )
    adopt(connection, use.solution, use.key, use.at)


def judge(connection: sqlite3.Connection, rating: Rating, *, expires: float) -> list[int]:
    """Prove or quarantine what answered a request, and what was kept of it; return the quarantined
    ids. Of a computed answer, both the words and the program are kept."""
    rows = connection.execute(
        "select id, state from solutions where id in (select solution from served where "
        "request_id = ?1) or (request_id = ?1 and kind = 'program') order by id",
        (rating.request_id,),
    ).fetchall()
    return [
        quarantined
        for id_, state in rows
        for quarantined in _judged(connection, id_, state, rating, expires)
    ]


def _judged(
    connection: sqlite3.Connection, id_: int, state: str, rating: Rating, expires: float
) -> list[int]:
    connection.execute(
        "update solutions set successes = successes + ?, failures = failures + ? where id = ?",
        (rating.weight * rating.score, rating.weight * (1 - rating.score), id_),
    )
    star(connection, id_, rating.proof, rating.score, rating.request_id, rating.at)
    if rating.score >= GOOD and state == "unproven":
        connection.execute(
            "update solutions set state = 'rated', proof = ?, expires = ? where id = ?",
            (rating.proof, expires, id_),
        )
    elif rating.score <= BAD and state in ("unproven", "rated", "proven"):
        return quarantine(connection, id_)
    return []


def prove(connection: sqlite3.Connection, id_: int, request: str, answer: str) -> bool:
    """Write the words of a rated solution, which is then proven; False if it is rated no more."""
    row = connection.execute(
        "update solutions set state = 'proven', request = ?, answer = ? "
        "where id = ? and state = 'rated' returning space, exact, scope",
        (request, answer, id_),
    ).fetchone()
    if row is None:
        return False
    space, exact, scope = row
    _record(connection, id_, space, "in")
    _deprecate_older(connection, exact, scope, id_)
    return True


def quarantine(connection: sqlite3.Connection, id_: int) -> list[int]:
    """Quarantine a solution and its descendants; return the ids of those newly quarantined."""
    quarantined = []
    for member in family(connection, id_):
        row = connection.execute(
            "select space, state from solutions where id = ?", (member,)
        ).fetchone()
        if row is None or row[1] == "quarantined":
            continue
        connection.execute("update solutions set state = 'quarantined' where id = ?", (member,))
        _record(connection, member, row[0], "out")
        quarantined.append(member)
    return quarantined


def supersede(connection: sqlite3.Connection, id_: int, better: int, at: float) -> None:
    """Deprecate a program that another one stands for; its own origin stays in its row."""
    row = connection.execute(
        "update solutions set state = 'deprecated' where id = ? and state = 'proven' "
        "returning space",
        (id_,),
    ).fetchone()
    if row:
        _record(connection, id_, row[0], "out")
        detail = f"solution {better} stands for it"
        add_lines(connection, [LibraryLine(id_, at, "superseded", str(better), "", detail)])


def retire(connection: sqlite3.Connection, now: float, *, most: int, by_age: bool) -> int:
    """Delete failing solutions, the least used beyond `most` and, if `by_age`, expired solutions;
    return the count."""
    retired = connection.execute(
        "select id, space, state from solutions where (? and (expires <= ? or "
        "(state in ('unproven', 'rated') and created <= ?))) or "
        "(state = 'proven' and failures >= 2 and failures > successes + uses * 0.05)",
        (by_age, now, now - _UNPROVEN_SECONDS),
    ).fetchall()
    _delete(connection, retired)
    (count,) = connection.execute(
        "select count(*) from solutions where state = 'proven'"
    ).fetchone()
    least_used = connection.execute(
        "select id, space, state from solutions where state = 'proven' "
        "order by (uses + successes * 2) * 1.0 / (1 + max(? - max(last_used, created), 0) "
        "/ 86400.0), id limit ?",
        (now, max(count - most, 0)),
    ).fetchall()
    _delete(connection, least_used)
    if by_age:
        connection.execute("delete from served where at <= ?", (now - _SERVED_SECONDS,))
    return len(retired) + len(least_used)


def forget(connection: sqlite3.Connection, ids: Iterable[int]) -> int:
    """Delete solutions and their descendants for good; return the number of deleted solutions."""
    members = dict.fromkeys(member for id_ in ids for member in family(connection, id_))
    forgotten = 0
    for id_ in members:
        row = connection.execute("select space from solutions where id = ?", (id_,)).fetchone()
        if row:
            connection.execute("delete from solutions where id = ?", (id_,))
            connection.execute("delete from served where solution = ?", (id_,))
            forget_verdicts(connection, id_)
            forget_lines(connection, id_)
            _record(connection, id_, row[0], "out")
            forgotten += 1
    return forgotten


def family(connection: sqlite3.Connection, id_: int) -> list[int]:
    """A solution and all its descendants, itself first."""
    rows = connection.execute(
        "with recursive line(id) as (select ? union select s.id from solutions s join line l "
        "on s.parent = l.id) select id from line",
        (id_,),
    )
    return [member for (member,) in rows]


def _deprecate_older(connection: sqlite3.Connection, exact: bytes, scope: str, newest: int) -> None:
    """Deprecate the older answers to a request: only the newest proven solution stays in use."""
    older = connection.execute(
        "select id, space from solutions where exact = ? and scope = ? and id <> ? and "
        "state = 'proven'",
        (exact, scope, newest),
    ).fetchall()
    for id_, space in older:
        connection.execute("update solutions set state = 'deprecated' where id = ?", (id_,))
        _record(connection, id_, space, "out")


def _delete(connection: sqlite3.Connection, rows: Iterable[tuple[int, bytes, str]]) -> None:
    for id_, space, state in rows:
        connection.execute("delete from solutions where id = ?", (id_,))
        forget_verdicts(connection, id_)
        forget_lines(connection, id_)
        if state == "proven":
            _record(connection, id_, space, "out")


def _link(connection: sqlite3.Connection, use: Use) -> None:
    """Record which solution answered a request, so that a later judgement reaches the solution."""
    connection.execute(
        "insert or replace into served (request_id, solution, at) values (?, ?, ?)",
        (use.request_id, use.solution, use.at),
    )


def _record(
    connection: sqlite3.Connection, id_: int, space: bytes, change: Literal["in", "out"]
) -> None:
    connection.execute(
        "insert into journal (solution, space, what) values (?, ?, ?)", (id_, space, change)
    )
