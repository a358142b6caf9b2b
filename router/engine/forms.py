"""Answers a request of a form that was answered before, by the answer or by a program.

From a well rated answer the router learns which stored program gives that answer, too. If no
program does, and a like request with other values was answered, the configured author is asked for
a program, which must reproduce what callers rated well. Nothing is learned from an answer that
nobody rated.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from router.domain import Trace
from router.engine.form_joining import FormJoining, is_news
from router.engine.form_writing import FormWriting, GivenAnswer
from router.engine.recall import Lookup, MayAnswer
from router.plans.compiled import Plans
from router.reuse.evidence import ReuseCheck
from router.reuse.forms.answers import is_short, same_answer
from router.reuse.forms.form import Form, form_of
from router.reuse.forms.shelf import NearRow, Shelf, ShelfRow, marks
from router.reuse.forms.shelves import Shelves
from router.reuse.guards import GuardVerdict
from router.reuse.memory import SolutionMemory
from router.reuse.memory_query import MemoryQuery
from router.reuse.recollection import Recollection, recalled_by
from router.reuse.solution import Solution

_log = logging.getLogger("waggle")
# Facts change, and calculations do not: answers that went stale must not stop the programs.
ANSWER, PROGRAM = "form:3", "program:3"  # the buckets of what forms accept
BY_FORM = (ANSWER, PROGRAM)
_SAME = GuardVerdict("words", ("the same form",))
_WAITING = 1_000  # answers that a rating may still make a lesson
_MOST_TRIED = 64  # programs that are tried beside a well rated answer
_MATES = 3  # like requests that the author sees
_TRIES = 2  # programs that the author may write for one form


@dataclass
class FormAnswers:
    memory: SolutionMemory
    writing: FormWriting
    wall: Callable[[], float]
    uniform: Callable[[], float]
    _joining: FormJoining = field(init=False)
    _shelves: Shelves | None = None
    _waiting: OrderedDict[str, GivenAnswer] = field(default_factory=OrderedDict)
    _tried: OrderedDict[frozenset[str], int] = field(default_factory=OrderedDict)
    _lessons: "set[asyncio.Task[None]]" = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._joining = FormJoining(self.writing, self.shelf, self.disproved)

    def shelf(self, space: bytes) -> Shelf | None:
        if self._shelves is None:
            if self.memory.store is None:
                return None
            self._shelves = Shelves(self.memory.store)
        return self._shelves.of(space)

    async def match(self, query: MemoryQuery, may: MayAnswer) -> Recollection | None:
        """What a form of this space answers to the request, if its kind is trusted; or what a new
        answer is to check. `may` says which solutions may answer it."""
        form, shelf = form_of(query.text), self.shelf(query.space)
        if form is None or shelf is None:
            return None
        if not self.writing.programs.holds(query.space, shelf.sources) and shelf.sources:
            self._begin(self.writing.programs.keep(query.space, dict(shelf.sources)))
        match: Recollection | None = None
        answers: dict[int, str] = {}  # by the programs that answer requests that ask the same
        for row in shelf.fitting(form):
            answer = row.answer if not row.root else answers.get(row.root)
            if answer is None:
                answer = self.writing.programs.answer(query.space, row.root, query.text)
            if answer is None:
                continue
            if row.root:
                answers[row.root] = answer
            solution = self._usable(query, row) if match is None else None
            if solution is not None and may(solution):
                match = self._recollection(query, replace(solution, answer=answer), row)
        # Where programs differ, only a backend's answer can say which of them is right.
        first = next(iter(answers.values()), "")
        return match if all(same_answer(first, each) for each in answers.values()) else None

    def _usable(self, query: MemoryQuery, row: ShelfRow) -> Solution | None:
        store = self.memory.store
        solution = store.get(row.id) if store is not None else None
        if solution is None or solution.state != "proven" or solution.scope != query.scope:
            return None
        return solution if solution.expires > self.wall() else None

    def _recollection(self, query: MemoryQuery, solution: Solution, row: ShelfRow) -> Recollection:
        bucket = PROGRAM if row.root else ANSWER
        standing = self.memory.calibration.standing(bucket, query.space)
        what = "a program gives the answer for these values" if row.root else "it has its answer"
        reason = f"the same form was answered, and {what}"
        if not standing.serves:
            reason += f"; its kind is not trusted, up to {standing.bound:.1%} may be wrong"
        recalled = recalled_by(standing, row.id, 1.0, reason, bucket, self.uniform())
        return Recollection(recalled, solution, _SAME)

    # -- learning -------------------------------------------------------------------------------

    def answered(
        self, plans: Plans, lookup: Lookup, trace: Trace, text: str, bare: Solution
    ) -> None:
        """Remember an answer until it is rated."""
        form = form_of(lookup.query.text) if lookup.query.mode == "similar" else None
        if form is not None:
            given = GivenAnswer(plans, lookup, form, text, bare)
            self._waiting[trace.request.id] = given
            if len(self._waiting) > _WAITING:
                self._waiting.popitem(last=False)

    def rated(self, request_id: str, *, good: bool) -> None:
        given = self._waiting.pop(request_id, None)
        if given is not None and good:
            self._begin(self._lesson(given))

    def _begin(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._lessons.add(task)
        task.add_done_callback(self._lessons.discard)

    async def settled(self) -> None:
        """Wait until everything that was rated is learned."""
        while self._lessons:
            await asyncio.gather(*self._lessons, return_exceptions=True)

    async def close(self) -> None:
        await self.settled()
        await self.writing.programs.close()

    async def _lesson(self, given: GivenAnswer) -> None:
        async with self._turn:
            try:
                await self._learn(given)
            except Exception:
                _log.exception("a well rated answer taught nothing")

    async def _learn(self, given: GivenAnswer) -> None:
        query = given.lookup.query
        shelf = self.shelf(query.space)
        if shelf is None:
            return
        self._check(given)
        form, text = given.form, given.text.strip()
        near = shelf.near(form)
        if not form.values or not text:
            return
        await self.writing.programs.keep(query.space, dict(shelf.sources))
        self._joining.refute(shelf, query.space, near)
        root, is_like = self._reproduced_by(shelf, given, near)
        if is_like:
            if is_news(shelf, near, root):
                await self.writing.keep(given, form, query.text, text, shelf.sources[root], root)
            return
        author = given.plans.config.reuse.author
        mates = shelf.mates(form, near)[:_MATES]
        may_write = given.lookup.author_may_read and author is not None and bool(mates)
        if not root and may_write and author is not None and self._may_try(form):
            alike = {each.row.id for each in near if shelf.habits.idle(each.between)}
            root = await self.writing.write(given, author, mates, alike)
        if root:
            await self._joining.join(given, root, near)

    def _check(self, given: GivenAnswer) -> None:
        """Judge what memory would have answered by the answer that was rated well."""
        match = given.lookup.match
        if match is None or match.recalled.bucket not in BY_FORM:
            return
        wrong = not same_answer(match.solution.answer, given.text)
        if wrong and not is_short(given.text):
            return
        recalled, query = match.recalled, given.lookup.query
        self.memory.add_check(
            ReuseCheck(
                recalled.bucket, query.space, wrong, 1.0, self.wall(), recalled.solution, 0,
                "a well rated answer",
            )
        )  # fmt: skip
        if wrong:
            self.disproved(query.space, recalled.solution)

    def disproved(self, space: bytes, solution: int) -> None:
        """Put away what answered wrongly, and all cases by which its program would answer the same
        question once more."""
        shelf = self.shelf(space)
        for id_ in [solution] if shelf is None else shelf.cases_like(solution):
            self.memory.quarantine(id_)

    def outdated(self, id_: int) -> None:
        """Put away the same answer to like requests, after it was called wrong where it had been
        right: a fact changes for all who ask for it. A calculation does not change."""
        store = self.memory.store
        solution = store.get(id_) if store is not None else None
        shelf = self.shelf(solution.space) if solution is not None else None
        if solution is not None and shelf is not None:
            for other in shelf.facts(solution.request, solution.answer):
                self.memory.quarantine(other)

    def _reproduced_by(
        self, shelf: Shelf, given: GivenAnswer, near: list[NearRow]
    ) -> tuple[int, bool]:
        """The program that gives this answer too, and is not likely to give it by chance; and
        whether it answers requests of this wording already. 0: there is none."""
        space, text = given.lookup.query.space, given.lookup.query.text
        alike = {n.row.root for n in near if n.row.root and shelf.habits.idle(n.between)}
        roots = sorted(shelf.roots(marks(given.form)), key=lambda root: root not in alike)
        for root in roots[:_MOST_TRIED]:
            answer = self.writing.programs.answer(space, root, text)
            if answer is None or not same_answer(answer, given.text):
                continue
            if self._joining.contradicted(shelf, space, root, near):
                continue
            if root in alike or shelf.tells(root, given.text):
                return root, root in alike
        return 0, False

    def _may_try(self, form: Form) -> bool:
        key = frozenset(form.words)
        tries = self._tried[key] = self._tried.get(key, 0) + 1
        if len(self._tried) > _WAITING:
            self._tried.popitem(last=False)
        return tries <= _TRIES
