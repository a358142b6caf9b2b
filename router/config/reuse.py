"""What an operator says about reuse."""

from typing import Literal

from pydantic import Field

from router.config.values import Name, Values


class Reuse(Values):
    """Answers from memory: which, how sure, and for how long."""

    mode: Literal["off", "exact", "similar"] = Field(
        "off", description="exact: the same request; similar: also others that mean the same"
    )
    budget: float = Field(
        0.01, gt=0, le=0.5, description="share of reused answers that may be wrong, at 95%"
    )
    checked: float = Field(
        0.02, ge=0, le=1, description="least share of them that is answered anew, to see"
    )
    keep: Literal["proven", "all"] = Field(
        "proven", description="proven: verified or well rated answers only; all: any that is whole"
    )
    ttl_days: float = Field(30.0, gt=0, le=36_500, description="how long a solution is good for")
    most: int = Field(200_000, ge=10, le=10_000_000, description="solutions; the least used go")
    most_bytes: int = Field(65_536, ge=256, le=2**24, description="of an answer that is kept")
    adapter: Name | None = Field(
        None, description="the backend that changes a remembered answer to fit; null: none does"
    )
    encoder: str | None = Field(None, description="a model's folder; default: all-MiniLM-L6-v2")

    @property
    def ttl_seconds(self) -> float:
        return 86_400 * self.ttl_days
