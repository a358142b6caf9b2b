"""The statistical path: authors write programs until one passes the sandbox's verification.

Authors take turns. Each writes a program, and mends it once if it fails; the last author works by
rule and needs no model. Text columns are added last, and change no computed value. If no program
passes, the caller learns which constraint failed, unless a model may answer in words.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from router.calls.outcome import CallOutcome
from router.calls.prices import priced
from router.compute.authors import ProgramAuthor, author_of
from router.config.config import Config
from router.config.plans import Code
from router.config.signals import WEIGHTS
from router.domain import CHAT, COMPUTE, Attempt, Call, Request, Signal, Trace, Usage, new_id
from router.request.statistical import interpretation_of, job_of, wants_object, words_in, words_job
from router.request.text import tokens_in
from router.reuse.editing import edit_program
from router.reuse.solution import Solution
from router.wire.answers import answer_text
from sandbox.records import format_records
from sandbox.spec import Spec

Try = Callable[[str, Call], Awaitable[CallOutcome]]

_EDITED = 2  # remembered programs that are tried before an author writes
_PATTERN_FROM = 0.6  # the similarity from which authors see a remembered program
_BATCH = 5_000  # records of text from one call to the generator
_FEW = 50  # records of text from one call to a model
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

    @property
    def holds(self) -> bool:
        return bool(self.document)


@dataclass(slots=True)
class Computing:
    """One request on the statistical path. `attempt` calls a backend, with retries."""

    config: Config
    plan: Code
    request: Request
    attempt: Try
    seed: Callable[[], int]
    library: Sequence[tuple[float, Solution]] = ()  # remembered programs, nearest first
    made: Computed = field(default_factory=Computed)
    _count: int | None = None  # the number of records, if the request names none

    async def carry_out(self) -> Computed:
        spec = interpretation_of(self.request).spec
        if spec is None:
            reasons = "; ".join(interpretation_of(self.request).reasons)
            self.made.status, self.made.problem = "not_statistical", reasons
            return self.made
        if not await self._remembered(spec):
            await self._written(spec)
        if self.made.holds and spec.words:
            await self._add_words(spec)
        if self.made.outcome is not None:  # the run that gave the answer comes last
            self.made.attempts.append(replace(self.made.outcome.attempt, provider="sandbox"))
        return self.made

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
        return False

    async def _written(self, spec: Spec) -> None:
        """Let the authors write in turn. Each sees the program of a similar request, if any."""
        example = next((pair for pair in self.library if pair[0] >= _PATTERN_FROM), None)
        if example is not None and "count" in spec.assumed:
            self._count = Spec.from_json(example[1].spec).count or None
        for name in self.plan.all_authors:
            beside = example[1] if example is not None else None
            author = author_of(name, self.request.reading.last_words, spec, self._chat, beside)
            if await self._by(author):
                if example is not None:
                    self._note_reuse("pattern", example[1], example[0], "written anew beside it")
                return
            if self.made.status in _FINAL:
                return

    def _note_reuse(self, tier: str, solution: Solution, similarity: float, change: str) -> None:
        self.made.row["reuse"] = {
            "tier": tier,
            "solution": solution.id,
            "similarity": similarity,
            "change": change,
        }

    async def _by(self, author: ProgramAuthor) -> bool:
        """Let one author write a program, and mend it once if it fails."""
        problem = ""
        for turn in range(2):
            source = await author.write(problem)
            if source is None or await self._run(source, author.name, turn):
                return source is not None
            if self.made.status in _FINAL:
                return False
            problem = self.made.problem
        return False

    async def _run(self, source: str, author: str, turn: int) -> bool:
        given = self.request.fields.get("seed")
        own = given if isinstance(given, int) and not isinstance(given, bool) else self.seed()
        body = job_of(
            self.request.reading.last_words,
            self.request.fields,
            seed=abs(own),
            turn=turn,
            source=source,
            count=self._count,
        )
        outcome = await self.attempt(self._sandbox, Call(COMPUTE, body, False, self.request.id))
        if not outcome.answered:
            self.made.attempts.append(replace(outcome.attempt, provider="sandbox"))
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
            problem = self.made.problem[:300]
            self.made.attempts.append(
                replace(outcome.attempt, fault=fault, detail=problem, provider="sandbox")
            )
            self.made.status = fault
        return self.made.holds

    @property
    def _sandbox(self) -> str:
        assert self.plan.code is not None
        return self.plan.code

    async def _chat(self, backend: str, fields: Mapping[str, Any]) -> str | None:
        """A backend's answer to a chat request, None if it gives none. The call's cost is
        recorded."""
        call = Call(CHAT, orjson.dumps(fields), False, self.request.id)
        outcome = await self.attempt(backend, call)
        settings = self.config.backends[backend]
        usage = outcome.usage or Usage(tokens_in(str(fields["messages"])), len(outcome.body) // 4)
        cost = priced(settings.price, usage)
        good = outcome.answered and not outcome.callers_fault
        paid = replace(outcome.attempt, provider=settings.kind)
        self.made.attempts.append(replace(paid, usage=usage, cost_usd=cost) if good else paid)
        return answer_text(outcome.body) if good else None

    async def _add_words(self, spec: Spec) -> None:
        """Add text to each record, from a backend that never sees the computed values."""
        names = [field.name for field in spec.words]
        backend = self.plan.words
        if backend is None:
            missing = f"the plan names no backend for words, and {', '.join(names)} are asked for"
            self._failed("no_words", missing)
            return
        ours = self.config.backends[backend].kind == "generator"
        rows = orjson.loads(self.made.document)
        words: list[dict[str, str]] = []
        while len(words) < len(rows):
            count = min(len(rows) - len(words), _BATCH if ours else _FEW)
            seed = (int(self.made.row["seed"]) + len(words)) % 2**62
            job = words_job(spec, count, seed=seed, for_generator=ours)
            answer = await self._chat(backend, job)
            try:
                words += words_in(answer or "", names, count)
            except (ValueError, KeyError, TypeError) as error:
                self._failed("no_words", f"{backend} gave no {', '.join(names)}: {error}")
                return
        # A computed column replaces a text column of the same name.
        merged = [{**_ids(row, spec), **text, **row} for text, row in zip(words, rows, strict=True)]
        as_object = wants_object(self.request.fields)
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
