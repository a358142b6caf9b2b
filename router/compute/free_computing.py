"""The path of a request that no rule has read: models write programs, and programs are compared.

A first program is mended once if it fails, if it leaves out a clause of the request, or if the
reviewers find a mistake in its statistics. A program that the reviewer for security rejects does
not run, and a typed answer is none. A second program is written by another author, or by another
way; its author sees the names of the first one's figures and no value. If two disagree, a third
decides, and if no two of three agree, a fourth. Each is asked for only if the caller's ceilings
leave room.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.calls.outcome import CallOutcome
from router.compute.backend_calls import BackendCalls
from router.compute.prompts import (
    Written,
    to_mend_free,
    to_report,
    to_write,
    to_write_again,
    written_in,
)
from router.compute.reviewing import (
    as_json,
    faults_of_answer,
    refusal,
    reviewed,
    to_revise,
)
from router.request.statistical import Message, free_job_of
from router.reuse.programs.remembered import for_request, may_serve
from router.reuse.solution import Solution
from sandbox.review.reviewers import ReviewerVerdict, review
from sandbox.review.traits import traits

_MOST_PROGRAMS = 4
_MOST_REMEMBERED = 2  # programs that are tried before an author writes
MEMORY = "memory"  # the author of a remembered program
_MOST_PARAMETERS = 4_000  # characters of the parameters that a row keeps


@dataclass(frozen=True, slots=True)
class Draft:
    """A program of an author that ran, and the sandbox's verdict on it and the ones before it."""

    author: str
    written: Written
    outcome: CallOutcome
    verdict: Mapping[str, Any]
    reviews: tuple[ReviewerVerdict, ...] = ()

    @property
    def flaws(self) -> int:
        """How many things its author might mend, while the caller waits."""
        return len(self.missing) + len(faults_of_answer(self.reviews))

    @property
    def missing(self) -> Sequence[str]:
        """The clauses that this program does not report."""
        missing: Sequence[str] = self.verdict.get("missing", ())
        return missing


@dataclass(slots=True)
class FreeComputing:
    """One computation by models. `status` says how it ended, as in `computing.REFUSALS`."""

    calls: BackendCalls
    sandbox: str
    authors: Sequence[str]
    seed: int
    read: bool = False  # whether the rules have read the request; then what they read must hold
    example: Solution | None = None
    remembered: Sequence[tuple[float, Solution]] = ()  # programs for like requests, nearest first
    reused: tuple[Solution, float] | None = None  # the remembered program that answered
    fell: dict[int, str] = field(default_factory=dict)  # those that did not, and why
    standards: str = ""  # what programs that succeed have in common, if these authors see it
    status: str = ""
    problem: str = ""
    drafts: list[Draft] = field(default_factory=list)
    sent_back: list[ReviewerVerdict] = field(default_factory=list)  # on programs that go no further
    _written: list[tuple[str, int, str, Draft | None]] = field(default_factory=list)

    async def carry_out(self) -> Draft | None:
        """The draft whose verdict answers, or None, and then `status` and `problem` say why."""
        remembered = await self._remembered()
        if remembered is not None or self.status in ("refused", "busy"):
            return remembered
        text, data = self._text, self.calls.request.fields.get("data")
        beside = (self.example.request, self.example.program) if self.example else None
        for author in self.authors:
            draft = await self._draft(
                author, to_write(text, data, example=beside, standards=self.standards)
            )
            if draft is not None:
                self.drafts.append(draft)
                break
            if self.status in ("not_statistical", "refused", "busy") or self.calls.stopped:
                return None
        if not self.drafts:
            return None
        await self._compare(data)
        best = self.drafts[-1]
        if best.verdict["problem"]:
            self.status, self.problem = "not_verified", best.verdict["problem"]
            return None
        return best

    async def _remembered(self) -> Draft | None:
        """The answer of a remembered program, if its companion agrees for this request too."""
        if self.calls.request.fields.get("data") is not None:
            return None
        fitting = ((s, for_request(s, self._text), near) for near, s in self.remembered)
        like = [(s, pair, near) for s, pair, near in fitting if pair is not None and may_serve(s)]
        for solution, (program, beside), similarity in like[:_MOST_REMEMBERED]:
            for source in (beside, program):
                draft = await self._run(MEMORY, Written(source))
                if draft is None:
                    break
                self.drafts.append(draft)
            if len(self.drafts) > 1 and self.drafts[-1].verdict["level"] == "agreed":
                self.reused = solution, similarity
                return self.drafts[-1]
            self.fell[solution.id] = self.status or "not_verified"
            self.example = self.example or solution
            self.drafts.clear()
            if self.status in ("refused", "busy", "no_answer"):
                return None
        return None

    async def _compare(self, data: Any) -> None:
        """Have other programs written until two agree, or no room is left."""
        shapes = self.drafts[0].verdict["shapes"]
        for way in range(_MOST_PROGRAMS - 1):
            if _settled(self.drafts[-1].verdict):
                return
            author = self._other_author(way)
            messages = to_write_again(self._text, data, shapes, way, self.standards)
            if not self.calls.has_room(author, {"messages": messages}):
                return
            draft = await self._draft(author, messages)
            if draft is not None:
                self.drafts.append(draft)

    def _other_author(self, way: int) -> str:
        """The next author after the first one; the same one if there is no other."""
        begin = self.authors.index(self.drafts[0].author)
        return self.authors[(begin + 1 + way) % len(self.authors)]

    @property
    def _text(self) -> str:
        return self.calls.request.reading.last_words

    async def _draft(self, author: str, messages: Sequence[Message]) -> Draft | None:
        """Let one author write a program, and mend it once."""
        best: Draft | None = None
        for turn in range(2):
            steadily = self.calls.config.backends[author].steadily
            fields = {"model": "auto", "messages": messages, **steadily}
            if turn and not self.calls.has_room(author, fields):
                return best
            answer = await self.calls.chat(author, fields)
            if answer is None:
                self._fail("no_answer", self.calls.problem or f"{author} wrote no program")
                return best
            written = written_in(answer)
            if written.refusal:
                if best is None:
                    self._fail("not_statistical", f"{author}: {written.refusal}")
                return best
            draft = await self._run(author, written)
            if self.status not in ("refused", "busy", "no_answer"):
                self._written.append((author, turn, written.source, draft))
            if draft is not None and (best is None or draft.flaws < best.flaws):
                best = draft
            if self.status in ("refused", "busy") or self.calls.stopped:
                return best
            if draft is None and best is None:
                messages = to_mend_free(messages, answer, self.problem)
            elif best is not None and best.missing and turn == 0:
                messages = to_report(messages, answer, best.missing)
            elif best is not None and best.flaws and turn == 0:
                self.sent_back += best.reviews
                messages = to_revise(messages, answer, faults_of_answer(best.reviews))
            else:
                return best
        return best

    async def _run(self, author: str, written: Written) -> Draft | None:
        """Run a program beside the ones before it. None if it gives no answer, or may not run."""
        reviews = await asyncio.to_thread(
            review, written.source, self._text, reviewers=("security",)
        )
        unsafe = refusal(reviews, "security")
        if unsafe:
            self.sent_back += reviews
            self._fail("not_verified", f"the reviewer for security rejects it: {unsafe}")
            return None
        programs = [draft.written for draft in self.drafts] + [written]
        fields = self.calls.request.fields
        body = free_job_of(
            self._text,
            fields,
            seed=self.seed,
            programs=[{"source": each.source, "spec": each.spec} for each in programs],
            read=self.read,
        )
        outcome = await self.calls.compute(self.sandbox, body)
        if outcome is None:
            self._fail("no_answer", self.calls.problem)
            return None
        if not outcome.answered:
            full = outcome.attempt.fault == "queue_full"
            self.calls.note(outcome.attempt)
            self._fail("busy" if full else "no_answer", outcome.attempt.detail)
            return None
        verdict = orjson.loads(outcome.body)
        if "shapes" in verdict:
            reviews = await asyncio.to_thread(reviewed, written.source, self._text, verdict["run"])
            typed = refusal(reviews, "quality")
            if typed:
                self.sent_back += reviews
                self._fail("not_verified", typed)
                self.calls.note(outcome.attempt, fault="not_verified", detail=typed[:300])
                return None
            self.calls.note(outcome.attempt)
            return Draft(author, written, outcome, verdict, reviews)
        status = "not_verified" if verdict["status"] == "ok" else verdict["status"]
        self._fail(status, verdict.get("problem", ""))
        self.calls.note(outcome.attempt, fault=status, detail=self.problem[:300])
        return None

    def _fail(self, status: str, problem: str) -> None:
        self.status, self.problem = status, problem

    def row(self, draft: Draft) -> dict[str, Any]:
        """What telemetry and explanations keep of the answer."""
        verdict = draft.verdict
        agreeing = [self.drafts[n] for n in verdict["agreeing"] if n < len(self.drafts)]
        kept = ("program", "seed", "run", "verification", "score", "level", "unchecked")
        row = {name: verdict[name] for name in (*kept, "spec") if name in verdict}
        row["author"] = self.drafts[verdict["chosen"]].author
        row["authors"] = [each.author for each in agreeing or self.drafts[:1]]
        chosen = self.drafts[verdict["chosen"]]
        if verdict["level"] == "agreed" and len(agreeing) > 1:
            row["beside"] = next(d.written.source for d in agreeing if d is not chosen)
        row["reviews"] = as_json(chosen.reviews)
        if self.fell and self.reused is None:
            row["parent"] = next(iter(self.fell))
        if len(orjson.dumps(verdict["parameters"])) <= _MOST_PARAMETERS:
            row["parameters"] = verdict["parameters"]
        return row

    def drafted(self) -> list[dict[str, Any]]:
        """Every program that an author wrote, and whether it succeeded, as far as is known: another
        author's program agreed with it, or its spec proved it."""
        verdict = self.drafts[-1].verdict if self.drafts and self.reused is None else {}
        proven = [self.drafts[n] for n in verdict.get("agreeing", ()) if n < len(self.drafts)]
        if verdict.get("level") == "spec":
            proven = [self.drafts[verdict["chosen"]]]
        programs = []
        for author, turn, source, draft in self._written:
            succeeded = any(draft is each for each in proven)
            unknown = draft is not None and not proven
            programs.append({
                "author": author,
                "turn": turn,
                "traits": sorted(traits(source, self._text)),
                "succeeded": None if unknown else succeeded,
                "level": verdict.get("level", "none"),
            })  # fmt: skip
        return programs


def _settled(verdict: Mapping[str, Any]) -> bool:
    return bool(verdict["agreeing"]) or verdict["level"] == "spec"
