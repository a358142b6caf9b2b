"""Carries out a plan: runs each step with its bounds and its gate until there is an answer.

The executor calls the backends, checks their answers and keeps to the bounds; the patterns choose
the next step (`router.plans.patterns`). If a plan ends early, its result is the best answer so far,
marked as partial.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from router.calls.outcome import CallOutcome
from router.compute.backend_calls import BackendCalls, Ceilings
from router.compute.computing import Computing
from router.config.backends import AnyBackend
from router.config.plan_checks import Check, Confidence, Gate
from router.config.plan_steps import lead
from router.config.plans import AnyPlan, Ask, Code, Committee, Plan, Step
from router.domain import Attempt, Call, Request, Usage
from router.models.features import words_of
from router.models.models import doubted, models_in
from router.plans import committee, fan_out, patterns, revising
from router.plans.acceptance import Inspection, disagrees, inspected, unsure
from router.plans.bodies import PlanBudget, Work, body_of, fields_for
from router.plans.calling import StepCalls
from router.plans.compiled import Plans
from router.plans.designs import Design, Designs, to_design
from router.plans.prompts import (
    Message,
    Opinion,
    asking,
    grading,
    mending,
    opinion_in,
    to_judge,
)
from router.plans.results import CheckVerdict, Result
from router.plans.settings import bodies_of, refusals_as_set
from router.plans.weighing import in_turn
from router.request.text import tokens_in
from router.reuse.programs.standards import NO_STANDARDS, Standards
from router.reuse.solution import Solution

_LONG = 20_000  # characters; the check of a longer answer takes milliseconds
_PATTERNS: Mapping[str, Callable[..., Awaitable[Result]]] = {
    "cascade": patterns.cascade,
    "pipeline": patterns.pipeline,
    "hedge": patterns.hedge,
    "fan_out": fan_out.fan_out,
    "refine": revising.refine,
    "review": revising.review,
    "committee": committee.committee,
}


async def no_validator(name: str, _: str) -> CheckVerdict:
    """The verdict of a written validator where none runs."""
    why = f"{name} could not be asked: no written validator runs here"
    return CheckVerdict(True, unchecked=why)


@dataclass
class Executor:
    """Carries out the plan of one request."""

    plans: Plans
    request: Request
    calls: StepCalls
    refusals: Mapping[str, str]  # why each backend cannot answer; "" if it can
    score: Callable[[str], float]  # the weight of a backend's vote
    seed: Callable[[], int]
    library: Sequence[tuple[float, Solution]] = ()  # remembered programs, nearest first
    standards: Standards = NO_STANDARDS  # what authors of programs may see
    clock: Callable[[], float] = time.perf_counter
    others: Sequence[str] = ()  # the other plans that may answer, if no program does
    designs: Designs = field(default_factory=lambda: Designs(None))
    validate: Callable[[str, str], Awaitable[CheckVerdict]] = no_validator
    pattern: str = ""  # what the request belongs to, for which a committee is designed
    kind: str = ""  # and the kind of the request, as a designer reads it
    whole: bool = False  # whether the answer is looked at before its caller gets any of it
    computed: dict[str, Any] | None = field(default=None, init=False)
    document: str = field(default="", init=False)  # the text that `computed` speaks of

    async def run(self, plan: AnyPlan) -> Result:
        bound = self.request.max_latency_ms
        budget = PlanBudget().within(0.0, self.clock(), self.request.max_cost_usd, bound)
        return await self.step(plan, Work(tail=not self.whole, budget=budget))

    async def step(self, step: Step, work: Work) -> Result:
        plan = self.plans[step].tree if isinstance(step, str) else step
        if plan.max_cost is not None or plan.max_latency_ms is not None:
            bounds = (plan.max_cost, plan.max_latency_ms)
            budget = work.budget.within(self.calls.spent_usd, self.clock(), *bounds)
            work = replace(work, budget=budget)
        if plan.gate is not None:
            return await self._gated(plan, plan.gate, work)
        return await self._carry_out(plan, work)

    async def call(
        self, chain: tuple[str, ...], body: bytes, work: Work, *, stream: bool = False
    ) -> Result:
        return await self.calls.call(chain, body, work, stream=stream)

    def p95(self, backend: str) -> float | None:
        return self.calls.pace.p95(backend)

    def abandon(self, result: Result) -> None:
        self.calls.abandon(result)

    def turn(self, step: Plan) -> int:
        return self.calls.pace.turn(step.model_dump_json())

    def settings(self, backend: str) -> AnyBackend:
        return self.plans.config.backends[backend]

    async def computed_beside(self, plan: Code, work: Work) -> Result:
        before = self.computed, self.document
        result = await self.step(plan, work)
        self.computed, self.document = before
        return result

    async def designed(self, plan: Committee, work: Work) -> Design:
        designer = str(plan.committee.design)

        async def reply() -> str:
            able = [name for _, step in plan.places if not self.refusals[name := lead(step, {})]]
            if self.refusals[designer] or not able:
                return ""
            text, rounds = self.request.reading.text, plan.committee.rounds
            messages = to_design(self.kind, text, able, rounds)
            body = orjson.dumps(asking(messages, self.settings(designer)))
            place = work.at("committee.design", tail=False)
            return (await self.call((designer,), body, place)).text

        return await self.designs.design(plan, self.pattern, reply)

    async def _carry_out(self, plan: Plan, work: Work) -> Result:
        if isinstance(plan, Ask):
            return await self._ask(plan, work)
        if isinstance(plan, Code):
            return await self._compute(plan, work)
        return await _PATTERNS[plan.pattern](self, plan, work)

    async def _ask(self, plan: Ask, work: Work) -> Result:
        sets = dict.fromkeys(plan.backends, (plan.set_,))
        refusals = refusals_as_set(sets, self.request, self.refusals, self.plans.config.backends)
        chain = in_turn(plan, self.request, self.plans.config.backends)
        able = tuple(backend for backend in chain if not refusals[backend])
        if not able:
            reasons = "; ".join(f"{backend} {refusals[backend]}" for backend in plan.backends)
            return Result(problem=reasons)
        if work.fields is None:
            work = replace(work, fields=fields_for(self.request, plan.fields))
        if plan.instruct and not work.instruction:
            work = replace(work, instruction=plan.instruct)
        backends = self.plans.config.backends
        while backends[able[0]].kind == "learned":  # at once, and the next is asked if it is unsure
            whole = replace(work, tail=False)
            bodies = bodies_of(plan, self.request, whole, able[:1], backends)
            result = _sure(await self.calls.call(able[:1], bodies[able[0]], whole))
            able = able[1:]
            if result.ok or result.stopped or not able:
                return result
        stream = self.request.stream and work.tail
        bodies = bodies_of(plan, self.request, work, able, backends)
        result = await self.calls.call(able, bodies[able[0]], work, stream=stream, bodies=bodies)
        if not result.ok or result.outcome is None or not result.outcome.body:
            return result
        match backends[result.outcome.attempt.backend].kind:
            case "validator":
                return _validated(result, result.outcome.body)
            case "specialist" | "knowledge":
                return _unknown(result, result.outcome.body)
            case "learned":
                return _sure(result)
        return result

    async def _compute(self, plan: Code, work: Work) -> Result:
        async def attempt(backend: str, call: Call) -> CallOutcome:
            tried: list[Attempt] = []
            outcome = await self.calls.fly((backend,), call, tried)
            for earlier in tried[:-1]:
                self.calls.write(earlier, work)
            return outcome

        budget = work.budget
        ceilings = Ceilings(budget.most_usd, budget.until, self.calls.spent_usd, self.clock)
        config, reserve = self.plans.config, self.calls.reserve
        calls = BackendCalls(config, self.request, attempt, ceilings, reserve)
        made = await Computing(plan, calls, self.seed, self.library, self.standards).carry_out()
        for attempted in made.attempts:
            self.calls.write(attempted, work)
        if calls.limited is not None:
            self.calls.limited = calls.limited
        row = {"level": "unverified", "unchecked": [], **made.row, "problem": made.problem}
        self.computed, self.document = {**row, "status": made.status}, made.document
        step = len(self.calls.attempts)
        if made.outcome is not None:
            usage = Usage(self.request.reading.tokens, tokens_in(made.document))
            outcome = replace(made.outcome, body=b"", usage=usage, settled=True)
            return Result(made.document, outcome, step)
        in_words = await self._in_words(plan, replace(work, parent=step), made.free)
        if in_words is not None:
            return in_words
        if calls.stopped:  # a ceiling says why there is no answer
            self.computed = None
        return Result(problem=made.problem or made.status, stopped=calls.stopped, step=step)

    async def _in_words(self, plan: Code, work: Work, free: bool) -> Result | None:
        """An answer in words where no program answers. `free`: no rule had read the request, so it
        may go on to the other plans."""
        if plan.fallback:
            others = Ask(ask=plan.fallback[0], fallback=plan.fallback[1:])
            result = await self._ask(others, work)
            return result if result.ok else None
        if not free or work.role:
            return None
        for name in self.others:
            if not isinstance(self.plans[name].tree, Code):
                result = await self.step(name, work)
                if result.ok:
                    return result
        return None

    async def _gated(self, plan: Plan, gate: Gate, work: Work) -> Result:
        """Carry out a step and check its answer; send a failing answer back with the reasons."""
        inside = replace(work, tail=False, logprobs=gate.probability is not None)
        result = await self._carry_out(plan, replace(inside, entropy=gate.entropy is not None))
        for turn in range(gate.repair + 1):
            if not result.ok or result.partial:
                return result
            verdict = await self.judged(gate, result, work, may_mend=gate.repair > 0)
            if verdict.mended:
                result = result.rewritten(verdict.mended)
            if verdict.holds and verdict.unchecked:
                return result.marked("unchecked", verdict.unchecked)
            if verdict.holds:
                return result
            if turn < gate.repair:
                repair = work.at(
                    "repair",
                    draft=result.text,
                    instruction=mending(verdict.problem),
                    parent=verdict.step or result.step,
                    tail=False,
                )
                mended = await self._carry_out(plan, repair)
                if not mended.ok:
                    return result.marked("gate", f"{verdict.problem}; {mended.problem}")
                result = mended
        return replace(result, problem=f"its gate does not let it through: {verdict.problem}")

    async def judged(
        self, check: Check, result: Result, work: Work, *, before: str = "", may_mend: bool = False
    ) -> CheckVerdict:
        """Run the cheap checks first: they call no backend."""
        body = result.outcome.body if result.outcome is not None else b""
        inspection = await self._inspect(check, result.text, may_mend=may_mend)
        problem = inspection.problem or unsure(check, body) or disagrees(check, result.text, before)
        if not problem and check.confidence is not None:
            problem = self._doubted(check.confidence, result.text)
        if problem:
            return CheckVerdict(False, problem)
        text = inspection.mended or result.text
        unchecked = ""
        if isinstance(check, Gate) and check.function is not None:
            verdict = await self.validate(check.function, text)
            if not verdict.holds:
                return verdict
            unchecked = verdict.unchecked
        if check.validator is not None:
            question = work.at("validator", draft=text, parent=result.step, tail=False)
            answer = await self._ask(Ask(ask=check.validator), question)
            if not answer.ok:
                return CheckVerdict(False, answer.problem, step=answer.step)
        if check.judge is not None:
            opinion, step = await self.opinion(check.judge, text, result.step, work, "judge")
            if opinion.score is None or opinion.score < check.least:
                score = "nothing readable" if opinion.score is None else f"{opinion.score:g}"
                problem = f"{check.judge} gave {score} of the {check.least:g} asked"
                return CheckVerdict(False, f"{problem}: {opinion.problems}", step=step)
        return CheckVerdict(True, mended=inspection.mended, unchecked=unchecked)

    def _doubted(self, confidence: Confidence, text: str) -> str:
        """Why a trained head does not find the answer good; empty if it does."""
        messages = self.request.fields.get("messages")
        models = models_in(str(self.plans.config.models_folder))
        return doubted(models, confidence.head, confidence.least, words_of(messages, text))

    async def _inspect(self, check: Check, text: str, *, may_mend: bool) -> Inspection:
        shape = self.request.reading.shape
        if len(text) > _LONG:  # a long check would block the event loop
            return await asyncio.to_thread(inspected, check, shape, text, may_mend=may_mend)
        return inspected(check, shape, text, may_mend=may_mend)

    async def opinion(
        self,
        backend: str,
        draft: str,
        parent: int,
        work: Work,
        place: str,
        messages: Callable[[str, str], list[Message]] = to_judge,
    ) -> tuple[Opinion, int]:
        """Have a backend grade a draft; a validator's grade is the share of valid records."""
        question = work.at(place, draft=draft, parent=parent, tail=False, instruction="")
        if self.plans.config.backends[backend].kind == "validator":
            body = body_of(self.request, replace(question, fields=None), "validator")
            result = await self.call((backend,), body, question)
            if not result.ok or result.outcome is None:
                return Opinion(None, result.problem), result.step
            validation = orjson.loads(result.outcome.body)["validation"]
            return Opinion(validation["score"], _problems_of(validation)), result.step
        conversation = self.request.reading.text
        judge = self.plans.config.backends[backend]
        fields = grading(messages(conversation, draft), judge)
        result = await self.call((backend,), orjson.dumps(fields), question)
        if not result.ok:
            return Opinion(None, result.problem), result.step
        return opinion_in(result.text), result.step


def _validated(result: Result, body: bytes) -> Result:
    """Turn a validator's issues into the problem of the result."""
    validation = orjson.loads(body).get("validation")
    if validation is None or validation["valid"]:
        return result
    return replace(result, problem=_problems_of(validation))


def _sure(result: Result) -> Result:
    """Turn the doubt of a learned model into the problem of the result."""
    if not result.ok or result.outcome is None or not result.outcome.body:
        return result
    learned = orjson.loads(result.outcome.body).get("learned")
    if learned is None or not learned["unsure"]:
        return result
    problem = f"{learned['model']} is unsure: {learned['unsure']}"
    return replace(result, problem=problem, flaw="unsure")


def _unknown(result: Result, body: bytes) -> Result:
    """Mark the result as `unknown` if the documents hold no answer."""
    reply = orjson.loads(body)
    passages = reply.get("specialist") or reply.get("knowledge")
    if passages is None or passages["found"]:
        return result
    return result.marked("unknown", "the documents hold no answer")


def _problems_of(validation: Mapping[str, Any]) -> str:
    return "; ".join(f"{issue['path']}: {issue['rule']}" for issue in validation["issues"][:20])
