"""Is there anything to learn on a kind of request, how much is left, and what does exploring cost?

Worked out from a policy's estimates for the average request of each kind, without chance. The value
of knowing more takes the estimates' errors as normal and independent. Errors that the plans share
are counted as each plan's own, so `left` is rather too high than too low. What could be won by
telling the requests of one kind apart is not in these numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from learner.policy import Arm
from learner.preference import Estimate
from router.learning.arrivals import Arrivals, DailyRate, JudgedLast
from router.routing.bandit import exploring_costs

_EDGES = np.array([-8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0])  # standard deviations
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_LEAST_WIDTH = 1e-12


@dataclass(frozen=True, slots=True)
class KindRecord:
    """What the learner holds about a kind of request."""

    requests: int
    judged: int
    estimates: Sequence[Estimate]  # for an average request of the kind


@dataclass(frozen=True, slots=True)
class Exploring:
    """What it costs not always to take the plan that is expected to be best."""

    utility: float  # lost on a request that the bandit decides
    utility_per_day: float
    usd_per_day: float  # more than the best plan would cost; negative if exploring is cheaper


@dataclass(frozen=True, slots=True)
class Prospect:
    """What learning brings on one kind of request, or on all. Utility is a mean over requests."""

    best: Arm | None  # None for all kinds together, if their best plans differ
    single: Arm  # the best plan for the whole traffic, if it had to be one
    plans: int
    gain: float  # the utility of the best plan over the single plan
    gain_deviation: float
    left: float  # the utility that exact knowledge of every plan would add
    exploring: Exploring
    rate: DailyRate
    judged: int
    last: JudgedLast


def prospects_of(
    kinds: Mapping[str, KindRecord], arrivals: Arrivals, *, now: float
) -> dict[str, Prospect]:
    """The prospect of each kind. `""` stands for all requests: the mean of the other kinds.

    There are no prospects if no plan has an estimate.
    """
    parts = {kind: record for kind, record in kinds.items() if kind and record.requests}
    parts = parts or {"": kinds[""]}
    if not all(record.estimates for record in parts.values()):
        return {}
    single = best_single(parts)
    prospects = {
        kind: _prospect(kind, record, single, arrivals, now) for kind, record in parts.items()
    }
    if "" in parts:
        return prospects
    return {"": _together(parts, prospects, kinds[""].judged, arrivals, now), **prospects}


def best_single(kinds: Mapping[str, KindRecord]) -> Arm:
    """The plan with the highest mean utility over all requests."""
    total: dict[Arm, float] = {}
    for record in kinds.values():
        for estimate in record.estimates:
            utility = max(record.requests, 1) * estimate.utility
            total[estimate.arm] = total.get(estimate.arm, 0.0) + utility
    return max(total, key=lambda arm: total[arm])


def value_of_knowing(means: Sequence[float], deviations: Sequence[float]) -> float:
    """E[max] - max E of independent normal values: what it would add to know each value exactly.

    For the greatest mean m, that is the integral of 1 - F above m less the integral of F below m,
    where F is the product of the distribution functions. Between edges that lie as close as each
    function needs, Gauss-Legendre quadrature is as good as exact.
    """
    from scipy.special import ndtr  # the start of a service does not need it

    centres = np.asarray(means, dtype=np.float64)
    widths = np.maximum(np.asarray(deviations, dtype=np.float64), _LEAST_WIDTH)
    top = centres.max()
    edges = np.unique(np.append((centres[:, None] + widths[:, None] * _EDGES).ravel(), top))
    edges = edges[edges >= (centres + widths * _EDGES[0]).max()]
    half = np.diff(edges)[:, None] / 2
    at = edges[:-1, None] + half * (1 + _NODES)
    below = ndtr((at[None] - centres[:, None, None]) / widths[:, None, None]).prod(axis=0)
    parts = np.where(at > top, 1 - below, -below) * half * _WEIGHTS
    return max(float(parts.sum()), 0.0)


def _prospect(
    kind: str, record: KindRecord, single: Arm, arrivals: Arrivals, now: float
) -> Prospect:
    estimates = record.estimates
    best = max(estimates, key=lambda estimate: estimate.utility)
    usual = next(estimate for estimate in estimates if estimate.arm == single)
    deviations = [_deviation(estimate) for estimate in estimates]
    rate = arrivals.rate(kind, now)
    lost = exploring_costs(estimates, {estimate.arm: estimate.share for estimate in estimates})
    dearer = sum(estimate.share * (estimate.cost - best.cost) for estimate in estimates)
    apart = (_deviation(best) ** 2 + _deviation(usual) ** 2) ** 0.5
    return Prospect(
        best.arm,
        single,
        len(estimates),
        best.utility - usual.utility,
        apart if best.arm != single else 0.0,
        value_of_knowing([estimate.utility for estimate in estimates], deviations),
        Exploring(lost, lost * rate.decided, dearer * rate.decided),
        rate,
        record.judged,
        arrivals.judged_last(kind),
    )


def _deviation(estimate: Estimate) -> float:
    """The standard deviation of the utility, of which only the quality is taken as unsure."""
    return estimate.deviation * (1 - estimate.failure)


def _together(
    kinds: Mapping[str, KindRecord],
    prospects: Mapping[str, Prospect],
    judged: int,
    arrivals: Arrivals,
    now: float,
) -> Prospect:
    total = sum(record.requests for record in kinds.values())
    weighed = [(kinds[kind].requests / total, prospect) for kind, prospect in prospects.items()]
    bests = {prospect.best for prospect in prospects.values()}
    costs = [prospect.exploring for prospect in prospects.values()]
    first = weighed[0][1]
    return Prospect(
        bests.pop() if len(bests) == 1 else None,
        first.single,
        first.plans,
        sum(weight * prospect.gain for weight, prospect in weighed),
        sum((weight * prospect.gain_deviation) ** 2 for weight, prospect in weighed) ** 0.5,
        sum(weight * prospect.left for weight, prospect in weighed),
        Exploring(
            sum(weight * prospect.exploring.utility for weight, prospect in weighed),
            sum(cost.utility_per_day for cost in costs),
            sum(cost.usd_per_day for cost in costs),
        ),
        arrivals.rate("", now),
        judged,
        arrivals.judged_last(""),
    )
