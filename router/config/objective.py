"""TODO: what this module promises."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from learner.preference import PRESETS, Preference
from router.config.values import Dollars, Name, Seconds, Values
from router.request.complexity import PARTS

_WEIGHTS = dict(zip(PARTS, (0.6, 0.4, 0.3, 0.5, 0.5, 0.5, 0.6), strict=True))


Weight = Annotated[float, Field(ge=0, le=1)]


Part = Literal["fields", "nesting", "arrays", "rules", "length", "code", "question"]


class LadderSettings(Values):
    rungs: tuple[Name, ...] = Field((), description="plans, from the cheapest; default: as listed")
    cuts: tuple[Annotated[float, Field(ge=0, le=10)], ...] | None = Field(
        None, description="where the next rung begins, 0 to 10; default: evenly spread"
    )
    weights: dict[Part, Weight] = Field(default_factory=dict)

    @property
    def all_weights(self) -> dict[str, float]:
        return _WEIGHTS | {str(part): weight for part, weight in self.weights.items()}


class Weights(Values):
    """What a unit of log-cost and of log-latency takes off quality."""

    cost: float = Field(0.1, ge=0, le=10)
    latency: float = Field(0.05, ge=0, le=10)


class MoneyBudget(Values):
    """What may be spent; the bandit keeps to it. One of the two."""

    dollars_per_day: Dollars | None = None
    dollars_per_1k: Dollars | None = Field(None, description="for each thousand requests")

    @model_validator(mode="after")
    def _one(self) -> "MoneyBudget":
        if (self.dollars_per_day is None) == (self.dollars_per_1k is None):
            raise ValueError("a budget is either `dollars_per_day` or `dollars_per_1k`")
        if not (self.dollars_per_day or self.dollars_per_1k):
            raise ValueError("a budget of nothing leaves nothing to choose: name more than 0")
        return self


class Learning(Values):
    """How the bandit learns, and how much it may risk."""

    explore: float = Field(
        0.1, ge=0, le=1, description="share of requests for plans not yet known to be as good"
    )
    margin: float = Field(
        0.02, ge=0, le=1, description="of utility: how much worse than the default is as good"
    )
    floor: float = Field(0.001, ge=0, le=0.05, description="least share of any plan")
    memory: float = Field(
        20_000, ge=100, le=1e9, description="judged answers after which one counts half"
    )
    snapshot_seconds: Seconds = Field(30.0, description="between two snapshots that are kept")
    snapshots: int = Field(20, ge=2, le=10_000, description="how many are kept")
    stale_seconds: Seconds = Field(30.0, description="a router says so that heard nothing as long")
    encode: bool = Field(False, description="a sentence vector for each request: 1.5 ms")


class Trials(Values):
    """How strategies compete, and what may happen without an operator."""

    propose: bool = Field(False, description="open trials of what is distilled, written or simpler")
    adopt: bool = Field(False, description="adopt winners by steps; else an operator does")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="chance of a false verdict of one trial")
    most_requests: int = Field(20_000, ge=100, description="a trial ends undecided after these")
    epsilon: float = Field(
        0.01, gt=0, le=0.5, description="of utility: what may be lost to be simpler"
    )
    control: float = Field(
        0.02, ge=0.02, le=0.5, description="share of requests that what was adopted is held against"
    )
    step_requests: int = Field(
        100, ge=10, description="judged requests, decided apart, in each step of an adoption"
    )
    shadow_requests: int = Field(100, ge=10, description="before a function is tried for real")
    every_hours: float = Field(24.0, gt=0, description="between two looks for something simpler")
    function_ms: float = Field(5.0, gt=0, le=1000, description="deadline of a routing function")
    writer: Name | None = Field(None, description="the backend that writes routing functions")


Quality = Annotated[float, Field(ge=0, le=1)]


class Objective(Values):
    strategy: Literal["ladder", "fixed", "bandit"] = "ladder"
    plan: Name | None = Field(None, description="of the strategy `fixed`; the bandit's default")
    optimize: Literal["quality", "balanced", "cheap", "fast"] = "balanced"
    weights: Weights | None = Field(None, description="in place of what `optimize` stands for")
    budget: MoneyBudget | None = None
    cards: dict[Name, dict[str, Quality]] = Field(
        default_factory=dict,
        description="quality expected of a plan, by kind of request or task; `any` for all",
    )
    learning: Learning = Learning()
    premium: Name | None = Field(
        None, description="the plan that savings are counted against; default: the dearest"
    )
    ladder: LadderSettings = LadderSettings()

    @property
    def preference(self) -> Preference:
        """What cost and latency weigh against quality, unless a request says otherwise."""
        if self.weights is not None:
            return Preference(self.weights.cost, self.weights.latency)
        return PRESETS[self.optimize]
