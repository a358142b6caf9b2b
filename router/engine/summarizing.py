"""Asks a model for the summary of a conversation's oldest part, within the limits of its key.

Not covered: what the summary says. Nobody checked it, so it is never certified, and what is lost in
it is lost for the turns that get it.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from router.calls.prices import priced
from router.config.config import Config
from router.config.values import BackendSettings
from router.conversations.summary_words import asking_for_summary
from router.domain import CHAT, Attempt, Call, Request, Usage
from router.engine.guarding import Guarding
from router.engine.verifying import Limiting, Tried
from router.guardrails.placeholders import restored
from router.plans.compiled import Plans
from router.plans.costs import Size, call_cost
from router.request.reading import reading_of
from router.request.text import tokens_in
from router.routing.named import may_use
from router.wire.answers import answer_text

ROLE = "summary"  # the role of the call among a request's attempts
_SECONDS = 180.0  # that all calls for one summary may take
_MOST_BACKENDS = 3  # that are tried, one after another
_LEAST_WINDOW = 512
_THINKING = 1_024  # tokens beside the summary, which some models need before they write
_TASK_TOKENS = 200
_MODELS = ("openai", "anthropic", "gemini", "local", "llama")
_NO_WINDOW = 10**9


class NoSummary(Exception):
    """No summary could be made; the message says why."""


@dataclass(frozen=True, slots=True)
class MadeSummary:
    text: str
    backend: str


@dataclass
class Summarizing:
    tries: Tried
    allowances: Limiting
    guarding: Guarding
    steady: Callable[[], float] = time.monotonic

    async def extend(
        self,
        plans: Plans,
        request: Request,
        allowed: Collection[str],
        before: str,
        words: str,
        tokens: int,
        calls: list[Attempt],
    ) -> MadeSummary:
        """A summary of `words`, which follow the summary `before`, of at most so many tokens. The
        calls go into `calls`. Raises `NoSummary`, or `Limited` where the key may not make them."""
        size = Size(tokens_in(words) + 2 * tokens + _TASK_TOKENS, tokens)
        resting = self.tries.resting_at(self.steady())
        chain = summarizers(plans, request, allowed, size, resting)
        summary = MadeSummary(before, "")
        try:
            async with asyncio.timeout(_SECONDS):
                room = _window(plans.config.backends[chain[0]]) - 2 * tokens - _TASK_TOKENS
                for piece in _pieces(words, max(room, 64)):
                    summary = await self._ask(plans, request, chain, summary, piece, tokens, calls)
        except TimeoutError:
            raise NoSummary(f"{chain[0]} did not answer within {_SECONDS:g} s") from None
        return summary

    async def _ask(
        self,
        plans: Plans,
        request: Request,
        chain: tuple[str, ...],
        before: MadeSummary,
        words: str,
        tokens: int,
        calls: list[Attempt],
    ) -> MadeSummary:
        config = plans.config
        messages = asking_for_summary(before.text, words, tokens=tokens)
        steadily = min((config.backends[name].steadily for name in chain), key=len)
        fields = {"model": chain[0], "messages": messages, **steadily}
        request = await self._guarded(
            config, request, {**fields, "max_tokens": tokens + _THINKING}, calls
        )
        body = request.body
        tried: list[Attempt] = []
        end = await self.allowances.reserve(config, chain, request, body)
        begun = self.steady()
        sent = Usage(tokens_in(body.decode()), 0, estimated=True)
        try:
            call = Call(CHAT, body, False, request.id)
            outcome = await self.tries.try_chain(config, chain, call, tried)
        except asyncio.CancelledError:
            seconds = self.steady() - begun
            left = Attempt(chain[0], 0, "left_behind", "it took too long", seconds, usage=sent)
            calls += _priced(config, [*tried, left])
            end(calls[-len(tried) - 1 :], waited=False)
            raise
        answered = outcome.answered and not outcome.callers_fault
        text = answer_text(outcome.body).strip() if answered else ""
        if answered:
            usage = outcome.usage or replace(sent, output_tokens=tokens_in(text))
            tried[-1] = replace(tried[-1], usage=usage)
        written = _priced(config, tried)
        calls += written
        end(written)
        if request.guarded is not None:
            text = restored(text, request.guarded.words)
        if not text:
            reason = "gave no text" if answered else f"failed: {outcome.attempt.summary()}"
            raise NoSummary(f"{outcome.attempt.backend} {reason}")
        return MadeSummary(_shortened(text, tokens), outcome.attempt.backend)

    async def _guarded(
        self, config: Config, request: Request, fields: Mapping[str, Any], calls: list[Attempt]
    ) -> Request:
        """The question as the guards let it out: it holds words of earlier turns."""
        body = orjson.dumps(fields)
        asking = replace(
            request, body=body, fields=fields, native=None, reading=reading_of(fields), guarded=None
        )
        asking = await self.guarding.before(config, asking)
        if asking.guarded is not None:
            calls += asking.guarded.calls
        return asking


def summarizers(
    plans: Plans,
    request: Request,
    allowed: Collection[str],
    size: Size,
    resting: Collection[str] = (),
) -> tuple[str, ...]:
    """The backends to ask in turn: the configured one, or the cheapest whose window holds it all;
    else the one with the longest window, which reads in pieces. Raises `NoSummary`."""
    backends, given = plans.config.backends, plans.config.conversations.summarizer
    names = [given] if given is not None else list(backends)
    fit = [n for n in names if _may_summarise(plans, n, request, allowed)]
    if not fit:
        who = f"{given}, which conversations.summarizer names," if given else "no model here"
        verb = "may not summarise this" if given else "may summarise it"
        raise NoSummary(f"{who} {verb} for this key and within this request's bounds")
    rested = [name for name in fit if name not in resting] or fit
    usd = {name: call_cost(backends[name].price, size) for name in rested}
    bound = request.max_cost_usd
    if bound is not None:
        rested = [n for n in rested if (cost := usd[n]) is not None and cost <= bound]
        if not rested:
            raise NoSummary(f"a summary would cost more than the {bound:g} dollars of this request")
    needed = size.input_tokens + size.output_tokens
    whole = [name for name in rested if _window(backends[name]) >= needed]

    def rank(name: str) -> tuple[bool, float, str]:
        cost = usd[name]
        return cost is None, cost or 0.0, name

    if whole:
        return tuple(sorted(whole, key=rank)[:_MOST_BACKENDS])
    return (max(rested, key=lambda name: _window(backends[name])),)


def _may_summarise(plans: Plans, name: str, request: Request, allowed: Collection[str]) -> bool:
    settings = plans.config.backends[name]
    return (
        settings.kind in _MODELS
        and "chat" in settings.capabilities
        and _window(settings) >= _LEAST_WINDOW
        and not settings.last_resort
        and (not request.region or settings.region == request.region)
        and may_use(plans, name, allowed)
    )


def _window(settings: BackendSettings) -> int:
    return _NO_WINDOW if settings.context_window is None else settings.context_window


def _pieces(words: str, tokens: int) -> Iterator[str]:
    """The words in pieces of at most so many tokens, cut between lines where that is possible."""
    most = 4 * tokens
    while len(words) > most:
        at = words.rfind("\n", most // 2, most)
        at = most if at < 0 else at + 1
        yield words[:at]
        words = words[at:]
    yield words


def _shortened(text: str, tokens: int) -> str:
    return text if tokens_in(text) <= tokens else text[: 4 * tokens] + " … (cut here)"


def _priced(config: Config, tried: Sequence[Attempt]) -> list[Attempt]:
    return [
        replace(
            attempt,
            provider=config.backends[attempt.backend].kind,
            role=ROLE,
            cost_usd=priced(config.backends[attempt.backend].price, attempt.usage),
        )
        for attempt in tried
    ]
