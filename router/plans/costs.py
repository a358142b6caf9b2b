"""What a plan may be expected to cost, before anything is known but prices. Pure."""

from dataclasses import dataclass

from router.config.config import Config
from router.config.plans import (
    Ask,
    Cascade,
    Code,
    FanOut,
    Hedge,
    Pipeline,
    Plan,
    Refine,
    Review,
    Step,
)
from router.domain import Request
from router.request.text import _CHARACTERS_PER_TOKEN, prompt_text

OUTPUT_TOKENS = 300  # of an answer whose length nobody bounded
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


_NOTHING = ExpectedCost()


def call_cost(config: Config, backend: str, size: Size) -> float:
    return config.backends[backend].price.cost_usd(
        input_tokens=size.input_tokens, output_tokens=size.output_tokens, cached_tokens=0
    )


def expected(config: Config, step: Step, size: Size = Size()) -> ExpectedCost:
    plan = config.plan(step)
    own = _own(config, plan, size)
    if plan.gate is None:
        return own
    gate = sum((_call(config, name, size) for name in plan.gate.asks), _NOTHING)
    most = plan.gate.repair + 1
    return own.times(1, most) + gate.times(1, most)


def _call(config: Config, backend: str, size: Size) -> ExpectedCost:
    cost = call_cost(config, backend, size)
    return ExpectedCost(cost, cost, 1, 1)


def _own(config: Config, plan: Plan, size: Size) -> ExpectedCost:
    match plan:
        case Ask():
            return _call(config, plan.ask, size)
        case Code():
            words = _call(config, plan.words, size).times(0, 1) if plan.words else _NOTHING
            return _call(config, plan.code, size) + words
        case Cascade():
            return _cascade(config, plan, size)
        case Pipeline():
            return sum((expected(config, one, size) for one in plan.pipeline), _NOTHING)
        case FanOut():
            merging = _call(config, plan.by, size) if plan.by else _NOTHING
            turns = len(plan.fan_out) if plan.merge == "best" else 1
            branches = sum((expected(config, one, size) for one in plan.fan_out), _NOTHING)
            return branches + merging.times(turns, turns)
        case Refine():
            return _refine(config, plan, size)
        case Review():
            told = plan.review
            draft, review = expected(config, told.draft, size), _call(config, told.reviewer, size)
            return (draft + review) + (draft + review).times(0, told.max)
        case Hedge():
            first, *rest = (expected(config, one, size) for one in plan.hedge)
            return first + sum((one.times(0, 1) for one in rest), _NOTHING)
    raise TypeError(f"no such pattern: {plan!r}")


def _cascade(config: Config, plan: Cascade, size: Size) -> ExpectedCost:
    first, *rest = (expected(config, one, size) for one in plan.cascade)
    check = sum((_call(config, name, size) for name in plan.accept.asks), _NOTHING)
    later = sum((one.times(0, 1) for one in rest), _NOTHING)
    # Agreement needs two drafts; the last rung is not checked.
    if plan.accept.agreement is not None:
        first, later = first + rest[0], sum((one.times(0, 1) for one in rest[1:]), _NOTHING)
    return first + check + later + check.times(0, len(rest) - 1)


def _refine(config: Config, plan: Refine, size: Size) -> ExpectedCost:
    told = plan.refine
    draft, critic = expected(config, told.draft, size), _call(config, told.critic, size)
    fixer = _call(config, told.fixer, size) if told.fixer else draft
    last = expected(config, told.finally_, size) if told.finally_ is not None else _NOTHING
    return draft + critic + (fixer + critic).times(0, told.max) + last.times(0, 1)


def size_of(request: Request) -> Size:
    """Tokens of one call with this request, as far as can be told before."""
    given = request.fields.get("max_completion_tokens") or request.fields.get("max_tokens")
    most = given if isinstance(given, int) and not isinstance(given, bool) else OUTPUT_TOKENS
    size = len(prompt_text(request.fields)) // _CHARACTERS_PER_TOKEN
    return Size(size, min(most, OUTPUT_TOKENS))
