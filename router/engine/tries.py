"""Tries backends one after another, with retries, and notes which backends are resting."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from router.calls.attempts import Attempts, pause_before_retry
from router.calls.outcome import CallOutcome
from router.config.config import Config
from router.config.manners import manners_of
from router.dialects.extensions import is_plain, without_extensions
from router.domain import Attempt, Call
from router.plans.loads import Loads
from router.plans.pace import Pace
from router.telemetry.metrics import Counter, Metrics

# Seconds to wait for a replica of a chain's last backend: Ray replaces a lost replica in 2 to 4.
_PATIENCE = 15.0
_IMPATIENCE = 0.5  # seconds, if another backend can answer instead


class Tell(Protocol):
    def __call__(self, kind: str, subject: str, state: str, **detail: object) -> None:
        """Record an event of the service."""


@dataclass
class Tries:
    attempts: Attempts
    metrics: Metrics
    steady: Callable[[], float]
    uniform: Callable[[], float]
    tell: Tell
    pace: Pace = field(default_factory=Pace)
    loads: Loads = field(init=False)
    resting: dict[str, float] = field(default_factory=dict)  # when each backend's rest ends
    _counters: dict[tuple[str, str], Counter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loads = Loads(self.steady)

    async def try_chain(
        self, config: Config, chain: tuple[str, ...], call: Call, tried: list[Attempt]
    ) -> CallOutcome:
        """Try backends in order, and return the first answer or the last failure. Every attempt
        goes into `tried`."""
        outcome: CallOutcome | None = None
        for backend in chain:
            settings = config.backends[backend]
            if settings.off:  # whoever asks: a plan, a guard, a judge
                attempt = Attempt(backend, 0, "disabled", f"it {settings.off}", 0.0)
                outcome = CallOutcome(replace(attempt, provider=settings.kind))
                tried.append(outcome.attempt)
                continue
            patience = _PATIENCE if backend == chain[-1] else _IMPATIENCE
            its_call = call.to(backend, speaks=settings.speaks if call.native else ())
            if its_call.extended and not settings.reads_extensions:
                manners = manners_of(settings)
                if not is_plain(its_call.body, manners):
                    its_call = without_extensions(its_call, manners)
            for turn in range(settings.retry.times + 1):
                with self.loads.calling(backend) as ends:
                    outcome = await self.attempts.try_once(backend, its_call, patience=patience)
                    ends(outcome.answered)
                self._note(outcome)
                if outcome.answered:
                    tried.append(outcome.attempt)
                    return outcome
                tried.append(replace(outcome.attempt, provider=settings.kind))
                pause = pause_before_retry(
                    outcome.attempt,
                    settings.retry,
                    turn=turn,
                    retry_after=outcome.retry_after,
                    uniform=self.uniform(),
                )
                if pause is None:
                    break
                await asyncio.sleep(pause)
        if outcome is None:
            raise ValueError("a chain without backends: the decision lets none through")
        return outcome

    def resting_at(self, now: float) -> list[str]:
        return [backend for backend, until in self.resting.items() if until > now]

    def _counter(self, backend: str, outcome: str) -> Counter:
        counter = self._counters.get((backend, outcome))
        if counter is None:
            counter = self.metrics.counter(
                "waggle_attempts_total", backend=backend, outcome=outcome
            )
            self._counters[backend, outcome] = counter
        return counter

    def _note(self, outcome: CallOutcome) -> None:
        attempt = outcome.attempt
        if not attempt.fault:
            self.pace.see(attempt.backend, attempt.seconds)
        self._counter(attempt.backend, attempt.fault or "answered").value += 1.0
        if attempt.fault == "breaker_open":
            # The backend's own breaker decides; the router only avoids useless calls until then.
            rest = min(outcome.retry_after or 1.0, 2.0)
            if attempt.backend not in self.resting:
                self.tell("breaker", attempt.backend, "open", reason=attempt.detail)
            self.resting[attempt.backend] = self.steady() + rest
        elif not attempt.fault and self.resting.pop(attempt.backend, None) is not None:
            self.tell("breaker", attempt.backend, "closed")
