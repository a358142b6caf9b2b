"""How sure a backend was of its own words, by the log probabilities it gave. Pure."""

import math
from collections.abc import Iterator
from typing import Any

import orjson


def probability_of(body: bytes) -> float | None:
    """The mean probability of a token (geometric), or what a specialist says itself; None where
    neither came."""
    own = orjson.loads(body).get("specialist")
    if isinstance(own, dict):
        return float(own["confidence"])
    told = [token["logprob"] for token in _tokens(body)]
    return math.exp(sum(told) / len(told)) if told else None


def entropy_of(body: bytes) -> float | None:
    """Mean bits a token, over its likeliest alternatives; what they leave counts as one more."""
    entropies = []
    for token in _tokens(body):
        chances = [math.exp(t["logprob"]) for t in _alternatives(token)]
        if not chances:
            return None
        rest = max(1 - sum(chances), 0.0)
        entropies.append(-sum(p * math.log2(p) for p in (*chances, rest) if p > 0))
    return sum(entropies) / len(entropies) if entropies else None


def _tokens(body: bytes) -> Iterator[dict[str, Any]]:
    told = orjson.loads(body)
    for choice in told.get("choices") or ():
        logprobs = choice.get("logprobs")
        content = logprobs.get("content") if isinstance(logprobs, dict) else None
        for token in content if isinstance(content, list) else ():
            if isinstance(token, dict) and _number(token.get("logprob")):
                yield token


def _alternatives(token: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in token.get("top_logprobs") or ():
        if isinstance(one, dict) and _number(one.get("logprob")):
            yield one


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value <= 1e-6
