"""Traces and signals as a router makes them, for tests that write a journal."""

from router.domain import About, Answered, Attempt, Decision, Request, Signal, Trace, Usage, new_id
from router.request.context import NAMES
from router.request.reading import reading_of

AT = 1_780_000_020.0
NUMBERS = tuple({"complexity": 4.0, "code": 4.0}.get(name) for name in NAMES)


def trace(at: float = AT, **given) -> Trace:
    fields = {"messages": [{"role": "user", "content": "hello"}]}
    request = Request(
        new_id(at), b'{"model":"auto"}', fields, "auto", True, False, "s1", True, False,
        reading_of(fields), "k1",
    )  # fmt: skip
    decision = Decision(
        "dear", 0.25, "bandit", {"cheap": 0.75, "dear": 0.25}, {"tiny": "too small"}, "why",
        4.0, {"code": 4.0}, NUMBERS, policy_version="v7", kind="question",
    )  # fmt: skip
    attempts = (
        Attempt("a", 500, "upstream", "they said: hello", 0.5, provider="openai"),
        Attempt("b", 200, "", "", 0.25, 0.1, Usage(10, 20, 5), 0.002, "openai"),
    )
    defaults = {
        "attempts": attempts,
        "status": 200,
        "seconds": 0.8,
        "first_byte_seconds": 0.6,
        "overhead_seconds": 0.001,
        "answer": Answered(99, "abcd", "the answer"),
        "premium_plan": "dear",
        "premium_cost_usd": 0.004,
    }
    return Trace(request, decision, at, **(defaults | given))


def score(about: About, value: float | None, at: float = AT + 1, /, **given) -> Signal:
    defaults = {"source": "app", "metric": "score", "score": value}
    return Signal(new_id(at), at, about, **(defaults | given))
