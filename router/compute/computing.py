"""The statistical path: authors write programs until one passes the sandbox's verification.

A request that the closed-world reader has read is written by rule, and by models if the rule's
program fails. Any other request that a plan with models takes goes to the models
(`free_computing`). Text columns are added last, and change no computed value. If no program passes,
the caller learns which constraint failed, unless a model may answer in words.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from router.calls.outcome import CallOutcome
from router.compute.backend_calls import BackendCalls
from router.compute.free_computing import FreeComputing
from router.compute.reviewing import as_json
from router.compute.words import NoWords, words_for
from router.config.plans import SYNTHESIS, Code
from router.config.signals import WEIGHTS
from router.domain import Attempt, Request, Signal, Trace, new_id
from router.request.statistical import interpretation_of, job_of, wants_object
from router.reuse.editing import edit_program
from router.reuse.programs.standards import NO_STANDARDS, PROPENSITY, Standards
from router.reuse.solution import Solution
from sandbox.column_programs import CannotWrite
from sandbox.records import format_records
from sandbox.spec import Spec
from sandbox.synthesis import write_program

_TRIES = 2  # seeds of a program by rule: a right sample fails a check once in a thousand times
_EDITED = 2  # remembered programs that are tried before an author writes
PATTERN_FROM = 0.6  # the similarity from which authors see a remembered program
_FINAL = frozenset(
    {"impossible", "refused", "not_statistical", "no_answer", "busy"}
)  # states that no other author can change


# The caller's error for each state: HTTP status, kind, code, and how the message begins.
REFUSALS = {
    "impossible": (422, "invalid_request_error", "cannot_hold", "This cannot hold"),
    "not_verified": (
        422,
        "invalid_request_error",
        "not_verified",
        "No program's result held what was asked for",
    ),
    "not_statistical": (
        400,
        "invalid_request_error",
        "not_statistical",
        "This is no request that a program can answer",
    ),
    "no_words": (422, "invalid_request_error", "no_words", "The text columns could not be had"),
    "refused": (503, "server_error", "sandbox_refused", "The sandbox runs nothing"),
    "busy": (429, "rate_limit_error", "backends_busy", "The sandbox is busy"),
    "no_answer": (503, "server_error", "no_backend_answered", "The sandbox did not answer"),
}


@dataclass(slots=True)
class Computed:
    """The result of a computation. `document` is empty if no program passed."""

    document: str = ""
    row: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    status: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    outcome: CallOutcome | None = None
    free: bool = False  # models computed what no rule had read

    @property
    def holds(self) -> bool:
        return bool(self.document)


@dataclass(slots=True)
class Computing:
    """One request on the statistical path."""

    plan: Code
    calls: BackendCalls
    seed: Callable[[], int]
    library: Sequence[tuple[float, Solution]] = ()  # remembered programs, nearest first
    standards: Standards = NO_STANDARDS  # what authors see, for half of the requests
    made: Computed = field(default_factory=Computed)
    _count: int | None = None  # the number of records, if the request names none
    _drafts: list[dict[str, Any]] = field(default_factory=list)  # programs that authors wrote
    _sent_back: list[dict[str, Any]] = field(default_factory=list)  # what reviewers said of them
    _fell: dict[int, str] = field(default_factory=dict)  # remembered programs that did not hold

    async def carry_out(self) -> Computed:
        self.made.attempts = self.calls.attempts
        interpretation = interpretation_of(self._request)
        spec = interpretation.spec
        if spec is not None:
            if not await self._remembered(spec):
                await self._written(spec)
            if self.made.holds and spec.words:
                await self._add_words(spec)
        elif self.plan.models and self._request.reading.shape is None:
            await self._by_models(interpretation.reasons)
        else:
            reasons = "; ".join(interpretation.reasons)
            self.made.status, self.made.problem = "not_statistical", reasons
        if self._drafts:
            self.made.row = {**self.made.row, "drafts": self._drafts}
        if self._sent_back:
            self.made.row = {**self.made.row, "sent_back": self._sent_back}
        if self._fell:
            fell = [{"solution": id_, "status": status} for id_, status in self._fell.items()]
            self.made.row = {**self.made.row, "fell": fell}
        if self.made.outcome is not None:  # the run that gave the answer comes last
            self.made.attempts.append(replace(self.made.outcome.attempt, provider="sandbox"))
        return self.made

    @property
    def _request(self) -> Request:
        return self.calls.request

    async def _by_models(
        self, reasons: Sequence[str], *, spec: Spec | None = None, example: Solution | None = None
    ) -> None:
        """Have models compute it. `reasons` say what the rules did not understand; `spec` is what
        they read, if no program by rule held."""
        self.made.free = spec is None
        seed = self._own_seed()
        read = spec is not None
        # Drawn by itself, so that the propensity is exact.
        version = self.standards.version
        shown = bool(version) and self.seed() / 2**48 < PROPENSITY
        free = FreeComputing(
            self.calls,
            self._sandbox,
            self.plan.models,
            seed,
            read,
            example,
            () if read else self.library,
            standards=self.standards.text if shown else "",
        )
        draft = await free.carry_out()
        self._fell |= free.fell
        beside = {"standards": version, "shown": shown}
        self._drafts = [{**drafted, **beside} for drafted in free.drafted()]
        self._sent_back = as_json(free.sent_back)
        if draft is None:
            if spec is not None:  # what the rule's program failed by says more
                return
            self.made.status, self.made.problem = free.status or "no_answer", free.problem
            if free.status == "not_statistical" and reasons:
                self.made.problem = "; ".join((*reasons, free.problem))
            return
        self.made.document, self.made.status = draft.verdict["document"], "ok"
        self.made.problem = ""
        self.made.row = free.row(draft)
        if free.reused is not None:
            self._note_reuse("reuse", *free.reused, "run with the numbers of the request")
        # The run that gave the answer is recorded as the last attempt.
        self.made.outcome = draft.outcome
        self.made.attempts.remove(replace(draft.outcome.attempt, provider="sandbox"))

    def _own_seed(self) -> int:
        given = self._request.fields.get("seed")
        own = given if isinstance(given, int) and not isinstance(given, bool) else self.seed()
        return abs(own)

    async def _remembered(self, spec: Spec) -> bool:
        """Try remembered programs of similar requests: edit, run and verify each again."""
        tried = 0
        for similarity, solution in self.library:
            change = edit_program(solution.program, Spec.from_json(solution.spec), spec)
            if change is None or tried >= _EDITED:
                continue
            tried += 1
            if await self._run(change.source, "memory", 0):
                self._note_reuse(change.tier, solution, similarity, change.change)
                return True
            if self.made.status in _FINAL:
                return True
            self._fell[solution.id] = self.made.status
        return False

    async def _written(self, spec: Spec) -> None:
        """Let the rule write, and then the models. They see the program of a similar request."""
        example = next((pair for pair in self.library if pair[0] >= PATTERN_FROM), None)
        if example is not None and spec.counts_by_default:
            self._count = Spec.from_json(example[1].spec).count or None
        if await self._by_rule(replace(spec, count=self._count) if self._count else spec):
            if example is not None:
                self._note_reuse("pattern", example[1], example[0], "written anew beside it")
            return
        if self.made.status not in _FINAL and self.plan.models:
            beside = example[1] if example is not None else None
            await self._by_models((), spec=spec, example=beside)

    async def _by_rule(self, spec: Spec) -> bool:
        """Run the program of the rule. A second try only changes the seed."""
        try:
            source = write_program(spec, seed=0).source
        except CannotWrite as error:
            self.made.status, self.made.problem = "not_verified", str(error)
            return False
        for turn in range(_TRIES):
            if await self._run(source, SYNTHESIS, turn):
                return True
            if self.made.status in _FINAL:
                return False
        return False

    def _note_reuse(self, tier: str, solution: Solution, similarity: float, change: str) -> None:
        self.made.row["reuse"] = {
            "tier": tier,
            "solution": solution.id,
            "similarity": similarity,
            "change": change,
        }

    async def _run(self, source: str, author: str, turn: int) -> bool:
        body = job_of(
            self._request.reading.last_words,
            self._request.fields,
            seed=self._own_seed(),
            turn=turn,
            source=source,
            count=self._count,
        )
        outcome = await self.calls.compute(self._sandbox, body)
        if outcome is None:
            self.made.status, self.made.problem = "no_answer", self.calls.problem
            return False
        if not outcome.answered:
            self.calls.note(outcome.attempt)
            full = outcome.attempt.fault == "queue_full"
            self.made.status = "busy" if full else "no_answer"
            self.made.problem = outcome.attempt.detail
            return False
        verdict = orjson.loads(outcome.body)
        self.made.document = verdict.pop("document", "")
        self.made.status, self.made.problem = verdict["status"], verdict.get("problem", "")
        self.made.row = {"author": author, **verdict}
        if self.made.holds:
            self.made.outcome = outcome
        else:
            fault = verdict["status"] if verdict["status"] != "ok" else "not_verified"
            self.calls.note(outcome.attempt, fault=fault, detail=self.made.problem[:300])
            self.made.status = fault
        return self.made.holds

    @property
    def _sandbox(self) -> str:
        assert self.plan.code is not None
        return self.plan.code

    async def _add_words(self, spec: Spec) -> None:
        """Add text to each record, from a backend that changes no computed value."""
        backend = self.plan.words
        if backend is None:
            names = ", ".join(field.name for field in spec.words)
            missing = f"the plan names no backend for words, and {names} are asked for"
            self._failed("no_words", missing)
            return
        rows = orjson.loads(self.made.document)
        seed, year = int(self.made.row["seed"]), datetime.now(UTC).year
        try:
            words = await words_for(self.calls, backend, spec, rows, seed=seed, year=year)
        except NoWords as error:
            self._failed("no_words", str(error))
            return
        # A computed column replaces a text column of the same name.
        merged = [{**_ids(row, spec), **text, **row} for text, row in zip(words, rows, strict=True)]
        as_object = wants_object(self._request.fields)
        self.made.document = format_records(merged, spec.format, as_object=as_object)

    def _failed(self, status: str, problem: str) -> None:
        self.made.document, self.made.status, self.made.problem = "", status, problem
        if self.made.outcome is not None:
            self.made.attempts.append(replace(self.made.outcome.attempt, provider="sandbox"))
            self.made.outcome = None


def _ids(row: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """The columns that identify a record; they come first."""
    return {field.name: row[field.name] for field in spec.fields if field.role == "id"}


def verification(trace: Trace, now: float) -> Signal:
    """The verdict as a quality signal, without column names, which are words of the prompt."""
    assert trace.computed is not None
    checks = trace.computed.get("verification", {}).get("checks", [])
    chances = [check["p_value"] for check in checks if "p_value" in check]
    summary = f"{len(checks)} checks" + (f", least p {min(chances):.3g}" if chances else "")
    score = float(trace.computed.get("score", 0.0))
    return Signal(
        new_id(now), now, trace.about, "check", "verification", summary, score, WEIGHTS["check"]
    )
