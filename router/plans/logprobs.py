"""How sure a backend was of its answer, computed from the log probabilities in it. Pure."""

import math
from collections.abc import Iterator
from typing import Any

import orjson

_MOST_CHANCES = 8  # alternatives of an answer that are kept
_LEAST_CHANCE = 0.001
_CLOSED_TOKENS, _CLOSED_CHARACTERS = 16, 80  # of an answer that may be a label
BEGINNING = "\u2026"  # ends an alternative of which only the beginning is known
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


def chances_of(body: bytes, text: str) -> dict[str, float]:
    """The chances of a short answer and of its likeliest alternatives, by the logprobs in a body;
    empty for longer answers, where there are none, or if they are of another text than `text`.

    Of an alternative only the beginning is known, up to the token where it parts: `ship…`.
    """
    if b'"logprobs"' not in body or not 0 < len(text) <= _CLOSED_CHARACTERS:
        return {}
    tokens = [token for token in _tokens(body) if isinstance(token.get("token"), str)]
    if len(tokens) > _CLOSED_TOKENS or "".join(t["token"] for t in tokens).strip() != text.strip():
        return {}
    chances: dict[str, float] = {}
    before, sure = "", 1.0
    for token in tokens:
        for other in _alternatives(token):
            if isinstance(other.get("token"), str) and other["token"] != token["token"]:
                begins = f"{(before + other['token']).lstrip()}{BEGINNING}"
                chances[begins] = chances.get(begins, 0.0) + sure * math.exp(other["logprob"])
        before, sure = before + token["token"], sure * math.exp(token["logprob"])
    likely = sorted(chances.items(), key=lambda each: -each[1])[: _MOST_CHANCES - 1]
    kept = {text.strip(): sure} | dict(likely)
    return {each: round(p, 4) for each, p in kept.items() if p >= _LEAST_CHANCE}


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
