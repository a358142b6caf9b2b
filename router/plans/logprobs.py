"""How sure a backend was of its answer, computed from the log probabilities in it. Pure."""

import math
from collections.abc import Iterator
from typing import Any

import orjson

_STATED = (("specialist", "confidence"), ("knowledge", "confidence"), ("learned", "probability"))


def probability_of(body: bytes) -> float | None:
    """The geometric mean of the token probabilities, or the confidence that a specialist or a
    learned model states; None if the answer has neither."""
    answer = orjson.loads(body)
    for kind, name in _STATED:
        if isinstance(answer.get(kind), dict):
            return float(answer[kind][name])
    logprobs = [token["logprob"] for token in _tokens(body)]
    return math.exp(sum(logprobs) / len(logprobs)) if logprobs else None


def entropy_of(body: bytes) -> float | None:
    """The mean entropy of a token in bits, over its likeliest alternatives; the rest of the
    probability counts as one more alternative."""
    entropies = []
    for token in _tokens(body):
        chances = [math.exp(t["logprob"]) for t in _alternatives(token)]
        if not chances:
            return None
        rest = max(1 - sum(chances), 0.0)
        entropies.append(-sum(p * math.log2(p) for p in (*chances, rest) if p > 0))
    return sum(entropies) / len(entropies) if entropies else None


def _tokens(body: bytes) -> Iterator[dict[str, Any]]:
    answer = orjson.loads(body)
    for choice in answer.get("choices") or ():
        logprobs = choice.get("logprobs")
        content = logprobs.get("content") if isinstance(logprobs, dict) else None
        for token in content if isinstance(content, list) else ():
            if isinstance(token, dict) and _number(token.get("logprob")):
                yield token


def _alternatives(token: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for alternative in token.get("top_logprobs") or ():
        if isinstance(alternative, dict) and _number(alternative.get("logprob")):
            yield alternative


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value <= 1e-6
