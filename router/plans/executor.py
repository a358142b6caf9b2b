"""Carrying out a plan: each step a call that is bounded, paid for and written down.

The executor knows how to ask, to check and to stop in time; what comes after what is said by the
patterns (`router.plans.patterns`). Whatever ends a plan early leaves the best answer so far,
marked.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import orjson

from router.calls.outcome import CallOutcome
from router.calls.prices import estimated, priced
from router.compute.computing import Computing
from router.config.config import Config
from router.config.plans import (
    AnyPlan,
    Ask,
    Cascade,
    Check,
    Code,
    FanOut,
    Gate,
    Hedge,
    Pipeline,
    Plan,
    Refine,
    Review,
    Step,
)
from router.domain import CHAT, Attempt, Call, Request, Usage
from router.plans import patterns
from router.plans.bodies import PlanBudget, Work, body_of, fields_for
from router.plans.costs import call_cost, size_of
from router.plans.logprobs import entropy_of, probability_of
from router.plans.merging import agreement
from router.plans.pace import Pace
from router.plans.prompts import Message, Opinion, mending, opinion_in, to_judge
from router.plans.results import CheckVerdict, Result, ended
from router.records.checking import BadSchema, Wanted, issues_in
from router.records.json_text import NoJson, json_in
from router.records.regexes import BadPattern, matches
from router.records.repairing import repaired
from router.records.schema import of_record, schema_of
from router.request.text import prompt_text, tokens_in
from router.request.wants import shape_of
from router.reuse.solution import Solution
from router.wire.answers import answer_text
from router.wire.splice import replaced

_LONG = 20_000  # characters of an answer that takes milliseconds to check


class Caller(Protocol):
    async def __call__(
        self, chain: tuple[str, ...], call: Call, tried: list[Attempt]
    ) -> CallOutcome: ...


@dataclass
class Executor:
    """One request on its way through its plan."""

    config: Config
    request: Request
    call: Caller
    cannot: Mapping[str, str]  # backends that cannot answer this request, and why
    pace: Pace
    scores: Callable[[str], float]  # how much a backend's vote counts
    seed: Callable[[], int]
    library: Sequence[tuple[float, Solution]] = ()  # programs of before, nearest first
    clock: Callable[[], float] = time.perf_counter
    attempts: list[Attempt] = field(default_factory=list)
    comments: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    computed: dict[str, Any] | None = None
    refusal: CallOutcome | None = None  # a backend's own 400, where that is all that came
    upstream_seconds: float = 0.0
    _flying: int = 0
    _promised_usd: float = 0.0  # of calls that are under way
    _since: float = 0.0

    async def run(self, plan: AnyPlan) -> Result:
        bound = self.request.max_latency_ms
        budget = PlanBudget().within(0.0, self.clock(), self.request.max_cost_usd, bound)
        return await self.step(plan, Work(tail=True, budget=budget))

    async def step(self, step: Step, work: Work) -> Result:
        plan = self.config.plan(step)
        if plan.max_cost is not None or plan.max_latency_ms is not None:
            spent = sum(a.cost_usd for a in self.attempts)
            bounds = (plan.max_cost, plan.max_latency_ms)
            work = replace(work, budget=work.budget.within(spent, self.clock(), *bounds))
        if plan.gate is not None:
            return await self._gated(plan, plan.gate, work)
        return await self._carried_out(plan, work)

    async def _carried_out(self, plan: Plan, work: Work) -> Result:
        match plan:
            case Ask():
                return await self._asked(plan, work)
            case Code():
                return await self._computed(plan, work)
            case Cascade():
                return await patterns.cascade(self, plan, work)
            case Pipeline():
                return await patterns.pipeline(self, plan, work)
            case FanOut():
                return await patterns.fan_out(self, plan, work)
            case Refine():
                return await patterns.refine(self, plan, work)
            case Review():
                return await patterns.review(self, plan, work)
            case Hedge():
                return await patterns.hedge(self, plan, work)
        raise TypeError(f"no such pattern: {plan!r}")

    async def _asked(self, plan: Ask, work: Work) -> Result:
        able = tuple(b for b in plan.backends if not self.cannot.get(b))
        if not able:
            reasons = "; ".join(f"{b} {self.cannot[b]}" for b in plan.backends)
            return Result(problem=reasons)
        if work.fields is None:
            work = replace(work, fields=fields_for(self.request, plan.fields))
        if plan.instruct and not work.told:
            work = replace(work, told=plan.instruct)
        kind = self.config.backends[able[0]].kind
        stream = self.request.stream and work.tail
        body = body_of(self.request, work, kind)
        if plan.model is not None:
            body = replaced(body, {b'"model"': orjson.dumps(plan.model)})
        result = await self.asked(able, body, work, stream=stream)
        if kind == "validator" and result.ok and result.outcome is not None:
            return _validated(result, result.outcome.body)
        if kind == "specialist" and result.ok and result.outcome is not None:
            return _found(result, result.outcome.body)
        return result

    async def asked(
        self, chain: tuple[str, ...], body: bytes, work: Work, *, stream: bool = False
    ) -> Result:
        """One call, retries and fallbacks and all, within the bounds."""
        problem, stopped = self._over(chain[0], work)
        if problem:
            return Result(problem=problem, stopped=stopped)
        tried: list[Attempt] = []
        call = Call(CHAT, body, stream, self.request.id)
        promised = call_cost(self.config, chain[0], size_of(self.request))
        self._promised_usd += promised
        left = None if work.budget.until is None else work.budget.until - self.clock()
        begun = self.clock()
        self._takes_off()
        try:
            async with asyncio.timeout(left):
                outcome = await self.call(chain, call, tried)
        except TimeoutError:
            self._left(chain, tried, body, work, begun, "deadline")
            bound = f"no time was left for {chain[0]}"
            return Result(problem=bound, stopped="latency", step=len(self.attempts))
        except asyncio.CancelledError:
            self._left(chain, tried, body, work, begun, "left_behind")
            raise
        finally:
            self._promised_usd -= promised
            self._lands()
        step = self._written(tried, outcome, work)
        return self._result(outcome, work, step)

    def _result(self, outcome: CallOutcome, work: Work, step: int) -> Result:
        backend = outcome.attempt.backend
        if outcome.callers_fault:
            self.refusal = outcome
            problem = f"{backend} refused it with {outcome.attempt.status}"
            return Result(outcome=outcome, problem=problem, step=step)
        if not outcome.answered:
            return Result(outcome=outcome, problem=outcome.attempt.summary(), step=step)
        self.tell(work.role or "ask", backend, outcome.attempt)
        if outcome.stream is not None:
            return Result(outcome=outcome, step=step)
        settled = replace(outcome, settled=True, attempt=self.attempts[step - 1])
        return Result(answer_text(outcome.body), settled, step)

    def _over(self, backend: str, work: Work) -> tuple[str, str]:
        """Why there is no going on, and which bound says so."""
        budget = work.budget
        if budget.until is not None and self.clock() >= budget.until:
            return f"no time was left for {backend}", "latency"
        if budget.most_usd is not None:
            spent = sum(a.cost_usd for a in self.attempts) + self._promised_usd
            cost = call_cost(self.config, backend, size_of(self.request))
            if spent + cost > budget.most_usd:
                told = f"${spent:.6g} is spent, {backend} is expected to cost ${cost:.6g}"
                return f"{told}, and the ceiling is ${budget.most_usd:.6g}", "cost"
        return "", ""

    def _takes_off(self) -> None:
        if self._flying == 0:
            self._since = self.clock()
        self._flying += 1

    def _lands(self) -> None:
        self._flying -= 1
        if self._flying == 0:
            self.upstream_seconds += self.clock() - self._since

    def _written(self, tried: Sequence[Attempt], outcome: CallOutcome, work: Work) -> int:
        """Every try becomes a step; the number of the last."""
        for attempt in tried[:-1]:
            self._write(attempt, work)
        last = tried[-1]
        if outcome.answered and not outcome.callers_fault and outcome.stream is None:
            usage = outcome.usage or estimated(self.request, len(outcome.body))
            last = replace(last, usage=usage, cost_usd=self._cost(last.backend, usage))
        return self._write(last, work)

    def _write(self, attempt: Attempt, work: Work) -> int:
        kind = self.config.backends[attempt.backend].kind
        role = work.role or ("code" if kind == "sandbox" else "ask")
        told = replace(attempt, provider=kind, role=role, parent=work.parent)
        self.attempts.append(told)
        return len(self.attempts)

    def _cost(self, backend: str, usage: Usage) -> float:
        return priced(self.config.backends[backend].price, usage)

    def _left(
        self,
        chain: tuple[str, ...],
        tried: Sequence[Attempt],
        body: bytes,
        work: Work,
        begun: float,
        fault: str,
    ) -> None:
        """A call nobody waited for to the end. What was sent has been paid for."""
        for attempt in tried:
            self._write(attempt, work)
        backend = chain[0]
        usage = Usage(tokens_in(body.decode("utf-8", "replace")), 0, estimated=True)
        attempt = Attempt(
            backend,
            0,
            fault,
            "nobody waited for its answer",
            self.clock() - begun,
            usage=usage,
            cost_usd=self._cost(backend, usage),
        )
        self._write(attempt, work)
        self.pace.see(backend, attempt.seconds)  # it takes that long at least: p95 must know of it
        self.tell(work.role or "ask", backend, attempt)

    def tell(self, role: str, backend: str, attempt: Attempt) -> None:
        """For whoever watches the stream: what was done, never in whose words."""
        what = attempt.fault or "answered"
        self.comments.put_nowait(f"{role} {backend} {what} {1000 * attempt.seconds:.0f} ms")

    async def _computed(self, plan: Code, work: Work) -> Result:
        async def attempt(backend: str, call: Call) -> CallOutcome:
            tried: list[Attempt] = []
            self._takes_off()
            try:
                outcome = await self.call((backend,), call, tried)
            finally:
                self._lands()
            for one in tried[:-1]:
                self._write(one, work)
            return outcome

        made = await Computing(
            self.config, plan, self.request, attempt, self.seed, self.library
        ).carry_out()
        for one in made.attempts:
            self._write(one, work)
        told = {**made.told, "verified": made.holds, "problem": made.problem}
        self.computed = {**told, "status": made.status}
        if made.outcome is not None:
            prompt = tokens_in(prompt_text(self.request.fields))
            usage = Usage(prompt, tokens_in(made.document))
            outcome = replace(made.outcome, body=b"", usage=usage, settled=True)
            return Result(made.document, outcome, len(self.attempts))
        if plan.fallback:
            others = Ask(ask=plan.fallback[0], fallback=plan.fallback[1:])
            result = await self._asked(others, replace(work, parent=len(self.attempts)))
            if result.ok:
                return result
        return Result(problem=made.problem or made.status)

    # -- whether an answer will do --------------------------------------------------------------

    async def _gated(self, plan: Plan, gate: Gate, work: Work) -> Result:
        """A step whose answer is checked before it goes on, and sent back with the reasons."""
        inside = replace(work, tail=False, logprobs=gate.probability is not None)
        result = await self._carried_out(plan, replace(inside, entropy=gate.entropy is not None))
        for turn in range(gate.repair + 1):
            if not result.ok or result.partial:
                return result
            verdict = await self.judged(gate, result, work, may_mend=gate.repair > 0)
            if verdict.mended:
                return replace(result, text=verdict.mended, outcome=_rewritten(result))
            if verdict.holds or turn == gate.repair:
                break
            told = work.at(
                "repair",
                draft=result.text,
                told=mending(verdict.problem),
                parent=verdict.step or result.step,
                tail=False,
            )
            mended = await self._carried_out(plan, told)
            if not mended.ok:
                return result.marked("gate", f"{verdict.problem}; {mended.problem}")
            result = mended
        if verdict.holds:
            return result
        return replace(result, problem=f"its gate does not let it through: {verdict.problem}")

    async def judged(
        self, check: Check, result: Result, work: Work, *, before: str = "", may_mend: bool = False
    ) -> CheckVerdict:
        """Whether an answer holds all that a check asks; the cheap questions come first."""
        body = result.outcome.body if result.outcome is not None else b""
        problem, mended = await self._looked_at(check, result.text, may_mend=may_mend)
        problem = problem or _unsure(check, body) or _alone(check, result.text, before)
        if problem:
            return CheckVerdict(False, problem)
        text = mended or result.text
        if check.validator is not None:
            told = work.at("validator", draft=text, parent=result.step, tail=False)
            answer = await self._asked(Ask(ask=check.validator), told)
            if not answer.ok:
                return CheckVerdict(False, answer.problem, step=answer.step)
        if check.judge is not None:
            opinion, step = await self.opinion(check.judge, text, result.step, work, "judge")
            if opinion.score is None or opinion.score < check.least:
                said = "nothing readable" if opinion.score is None else f"{opinion.score:g}"
                wanted = f"{check.judge} gave {said} of the {check.least:g} asked"
                return CheckVerdict(False, f"{wanted}: {opinion.problems}", step=step)
        return CheckVerdict(True, mended=mended)

    async def _looked_at(self, check: Check, text: str, *, may_mend: bool) -> tuple[str, str]:
        """What is wrong with the words themselves, or the words put right."""
        if len(text) > _LONG:  # not on the loop that others wait for
            return await asyncio.to_thread(self._read, check, text, may_mend)
        return self._read(check, text, may_mend)

    def _read(self, check: Check, text: str, may_mend: bool) -> tuple[str, str]:
        if check.regex is not None:
            try:
                if not matches(check.regex, text):
                    return f"{check.regex!r} is not found in it", ""
            except BadPattern as error:
                return str(error), ""
        if not check.schema_ and not check.rules:
            return "", ""
        try:
            document = json_in(text)
            wanted = Wanted(self._schema(check), check.rules)
            many = isinstance(document, list)
            records = document if many else [document]
            issues = issues_in(records, wanted, as_list=many)
            if issues and may_mend:
                made = repaired(records, wanted, as_list=many)
                if not made.issues:
                    whole = made.records if many else made.records[0]
                    return "", orjson.dumps(whole).decode()
                issues = made.issues
        except (NoJson, BadSchema) as error:
            return str(error), ""
        return "; ".join(map(str, issues[:20])), ""

    def _schema(self, check: Check) -> Mapping[str, Any] | None:
        if isinstance(check.schema_, dict):
            return of_record(check.schema_)
        shape = shape_of(self.request.fields) if check.schema_ else None
        return None if shape is None else of_record(schema_of(shape))

    async def opinion(
        self,
        backend: str,
        draft: str,
        parent: int,
        work: Work,
        place: str,
        messages: Callable[[str, str], list[Message]] = to_judge,
    ) -> tuple[Opinion, int]:
        """What a judge says of a draft. A validator is a judge too: of form."""
        told = work.at(place, draft=draft, parent=parent, tail=False, told="")
        if self.config.backends[backend].kind == "validator":
            body = body_of(self.request, replace(told, fields=None), "validator")
            result = await self.asked((backend,), body, told)
            if not result.ok or result.outcome is None:
                return Opinion(None, result.problem), result.step
            said = orjson.loads(result.outcome.body)["validation"]
            return Opinion(said["score"], _problems_of(said)), result.step
        conversation = prompt_text(self.request.fields)
        fields = {"model": "auto", "messages": messages(conversation, draft), "temperature": 0}
        result = await self.asked((backend,), orjson.dumps(fields), told)
        if not result.ok:
            return Opinion(None, result.problem), result.step
        return opinion_in(result.text), result.step

    def why(self, backend: str) -> str:
        """Why a backend cannot answer this request, or nothing."""
        return self.cannot.get(backend, "")

    def abandon(self, result: Result) -> None:
        """An answer that came second: it is paid for, and nobody reads it."""
        if result.let_go():
            one = self.attempts[result.step - 1]
            usage = estimated(self.request, 0)
            cost = self._cost(one.backend, usage)
            told = replace(one, fault="left_behind", usage=usage, cost_usd=cost)
            self.attempts[result.step - 1] = told

    async def together(self, jobs: Sequence[Awaitable[Any]]) -> list[Any]:
        """All at once; where we are cancelled, they are, and have ended."""
        tasks = [asyncio.ensure_future(job) for job in jobs]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            await ended(tasks)


def _rewritten(result: Result) -> CallOutcome | None:
    """Its words are ours now: the bytes that came no longer say it."""
    return None if result.outcome is None else replace(result.outcome, body=b"")


def _unsure(check: Check, body: bytes) -> str:
    if check.probability is not None:
        sure = probability_of(body) if body else None
        if sure is None:
            return "the backend gave no logprobs"
        if sure < check.probability:
            return f"its mean token probability is {sure:.3f}, and {check.probability:g} was asked"
    if check.entropy is not None:
        bits = entropy_of(body) if body else None
        if bits is None:
            return "the backend gave no top_logprobs"
        if bits > check.entropy:
            return f"its mean entropy is {bits:.3f} bits a token, and {check.entropy:g} is the most"
    return ""


def _alone(check: Check, text: str, before: str) -> str:
    if check.agreement is None:
        return ""
    if not before:
        return "there is no draft before it to agree with"
    shared = agreement(text, before)
    if shared < check.agreement:
        return (
            f"it agrees with the draft before it to {shared:.2f} of the {check.agreement:g} asked"
        )
    return ""


def _validated(result: Result, body: bytes) -> Result:
    """A validator's answer is the records; where they are not valid, that is the problem."""
    if not body:
        return result
    told = orjson.loads(body).get("validation")
    if told is None or told["valid"]:
        return result
    return replace(result, problem=_problems_of(told))


def _found(result: Result, body: bytes) -> Result:
    """A specialist that finds nothing says so, and nobody makes anything up from it."""
    told = orjson.loads(body).get("specialist") if body else None
    if told is None or told["found"]:
        return result
    return result.marked("unknown", "the documents hold no answer")


def _problems_of(told: Mapping[str, Any]) -> str:
    issues = [f"{one['path']}: {one['rule']}" for one in told["issues"][:20]]
    return "; ".join(issues)
