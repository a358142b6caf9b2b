"""Settings of growth: plans that Waggle makes for patterns of requests, and tries."""

from typing import Literal

from pydantic import Field

from router.config.values import Name, Values


class Growth(Values):
    """What may be made for patterns of requests. It needs `trials.propose`; with `trials.adopt`,
    winners answer without an operator."""

    enabled: bool = Field(True, description="make plans for patterns, where trials may be opened")
    approve: bool = Field(False, description="a made plan waits for a person before its trial")
    author: Name | None = Field(
        None, description="the backend that writes instructions; it reads kept prompts of callers"
    )
    most_plans: int = Field(40, ge=1, le=64, description="made plans that are tried or adopted")
    explore: float = Field(
        0.25, ge=0, le=0.5, description="share of requests that made plans on trial may answer"
    )
    least_alike: int = Field(
        10, ge=2, le=10_000, description="judged answers of a pattern before a plan is made for it"
    )
    epsilon: float = Field(
        0.02, gt=0, le=0.5, description="utility that a made plan must be able to add"
    )
    alpha: float = Field(
        0.05, gt=0, lt=0.5, description="share of adoptions that may be false, over all trials"
    )
    control: float = Field(
        0.05, ge=0.02, le=0.5, description="share of a pattern's requests without its adopted plan"
    )
    serve: Literal["all", "bandit"] = Field(
        "all",
        description="an adopted made plan answers all requests of its pattern but the control's; "
        "or the bandit gives those that are served better elsewhere to other plans",
    )
    most_requests: int = Field(
        600, ge=50, description="requests of a pattern after which a trial ends undecided"
    )
