"""The order of plans from cheap to strong, and the plan that savings are compared with. Pure.

An unknown price counts as the dearest known price, never as free. Plans of one price are ordered by
what public results say of their models, and plans of one model by their effort.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from router.config.config import Config
from router.config.parameters import EFFORTS, effort_in
from router.config.plans import Ask, Plan

_USUAL_EFFORT = EFFORTS.index("medium") - 0.5  # of a plan that sets none


@dataclass(frozen=True, slots=True)
class PlanRank:
    """What is known of a plan before any request."""

    plan: str
    price: float | None  # dollars for 1,000 usual requests
    effort: int | None = None
    prior: float | None = None  # the quality that public results let expect, from 0 to 1
    stands_in: bool = False  # answers only what no other plan can, and is never the premium plan


def cheapest_first(ranks: Sequence[PlanRank]) -> tuple[str, ...]:
    """The plans from cheap to strong; equal plans stay in their order."""
    dearest = max((rank.price for rank in ranks if rank.price is not None), default=0.0)

    def place(rank: PlanRank) -> tuple[float, float, float]:
        price = dearest if rank.price is None else rank.price
        return price, *_strength(rank)

    return tuple(rank.plan for rank in sorted(ranks, key=place))


def dearest_known(ranks: Sequence[PlanRank]) -> str:
    """The dearest plan. A plan without a known price is the dearest only if all others are free."""
    candidates = [rank for rank in ranks if not rank.stands_in] or list(ranks)
    priced = [rank for rank in candidates if rank.price]
    unpriced = [rank for rank in candidates if rank.price is None]
    best = priced or unpriced or candidates
    return max(best, key=lambda rank: (rank.price or 0.0, *_strength(rank))).plan


def _strength(rank: PlanRank) -> tuple[float, float]:
    prior = -1.0 if rank.prior is None else rank.prior
    return prior, _USUAL_EFFORT if rank.effort is None else rank.effort


def family_of(plan: Plan, config: Config) -> str:
    """The model that a plan asks, without its provider; empty for a plan that is no single model.

    A prompt or a setting of the plan changes the arm, but not the family. The same model at two
    providers is one family.
    """
    if not isinstance(plan, Ask):
        return ""
    families = {
        (plan.model or next(iter(config.backends[name].aliases), "")).rpartition("/")[2].lower()
        for name in plan.alike
    }
    return families.pop() if len(families) == 1 else ""


def effort_of(plan: Plan) -> int | None:
    """How much effort a plan sets for its model: 0 is the least; None if it sets none."""
    effort = effort_in(plan.set_) if isinstance(plan, Ask) else ""
    return EFFORTS.index(effort) if effort in EFFORTS else None
