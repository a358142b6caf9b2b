"""The library's lines: what happened to stored programs, appended in the store's own file.

A line is written in the transaction that changes the program, so a killed process leaves neither
without the other. Lines hold no words of a request, but what a reviewer quotes of a program; the
lines of a deleted program are deleted with it. Keys are hashed.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

# adopted: a key used the program for the first time. starred: a caller rated its answer; `verdict`
# is the score. failed: the program did not hold for another request. reviewed: a reviewer's
# verdict, with its reason. superseded: another program stands for it. drafted: an author wrote a
# program; `detail` says what it is like, and whether its author saw the standards. standards: the
# text that authors see from now on, whose version is the verdict.
What = Literal["adopted", "starred", "failed", "reviewed", "superseded", "drafted", "standards"]

SCHEMA = """
create table if not exists library (
  seq integer primary key autoincrement, solution integer not null, at real not null,
  what text not null, by text not null, verdict text not null, detail text not null);
create index if not exists by_line on library (solution);
create index if not exists by_what on library (what, seq)
  where what in ('drafted', 'standards');
create unique index if not exists by_adopter on library (solution, by) where what = 'adopted';
create unique index if not exists by_rater on library (solution, by) where what = 'starred';
"""
_MOST_DRAFTS = 20_000  # drafted programs that the standards are learned from
_INSERT = "insert or replace into library (solution, at, what, by, verdict, detail) "
_OF_CALLERS = ("app:", "user:")  # how the proof of a rating by feedback begins


@dataclass(frozen=True, slots=True)
class LibraryLine:
    """What happened to a stored program: what, when, by whom, and the verdict, if it is one."""

    solution: int
    at: float
    what: What
    by: str = ""
    verdict: str = ""
    detail: str = ""


def add_lines(connection: sqlite3.Connection, lines: Iterable[LibraryLine]) -> None:
    connection.executemany(
        f"{_INSERT} values (?, ?, ?, ?, ?, ?)",
        [(x.solution, x.at, x.what, x.by, x.verdict, x.detail) for x in lines],
    )


def adopt(connection: sqlite3.Connection, solution: int, key: str, at: float) -> None:
    """Note that a key used a program; only its first use makes a line."""
    connection.execute(
        "insert or ignore into library (solution, at, what, by, verdict, detail) "
        "select id, ?, 'adopted', ?, '', '' from solutions where id = ? and kind = 'program'",
        (at, hashed(key), solution),
    )


def star(
    connection: sqlite3.Connection,
    solution: int,
    proof: str,
    score: float,
    request_id: str,
    at: float,
) -> None:
    """Note a caller's rating of a program's answer; a later rating of this answer replaces it."""
    if proof.startswith(_OF_CALLERS):
        connection.execute(
            f"{_INSERT} select id, ?, 'starred', ?, ?, '' from solutions "
            "where id = ? and kind = 'program'",
            (at, request_id, f"{score:.3f}", solution),
        )


def retire_drafts(connection: sqlite3.Connection) -> None:
    """Delete the oldest drafts beyond the most that are kept, and reviews that are older still."""
    connection.execute(
        "delete from library where (what = 'drafted' or what = 'reviewed' and solution = 0) "
        "and seq <= (select seq from library where what = 'drafted' "
        "order by seq desc limit 1 offset ?)",
        (_MOST_DRAFTS,),
    )


def forget_lines(connection: sqlite3.Connection, solution: int) -> None:
    connection.execute("delete from library where solution = ?", (solution,))


def hashed(key: str) -> str:
    return blake2b(key.encode(), digest_size=8).hexdigest()
