"""Asks the verifying backend whether one answer serves two requests, or two answers say the same.

A question never fails a request, and holds it for a bounded time: whatever goes wrong counts as no.
A question about two requests is asked only if the plan that it may save is dearer than the
question, by the caller's weights of cost and latency. A yes counts only if the backend says so in
both orders, and does not also say yes to the control question.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import orjson

from learner.preference import Preference
from router.calls.outcome import CallOutcome
from router.calls.prices import priced
from router.config.config import Config
from router.domain import CHAT, Attempt, Call, Decision, Request, Usage
from router.engine.recall import Lookup
from router.plans.calling import EndCall
from router.plans.compiled import Plans, VerifyingModel
from router.plans.costs import Size, comparable_cost, size_of
from router.plans.pace import Pace
from router.request.text import tokens_in
from router.reuse.questions import (
    ANSWER_TOKENS,
    PROMPT_TOKENS,
    Message,
    Reply,
    about_answers,
    about_requests,
    control_of,
    fits,
    reply_in,
)
from router.routing.bandit import preference_of, rates_of
from router.wire.answers import answer_text
from router.wire.errors import Limited

ROLE = "reuse.verifier"  # the role of a question among a request's attempts
_SECONDS = 6.0  # that all questions about a pair may take
_ROUNDS = 2  # questions that follow each other until a yes; the last two are asked side by side
_CALLS = 3
_REST_SECONDS = 30.0  # a backend that failed is not asked for so long


@dataclass(frozen=True, slots=True)
class Expected:
    """What a call or a plan is expected to take; None where nobody knows yet."""

    usd: float
    seconds: float | None = None


class Tried(Protocol):
    """How backends are called: with retries, and with a record of their times and rests."""

    pace: Pace

    async def try_chain(
        self, config: Config, chain: tuple[str, ...], call: Call, tried: list[Attempt]
    ) -> CallOutcome: ...

    def resting_at(self, now: float) -> Sequence[str]: ...


class Limiting(Protocol):
    """The limits of keys, within which a call reserves what it may use."""

    async def reserve(
        self, config: Config, chain: tuple[str, ...], request: Request, body: bytes
    ) -> EndCall: ...


@dataclass
class Verifying:
    tries: Tried
    allowances: Limiting
    steady: Callable[[], float] = time.monotonic
    pace: Pace = field(default_factory=Pace)  # of questions alone: they are short
    _rests_until: float = 0.0

    async def one_answer_serves(
        self,
        plans: Plans,
        request: Request,
        decision: Decision,
        lookup: Lookup,
        calls: list[Attempt],
    ) -> bool | None:
        """Whether the answer of the doubtful candidate serves this request too; None if nobody was
        asked, or the backend did not say. Its calls go into `calls`."""
        verifier, candidate = plans.verifier, lookup.doubtful
        if verifier is None or candidate is None:
            return None
        stored, new = candidate.solution.request, lookup.query.text
        if not fits((stored, new)) or not self._can_ask(verifier):
            return None
        saved = self._saved(plans, request, decision)
        question = self._question(plans, verifier, stored, new)
        if not worth_asking(saved, question, preference_of(plans.config, request)):
            return None
        questions = _PairQuestions(self, plans.config, verifier, request, calls)
        return await questions.one_serves(stored, new)

    async def answers_agree(
        self, plans: Plans, request: Request, first: str, second: str, calls: list[Attempt]
    ) -> bool | None:
        """Whether two answers to a request say the same, by the backend's word in both orders."""
        verifier, text = plans.verifier, request.reading.last_words
        if verifier is None or not fits((text,), (first, second)) or not self._can_ask(verifier):
            return None
        questions = _PairQuestions(self, plans.config, verifier, request, calls)
        return await questions.both_say(
            about_answers(text, first, second), about_answers(text, second, first)
        )

    def failed(self) -> None:
        self._rests_until = self.steady() + _REST_SECONDS

    def _can_ask(self, verifier: VerifyingModel) -> bool:
        now = self.steady()
        resting = self.tries.resting_at(now)
        return now >= self._rests_until and any(name not in resting for name in verifier.chain)

    def _saved(self, plans: Plans, request: Request, decision: Decision) -> Expected:
        """What the chosen plan is expected to take."""
        plan = decision.plan
        for estimate in decision.estimates:
            if estimate.arm == plan:
                return Expected(estimate.cost, estimate.seconds)
        usd = rates_of(plans, [plan], size_of(request))[plan]
        return Expected(usd, self.tries.pace.median(plans[plan].lead))

    def _question(self, plans: Plans, verifier: VerifyingModel, stored: str, new: str) -> Expected:
        """What the questions about a pair are expected to take if the backend says yes."""
        backend = verifier.chain[0]
        tokens = PROMPT_TOKENS + tokens_in(stored) + tokens_in(new)
        price = plans.config.backends[backend].price
        price = plans.stand_in if price is None else price
        usd = _CALLS * comparable_cost(price, Size(tokens, ANSWER_TOKENS))
        # Other calls of the backend are longer, and all that is known before the first question.
        seconds = self.pace.median(backend) or self.tries.pace.median(backend)
        return Expected(usd, None if seconds is None else _ROUNDS * seconds)


def worth_asking(saved: Expected, question: Expected, preference: Preference) -> bool:
    """Whether what a yes saves is dearer than the question.

    Until both times are known, dollars alone decide.
    """
    if saved.seconds is None or question.seconds is None:
        return saved.usd > question.usd
    return _price(saved, preference) > _price(question, preference)


def _price(expected: Expected, preference: Preference) -> float:
    return preference.price(expected.usd, expected.seconds or 0.0)


@dataclass
class _PairQuestions:
    """The questions about one pair, and their calls."""

    verifying: Verifying
    config: Config
    verifier: VerifyingModel
    request: Request
    calls: list[Attempt]

    async def one_serves(self, stored: str, new: str) -> bool | None:
        """Ask in one order and, after a yes, in the other order beside the control question."""
        try:
            async with asyncio.timeout(_SECONDS):
                reply = await self._ask(about_requests([stored, new]))
                if reply != "yes":
                    return None if reply is None else False
                again, control = await asyncio.gather(
                    self._ask(about_requests([new, stored])),
                    self._ask(control_of(stored, new)),
                )
        except TimeoutError:
            self.verifying.failed()
            return None
        if again is None or control is None:
            return None
        return again == "yes" and control == "no"

    async def both_say(self, first: Sequence[Message], second: Sequence[Message]) -> bool | None:
        """What the backend says to both questions; None if it does not say the same twice."""
        try:
            async with asyncio.timeout(_SECONDS):
                replies = await asyncio.gather(self._ask(first), self._ask(second))
        except TimeoutError:
            self.verifying.failed()
            return None
        if replies[0] is None or replies[0] != replies[1]:
            return None
        return replies[0] == "yes"

    async def _ask(self, messages: Sequence[Message]) -> Reply | None:
        """The backend's reply; None if it failed, or said anything but yes or no."""
        backends = self.config.backends
        steadily = min((backends[name].steadily for name in self.verifier.chain), key=len)
        fields = {"model": self.verifier.model, "messages": messages, **steadily}
        body = orjson.dumps({**fields, "max_tokens": ANSWER_TOKENS})
        prompt_tokens = tokens_in(body.decode())
        chain, verifying, tried = self.verifier.chain, self.verifying, list[Attempt]()
        try:
            end = await verifying.allowances.reserve(self.config, chain, self.request, body)
        except Limited:
            return None
        begun = verifying.steady()
        try:
            call = Call(CHAT, body, False, self.request.id)
            outcome = await verifying.tries.try_chain(self.config, chain, call, tried)
        except asyncio.CancelledError:
            usage = Usage(prompt_tokens, 0, estimated=True)  # what was sent, at least
            seconds = verifying.steady() - begun
            left = Attempt(chain[0], 0, "left_behind", "it took too long", seconds, usage=usage)
            end(self._write([*tried, left]), waited=False)
            raise
        answered = outcome.answered and not outcome.callers_fault
        if answered:
            usage = outcome.usage or Usage(prompt_tokens, ANSWER_TOKENS, estimated=True)
            tried[-1] = replace(tried[-1], usage=usage)
            verifying.pace.see(outcome.attempt.backend, outcome.attempt.seconds)
        end(self._write(tried))
        if not answered:
            verifying.failed()
            return None
        return reply_in(answer_text(outcome.body))

    def _write(self, tried: Sequence[Attempt]) -> Sequence[Attempt]:
        """Record the attempts of a question, with their prices."""
        calls = [self._priced(attempt) for attempt in tried]
        self.calls += calls
        return calls

    def _priced(self, attempt: Attempt) -> Attempt:
        settings = self.config.backends[attempt.backend]
        cost = priced(settings.price, attempt.usage)
        return replace(attempt, provider=settings.kind, role=ROLE, cost_usd=cost)
