"""The pattern `committee`: members answer, hear one another, and a chair or agreement decides.

Only models confer. A program or a specialist speaks once, and its words stand; a validator answers
nothing, and checks what the others said in each round.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import orjson

from router.config.plan_steps import lead
from router.config.plans import Ask, AskMember, CodeMember, Committee, Step
from router.plans.bodies import Work, body_of
from router.plans.caller import Caller
from router.plans.compiled import Vital
from router.plans.conferring import (
    Centre,
    Words,
    centre_of,
    complaint_of,
    in_role,
    to_chair,
    to_reconsider,
)
from router.plans.prompts import CONTINUE
from router.plans.results import Result, together
from router.wire.splice import replaced

_LONG = 20_000  # characters; comparing longer texts takes milliseconds


async def committee(run: Caller, plan: Committee, work: Work) -> Result:
    """Hold the rounds, have the answer written, and let the gate send it back."""
    parts, rounds = plan.committee, plan.committee.rounds
    members: Sequence[Step] = parts.members
    if parts.design is not None:
        design = await run.designed(plan, work)
        members, rounds = design.members, design.rounds
    meeting = _meeting(run, plan, work, members)
    if not meeting.seats:
        return Result(problem=meeting.absence)
    for turn in range(parts.revisions + 1):
        await meeting.confer(rounds if turn == 0 else 1)
        if not meeting.spoken:
            return meeting.nothing()
        result = await meeting.conclude()
        if parts.gate is None or result.partial:
            return result
        place = work.at("committee.gate")
        may_mend = parts.revisions > 0
        verdict = await run.judged(
            parts.gate, result, place, before=meeting.refused, may_mend=may_mend
        )
        if verdict.mended:
            return result.rewritten(verdict.mended)
        if verdict.holds:
            return result
        meeting.refuse(result.text, verdict.problem)
    return replace(result, problem=f"its gate does not let it through: {verdict.problem}")


@dataclass(slots=True)
class Seat:
    """A member, and its last words."""

    number: int  # of the member in the plan
    step: Step
    role: str
    hears: bool  # whether the member may change its words when it has heard the others
    result: Result | None = None
    problem: str = ""
    refused: str = ""  # why a validator found its words not valid
    unchecked: str = ""  # why a validator could not check them

    @property
    def words(self) -> Words | None:
        if self.result is None:
            return None
        return Words(self.number + 1, self.result.text, self.role, self.refused)

    @property
    def own_bound(self) -> bool:
        """Whether a bound of the member alone may have ended its call."""
        step = self.step
        return not isinstance(step, str) and (
            step.max_cost is not None or step.max_latency_ms is not None
        )


def _meeting(run: Caller, plan: Committee, work: Work, members: Sequence[Step]) -> "Meeting":
    """The members who can answer this request, each on a seat."""
    meeting = Meeting(run, plan, work)
    for number, step in enumerate(members):
        settings = run.settings(lead(step, {}))
        reason = Vital.of(step).missing(run.refusals)
        role = step.role if isinstance(step, AskMember | CodeMember) else ""
        seat = Seat(number, step, role, settings.is_model)
        if reason:
            meeting.absent.append(reason)
        elif settings.kind == "validator":
            meeting.validators.append(seat)
        else:
            meeting.seats.append(seat)
    return meeting


@dataclass(slots=True)
class Meeting:
    """The rounds of one committee so far."""

    run: Caller
    plan: Committee
    work: Work
    seats: list[Seat] = field(default_factory=list)
    validators: list[Seat] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)  # why members cannot answer this request
    round: int = 0
    stopped: str = ""  # the bound that ended the rounds
    why: str = ""
    wordless: Result | None = None  # an answer without words, such as calls of tools
    refused: str = ""  # the answer that the gate refused last
    complaint: str = ""

    @property
    def spoken(self) -> list[Seat]:
        return [seat for seat in self.seats if seat.result is not None]

    @property
    def absence(self) -> str:
        return "; ".join(dict.fromkeys(self.absent)) or "no member can answer this request"

    def refuse(self, answer: str, problem: str) -> None:
        self.refused, self.complaint = answer, complaint_of(answer, problem)

    async def confer(self, rounds: int) -> None:
        """Hold so many rounds, or fewer if the members agree or a bound is reached."""
        for _ in range(rounds):
            speakers = [seat for seat in self.seats if self._has_to_speak(seat)]
            if self.stopped or not speakers:
                return
            self.round += 1
            await self._round(speakers)
            if await self._agree() or any(_calls_tools(seat.result) for seat in self.spoken):
                return

    def _has_to_speak(self, seat: Seat) -> bool:
        """In the first round everybody; later, whoever has something to hear."""
        if self.round == 0:
            return True
        return seat.hears and bool(self.complaint or seat.refused or self._others(seat))

    def _others(self, seat: Seat) -> list[Words]:
        return [other.words for other in self.seats if other is not seat and other.words]

    async def _round(self, speakers: Sequence[Seat]) -> None:
        run = self.run
        results = await together([run.step(seat.step, self._work_of(seat)) for seat in speakers])
        heard = [self._hear(seat, result) for seat, result in zip(speakers, results, strict=True)]
        await self._validate([seat for seat, spoke in zip(speakers, heard, strict=True) if spoke])

    def _work_of(self, seat: Seat) -> Work:
        """What a member gets in this round. Others' words come as of the round before."""
        work, step, own = self.work, seat.step, seat.result
        place = work.at(f"committee.{seat.number}.round{self.round}", tail=False)
        gate = self.plan.committee.gate
        if gate is not None and self.plan.committee.chair is None:  # the gate checks its words
            sure, entropy = gate.probability is not None, gate.entropy is not None
            place = replace(place, logprobs=sure, entropy=entropy)
        wish = step.instruct if isinstance(step, Ask) else None
        if self.round == 1:
            if not seat.hears:  # what is no model reads no instruction
                return place
            begin = work.instruction or (CONTINUE if work.draft else "")
            parts = (begin, in_role(seat.role), wish)
            return replace(place, instruction="\n\n".join(filter(None, parts)))
        news = to_reconsider(seat.words, seat.role, self._others(seat), self.complaint)
        return replace(
            place,
            draft=own.text if own is not None else work.draft,
            parent=own.step if own is not None else work.parent,
            instruction=f"{news}\n\n{wish}" if wish else news,
        )

    def _hear(self, seat: Seat, result: Result) -> bool:
        """Note what a member said; False if it said nothing. Its earlier words then stand."""
        if result.ok and result.text.strip() and result.partial != "unknown":
            seat.result, seat.problem, seat.refused, seat.unchecked = result, "", "", ""
            return True
        seat.problem = result.problem or result.reason or "said nothing"
        if result.ok and not result.partial and self.wordless is None:
            self.wordless = result
        if result.stopped and not seat.own_bound:
            self.stopped, self.why = result.stopped, result.problem
        return False

    async def _validate(self, seats: Sequence[Seat]) -> None:
        """Have each validator check every different text of this round."""
        for validator in self.validators:
            first = {seat.result.text: seat for seat in reversed(seats) if seat.result}
            texts = sorted(first, key=lambda text: first[text].number)
            place = f"committee.{validator.number}.round{self.round}"
            results = await together(
                [
                    self.run.step(validator.step, self._checking(first[text], text, place))
                    for text in texts
                ]
            )
            verdicts = dict(zip(texts, results, strict=True))
            for seat in seats:
                verdict = verdicts[seat.result.text] if seat.result else None
                if verdict and not verdict.ok and verdict.text:
                    seat.refused = seat.refused or verdict.problem
                elif verdict and not verdict.ok:
                    seat.unchecked = verdict.problem

    def _checking(self, seat: Seat, text: str, place: str) -> Work:
        parent = seat.result.step if seat.result else 0
        return self.work.at(place, tail=False, draft=text, parent=parent, instruction="")

    async def _agree(self) -> bool:
        """Whether those who spoke agree enough on something that no validator refused."""
        stop, spoken = self.plan.committee.stop, self.spoken
        if stop is None or len(spoken) < 2:
            return False
        texts = [seat.result.text for seat in spoken if seat.result]
        centre = await _centre(texts, [1.0] * len(texts))
        return centre.share >= stop.agreement - 1e-9 and not spoken[centre.index].refused

    async def conclude(self) -> Result:
        """The answer of the chair; else the words with which most agree."""
        best = await self._best()
        result = best
        if self.plan.committee.chair is not None and not _calls_tools(best):
            written = await self._written(self.plan.committee.chair)
            if not written.ok:
                why = f"the chair wrote nothing: {written.problem}"
                return best.marked(written.stopped or "failed", why)
            result = written
        if self.stopped:
            return result.marked(self.stopped, self.why)
        spoken, able = self.spoken, len(self.seats)
        if able > 1 and 2 * len(spoken) <= able:
            lost = "; ".join(_missing(seat) for seat in self.seats if seat.result is None)
            return result.marked("quorum", f"{len(spoken)} of {able} members answered: {lost}")
        valid = [seat for seat in spoken if not seat.refused]
        if not valid:
            return result.marked("invalid", spoken[0].refused)
        if all(seat.unchecked for seat in valid):
            return result.marked("unchecked", valid[0].unchecked)
        return result

    async def _best(self) -> Result:
        """The words with which most agree, weighed like votes, of those that are valid, checked
        ones first."""
        valid = [seat for seat in self.spoken if not seat.refused] or self.spoken
        seats = [seat for seat in valid if not seat.unchecked] or valid
        results = [seat.result for seat in seats if seat.result]
        weights = [self.run.score(lead(seat.step, {})) for seat in seats]
        if not any(weights):
            weights = [1.0] * len(weights)
        centre = await _centre([result.text for result in results], weights)
        return results[centre.index]

    async def _written(self, chair: str) -> Result:
        run, work = self.run, self.work
        if run.refusals[chair]:
            return Result(problem=f"{chair} {run.refusals[chair]}")
        words = [seat.words for seat in self.spoken if seat.words]
        content = to_chair(words, self.complaint)
        messages = [*run.request.fields["messages"], {"role": "user", "content": content}]
        gate = self.plan.committee.gate
        place = work.at(
            "committee.chair",
            parent=max(seat.result.step for seat in self.spoken if seat.result),
            tail=work.tail and gate is None,
            logprobs=work.logprobs if gate is None else gate.probability is not None,
            entropy=work.entropy if gate is None else gate.entropy is not None,
        )
        body = body_of(run.request, replace(place, draft="", instruction=""), "openai")
        body = replaced(body, {b'"messages"': orjson.dumps(messages)})
        result = await run.call((chair,), body, place, stream=run.request.stream and place.tail)
        if result.ok and result.outcome is not None and result.outcome.stream is None:
            silent = not result.text.strip()
            return replace(result, problem=f"{chair} said nothing") if silent else result
        return result

    def nothing(self) -> Result:
        """The result of a committee in which nobody said a word."""
        if self.wordless is not None:
            return self.wordless
        reasons = "; ".join(_missing(seat) for seat in self.seats)
        return Result(problem=reasons, stopped=self.stopped)


async def _centre(texts: Sequence[str], weights: Sequence[float]) -> Centre:
    """The text with which most agree. Long texts are compared beside the event loop."""
    if sum(map(len, texts)) > _LONG:
        return await asyncio.to_thread(centre_of, texts, weights)
    return centre_of(texts, weights)


def _calls_tools(result: Result | None) -> bool:
    """Whether an answer calls tools: its caller must carry that out before anybody confers."""
    body = result.outcome.body if result is not None and result.outcome is not None else b""
    if b'"tool_calls"' not in body:
        return False
    choices = orjson.loads(body).get("choices") or ()
    return any((choice.get("message") or {}).get("tool_calls") for choice in choices)


def _missing(seat: Seat) -> str:
    return f"member {seat.number + 1}: {seat.problem}"
