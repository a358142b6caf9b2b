"""The calls of one computation: bounded by the caller's ceilings, priced, and recorded."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from router.calls.outcome import CallOutcome
from router.calls.prices import priced, unpriced_problem
from router.config.config import Config
from router.domain import CHAT, COMPUTE, Attempt, Call, Request, Usage, known_usd
from router.request.text import tokens_in
from router.wire.answers import answer_text
from router.wire.errors import Limited

Try = Callable[[str, Call], Awaitable[CallOutcome]]
Reserve = Callable[[tuple[str, ...], bytes], Awaitable[Callable[..., None]]]

_PROGRAM_TOKENS = 400  # expected of a program


async def _unlimited(chain: tuple[str, ...], body: bytes) -> Callable[..., None]:
    del chain, body
    return lambda _, **__: None


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The most that a request may have cost, and its latest end; None: no bound."""

    most_usd: float | None = None
    until: float | None = None
    spent_usd: float = 0.0
    clock: Callable[[], float] = time.perf_counter

    @property
    def seconds_left(self) -> float | None:
        return None if self.until is None else self.until - self.clock()


@dataclass(slots=True)
class BackendCalls:
    """Makes the calls of one computation. `stopped` names the bound that ended it early, if one
    did: `cost`, `latency` or `limit`."""

    config: Config
    request: Request
    attempt: Try  # calls a backend, with retries
    ceilings: Ceilings = Ceilings()
    reserve: Reserve = _unlimited
    attempts: list[Attempt] = field(default_factory=list)
    stopped: str = ""
    problem: str = ""
    limited: Limited | None = None
    _longest: float = 0.0  # seconds of the longest call of a model so far
    _running: float = 0.0  # seconds of the longest run so far

    @property
    def spent_usd(self) -> float:
        return self.ceilings.spent_usd + known_usd(self.attempts)

    def has_room(self, backend: str, fields: Mapping[str, Any]) -> bool:
        """Whether the ceilings leave room for another program of this backend, and its runs."""
        left = self.ceilings.seconds_left
        if left is not None and left <= self._longest + self._running:
            return False
        most = self.ceilings.most_usd
        expected = self._expected_usd(backend, fields)
        return most is None or (expected is not None and self.spent_usd + expected <= most)

    def _expected_usd(self, backend: str, fields: Mapping[str, Any]) -> float | None:
        price = self.config.backends[backend].price
        return priced(price, Usage(tokens_in(str(fields["messages"])), _PROGRAM_TOKENS))

    async def chat(self, backend: str, fields: Mapping[str, Any]) -> str | None:
        """A backend's answer to a chat request, None if it gives none. The call's cost is
        recorded."""
        if not self._may_call(backend, fields):
            return None
        key_id = self.request.key_id
        call = Call(CHAT, orjson.dumps(fields), False, self.request.id, key_id=key_id)
        try:
            end = await self.reserve((backend,), call.body)
        except Limited as error:
            self.stopped, self.problem, self.limited = "limit", error.message, error
            return None
        begun = self.ceilings.clock()
        outcome = await self._within_time(backend, call)
        self._longest = max(self._longest, self.ceilings.clock() - begun)
        if outcome is None:
            usage = Usage(tokens_in(str(fields["messages"])), 0, estimated=True)
            seconds = self.ceilings.clock() - begun
            late = Attempt(backend, 0, "deadline", "nobody waited for its answer", seconds)
            self._pay(late, usage)
            end(self.attempts[-1:], waited=False)
            return None
        good = outcome.answered and not outcome.callers_fault
        if good:
            prompt = tokens_in(str(fields["messages"]))
            self._pay(outcome.attempt, outcome.usage or Usage(prompt, len(outcome.body) // 4))
        else:
            kind = self.config.backends[backend].kind
            self.attempts.append(replace(outcome.attempt, provider=kind))
        end(self.attempts[-1:])
        return answer_text(outcome.body) if good else None

    async def compute(self, sandbox: str, body: bytes) -> CallOutcome | None:
        """The outcome of a job of the sandbox; None if the time is up."""
        begun = self.ceilings.clock()
        call = Call(COMPUTE, body, False, self.request.id)
        outcome = await self._within_time(sandbox, call)
        self._running = max(self._running, self.ceilings.clock() - begun)
        if outcome is None:
            seconds = self.ceilings.clock() - begun
            attempt = Attempt(sandbox, 0, "deadline", "nobody waited for its end", seconds)
            self.attempts.append(replace(attempt, provider="sandbox"))
        return outcome

    def note(self, attempt: Attempt, *, fault: str = "", detail: str = "") -> None:
        """Record a run of the sandbox, with the fault of its program if the program failed."""
        if fault:
            attempt = replace(attempt, fault=fault, detail=detail)
        self.attempts.append(replace(attempt, provider="sandbox"))

    def _may_call(self, backend: str, fields: Mapping[str, Any]) -> bool:
        left = self.ceilings.seconds_left
        if left is not None and left <= 0:
            self.stopped, self.problem = "latency", f"no time was left for {backend}"
            return False
        most, expected = self.ceilings.most_usd, self._expected_usd(backend, fields)
        if most is None or (expected is not None and self.spent_usd + expected <= most):
            return True
        self.stopped = "cost"
        if expected is None:
            self.problem = unpriced_problem(backend, most)
            return False
        self.problem = (
            f"${self.spent_usd:.6g} is spent, {backend} is expected to cost ${expected:.6g}, and "
            f"the ceiling is ${most:.6g}; raise it"
        )
        return False

    async def _within_time(self, backend: str, call: Call) -> CallOutcome | None:
        try:
            async with asyncio.timeout(self.ceilings.seconds_left):
                return await self.attempt(backend, call)
        except TimeoutError:
            self.stopped, self.problem = "latency", f"no time was left for {backend}"
            return None

    def _pay(self, attempt: Attempt, usage: Usage) -> None:
        settings = self.config.backends[attempt.backend]
        cost = priced(settings.price, usage)
        self.attempts.append(replace(attempt, provider=settings.kind, usage=usage, cost_usd=cost))
