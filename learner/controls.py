"""Simple policies: a learner has to beat these controls before anyone should use it."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from learner.policy import Arm, Context, Distribution


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always chooses the same arm; if that arm cannot be used, all other arms get equal shares."""

    arm: Arm

    def distribution(self, context: Context, arms: Sequence[Arm]) -> Distribution:  # noqa: ARG002
        if self.arm in arms:
            return {arm: float(arm == self.arm) for arm in arms}
        return dict.fromkeys(arms, 1 / len(arms))


@dataclass(frozen=True, slots=True)
class Ladder:
    """Chooses an arm by a number of the context: each cut that the number reaches climbs one rung.

    There is one more rung than there are cuts. If the arm of a rung cannot be used, the next higher
    usable rung decides; if there is none, the next lower one.
    """

    feature: str
    cuts: tuple[float, ...]
    rungs: tuple[Arm, ...]

    def __post_init__(self) -> None:
        if len(self.rungs) != len(self.cuts) + 1:
            raise ValueError(
                f"{len(self.cuts)} cuts need {len(self.cuts) + 1} rungs, not {self.rungs!r}"
            )
        if list(self.cuts) != sorted(self.cuts):
            raise ValueError(f"cuts must rise, got {self.cuts!r}: sort them")

    def distribution(self, context: Context, arms: Sequence[Arm]) -> Distribution:
        rung = bisect_right(self.cuts, context[self.feature])
        order = (*self.rungs[rung:], *reversed(self.rungs[:rung]))
        chosen = next((arm for arm in order if arm in arms), None)
        if chosen is None:  # none of the usable arms is on the ladder
            return dict.fromkeys(arms, 1 / len(arms))
        return {arm: float(arm == chosen) for arm in arms}


@dataclass(frozen=True, slots=True)
class Mix:
    """The same odds for every request; usable arms divide the share of an unusable arm."""

    shares: Mapping[Arm, float]

    def __post_init__(self) -> None:
        if not self.shares or min(self.shares.values()) < 0 or not sum(self.shares.values()):
            raise ValueError(f"a mix needs shares, none below zero, got {dict(self.shares)!r}")

    def distribution(self, context: Context, arms: Sequence[Arm]) -> Distribution:  # noqa: ARG002
        shares = {arm: self.shares.get(arm, 0.0) for arm in arms}
        total = sum(shares.values())
        if not total:
            return dict.fromkeys(arms, 1 / len(arms))
        return {arm: share / total for arm, share in shares.items()}


def cost_matched(costs: Mapping[Arm, float], spent: float) -> Mix:
    """The mix of the cheapest and the dearest arm that costs `spent` on average."""
    low, high = (pick(costs, key=lambda arm: costs[arm]) for pick in (min, max))
    span = costs[high] - costs[low]
    share = min(max((spent - costs[low]) / span, 0.0), 1.0) if span > 0 else 0.0
    return Mix({low: 1 - share, high: share} if low != high else {low: 1.0})
