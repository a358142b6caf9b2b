"""The expected cost of a plan, computed from prices alone. Pure.

An unknown price makes the cost of every way through its backend unknown: None, never 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router.catalog import Price
from router.config.plans import SEATS, Ask, Committee, Plan, Step
from router.domain import Request

OUTPUT_TOKENS = 300  # assumed for an answer, unless the caller's bound is lower
INPUT_TOKENS = 500


@dataclass(frozen=True, slots=True)
class Size:
    """Input and output tokens of one call."""

    input_tokens: int = INPUT_TOKENS
    output_tokens: int = OUTPUT_TOKENS


@dataclass(frozen=True, slots=True)
class ExpectedCost:
    """Dollars and calls of the shortest and of the longest way through a plan."""

    least_usd: float | None = 0.0  # None: unknown
    most_usd: float | None = 0.0
    least_calls: int = 0
    most_calls: int = 0

    def __add__(self, other: "ExpectedCost") -> "ExpectedCost":
        return ExpectedCost(
            _sum(self.least_usd, other.least_usd),
            _sum(self.most_usd, other.most_usd),
            self.least_calls + other.least_calls,
            self.most_calls + other.most_calls,
        )

    def times(self, least: int, most: int) -> "ExpectedCost":
        return ExpectedCost(
            _product(self.least_usd, least),
            _product(self.most_usd, most),
            self.least_calls * least,
            self.most_calls * most,
        )


def size_of(request: Request) -> Size:
    """Estimate the tokens of a call before the call is made."""
    bound = request.fields.get("max_completion_tokens") or request.fields.get("max_tokens")
    most = bound if type(bound) is int and bound > 0 else OUTPUT_TOKENS
    return Size(request.reading.tokens, min(most, OUTPUT_TOKENS))


def call_cost(price: Price | None, size: Size) -> float | None:
    return None if price is None else comparable_cost(price, size)


def comparable_cost(price: Price, size: Size) -> float:
    return price.cost_usd(input_tokens=size.input_tokens, output_tokens=size.output_tokens)


def expected(step: Step, usd: Callable[[str], float | None]) -> ExpectedCost:
    """The expected cost of a step of a compiled plan; `usd` is the cost of a backend's call."""
    if isinstance(step, str):
        cost = usd(step)
        return ExpectedCost(cost, cost, 1, 1)
    if isinstance(step, Ask) and step.equals:
        return _gated(step, _any_of(step.alike, usd), usd)
    calls = (expected(inner, usd).times(least, most) for inner, least, most in step.calls)
    total = sum(calls, ExpectedCost())
    if isinstance(step, Committee) and step.committee.design is not None:
        total += _designed(step, usd)
    return _gated(step, total, usd)


def _gated(step: Plan, total: ExpectedCost, usd: Callable[[str], float | None]) -> ExpectedCost:
    if step.gate is None:
        return total
    gate = sum((expected(name, usd) for name in step.gate.asks), ExpectedCost())
    return (total + gate).times(1, step.gate.repair + 1)


def _designed(plan: Committee, usd: Callable[[str], float | None]) -> ExpectedCost:
    """The cost of members that a model chooses: the cheapest, or the dearest on every seat."""
    each = _any_of([step for _, step in plan.places], usd)
    fewest, longest = plan.turns
    return each.times(SEATS[0] * fewest, SEATS[1] * longest)


def _any_of(steps: Sequence[Step], usd: Callable[[str], float | None]) -> ExpectedCost:
    """The cost of one call of one of several, from the cheapest to the dearest."""
    costs = [expected(step, usd) for step in steps]
    least = [cost.least_usd for cost in costs if cost.least_usd is not None]
    most = [cost.most_usd for cost in costs if cost.most_usd is not None]
    if not len(least) == len(most) == len(costs):
        return ExpectedCost(None, None, 1, 1)
    return ExpectedCost(min(least), max(most), 1, 1)


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _product(cost: float | None, times: int) -> float | None:
    """The cost of so many calls. No calls cost nothing, also where the price is unknown."""
    return 0.0 if times == 0 else None if cost is None else cost * times
