"""A router's memory of solved requests; the router looks here before it decides on a plan.

The memory never fails a request and never lets it wait for a disk. After an error the memory finds
nothing, and the request continues. Solutions of other routers appear a moment later.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from router.config.reuse import Reuse
from router.domain import Request, Signal
from router.request.language import language
from router.reuse.acceptance import acceptors
from router.reuse.calibration import Calibration, bucket_of
from router.reuse.evidence import PairVerdict, ReuseCheck, UnjudgedCheck, pair_of
from router.reuse.guards import compare
from router.reuse.index.matrix import Near
from router.reuse.lifecycle import Rating, Use
from router.reuse.memory_keeper import (
    VECTORED_CHARACTERS,
    Addition,
    Marker,
    MemoryKeeper,
    ProgramReview,
    Quarantine,
    QueuedChange,
    Superseded,
)
from router.reuse.memory_query import MemoryQuery, Mode, allowed_mode, program_space
from router.reuse.neighbourhood import neighbourhood_of
from router.reuse.programs.lines import LibraryLine
from router.reuse.programs.standards import NO_STANDARDS, Standards
from router.reuse.recollection import (
    Candidate,
    Recollection,
    accepted,
    adaptation,
    best_match,
    may_ask,
    may_verify,
    reuse,
)
from router.reuse.solution import Solution
from router.reuse.solution_store import SolutionStore, UnreadableStore

if TYPE_CHECKING:
    from router.encoding.encoding_thread import EncodingThread
    from router.reuse.index.matrix import Matrix
    from router.reuse.verifier import PairVerifier
    from sandbox.review.reviewers import ReviewerVerdict

_log = logging.getLogger("waggle")
_NEAREST = 8  # solutions that are compared with each request
LEAST_SIMILARITY = 0.5
_MOST_VERIFIED = 2  # pairs that the verifier reads for a request: each takes milliseconds
_CACHED = 4_096  # solutions in memory, at most
_LATEST_PROGRAMS = 16  # programs to try if there is no index


@dataclass(frozen=True, slots=True)
class Nominated:
    """What the memory proposes for a request: an answer, and a candidate to ask a backend about."""

    match: Recollection | None = None
    open: Candidate | None = None


class SolutionMemory:
    """The store, the thread that writes to the store, and all lookups."""

    def __init__(
        self,
        folder: Path,
        settings: Reuse,
        *,
        encoder: Callable[[], "EncodingThread"] | None = None,
        verifier: Callable[[], "PairVerifier"] | None = None,
        wall: Callable[[], float] = time.time,
        tell: Callable[..., None] = lambda *_, **__: None,
    ) -> None:
        self.settings = settings
        self.calibration = Calibration(settings.budget, least_checked=settings.checked)
        self.trouble = ""
        self.store: SolutionStore | None = None
        self.keeper: MemoryKeeper | None = None
        self._wall = wall
        self._cache: OrderedDict[int, Solution] = OrderedDict()
        self._verdicts: OrderedDict[bytes, PairVerdict] = OrderedDict()
        try:
            self.store = SolutionStore(folder)
        except (UnreadableStore, OSError) as error:
            self.trouble = str(error)
            _log.error("nothing is remembered: %s", error)
            return
        self.keeper = MemoryKeeper(
            folder, self.store, settings, self.calibration,
            open_encoder=encoder, open_verifier=verifier, wall=wall, tell=tell, changed=self._drop,
        )  # fmt: skip

    def start(self) -> None:
        """Load the index in the background; until then only identical requests have answers."""
        if self.keeper is not None:
            self.keeper.start()

    def wait(self, seconds: float) -> bool:
        """Wait until the index is loaded; False if that takes longer than `seconds`."""
        return self.keeper is None or self.keeper.ready.wait(seconds)

    def reconfigure(self, settings: Reuse) -> None:
        self.settings = settings
        self.calibration.reconfigure(settings.budget, settings.checked)
        if self.keeper is not None:
            self.keeper.settings = settings

    def close(self) -> None:
        if self.keeper is not None:
            self.keeper.close()
        if self.store is not None:
            self.store.close()

    @property
    def encoder(self) -> "EncodingThread | None":
        return self.keeper.encoder if self.keeper is not None else None

    @property
    def standards(self) -> Standards:
        """What authors of programs may see."""
        return self.keeper.standards if self.keeper is not None else NO_STANDARDS

    # -- looking up -----------------------------------------------------------------------------

    def mode(self, request: Request) -> Mode:
        return allowed_mode(request, self.settings.mode) if self.store is not None else "off"

    def exact(self, key: bytes) -> Solution | None:
        """The proven solution of an identical request, if there is one."""
        try:
            return self.store.exact(key, self._wall()) if self.store is not None else None
        except Exception as error:
            self._report(error)
            return None

    async def vector(self, query: MemoryQuery, space: bytes) -> "Matrix | None":
        """The vector of the request's last message; None if there is nothing to compare with."""
        if query.mode != "similar" or self.keeper is None:
            return None
        index, encoder = self.keeper.index, self.keeper.encoder
        if index is None or encoder is None or index.empty(space):
            return None
        try:
            return await encoder.encode(query.text[:VECTORED_CHARACTERS])
        except Exception as error:
            self._report(error)
            return None

    async def similar(self, query: MemoryQuery, vector: "Matrix", uniform: float) -> Nominated:
        """The solution to reuse or to adapt for a request, and the one to ask a backend about."""
        try:
            candidates = await self._accepted(query, self._candidates(query, vector))
        except Exception as error:
            self._report(error)
            return Nominated()
        best = best_match(candidates)
        if best is None:
            return Nominated(adaptation(candidates), self._to_ask_about(query, candidates))
        match, trusted = self._recollection(query, vector, best, uniform)
        doubtful = best.by == "verifier" and not trusted and may_ask(best, query.text)
        return Nominated(match, best if doubtful else None)

    def accepted(
        self, query: MemoryQuery, vector: "Matrix | None", candidate: Candidate, uniform: float
    ) -> Recollection:
        """Reuse an accepted candidate, or check it, as its kind is trusted in its neighbourhood."""
        return self._recollection(query, vector, candidate, uniform)[0]

    def _recollection(
        self, query: MemoryQuery, vector: "Matrix | None", candidate: Candidate, uniform: float
    ) -> tuple[Recollection, bool]:
        """How the router uses an accepted candidate, and whether its kind is trusted there."""
        bucket = bucket_of(candidate.by, candidate.similarity)
        neighbourhood = neighbourhood_of(vector)
        standing = self.calibration.standing(bucket, query.space, neighbourhood)
        match = reuse(candidate, bucket, neighbourhood, standing, uniform)
        return match, standing.serves

    def _to_ask_about(
        self, query: MemoryQuery, candidates: Sequence[Candidate]
    ) -> Candidate | None:
        if self.settings.verifier is None:
            return None
        return next((c for c in candidates if may_ask(c, query.text)), None)

    def _candidates(self, query: MemoryQuery, vector: "Matrix") -> list[Candidate]:
        """The nearest solutions whose requests are in the same language, the nearest first."""
        spoken = language(query.text)
        near = self._nearest(query.space, vector, _NEAREST)
        hits = [hit for hit in near if hit.similarity >= LEAST_SIMILARITY]
        return [
            self._candidate(similarity, solution, query)
            for similarity, solution in self._in_use(query, hits)
            if language(solution.request) == spoken
        ]

    def _candidate(self, similarity: float, solution: Solution, query: MemoryQuery) -> Candidate:
        verdict = compare(solution.request, query.text)
        may = acceptors(solution.request, query.text, verdict)
        judged = self.verdict(solution.exact, query.exact) if may else None
        return Candidate(similarity, solution, verdict, judged=judged)

    async def _accepted(
        self, query: MemoryQuery, candidates: Sequence[Candidate]
    ) -> Sequence[Candidate]:
        """The candidates, with what accepts them. The verifier reads the nearest open ones only,
        and none if the words of another are the same."""
        candidates = [accepted(candidate, query.text) for candidate in candidates]
        open_ones = [n for n, c in enumerate(candidates) if may_verify(c, query.text)]
        if any(c.by for c in candidates) or not open_ones or self.keeper is None:
            return candidates
        verifier, encoder = self.keeper.want_verifier(), self.encoder
        if verifier is None or encoder is None:
            return candidates
        for n in open_ones[:_MOST_VERIFIED]:
            stored = candidates[n].solution.request
            chance = await encoder.probability(verifier.probability, stored, query.text)
            if verifier.accepts(chance):
                candidates[n] = replace(candidates[n], by="verifier", probability=chance)
                break
        return candidates

    def programs(self, query: MemoryQuery, vector: "Matrix | None") -> list[tuple[float, Solution]]:
        """The programs in the request's scope with their similarity, the nearest first."""
        space = program_space(query.scope)
        try:
            if self.keeper is not None and self.keeper.index is not None:
                hits = self._nearest(space, vector, 2 * _NEAREST) if vector is not None else []
                near = self._in_use(query, hits)
            else:
                near = self._latest_programs(query, space)
        except Exception as error:
            self._report(error)
            return []
        return [
            (similarity, solution)
            for similarity, solution in near
            if solution.kind == "program" and not solution.reviewed.startswith("failed")
        ]

    def _nearest(self, space: bytes, vector: "Matrix", k: int) -> list[Near]:
        index = self.keeper.index if self.keeper is not None else None
        return index.nearest(space, vector, k) if index is not None else []

    def _in_use(self, query: MemoryQuery, hits: Sequence[Near]) -> list[tuple[float, Solution]]:
        """The solutions of these hits that are proven, not expired and in the request's scope."""
        pairs = [(hit.similarity, self._solution(hit.solution)) for hit in hits]
        now = self._wall()
        return [
            (similarity, solution)
            for similarity, solution in pairs
            if solution is not None and solution.scope == query.scope and solution.expires > now
        ]

    def _latest_programs(self, query: MemoryQuery, space: bytes) -> list[tuple[float, Solution]]:
        if self.store is None:
            return []
        latest = self.store.everything(
            "space = ? and state = 'proven' and scope = ? and expires > ? order by id desc limit ?",
            (space, query.scope, self._wall(), _LATEST_PROGRAMS),
        )
        return [(LEAST_SIMILARITY, solution) for solution in latest]

    def _solution(self, id_: int) -> Solution | None:
        solution = self._cache.get(id_)
        if solution is None and self.store is not None:
            solution = self.store.get(id_)
            if solution is None or solution.state != "proven":
                return None
            self._cache[id_] = solution
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return solution

    def _drop(self, id_: int) -> None:
        """Remove a solution from the cache, so that the next lookup reads it from the store."""
        self._cache.pop(id_, None)

    # -- writing --------------------------------------------------------------------------------

    def keep(self, solution: Solution) -> "Future[int]":
        """Queue a solution for writing; the future yields its id once the solution is on disk."""
        addition = Addition(solution)
        if self.keeper is None:
            addition.id.set_exception(RuntimeError(self.trouble))
        self._add(addition)
        return addition.id

    def add_use(self, request_id: str, id_: int, key: str) -> None:
        if self.keeper is not None:
            self.keeper.add_use(Use(request_id, id_, self._wall(), key))

    def supersede(self, id_: int, better: int) -> None:
        self._add(Superseded(id_, better))

    def add_line(self, line: LibraryLine) -> None:
        self._add(line)

    def add_reviews(self, id_: int, verdicts: Sequence["ReviewerVerdict"]) -> None:
        """Queue what reviewers said of a program; a program that was dropped has the id 0."""
        for each in verdicts:
            reasons = "; ".join(each.reasons)
            self._add(
                LibraryLine(id_, self._wall(), "reviewed", each.reviewer, each.verdict, reasons)
            )

    def judge(self, signals: Sequence[Signal]) -> None:
        """Queue the scores of answers; a score proves or quarantines the solution behind it."""
        for signal in signals:
            if signal.score is not None:
                proof = f"{signal.source}: {signal.metric}"
                rating = Rating(
                    signal.about.request_id, signal.score, signal.weight, proof, signal.at
                )
                self._add(rating)

    def add_check(self, check: ReuseCheck | UnjudgedCheck) -> None:
        self._add(check)

    def verdict(self, first: bytes, second: bytes) -> bool | None:
        """Whether one answer serves these two requests, if the pair was judged."""
        pair = pair_of(first, second)
        verdicts = [self._verdicts.get(pair), self.store.verdict(pair) if self.store else None]
        # Another router may have written a later verdict than the one that this router queued.
        judged = [verdict for verdict in verdicts if verdict is not None]
        return max(judged, key=lambda verdict: verdict.at).serves if judged else None

    def add_verdict(self, verdict: PairVerdict) -> None:
        """Queue a verdict on a pair of requests; it counts at once."""
        self._verdicts[verdict.pair] = verdict
        if len(self._verdicts) > _CACHED:
            self._verdicts.popitem(last=False)
        self._add(verdict)

    def quarantine(self, id_: int) -> None:
        """Queue that a solution, and everything that was made from it, is used no more."""
        self._add(Quarantine(id_))

    async def written(self) -> None:
        """Wait until everything that was queued is on disk, and in use."""
        marker = Marker()
        if self.keeper is not None:
            self._add(marker)
            await asyncio.to_thread(marker.passed.wait)

    def add_review(self, id_: int, verdict: str) -> None:
        self._add(ProgramReview(id_, verdict))

    def _add(self, change: QueuedChange) -> None:
        if self.keeper is not None:
            self.keeper.add(change)

    def _report(self, error: Exception) -> None:
        """Log an error, unless it is the same as the last one."""
        if str(error) != self.trouble:
            self.trouble = str(error)
            _log.error("the memory of solutions failed, and the request went on: %r", error)
