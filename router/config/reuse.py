"""Settings of reuse: which remembered answers Waggle may give again."""

from typing import Literal

from pydantic import Field

from router.config.values import Name, Values


class Reuse(Values):
    """Which answers Waggle remembers, how sure a reuse must be, and how long answers stay good."""

    mode: Literal["off", "exact", "similar"] = Field(
        "off", description="exact: the same request; similar: also requests that mean the same"
    )
    budget: float = Field(
        0.01,
        gt=0,
        le=0.5,
        description="share of reused answers that may be wrong, with 95% certainty",
    )
    checked: float = Field(
        0.02, ge=0, le=1, description="lowest share of reuses that are checked by a new answer"
    )
    keep: Literal["proven", "all"] = Field(
        "proven", description="proven: only proven or well rated answers; all: every whole answer"
    )
    ttl_days: float = Field(30.0, gt=0, le=36_500, description="days until a solution expires")
    most: int = Field(
        200_000, ge=10, le=10_000_000, description="most solutions; the least used ones are removed"
    )
    most_bytes: int = Field(65_536, ge=256, le=2**24, description="largest answer that is kept")
    adapter: Name | None = Field(
        None, description="the backend that adapts a remembered answer to the request; null: none"
    )
    verifier: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="the backend, model or plan that is asked whether one answer serves two "
        "requests, and whether two answers say the same; null: none",
    )
    author: Name | None = Field(
        None,
        description="the backend that writes programs for requests that differ in their values; "
        "with it, well rated answers teach which forms of requests ask the same; null: none",
    )
    encoder: str | None = Field(None, description="model folder; default: all-MiniLM-L6-v2")

    @property
    def ttl_seconds(self) -> float:
        return 86_400 * self.ttl_days
