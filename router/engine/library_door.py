"""The door of the library: reviews a kept program, has it revised once, and finds its versions.

All of it happens after the caller has the answer. A program serves other requests only if every
reviewer accepts it. Where one wants it revised, its author hears the reasons once; the revised
program must give the same figures, and is accepted or rejected. Of several versions for one kind of
request, one that gives the figures of all others on their own requests stands for them; without
one, an author is asked for it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from router.compute.backend_calls import BackendCalls
from router.compute.prompts import to_write, written_in
from router.compute.reviewing import (
    by_model,
    in_a_block,
    reviewed,
    to_generalise,
    to_judge,
    to_revise,
)
from router.config.plans import Code
from router.domain import COMPUTE, Attempt, Call, Request
from router.engine.recall import AskBackend
from router.plans.compiled import Plans
from router.request.statistical import free_job_of
from router.reuse.memory import SolutionMemory
from router.reuse.programs.remembered import PASSED, asks_the_same, for_request, is_free
from router.reuse.solution import Solution
from sandbox.review.parsed import Verdict, worst_of
from sandbox.review.reviewers import ReviewerVerdict

_LEAST_VERSIONS = 3  # from which a model is asked for one program instead
_MOST_VERSIONS = 8


@dataclass(frozen=True, slots=True)
class LibraryDoor:
    memory: SolutionMemory
    ask: AskBackend
    tell: Callable[..., None]
    wall: Callable[[], float]

    async def admit(self, plans: Plans, request: Request, solution: Solution, plan: Code) -> None:
        """Review a program that was kept for an answer, and let it serve other requests or not.
        `request` is the one on whose behalf the calls are made."""
        visit = _Visit(self, plans, request, plan)
        accepted = await visit.reviewed(solution)
        if accepted is not None:
            await visit.settle_versions(accepted)
        for attempt in visit.calls.attempts:
            if attempt.cost_usd is not None:
                self._note_cost(request, attempt)

    def _note_cost(self, request: Request, attempt: Attempt) -> None:
        """Record what a call after the answer cost; no request pays for it."""
        self.tell(
            "signal",
            "library",
            "asked",
            request_id=request.id,
            backend=attempt.backend,
            cost_usd=attempt.cost_usd,
            latency_ms=round(1000 * attempt.seconds, 3),
        )


class _Visit:
    """One program at the door, with the calls that it takes."""

    def __init__(self, door: LibraryDoor, plans: Plans, request: Request, plan: Code) -> None:
        self._memory, self._wall = door.memory, door.wall
        self._ask, self._plan = door.ask, plan
        self.calls = BackendCalls(plans.config, request, door.ask)

    async def reviewed(self, solution: Solution) -> Solution | None:
        """The program that may serve other requests: this one or its revision; None if neither."""
        verdicts = await self._verdicts(solution)
        worst = _worst(verdicts)
        if worst == "revise":
            revised = await self._revised(solution, verdicts)
            if revised is not None:
                return revised
        self._memory.add_reviews(solution.id, verdicts)
        reasons = "; ".join(str(v) for v in verdicts if not v.accepts)
        self._memory.add_review(solution.id, f"failed: {reasons}" if reasons else PASSED)
        return None if reasons else replace(solution, reviewed=PASSED)

    async def _verdicts(self, solution: Solution) -> list[ReviewerVerdict]:
        run = await self._runs(solution.request, [solution.program])
        measures = run.get("run", {})
        verdicts = list(
            await asyncio.to_thread(reviewed, solution.program, solution.request, measures)
        )
        reviewer = self._plan.reviewer
        if reviewer is not None and _worst(verdicts) != "reject":
            answer = await self._chat(reviewer, to_judge(solution.request, solution.program))
            verdicts.append(by_model(answer))
        return verdicts

    async def _revised(
        self, solution: Solution, verdicts: Sequence[ReviewerVerdict]
    ) -> Solution | None:
        """The author's revision, if it gives the same figures and every reviewer accepts it."""
        reasons = [reason for verdict in verdicts for reason in verdict.reasons]
        asked_before = to_write(solution.request, None)
        messages = to_revise(asked_before, in_a_block(solution.program), reasons)
        answer = await self._chat(solution.model, messages)
        source = written_in(answer).source if answer else ""
        if not source or not await self._same(solution.request, solution.program, source):
            return None
        revision = await self._heir(solution, source, "revised for its reviewers")
        if revision is not None:
            self._memory.add_reviews(solution.id, verdicts)
        return revision

    async def settle_versions(self, newest: Solution) -> None:
        """Let one program stand for all versions for the same kind of request, if one can."""
        versions = [newest, *self._versions(newest)]
        if len(versions) < 2:
            return
        for best in versions:
            others = [other for other in versions if other.id != best.id]
            if await self._stands_for(best, others):
                self._supersede(others, best)
                return
        if len(versions) >= _LEAST_VERSIONS:
            await self._synthesise(versions)

    def _versions(self, newest: Solution) -> list[Solution]:
        store = self._memory.store
        if store is None:
            return []
        rows = store.everything(
            "space = ? and scope = ? and kind = 'program' and state = 'proven' and id <> ? "
            "and reviewed like 'passed%' order by id desc",
            (newest.space, newest.scope, newest.id),
        )
        like = (s for s in rows if is_free(s) and asks_the_same(s.request, newest.request))
        return [solution for solution, _ in zip(like, range(_MOST_VERSIONS), strict=False)]

    async def _synthesise(self, versions: Sequence[Solution]) -> None:
        """Ask an author for one program that gives the figures of all versions."""
        newest = versions[0]
        pairs = [(version.request, version.program) for version in versions]
        answer = await self._chat(newest.model, to_generalise(pairs))
        source = written_in(answer).source if answer else ""
        general = replace(newest, program=source)
        if source and await self._stands_for(general, versions):
            made = await self._heir(newest, source, f"made from {len(versions)} versions")
            if made is not None:
                self._supersede([v for v in versions if v.id != newest.id], made)

    async def _heir(self, parent: Solution, source: str, change: str) -> Solution | None:
        """Keep a program that replaces its parent, if every reviewer accepts it."""
        heir = replace(
            parent, id=0, program=source, parent=parent.id, change=change, request_id="",
            created=self._wall(), reviewed=PASSED, uses=0, successes=0.0, failures=0.0,
        )  # fmt: skip
        verdicts = await self._verdicts(heir)
        if any(not verdict.accepts for verdict in verdicts):
            return None
        id_ = await asyncio.wrap_future(self._memory.keep(heir))
        self._memory.add_reviews(id_, verdicts)
        self._supersede([parent], replace(heir, id=id_))
        return replace(heir, id=id_)

    def _supersede(self, solutions: Sequence[Solution], better: Solution) -> None:
        for solution in solutions:
            self._memory.supersede(solution.id, better.id)

    async def _stands_for(self, program: Solution, others: Sequence[Solution]) -> bool:
        """Whether a program gives the figures of each other one, on the other's own request."""
        for other in others:
            pair = for_request(program, other.request)
            if pair is None or not await self._same(other.request, other.program, pair[0]):
                return False
        return True

    async def _same(self, request: str, first: str, second: str) -> bool:
        verdict = await self._runs(request, [first, second])
        return (
            verdict.get("status") == "ok" and verdict.get("problem") == "" and "shapes" in verdict
        )

    async def _runs(self, request: str, sources: Sequence[str]) -> Mapping[str, Any]:
        programs = [{"source": source, "spec": None} for source in sources]
        body = free_job_of(request, {}, seed=1, programs=programs, read=False)
        outcome = await self._ask(
            self._plan.code, Call(COMPUTE, body, False, self.calls.request.id)
        )
        verdict: Mapping[str, Any] = orjson.loads(outcome.body) if outcome.answered else {}
        return verdict

    async def _chat(self, backend: str, messages: Sequence[Mapping[str, str]]) -> str:
        settings = self.calls.config.backends.get(backend)
        if settings is None:
            return ""
        fields = {"model": "auto", "messages": messages, **settings.steadily}
        return await self.calls.chat(backend, fields) or ""


def _worst(verdicts: Sequence[ReviewerVerdict]) -> Verdict:
    return worst_of(verdict.verdict for verdict in verdicts)
