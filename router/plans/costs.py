"""What a plan may be expected to cost, by prices alone. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from router.config.plans import Step
from router.config.values import Price
from router.domain import Request

OUTPUT_TOKENS = 300  # of an answer whose length the caller did not bound
INPUT_TOKENS = 500


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens of one call."""

    input_tokens: int = INPUT_TOKENS
    output_tokens: int = OUTPUT_TOKENS


@dataclass(frozen=True, slots=True)
class ExpectedCost:
    """Between the shortest way through a plan and the longest."""

    least_usd: float = 0.0
    most_usd: float = 0.0
    least_calls: int = 0
    most_calls: int = 0

    def __add__(self, other: "ExpectedCost") -> "ExpectedCost":
        return ExpectedCost(
            self.least_usd + other.least_usd,
            self.most_usd + other.most_usd,
            self.least_calls + other.least_calls,
            self.most_calls + other.most_calls,
        )

    def times(self, least: int, most: int) -> "ExpectedCost":
        return ExpectedCost(
            self.least_usd * least,
            self.most_usd * most,
            self.least_calls * least,
            self.most_calls * most,
        )


def size_of(request: Request) -> Size:
    """Tokens of one call with this request, as far as they can be guessed before it."""
    bound = request.fields.get("max_completion_tokens") or request.fields.get("max_tokens")
    most = bound if isinstance(bound, int) and not isinstance(bound, bool) else OUTPUT_TOKENS
    return Size(request.reading.tokens, min(most, OUTPUT_TOKENS))


def call_cost(price: Price, size: Size) -> float:
    return price.cost_usd(
        input_tokens=size.input_tokens, output_tokens=size.output_tokens, cached_tokens=0
    )


def expected(step: Step, usd: Callable[[str], float]) -> ExpectedCost:
    """What a step of a resolved tree costs, where `usd` is the price of one call of a backend."""
    if isinstance(step, str):
        cost = usd(step)
        return ExpectedCost(cost, cost, 1, 1)
    calls = (expected(inner, usd).times(least, most) for inner, least, most in step.calls)
    total = sum(calls, ExpectedCost())
    if step.gate is None:
        return total
    gate = sum((expected(name, usd) for name in step.gate.asks), ExpectedCost())
    return (total + gate).times(1, step.gate.repair + 1)
