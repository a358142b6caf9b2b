"""Tries models with one short request each, through the very backends that a service would use.

A request can cost money, so the command says the most beforehand and asks. Not covered: whether
the answer is any good.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from router.backends.build import build
from router.catalog import Price
from router.config.backends import AnyBackend
from router.config.config import Config
from router.config.environment import read_secret
from router.discovery.choosing import Candidate
from router.discovery.proposal import Proposal
from router.domain import CHAT, Call, Fault
from router.plans.logprobs import probability_of

_PROMPT = "Reply with one word: ready"
_INPUT_TOKENS, _OUTPUT_TOKENS = 100, 64  # the prompt has about ten tokens; templates add some
_MOST_BYTES = 2**20
_NEW_BOUND = ("openai", "azure")  # their newer models know `max_completion_tokens` only


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one request; `problem` is empty if the model answered."""

    problem: str = ""
    logprobs: bool = False


def most_usd(proposal: Proposal) -> float:
    """The most dollars that one request to each model can cost."""
    prices = [each.candidate.price or Price(input=0, output=0) for each in proposal.backends]
    return sum(
        price.cost_usd(input_tokens=_INPUT_TOKENS, output_tokens=_OUTPUT_TOKENS) for price in prices
    )


async def try_all(proposal: Proposal, config: Config, *, seconds: float) -> dict[str, Tried]:
    """The outcome for each backend, by its name; all are asked at once."""
    names = [each.name for each in proposal.backends]
    outcomes = await asyncio.gather(
        *(_try(config.backends[each.name], each.candidate, seconds) for each in proposal.backends)
    )
    return dict(zip(names, outcomes, strict=True))


def answering(proposal: Proposal, outcomes: Mapping[str, Tried]) -> list[Candidate]:
    """The models that answered, with what their answers showed."""
    return [
        replace(each.candidate, logprobs=outcomes[each.name].logprobs)
        for each in proposal.backends
        if not outcomes[each.name].problem
    ]


async def _try(settings: AnyBackend, model: Candidate, seconds: float) -> Tried:
    try:
        async with asyncio.timeout(seconds):
            return await _ask(settings, model)
    except TimeoutError:
        return Tried(f"did not answer within {seconds:g} s")
    except (Fault, LookupError) as error:
        return Tried(str(error))


async def _ask(settings: AnyBackend, model: Candidate) -> Tried:
    bound = "max_completion_tokens" if model.provider.name in _NEW_BOUND else "max_tokens"
    fields: dict[str, Any] = {
        "model": model.model,
        "messages": [{"role": "user", "content": _PROMPT}],
        bound: _OUTPUT_TOKENS,
    }
    if model.logprobs:
        fields["logprobs"] = True
    backend = build(settings, read_secret)
    try:
        async with backend.send(Call(CHAT, orjson.dumps(fields), stream=False)) as reply:
            body = b""
            async for piece in reply.body:
                body += piece
                if len(body) > _MOST_BYTES:
                    return Tried("answered more than a megabyte")
            return _tried(reply.status, body, model.place.secret)
    finally:
        await backend.close()


def _tried(status: int, body: bytes, secret: str) -> Tried:
    if status != 200:
        return Tried(f"refused the request ({status}): {_message(body, secret)}")
    try:
        answer = orjson.loads(body)
        if not isinstance(answer["choices"][0]["message"], dict):
            raise TypeError
        return Tried(logprobs=probability_of(body) is not None)
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError, AttributeError):
        return Tried("answered with no chat completion")


def _message(body: bytes, secret: str) -> str:
    """What the server says, cut short and without the key, which some servers repeat."""
    try:
        error = orjson.loads(body).get("error")
        text = error.get("message") if isinstance(error, dict) else error
    except (orjson.JSONDecodeError, AttributeError):
        text = None
    words = " ".join(str(text).split()) if text else "it does not say why"
    return (words.replace(secret, "…") if secret else words)[:160]
