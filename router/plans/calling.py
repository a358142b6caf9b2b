"""Calls of backends for one request: bounded, priced, and recorded as steps."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from router.calls.outcome import CallOutcome
from router.calls.prices import estimated, priced, unpriced_problem
from router.domain import CHAT, Attempt, Call, Request, Usage, known_usd
from router.plans.bodies import Work
from router.plans.citing import Citation, citations_in
from router.plans.compiled import Plans
from router.plans.costs import size_of
from router.plans.pace import Pace
from router.plans.results import Result
from router.request.text import tokens_in
from router.wire.answers import answer_text
from router.wire.errors import Limited

_NO_BODIES: Mapping[str, bytes] = {}


class TryChain(Protocol):
    async def __call__(
        self, chain: tuple[str, ...], call: Call, tried: list[Attempt]
    ) -> CallOutcome:
        """Call one backend after another until one answers, and append every attempt to `tried`."""


class EndCall(Protocol):
    def __call__(
        self, attempts: Sequence[Attempt], *, streams: bool = False, waited: bool = True
    ) -> None:
        """Say how a call ended: with what it used; with `streams`, it goes on as a stream; without
        `waited`, nobody waited for its end."""


class Reserve(Protocol):
    async def __call__(self, chain: tuple[str, ...], body: bytes) -> EndCall:
        """Reserve what a call may use within the limits of the caller's key, or raise
        `Limited`."""


@dataclass
class StepCalls:
    """The calls made for one request, and their cost."""

    plans: Plans
    request: Request
    try_chain: TryChain
    reserve: Reserve
    pace: Pace
    clock: Callable[[], float] = time.perf_counter
    attempts: list[Attempt] = field(default_factory=list)
    comments: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    citations: list[Citation] = field(default_factory=list)  # of the passages that stores gave
    limited: Limited | None = None  # the limit of the key that refused a call
    refusal: CallOutcome | None = None  # a backend's error for the caller, if no answer comes
    upstream_seconds: float = 0.0
    _flying: int = 0
    _promised_usd: float = 0.0  # expected cost of the calls under way
    _since: float = 0.0

    @property
    def spent_usd(self) -> float:
        return known_usd(self.attempts)

    async def call(
        self,
        chain: tuple[str, ...],
        body: bytes,
        work: Work,
        *,
        stream: bool = False,
        bodies: Mapping[str, bytes] = _NO_BODIES,
    ) -> Result:
        """Call a chain of backends, with retries and fallbacks, within the step's bounds. `bodies`
        are for backends that need another body than the first one's."""
        expected_usd = self.plans.call_cost(size_of(self.request))(chain[0])
        try:
            end = await self.reserve(chain, body)
        except Limited as error:
            self.limited = error
            return Result(problem=error.message, stopped="limit", step=len(self.attempts))
        over = self._over(chain[0], work, expected_usd)
        if over is not None:
            end(())
            return over
        tried: list[Attempt] = []
        left = None if work.budget.until is None else work.budget.until - self.clock()
        begun = self.clock()
        self._promised_usd += expected_usd or 0.0
        try:
            async with asyncio.timeout(left):
                extended = self.request.native is not None
                call = Call(
                    *(CHAT, body, stream, self.request.id, bodies),
                    extended=extended,
                    key_id=self.request.key_id,
                )
                outcome = await self.fly(chain, call, tried)
        except TimeoutError:
            end(self._cut_off(chain[0], tried, body, work, begun, "deadline"), waited=False)
            problem = f"no time was left for {chain[0]}"
            return Result(problem=problem, stopped="latency", step=len(self.attempts))
        except asyncio.CancelledError:
            end(self._cut_off(chain[0], tried, body, work, begun, "left_behind"), waited=False)
            raise
        finally:
            self._promised_usd -= expected_usd or 0.0
        step = self._write_all(tried, outcome, work)
        end(self.attempts[step - len(tried) : step], streams=outcome.stream is not None)
        return self._result(outcome, work, step)

    async def fly(self, chain: tuple[str, ...], call: Call, tried: list[Attempt]) -> CallOutcome:
        """Call a chain, and add the time to `upstream_seconds`; calls that overlap count once."""
        if self._flying == 0:
            self._since = self.clock()
        self._flying += 1
        try:
            return await self.try_chain(chain, call, tried)
        finally:
            self._flying -= 1
            if self._flying == 0:
                self.upstream_seconds += self.clock() - self._since

    def write(self, attempt: Attempt, work: Work) -> int:
        """Record an attempt as a step of the plan, and return the step's number."""
        kind = self.plans.config.backends[attempt.backend].kind
        role = work.role or ("code" if kind == "sandbox" else "ask")
        self.attempts.append(replace(attempt, provider=kind, role=role, parent=work.parent))
        return len(self.attempts)

    def abandon(self, result: Result) -> None:
        if result.let_go():
            attempt = self.attempts[result.step - 1]
            usage = estimated(self.request, 0)
            cost = self._cost(attempt.backend, usage)
            self.attempts[result.step - 1] = replace(
                attempt, fault="left_behind", usage=usage, cost_usd=cost
            )

    def _over(self, backend: str, work: Work, expected_usd: float | None) -> Result | None:
        """The result in place of a call that would exceed a bound; None if the call may run."""
        budget = work.budget
        if budget.until is not None and self.clock() >= budget.until:
            return Result(problem=f"no time was left for {backend}", stopped="latency")
        if budget.most_usd is None:
            return None
        if expected_usd is None:
            return Result(problem=unpriced_problem(backend, budget.most_usd), stopped="cost")
        spent = self.spent_usd + self._promised_usd
        if spent + expected_usd <= budget.most_usd:
            return None
        problem = (
            f"${spent:.6g} is spent, {backend} is expected to cost ${expected_usd:.6g}, and the "
            f"ceiling is ${budget.most_usd:.6g}; raise it"
        )
        return Result(problem=problem, stopped="cost")

    def _result(self, outcome: CallOutcome, work: Work, step: int) -> Result:
        backend = outcome.attempt.backend
        if outcome.callers_fault:
            self.refusal = outcome
            problem = f"{backend} refused it with {outcome.attempt.status}"
            return Result(outcome=outcome, problem=problem, step=step)
        if not outcome.answered:
            return Result(outcome=outcome, problem=outcome.attempt.summary(), step=step)
        self._comment(work, outcome.attempt)
        if outcome.stream is not None:
            return Result(outcome=outcome, step=step)
        if self.plans.config.backends[backend].asks_stores:
            self.citations += citations_in(outcome.body)
        settled = replace(outcome, settled=True, attempt=self.attempts[step - 1])
        return Result(answer_text(outcome.body), settled, step)

    def _write_all(self, tried: Sequence[Attempt], outcome: CallOutcome, work: Work) -> int:
        """Record every attempt as a step, and return the number of the last step."""
        for attempt in tried[:-1]:
            self.write(attempt, work)
        last = tried[-1]
        if outcome.answered and not outcome.callers_fault and outcome.stream is None:
            usage = outcome.usage or estimated(self.request, len(outcome.body))
            last = replace(last, usage=usage, cost_usd=self._cost(last.backend, usage))
        return self.write(last, work)

    def _cut_off(
        self,
        backend: str,
        tried: Sequence[Attempt],
        body: bytes,
        work: Work,
        begun: float,
        fault: str,
    ) -> Sequence[Attempt]:
        """Record a call that was ended early, with the cost of the prompt that was sent."""
        for attempt in tried:
            self.write(attempt, work)
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
        self.write(attempt, work)
        self.pace.see(backend, attempt.seconds)  # without this, the p95 would miss slow calls
        self._comment(work, attempt)
        return (attempt,)

    def _cost(self, backend: str, usage: Usage) -> float | None:
        return priced(self.plans.config.backends[backend].price, usage)

    def _comment(self, work: Work, attempt: Attempt) -> None:
        """Queue a comment on an attempt for the caller's stream: step, backend, outcome, time."""
        state = attempt.fault or "answered"
        line = f"{work.role or 'ask'} {attempt.backend} {state} {1000 * attempt.seconds:.0f} ms"
        self.comments.put_nowait(line)
