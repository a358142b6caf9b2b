"""Asks plans all questions, scores the answers, and keeps to a budget.

Questions come in their order, each with all of its plans, so that an evaluation that stops early
has compared the plans on the same questions. A request is sent only if its expected cost fits into
what is left of the budget, beside the expected costs of the requests under way. The real costs may
exceed the expected ones, so the budget may be passed by the errors of as many requests as run at
once.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from router.evaluation.ledger import AnswerScore, Key, Ledger, PlanAnswer
from router.evaluation.questions import Question
from router.plans.prompts import opinion_in, to_judge

_TELLS = 1_000  # characters of a refusal or of a judge's reason that are kept


class Asker(Protocol):
    """Sends one request to a plan or a backend; raises `NoAnswer` if all tries failed."""

    async def ask(self, model: str, fields: Mapping[str, Any], *, task: str) -> PlanAnswer: ...


class NoAnswer(Exception):
    """A request got no answer. `cost_usd` was paid for it; with `away`, the service is gone."""

    def __init__(self, reason: str, *, cost_usd: float | None = 0.0, away: bool = False) -> None:
        super().__init__(reason)
        self.cost_usd = cost_usd
        self.away = away


@dataclass(frozen=True, slots=True)
class Job:
    """A question for a plan. `reference`: the sandbox's answer that `computed` compares with."""

    question: Question
    plan: str
    reference: str = ""

    @property
    def key(self) -> Key:
        return self.question.id, self.plan


@dataclass
class Evaluation:
    """An evaluation that runs. `expected_usd` is the expected cost of a question for a plan."""

    ledger: Ledger
    asker: Asker
    judge: str
    expected_usd: Callable[[Question, str], float]
    budget_usd: float | None
    on_progress: Callable[[], None] = lambda: None
    stopped: str = ""  # why no further request is sent
    failures: dict[Key, str] = field(default_factory=dict)
    _reserved_usd: float = 0.0
    _turns: dict[Key, asyncio.Lock] = field(default_factory=dict)

    def scorer(self, question: Question) -> str:
        return question.check.name if question.check is not None else f"judge {self.judge}"

    def missing(self, job: Job) -> bool:
        """Whether a job still needs an answer or a score."""
        answer = self.ledger.answers.get(job.key)
        score = self.ledger.scores.get(job.key)
        if answer is None:
            return True
        return not answer.refusal and (score is None or score.by != self.scorer(job.question))

    async def run(self, jobs: Sequence[Job], at_once: int) -> None:
        remaining = (job for job in jobs if self.missing(job))
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._work(remaining))

    def stop(self, reason: str) -> None:
        """Send no further request, and wait for those under way, which are paid for."""
        self.stopped = self.stopped or reason

    async def _work(self, remaining: Iterator[Job]) -> None:
        for job in remaining:
            expected = self.expected_job_usd(job)
            if not self.stopped and not self._affordable(expected):
                self.stop(f"the next request would pass the budget of ${self.budget_usd:g}")
            if self.stopped:
                return
            self._reserved_usd += expected
            try:
                await self._do(job)
            except NoAnswer as failure:
                self.ledger.waste(failure.cost_usd)
                self.failures[job.key] = str(failure)
                if failure.away:
                    self.stop(f"the service is away: {failure}")
            finally:
                self._reserved_usd -= expected
            self.on_progress()

    def _affordable(self, expected: float) -> bool:
        if self.budget_usd is None:
            return True
        return self.ledger.spent_usd + self._reserved_usd + expected <= self.budget_usd

    def expected_job_usd(self, job: Job) -> float:
        question, answers = job.question, self.ledger.answers
        usd = 0.0 if job.key in answers else self.expected_usd(question, job.plan)
        if question.check is None:
            usd += self.expected_usd(question, self.judge)
        if job.reference and (question.id, job.reference) not in answers:
            usd += self.expected_usd(question, job.reference)
        return usd

    async def _do(self, job: Job) -> None:
        answer = await self._answer(job.question, job.plan)
        if not answer.refusal:
            score = await self._score(job, answer)
            if score is not None:
                self.ledger.score(job.key, score)

    async def _answer(self, question: Question, plan: str) -> PlanAnswer:
        key = question.id, plan
        async with self._turns.setdefault(key, asyncio.Lock()):  # a reference has several takers
            if key not in self.ledger.answers:
                answer = await self.asker.ask(plan, question.fields, task=question.task)
                self.ledger.answer(key, answer)
        return self.ledger.answers[key]

    async def _score(self, job: Job, answer: PlanAnswer) -> AnswerScore | None:
        question, by = job.question, self.scorer(job.question)
        if question.check is None:
            return await self._opinion(question, answer, by)
        expected = question.expected
        if job.reference:
            computed = await self._answer(question, job.reference)
            if computed.refusal or not computed.proven:
                return AnswerScore(by, None, "the sandbox proved no answer")
            expected = computed.text
        judgement = await asyncio.to_thread(
            question.check.score, answer.text, expected, question.fields
        )
        if judgement is None:
            return AnswerScore(by, None, "the check could not tell")
        return AnswerScore(by, judgement.score, judgement.reason)

    async def _opinion(self, question: Question, answer: PlanAnswer, by: str) -> AnswerScore:
        conversation = question.prompt
        if question.expected is not None:
            conversation += f"\n\n(The expected answer: {question.expected})"
        fields: dict[str, Any] = {"messages": to_judge(conversation, answer.text)}
        fields["temperature"] = 0
        reply = await self.asker.ask(self.judge, fields, task="")
        if "temperature" in reply.refusal:  # some models take none
            del fields["temperature"]
            reply = await self.asker.ask(self.judge, fields, task="")
        if reply.refusal:
            raise NoAnswer(f"the judge refused: {reply.refusal}", cost_usd=reply.cost_usd)
        opinion = opinion_in(reply.text)
        reason = opinion.problems[:_TELLS]
        return AnswerScore(by, opinion.score, reason or "a judge's score", reply.cost_usd)
