"""Plays requests through the comparison that the service uses, and looks at it again and again."""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from experiments.shadow.worlds import MARGIN, Chance, ShadowRequests
from learner.assignment import Side
from learner.comparison import Comparison, TrialRules
from learner.sequence import ComparedUnit, Interval
from learner.takeover import takeover_of

LOOKS = 50  # requests between two looks


@dataclass
class Looks:
    """How the intervals of one run did, at every look and at the last one."""

    looked: int = 0
    saving_held: bool = True
    quality_held: bool = True
    last_saving_held: bool | None = None  # None: nothing was told
    last_quality_held: bool | None = None
    switched_at: int | None = None
    half_usd: float | None = None  # of the last interval, as a share of what the callers paid


def play(
    requests: ShadowRequests, *, share: float, judged: float, chance: Chance, stop: bool = False
) -> Looks:
    """Give each request to a side. `stop`: nobody looks any more once `auto` is switched on."""
    comparison, looks = Comparison(TrialRules(), share), Looks()
    sides = chance.random(len(requests.apart)) < share
    judgements = chance.random(len(requests.apart)) < judged
    saved, gained = requests.saved.cumsum(), requests.gained.cumsum()
    for n, (candidate, is_judged) in enumerate(zip(sides, judgements, strict=True), 1):
        _add(comparison, requests, n - 1, candidate=bool(candidate), judged=bool(is_judged))
        if n % LOOKS:
            continue
        takeover = takeover_of(comparison, MARGIN)
        if takeover.proven and looks.switched_at is None:
            looks.switched_at = n
            if stop:
                return looks
        if stop:
            continue
        looks.looked += 1
        looks.last_saving_held = _held(takeover.saving, saved[n - 1] / n)
        if looks.last_saving_held is not None:
            paid = float(requests.usd[:n, 0].mean())
            looks.half_usd = (takeover.saving.high - takeover.saving.low) / 2 / paid
        quality = takeover.quality if comparison.enough else Interval(-np.inf, 0.0, np.inf)
        looks.last_quality_held = _held(quality, gained[n - 1] / n)
        looks.saving_held &= looks.last_saving_held is not False
        looks.quality_held &= looks.last_quality_held is not False
    return looks


def _held(interval: Interval, truth: float) -> bool | None:
    if not isfinite(interval.high):
        return None
    return bool(interval.low - 1e-12 <= truth <= interval.high + 1e-12)


def _add(
    comparison: Comparison, requests: ShadowRequests, n: int, *, candidate: bool, judged: bool
) -> None:
    """Add a unit to those parts of the comparison that a takeover reads."""
    side: Side = "candidate" if candidate else "current"
    comparison.assigned[side] += 1
    if not requests.apart[n]:
        return
    at = int(candidate)
    chance = comparison.share if candidate else 1 - comparison.share
    quality, usd = float(requests.quality[n, at]), float(requests.usd[n, at])
    context = {f"kind={requests.groups[n]}": 1.0}
    unit = ComparedUnit(side, chance, context, 0.0, 0.0, False, quality, dollars=usd)
    comparison.apart[side] += 1
    comparison.dollars.span = max(comparison.dollars.span, usd)
    comparison.dollars.add(unit, usd)
    if judged:
        comparison.judged[side] += 1
        comparison.quality.add(unit, quality)
