"""Compares a candidate with the current strategy, by intervals that hold at every look at once.

Units for which both strategies decide alike cannot differ, so they are only counted. Units that the
strategies decide differently are compared: the outcome, less the outcome to expect in that context,
is weighted by the inverse probability of the unit's side. Anyone may look at the intervals after
every answer, and a trial may end at any look.

The intervals are asymptotic: they rest on an estimated variance, and are wider while few units are
judged. `experiments/trials` measures how often they are wrong.
"""

from dataclasses import dataclass, field
from math import exp, inf, sqrt
from typing import Any, Literal

from learner.assignment import Side
from learner.guards import Guard, LatencyTail
from learner.sequence import (
    MIXING,
    UNKNOWN,
    ComparedUnit,
    Contrast,
    Interval,
    RunningMoments,
    split_evidence,
)

_FEW = 20  # judged units of the side with fewer
_FEW_REQUESTS = 200
_RARE = 0.02  # share of requests below which a group is too rare to be looked at by itself
_SURELY = 2.0  # standard errors
_MOST_GROUPS, _OTHERS = 64, "others"
_MOST_LOG_COST = 2.0  # in powers of ten: a cost a hundred times as high

Goal = Literal["better", "no worse"]


@dataclass(frozen=True, slots=True)
class TrialRules:
    """What a trial must show, and how long it may take."""

    goal: Goal = "better"
    alpha: float = 0.05
    margin: float = 0.01  # utility that a candidate may lose if the goal is "no worse"
    least: int = 50  # compared units before the first verdict
    worth: float = 0.002  # utility of a request: a trial ends once it rules out such a gain
    most_requests: int = 20_000
    quality: float = 0.02  # the loss of quality that a candidate may cause
    cost: float = 0.03  # a rise of log10(1 + 1000 * dollars): 0.03 is 7 % of a high cost
    errors: float = 0.01
    slower: float = 1.5  # a multiple of the current side's 95th percentile
    tight_at: int = 500  # compared units at which the interval of utility is tightest
    # What the candidate goes without is known kind by kind to add nothing. Then that both sides
    # decide alike shows that nothing is lost; otherwise answers must have been compared.
    studied: bool = False
    most_harm: float = 1.0  # utility that any group of requests may lose; 1: whatever is lost

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            raise ValueError(f"alpha = {self.alpha:g}: a chance of error lies in 0 to 0.5")
        if self.least < 2 or self.most_requests < self.least:
            raise ValueError(
                f"least = {self.least} and most_requests = {self.most_requests}: "
                "least must be 2 or more, and most_requests no fewer than least"
            )


@dataclass(slots=True)
class Group:
    """What a trial shows about requests that are alike."""

    requests: int = 0
    apart: int = 0
    values: RunningMoments = field(default_factory=lambda: RunningMoments(1.0))

    @property
    def low(self) -> float:
        """What a request of the group most likely gains at least, by the better of two bounds."""
        share = self.apart / self.requests if self.requests else 1.0
        low = -_most_apart(share, max(self.requests, 1))
        if self.values.n > 1:
            low = max(low, share * (self.values.mean - _SURELY * self.values.error))
        return low


def _no_units() -> dict[Side, int]:
    return {"candidate": 0, "current": 0}


@dataclass
class Comparison:
    """The counts and differences of a trial so far."""

    rules: TrialRules = TrialRules()
    # The intended share of units for the candidate. At 0 or 1 no split is checked.
    share: float = 0.5
    assigned: dict[Side, int] = field(default_factory=_no_units)
    apart: dict[Side, int] = field(default_factory=_no_units)
    judged: dict[Side, int] = field(default_factory=_no_units)
    utility: Contrast = field(default_factory=Contrast)
    quality: Contrast = field(default_factory=Contrast)
    cost: Contrast = field(default_factory=Contrast)
    errors: Contrast = field(default_factory=Contrast)
    dollars: Contrast = field(default_factory=lambda: Contrast(0.0))
    groups: dict[str, Group] = field(default_factory=dict)
    unpriced: int = 0  # units decided differently whose cost nobody knows
    tail: LatencyTail = field(init=False)
    mismatch: float = 0.0  # the strongest evidence against the split so far

    def __post_init__(self) -> None:
        self.tail = LatencyTail(self.rules.slower)
        self.utility.values.mixing = MIXING * 500 / self.rules.tight_at

    def see(self, side: Side, seconds: float, group: str = "") -> None:
        """Count a unit of the trial, whether the sides decide alike or differently."""
        self.assigned[side] += 1
        self._group(group).requests += 1
        self.tail.add(side, seconds)
        if 0 < self.share < 1:
            counts = self.assigned["candidate"], self.assigned["current"]
            self.mismatch = max(self.mismatch, split_evidence(*counts, self.share))

    def expose(self, unit: ComparedUnit) -> None:
        """Add what a unit that the sides decide differently shows before it is judged."""
        self.apart[unit.side] += 1
        self._group(unit.group).apart += 1
        self.cost.add(unit, unit.log_cost)
        self.errors.add(unit, float(unit.failed))
        if unit.dollars is None:
            self.unpriced += 1
        else:
            self.dollars.span = max(self.dollars.span, unit.dollars)
            self.dollars.add(unit, unit.dollars)

    def judge(self, unit: ComparedUnit) -> None:
        """Add the quality and the utility of a unit that was exposed before."""
        assert unit.quality is not None
        assert unit.utility is not None
        self.judged[unit.side] += 1
        self.quality.add(unit, unit.quality)
        share = self.utility.add(unit, unit.utility)
        self._group(unit.group).values.add(share, self.utility.span / unit.chance)

    @property
    def requests(self) -> int:
        return sum(self.assigned.values())

    @property
    def compared(self) -> int:
        return sum(self.judged.values())

    @property
    def apart_share(self) -> float:
        return min(sum(self.apart.values()) / self.requests, 1.0) if self.requests else 0.0

    def lift(self) -> Interval:
        """The utility that the candidate adds to a request, on average over all requests."""
        return self._over_all(self.utility, self.rules.alpha)

    def quality_gain(self) -> Interval:
        """The quality that the candidate adds to a request, on average over all requests."""
        return self._over_all(self.quality, self.rules.alpha)

    def saving(self) -> Interval:
        """The dollars that the candidate saves on a request, on average over all requests.

        Only priced units count. Dollars have no bound, so enough units of both sides must be known.
        """
        if min(self.apart.values()) < _FEW:
            return UNKNOWN
        return self.dollars.values.interval(self.rules.alpha).times(self.apart_share).opposite

    def guards(self) -> list[Guard]:
        rules = self.rules
        alpha = rules.alpha / 4  # four guards share `rules.alpha`
        slow = self.tail.over.interval(alpha) if self.tail.over.n >= rules.least else UNKNOWN
        cost = self._over_all(self.cost, alpha, _MOST_LOG_COST)
        return [
            Guard.at_least("quality", self._over_all(self.quality, alpha), -rules.quality),
            Guard.at_most("cost", cost, rules.cost),
            Guard.at_most("errors", self._over_all(self.errors, alpha), rules.errors),
            Guard.at_most("p95", slow, 0.0),
        ]

    def may_harm(self) -> list[str]:
        """The groups of requests that may lose more than `rules.most_harm`, as far as is known."""
        most = self.rules.most_harm
        if most >= 1:
            return []
        least = _RARE * self.requests
        return [
            name
            for name, group in self.groups.items()
            if group.requests >= least and group.low < -most
        ]

    def _group(self, name: str) -> Group:
        """The group of this name; of very many groups, the last ones are one."""
        if name not in self.groups and len(self.groups) >= _MOST_GROUPS:
            name = _OTHERS
        return self.groups.setdefault(name, Group())

    def numbers(self) -> dict[str, Any]:
        """The counts, intervals and guards as JSON."""
        return {
            "requests": self.requests,
            "apart": dict(self.apart),
            "judged": dict(self.judged),
            "assigned": dict(self.assigned),
            "apart_share": round(self.apart_share, 4),
            "lift": _plain(self.lift()),
            "alpha": self.rules.alpha,
            "guards": {
                guard.name: {"state": guard.state, **_plain(guard.interval)}
                for guard in self.guards()
            },
            "split_p": round(min(1.0, exp(-self.mismatch)), 6),
        }

    @property
    def enough(self) -> bool:
        """Whether enough answers of both sides are compared for an interval of the difference."""
        fewest = min(self.judged.values())
        return self.compared >= self.rules.least and fewest >= min(self.rules.least // 2, _FEW)

    def _over_all(self, contrast: Contrast, alpha: float, widest: float = 1.0) -> Interval:
        """The mean difference over all requests, also those that both sides decide alike.

        No request differs by more than `widest`. So where the sides rarely decide differently, the
        share of such requests is enough to bound the difference.
        """
        share = self.apart_share
        if self.enough and contrast.values.n > 1:
            return contrast.values.interval(alpha).times(share)
        if self.requests < _FEW_REQUESTS:
            return UNKNOWN
        most = widest * _most_apart(share, self.requests)
        return Interval(-most, 0.0, most)


def _most_apart(share: float, requests: int) -> float:
    """The share of requests that the sides may decide apart, where `share` of so many were."""
    return share + 3 * sqrt((share + 1 / requests) / requests)


def _plain(interval: Interval) -> dict[str, float | None]:
    named = {"low": interval.low, "mean": interval.mean, "high": interval.high}
    return {name: None if abs(value) == inf else round(value, 6) for name, value in named.items()}
