"""The store of solutions: one SQLite file that every router writes and follows.

A solution is on disk before anything refers to it. Ids only grow, and every change gets the next
number in the journal, so a reader of the journal misses no change. Several processes may write;
SQLite admits one writer at a time.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.reuse import evidence, lifecycle
from router.reuse.evidence import PairVerdict, ReuseCheck, UnjudgedCheck
from router.reuse.lifecycle import Rating, Use
from router.reuse.programs import drafts, lines
from router.reuse.programs.lines import LibraryLine
from router.reuse.programs.standards import Standards
from router.reuse.solution import Solution
from router.reuse.solution_rows import ADD_FORM, SCHEMA, SELECT, solution_of
from router.sqlite_file import SqliteFile

FILE = "solutions.sqlite"
_IDS_PER_QUERY = 500
_VECTORS_PER_CHUNK = 5_000
_MOST_EXACT = 256  # answers that stay in memory; each is at most `reuse.most_bytes` long
_BY_EXACT = (
    "select id, scope, kind, answer, proof, plan, form, backend, model, expires "
    "from solutions "
    "where exact = ? and state = 'proven' and expires > ?"
)


class UnreadableStore(RuntimeError):
    """The file is damaged or is no store of solutions; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the journal: a solution came into use (`in`) or went out of use (`out`)."""

    seq: int
    solution: int
    space: bytes
    what: str


class SolutionStore(SqliteFile):
    """The SQLite file. Each thread has its own connection; a transaction is all or nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        if not self.path.exists():  # only the file's owner may read requests and answers
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            self._connection.executescript(SCHEMA + evidence.SCHEMA + lines.SCHEMA)
            self._move_forward()
        except sqlite3.DatabaseError as error:
            mend = "move it away to begin anew, or put a copy back"
            raise UnreadableStore(f"{self.path} cannot be read ({error}): {mend}") from None

    def _move_forward(self) -> None:
        """Bring a file of an earlier Waggle to this version of the table."""
        if self._has_forms():
            return
        with self._transaction() as connection:
            if not self._has_forms():  # another process may have been faster
                connection.execute(ADD_FORM)

    def _has_forms(self) -> bool:
        columns = self._connection.execute("pragma table_info(solutions)")
        return any(name == "form" for _, name, *_ in columns)

    def _open(self, *, first: bool) -> sqlite3.Connection:  # noqa: ARG002
        connection = sqlite3.connect(
            self.path, timeout=10, isolation_level=None, check_same_thread=False
        )
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        # Without mmap: a file that another process shortens must not kill this process.
        connection.execute("pragma mmap_size = 0")
        connection.execute("pragma secure_delete = on")  # words that are forgotten are erased
        return connection

    # -- writing --------------------------------------------------------------------------------

    def add(self, solutions: Sequence[Solution]) -> list[int]:
        """Write the solutions to disk, and return their ids."""
        with self._transaction() as connection:
            return [lifecycle.add(connection, solution) for solution in solutions]

    def add_uses(self, uses: Iterable[Use]) -> None:
        with self._transaction() as connection:
            for use in uses:
                lifecycle.add_use(connection, use)

    def judge(self, ratings: Iterable[Rating], *, expires: float) -> list[int]:
        """Mark solutions that a rating proves until `expires`, or quarantine them.

        Returns the quarantined ids. `prove` then writes the words of a marked solution.
        """
        with self._transaction() as connection:
            return [
                id_
                for rating in ratings
                for id_ in lifecycle.judge(connection, rating, expires=expires)
            ]

    def prove(self, id_: int, request: str, answer: str) -> bool:
        """Write the words of a rated solution, which is then in use."""
        with self._transaction() as connection:
            return lifecycle.prove(connection, id_, request, answer)

    def add_evidence(
        self,
        checks: Iterable[ReuseCheck] = (),
        unjudged: Iterable[UnjudgedCheck] = (),
        verdicts: Iterable[PairVerdict] = (),
    ) -> None:
        with self._transaction() as connection:
            evidence.add_checks(connection, checks)
            evidence.add_unjudged(connection, unjudged)
            evidence.add_verdicts(connection, verdicts)

    def renew_standards(self, at: float) -> Standards:
        with self._transaction() as connection:
            lines.retire_drafts(connection)
            return drafts.renew(connection, at)

    def standards(self) -> Standards:
        return drafts.in_force(self._connection)

    def quarantine(self, id_: int) -> list[int]:
        with self._transaction() as connection:
            return lifecycle.quarantine(connection, id_)

    def quarantine_plans(self, plans: Sequence[str]) -> list[int]:
        """Quarantine everything that these plans answered, however it was judged, and return the
        ids."""
        with self._transaction() as connection:
            among = ", ".join("?" * len(plans))
            rows = connection.execute(
                f"select id from solutions where state <> 'quarantined' and plan in ({among})",
                tuple(plans),
            ).fetchall()
            return [gone for (id_,) in rows for gone in lifecycle.quarantine(connection, id_)]

    def supersede(self, id_: int, better: int, at: float) -> None:
        with self._transaction() as connection:
            lifecycle.supersede(connection, id_, better, at)

    def add_lines(self, added: Iterable[LibraryLine]) -> None:
        with self._transaction() as connection:
            lines.add_lines(connection, added)

    def review(self, id_: int, verdict: str) -> None:
        with self._transaction() as connection:
            connection.execute("update solutions set reviewed = ? where id = ?", (verdict, id_))

    def retire(self, now: float, *, most: int, by_age: bool = True) -> int:
        with self._transaction() as connection:
            return lifecycle.retire(connection, now, most=most, by_age=by_age)

    def forget(
        self,
        *,
        ids: Sequence[int] = (),
        scope: str | None = None,
        request_ids: Sequence[str] = (),
    ) -> int:
        """Delete these solutions, all of a scope, and the answers to these requests.

        Their descendants go as well, and no word of them stays in the files.
        """
        with self._transaction() as connection:
            rows = connection.execute("select id from solutions where scope = ?", (scope,))
            members = [*ids, *(id_ for (id_,) in rows)]
            for start in range(0, len(request_ids), _IDS_PER_QUERY):
                chunk = request_ids[start : start + _IDS_PER_QUERY]
                among = ", ".join("?" * len(chunk))
                rows = connection.execute(
                    f"select id from solutions where request_id in ({among})", chunk
                )
                members += [id_ for (id_,) in rows]
                connection.execute(f"delete from served where request_id in ({among})", chunk)
            forgotten = lifecycle.forget(connection, members)
        self._connection.execute("pragma wal_checkpoint(truncate)")
        return forgotten

    # -- reading --------------------------------------------------------------------------------

    def exact(self, exact: bytes, now: float) -> Solution | None:
        """The proven solution of an identical request, with the fields that an answer needs. What
        was found stays in memory until any process changes the file."""
        kept: dict[bytes, Solution] = self._local.__dict__.setdefault("exact", {})
        version = self._version()
        if getattr(self._local, "version", None) != version:
            kept.clear()
            self._local.version = version
        solution = kept.get(exact)
        if solution is not None:
            return solution if solution.expires > now else None
        row = self._connection.execute(_BY_EXACT, (exact, now)).fetchone()
        if row is None:
            return None
        id_, scope, kind, answer, proof, plan, form, backend, model, expires = row
        solution = kept[exact] = Solution(
            scope, b"", exact, kind, "", answer, state="proven", proof=proof, plan=plan,
            form=form, backend=backend, model=model, id=id_, expires=expires,
        )  # fmt: skip
        if len(kept) > _MOST_EXACT:
            del kept[next(iter(kept))]
        return solution

    def _version(self) -> tuple[int, int]:
        """Changes with each write to the file, by another connection or by this one."""
        connection = self._connection
        (others,) = connection.execute("pragma data_version").fetchone()
        return int(others), connection.total_changes

    def get(self, id_: int) -> Solution | None:
        row = self._connection.execute(f"{SELECT} where id = ?", (id_,)).fetchone()
        return None if row is None else solution_of(row)

    def everything(self, where: str = "1", parameters: Sequence[Any] = ()) -> Iterator[Solution]:
        for row in self._connection.execute(f"{SELECT} where {where}", parameters):
            yield solution_of(row)

    def position(self) -> int:
        """The journal's number of the latest change."""
        row = self._connection.execute("select max(seq) from journal").fetchone()
        return int(row[0] or 0)

    def changes(self, since: int, most: int = 2_000) -> list[Change]:
        rows = self._connection.execute(
            "select seq, solution, space, what from journal where seq > ? order by seq limit ?",
            (since, most),
        )
        return [Change(*row) for row in rows]

    def vectors(self, ids: Sequence[int]) -> Iterator[tuple[int, bytes, str]]:
        """Id, vector and encoder of each of these solutions, if the solution is proven."""
        for start in range(0, len(ids), _IDS_PER_QUERY):
            chunk = ids[start : start + _IDS_PER_QUERY]
            rows = self._connection.execute(
                "select id, vector, encoder from solutions where state = 'proven' and "
                f"id in ({', '.join('?' * len(chunk))})",
                chunk,
            )
            yield from rows.fetchall()

    def all_vectors(
        self, encoder: str, where: str = "1"
    ) -> Iterator[tuple[list[int], list[bytes]]]:
        """The ids and vectors of one encoder's solutions, in chunks."""
        rows = self._connection.execute(
            f"select id, vector from solutions where {where} and encoder = ? and vector <> x''",
            (encoder,),
        )
        while chunk := rows.fetchmany(_VECTORS_PER_CHUNK):
            yield [id_ for id_, _ in chunk], [vector for _, vector in chunk]

    def rated(self) -> list[int]:
        """The ids of solutions that a rating proved, and whose words are not written yet."""
        rows = self._connection.execute("select id from solutions where state = 'rated'")
        return [id_ for (id_,) in rows]

    def proven(self, space: bytes) -> list[int]:
        """The ids of a space's proven solutions, in order."""
        rows = self._connection.execute(
            "select id from solutions where space = ? and state = 'proven' order by id", (space,)
        )
        return [id_ for (id_,) in rows]

    def spaces(self) -> list[bytes]:
        rows = self._connection.execute(
            "select distinct space from solutions where state = 'proven'"
        )
        return [space for (space,) in rows]

    def checks(self, since: int) -> list[ReuseCheck]:
        return evidence.checks_since(self._connection, since)

    def unjudged(self) -> dict[str, int]:
        """For each bucket, how many checks could not be judged."""
        return evidence.unjudged(self._connection)

    def verdict(self, pair: bytes) -> PairVerdict | None:
        return evidence.verdict_on(self._connection, pair)

    def newest(self) -> float | None:
        """When a solution was last made or used; None without solutions."""
        query = "select max(max(created, last_used)) from solutions"
        (at,) = self._connection.execute(query).fetchone()
        return None if at is None else float(at)

    def counts(self) -> dict[str, int]:
        rows = self._connection.execute("select state, count(*) from solutions group by state")
        return dict(rows)

    def damage(self) -> list[str]:
        """The problems that SQLite's own check finds in the file."""
        rows = self._connection.execute("pragma quick_check").fetchall()
        return [problem for (problem,) in rows if problem != "ok"]
