"""What was learned about remembered answers: checks, checks without evidence, verdicts on pairs.

Each function runs in the caller's transaction. The rows hold numbers and hashes, and no words.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

SCHEMA = """
drop table if exists checks;  -- an encoder judged them, which is no evidence
create table if not exists reuse_checks (
  seq integer primary key autoincrement, bucket text not null, space blob not null,
  wrong integer not null, weight real not null, at real not null, solution integer not null,
  neighbourhood integer not null, judged_by text not null);
create table if not exists unjudged_checks (bucket text primary key, n integer not null);
create table if not exists pair_verdicts (
  pair blob primary key, serves integer not null, solution integer not null, by text not null,
  at real not null) without rowid;
create index if not exists by_verdict on pair_verdicts (solution);
"""


@dataclass(frozen=True, slots=True)
class ReuseCheck:
    """Whether a remembered answer was wrong, and what judged it."""

    bucket: str
    space: bytes
    wrong: bool
    weight: float
    at: float
    solution: int
    neighbourhood: int = 0
    by: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class UnjudgedCheck:
    """A check of a remembered answer that nothing could judge. It counts as nothing."""

    bucket: str


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """Whether the answer of a solution serves a pair of requests, and what judged the pair."""

    pair: bytes
    serves: bool
    solution: int
    by: str
    at: float


def pair_of(first: bytes, second: bytes) -> bytes:
    """The key of a pair of requests, by their exact keys, in any order."""
    return blake2b(b"".join(sorted((first, second))), digest_size=16).digest()


def add_checks(connection: sqlite3.Connection, checks: Iterable[ReuseCheck]) -> None:
    connection.executemany(
        "insert into reuse_checks (bucket, space, wrong, weight, at, solution, neighbourhood, "
        "judged_by) values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (c.bucket, c.space, c.wrong, c.weight, c.at, c.solution, c.neighbourhood, c.by)
            for c in checks
        ],
    )


def checks_since(connection: sqlite3.Connection, since: int) -> list[ReuseCheck]:
    rows = connection.execute(
        "select bucket, space, wrong, weight, at, solution, neighbourhood, judged_by, seq "
        "from reuse_checks where seq > ? order by seq",
        (since,),
    )
    return [
        ReuseCheck(bucket, space, bool(wrong), weight, at, solution, neighbourhood, by, seq)
        for bucket, space, wrong, weight, at, solution, neighbourhood, by, seq in rows
    ]


def add_unjudged(connection: sqlite3.Connection, checks: Iterable[UnjudgedCheck]) -> None:
    connection.executemany(
        "insert into unjudged_checks values (?, 1) on conflict (bucket) do update set n = n + 1",
        [(check.bucket,) for check in checks],
    )


def unjudged(connection: sqlite3.Connection) -> dict[str, int]:
    """For each bucket, how many checks could not be judged."""
    return dict(connection.execute("select bucket, n from unjudged_checks").fetchall())


def add_verdicts(connection: sqlite3.Connection, verdicts: Iterable[PairVerdict]) -> None:
    connection.executemany(
        "insert or replace into pair_verdicts values (?, ?, ?, ?, ?)",
        [(v.pair, v.serves, v.solution, v.by, v.at) for v in verdicts],
    )


def verdict_on(connection: sqlite3.Connection, pair: bytes) -> PairVerdict | None:
    row = connection.execute(
        "select pair, serves, solution, by, at from pair_verdicts where pair = ?", (pair,)
    ).fetchone()
    return None if row is None else PairVerdict(row[0], bool(row[1]), *row[2:])


def forget_verdicts(connection: sqlite3.Connection, solution: int) -> None:
    connection.execute("delete from pair_verdicts where solution = ?", (solution,))
