"""Asks a backend to classify words for a guard, within the limits of the caller's key.

The call is an attempt with the role `guard`, priced like any other. A backend that fails, is late
or answers with anything but a label is a failure of the guard.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import orjson

from router.calls.prices import priced
from router.config.config import Config
from router.config.guardrails import Guard
from router.domain import CHAT, Attempt, Call, Request, Usage
from router.engine.verifying import Limiting, Tried
from router.guardrails.classifying import ANSWER_TOKENS, ROLE, label_in, question
from router.guardrails.refusals import GuardFailed
from router.guardrails.texts import Passage
from router.request.text import tokens_in
from router.wire.answers import answer_text


@dataclass
class GuardQuestions:
    tries: Tried
    allowances: Limiting
    clock: Callable[[], float] = time.perf_counter

    async def label(
        self,
        config: Config,
        guard: Guard,
        request: Request,
        passages: Sequence[Passage],
        calls: list[Attempt],
    ) -> str:
        """The label that the backend gives the passages. Its attempts go into `calls`. Raises
        `Limited` if a limit of the key refuses the question."""
        backend = str(guard.ask)
        settings = config.backends[backend]
        asks = {"model": backend, "messages": question(guard, passages), **settings.steadily}
        body = orjson.dumps({**asks, "max_tokens": ANSWER_TOKENS})
        end = await self.allowances.reserve(config, (backend,), request, body)
        tried: list[Attempt] = []
        begun = self.clock()
        try:
            async with asyncio.timeout(guard.timeout_seconds):
                call = Call(CHAT, body, False, request.id)
                outcome = await self.tries.try_chain(config, (backend,), call, tried)
        except (TimeoutError, asyncio.CancelledError) as ended:
            usage = Usage(tokens_in(body.decode()), 0, estimated=True)  # what was sent, at least
            seconds = self.clock() - begun
            left = Attempt(backend, 0, "left_behind", "it took too long", seconds, usage=usage)
            end(_write(config, [*tried, left], calls), waited=False)
            if isinstance(ended, asyncio.CancelledError):
                raise
            late = f"{backend} did not answer within {guard.timeout_seconds:g} s"
            raise GuardFailed(late) from None
        answered = outcome.answered and not outcome.callers_fault
        if answered:
            usage = outcome.usage or Usage(tokens_in(body.decode()), ANSWER_TOKENS, estimated=True)
            tried[-1] = replace(tried[-1], usage=usage)
        end(_write(config, tried, calls))
        if not answered:
            raise GuardFailed(f"{backend} did not answer ({outcome.attempt.fault or 'refused'})")
        label = label_in(guard, answer_text(outcome.body))
        if label is None:
            raise GuardFailed(f"{backend} answered with none of {', '.join(guard.labels)}")
        return label


def _write(config: Config, tried: Sequence[Attempt], calls: list[Attempt]) -> Sequence[Attempt]:
    """Record the attempts of a question, with their prices."""
    written = [
        replace(
            attempt,
            provider=config.backends[attempt.backend].kind,
            role=ROLE,
            cost_usd=priced(config.backends[attempt.backend].price, attempt.usage),
        )
        for attempt in tried
    ]
    calls += written
    return written
