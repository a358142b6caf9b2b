"""Settings of routing: the strategy, its goals, its learning and budget, and trials."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from learner.preference import PRESETS, Preference
from router.catalog import Dollars
from router.config.values import Name, Seconds, Values
from router.request.complexity import PARTS

_SHADOW_SHARE = 0.05
_WEIGHTS = dict(zip(PARTS, (0.6, 0.4, 0.3, 0.5, 0.5, 0.5, 0.6), strict=True))
Weight = Annotated[float, Field(ge=0, le=1)]
Quality = Annotated[float, Field(ge=0, le=1)]
Part = Literal["fields", "nesting", "arrays", "rules", "length", "code", "question"]


class LadderSettings(Values):
    """Settings of the strategy `ladder`: a harder request gets a higher rung."""

    rungs: tuple[Name, ...] = Field(
        (), description="plans, the cheapest first; default: by price, then by public results"
    )
    cuts: tuple[Annotated[float, Field(ge=0, le=10)], ...] | None = Field(
        None, description="complexity (0 to 10) at which each next rung begins; default: even steps"
    )
    weights: dict[Part, Weight] = Field(
        default_factory=dict, description="how far each part alone can lift the complexity"
    )

    @property
    def all_weights(self) -> dict[str, float]:
        return _WEIGHTS | {str(part): weight for part, weight in self.weights.items()}


class Weights(Values):
    """The quality that one unit of log-cost or of log-latency is worth."""

    cost: float = Field(0.1, ge=0, le=10)
    latency: float = Field(0.05, ge=0, le=10)


class MoneyBudget(Values):
    """The most that the bandit may spend, for each day or for each thousand requests."""

    dollars_per_day: Dollars | None = None
    dollars_per_1k: Dollars | None = Field(None, description="most dollars for a thousand requests")

    @model_validator(mode="after")
    def _one_bound_above_zero(self) -> "MoneyBudget":
        if (self.dollars_per_day is None) == (self.dollars_per_1k is None):
            raise ValueError("a budget is either `dollars_per_day` or `dollars_per_1k`")
        if not (self.dollars_per_day or self.dollars_per_1k):
            raise ValueError("a budget of 0 leaves no plan to choose: give more than 0")
        return self


class Learning(Values):
    """How the bandit learns and explores."""

    explore: float = Field(
        0.1,
        ge=0,
        le=1,
        description="largest share of requests that try other plans; 1: no guard",
    )
    margin: float = Field(
        0.004,
        ge=0,
        le=1,
        description="utility that choosing by context may lose until it is proved",
    )
    floor: float = Field(0.0002, ge=0, le=0.05, description="lowest share of requests for any plan")
    memory: float = Field(
        20_000, ge=100, le=1e9, description="an answer counts half after so many later ones"
    )
    snapshot_seconds: Seconds = Field(30.0, description="seconds between two snapshots")
    snapshots: int = Field(20, ge=2, le=10_000, description="how many snapshots are kept")
    stale_seconds: Seconds = Field(
        30.0,
        description="a router calls its policy stale if the learner is silent for so many seconds",
    )
    encode: bool = Field(
        False, description="compute a sentence vector for each request; this takes 1.5 ms"
    )


class Trials(Values):
    """How trials run, and which steps of a trial need no operator."""

    propose: bool = Field(
        False, description="open trials of distilled, written and simpler strategies"
    )
    adopt: bool = Field(False, description="adopt winners step by step; false: an operator adopts")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="chance of a false verdict in one trial")
    most_requests: int = Field(
        20_000, ge=100, description="a trial ends undecided after so many requests"
    )
    epsilon: float = Field(
        0.01, gt=0, le=0.5, description="how much utility a simpler strategy may lose"
    )
    control: float = Field(
        0.02, ge=0.02, le=0.5, description="share of requests in the control group of an adoption"
    )
    step_requests: int = Field(
        100, ge=10, description="judged requests that strategies decide differently, for each step"
    )
    shadow_requests: int = Field(
        100, ge=10, description="requests that a function decides in shadow before its trial"
    )
    every_hours: float = Field(
        24.0, gt=0, description="hours between two searches for a simpler plan"
    )
    function_ms: float = Field(5.0, gt=0, le=1000, description="deadline of a routing function")
    writer: Name | None = Field(None, description="the backend that writes routing functions")


class Objective(Values):
    """The strategy of routing, and the goals that it follows."""

    strategy: Literal["ladder", "fixed", "bandit"] = "ladder"
    plan: Name | None = Field(
        None, description="the plan of the strategy `fixed`, or the default of the bandit"
    )
    optimize: Literal["quality", "balanced", "cheap", "fast"] = "balanced"
    weights: Weights | None = Field(None, description="they replace the weights of `optimize`")
    budget: MoneyBudget | None = None
    cards: dict[Name, dict[str, Quality]] = Field(
        default_factory=dict,
        description="expected quality of each plan, by kind of request or task, or `any`",
    )
    learning: Learning = Learning()
    waits: bool = Field(
        True, description="count what a busy backend makes a request wait when the bandit decides"
    )
    premium: Name | None = Field(
        None,
        description="the plan that savings are compared with; default: the dearest with a price",
    )
    ladder: LadderSettings = LadderSettings()
    start: Literal["live", "shadow"] = Field(
        "live",
        description="shadow: serve what callers name, and record what `auto` would have chosen",
    )
    switch: bool = Field(
        False, description="let `auto` leave the shadow by itself once it is shown to be no worse"
    )
    shadow_explore: Annotated[float, Field(ge=0, le=0.5)] | None = Field(
        None,
        description="share of requests in the shadow that `auto` answers, to measure it; "
        "default: 0, or 0.05 with `switch`",
    )
    shadow_margin: Quality = Field(
        0.02, description="quality of an answer that `auto` may lose and still be called equal"
    )

    @property
    def explored_in_shadow(self) -> float:
        if self.shadow_explore is None:
            return _SHADOW_SHARE if self.switch else 0.0
        return self.shadow_explore

    @property
    def preference(self) -> Preference:
        """The default weights of cost and latency against quality; a request may set others."""
        if self.weights is not None:
            return Preference(self.weights.cost, self.weights.latency)
        return PRESETS[self.optimize]
