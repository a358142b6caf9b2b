"""Drafted programs and the standards, in the library's lines: what is read from them and written.

A draft's line holds the names of its traits, which are a closed list, and no word of a request.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from router.reuse.programs.lines import LibraryLine, add_lines
from router.reuse.programs.standards import (
    NO_STANDARDS,
    PROPENSITY,
    DraftedProgram,
    Half,
    Standards,
    distilled,
    harms,
)

_OF_SIDE = """
select json_extract(detail, '$.shown') as shown,
       count(distinct json_extract(detail, '$.request_id')),
       count(distinct case when json_extract(detail, '$.level') in ('agreed', 'spec')
             then json_extract(detail, '$.request_id') end), count(*)
from library where what = 'drafted' and json_extract(detail, '$.standards') = ? group by shown"""


@dataclass(frozen=True, slots=True)
class Draft:
    """A program that an author wrote for a request. `standards`: the version in force, if any;
    `shown`: whether the author saw it, which had the chance `PROPENSITY`. `succeeded` is None if
    nothing could say whether the program is right."""

    request_id: str
    author: str
    turn: int
    traits: Sequence[str]
    succeeded: bool | None
    level: str
    standards: str = ""
    shown: bool = False

    def line(self, at: float) -> LibraryLine:
        verdict = "unknown" if self.succeeded is None else ("held" if self.succeeded else "failed")
        detail = {
            "request_id": self.request_id,
            "turn": self.turn,
            "level": self.level,
            "traits": list(self.traits),
            "standards": self.standards,
            "shown": self.shown,
            "propensity": PROPENSITY if self.standards else 1.0,
        }
        return LibraryLine(0, at, "drafted", self.author, verdict, json.dumps(detail))


def in_force(connection: sqlite3.Connection) -> Standards:
    """The standards of the latest line; empty without one."""
    row = connection.execute(
        "select verdict, detail from library where what = 'standards' order by seq desc limit 1"
    ).fetchone()
    return Standards(*row) if row is not None else NO_STANDARDS


def renew(connection: sqlite3.Connection, at: float) -> Standards:
    """Distil the standards anew, and write a line if they changed. A version whose side did worse
    is withdrawn, and comes into force no more."""
    now, withdrawn = in_force(connection), _withdrawn(connection)
    if now.version and harms(*sides(connection, now.version)):
        withdrawn.add(now.version)
        line = LibraryLine(0, at, "standards", now.version, "", "")  # names what it withdraws
        add_lines(connection, [line])
        now = NO_STANDARDS
    rows = connection.execute(
        "select detail, verdict = 'held' from library where what = 'drafted' "
        "and verdict in ('held', 'failed') and not json_extract(detail, '$.shown')"
    )
    drafts = (DraftedProgram(frozenset(json.loads(d)["traits"]), bool(held)) for d, held in rows)
    new = distilled(drafts, withdrawn)
    if new.version != now.version:
        add_lines(connection, [LibraryLine(0, at, "standards", "", new.version, new.text)])
    return new


def sides(connection: sqlite3.Connection, version: str) -> tuple[Half, Half]:
    """The requests written with a version of the standards in sight, and those without."""
    halves = {bool(row[0]): Half(*row[1:]) for row in connection.execute(_OF_SIDE, (version,))}
    return halves.get(True, Half(0, 0)), halves.get(False, Half(0, 0))


def _withdrawn(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("select by from library where what = 'standards' and by <> ''")
    return {version for (version,) in rows}
