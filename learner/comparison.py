"""One strategy compared with another, by intervals that hold at every look at once.

Units that both strategies decide alike cannot differ, and are only counted. Units that they decide
apart are compared: each is weighted by the probability of its side, less the value to expect in its
context. The intervals may be looked at after every answer, and a trial may end at any look.

The intervals are asymptotic: they rest on a variance that is estimated on the way, and are wider
while little is known. `experiments/trials` measures how often they are wrong.
"""

from dataclasses import dataclass, field
from math import exp, inf, sqrt
from typing import Any, Literal

from learner.assignment import Side
from learner.guards import Guard, LatencyTail
from learner.sequence import UNKNOWN, ComparedUnit, Contrast, Interval, split_evidence

_FEW = 20  # judged units of the rarer side
_FEW_REQUESTS = 200
_MOST_LOG_COST = 2.0  # a hundredfold

Goal = Literal["better", "no worse"]


@dataclass(frozen=True, slots=True)
class TrialRules:
    """What a trial must show, and how long it may take."""

    goal: Goal = "better"
    alpha: float = 0.05
    margin: float = 0.01  # utility that a candidate may lose if it only has to be no worse
    least: int = 50  # compared units before the first verdict
    worth: float = 0.002  # utility a request: a trial does not go on for a smaller gain
    most_requests: int = 20_000
    quality: float = 0.02  # a smaller loss of quality is let be
    cost: float = 0.03  # of log-cost, as utility counts it: 0.03 are 7% where answers cost much
    errors: float = 0.01
    slower: float = 1.5  # times the 95th percentile of the current side

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            raise ValueError(f"alpha = {self.alpha:g}: a chance of error lies in 0 to 0.5")
        if self.least < 2 or self.most_requests < self.least:
            raise ValueError(
                f"least = {self.least} and most_requests = {self.most_requests}: "
                "least must be 2 or more, and most_requests no fewer than least"
            )


def _no_units() -> dict[Side, int]:
    return {"candidate": 0, "current": 0}


@dataclass
class Comparison:
    """The counts and differences of a trial so far."""

    rules: TrialRules = TrialRules()
    share: float = 0.5  # of the units, the part that is meant for the candidate
    assigned: dict[Side, int] = field(default_factory=_no_units)
    apart: dict[Side, int] = field(default_factory=_no_units)
    judged: dict[Side, int] = field(default_factory=_no_units)
    utility: Contrast = field(default_factory=Contrast)
    quality: Contrast = field(default_factory=Contrast)
    cost: Contrast = field(default_factory=Contrast)
    errors: Contrast = field(default_factory=Contrast)
    tail: LatencyTail = field(init=False)
    mismatch: float = 0.0  # the strongest evidence against the split so far

    def __post_init__(self) -> None:
        self.tail = LatencyTail(self.rules.slower)

    def see(self, side: Side, seconds: float) -> None:
        """A unit of the trial, whether or not the sides decide it apart."""
        self.assigned[side] += 1
        self.tail.add(side, seconds)
        if 0 < self.share < 1:
            counts = self.assigned["candidate"], self.assigned["current"]
            self.mismatch = max(self.mismatch, split_evidence(*counts, self.share))

    def expose(self, unit: ComparedUnit) -> None:
        """A unit that was decided apart: what is seen of it whether or not it is ever judged."""
        self.apart[unit.side] += 1
        self.cost.add(unit, unit.log_cost)
        self.errors.add(unit, float(unit.failed))

    def judge(self, unit: ComparedUnit) -> None:
        """The same unit, once the quality of its answer is known."""
        assert unit.quality is not None
        assert unit.utility is not None
        self.judged[unit.side] += 1
        self.quality.add(unit, unit.quality)
        self.utility.add(unit, unit.utility)

    @property
    def requests(self) -> int:
        return sum(self.assigned.values())

    @property
    def compared(self) -> int:
        return sum(self.judged.values())

    @property
    def apart_share(self) -> float:
        return sum(self.apart.values()) / self.requests if self.requests else 0.0

    def lift(self) -> Interval:
        """Utility that the candidate adds to a request, on average over all requests."""
        return self._over_all(self.utility, self.rules.alpha)

    def guards(self) -> list[Guard]:
        rules = self.rules
        alpha = rules.alpha / 4  # all four hold together with `rules.alpha`
        slow = self.tail.over.interval(alpha) if self.tail.over.n >= rules.least else UNKNOWN
        cost = self._over_all(self.cost, alpha, _MOST_LOG_COST)
        return [
            Guard.at_least("quality", self._over_all(self.quality, alpha), -rules.quality),
            Guard.at_most("cost", cost, rules.cost),
            Guard.at_most("errors", self._over_all(self.errors, alpha), rules.errors),
            Guard.at_most("p95", slow, 0.0),
        ]

    def numbers(self) -> dict[str, Any]:
        """All of it as JSON."""
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
    def _enough(self) -> bool:
        """Whether a normal interval holds: the mean of a handful of units is not normal."""
        fewest = min(self.judged.values())
        return self.compared >= self.rules.least and fewest >= min(self.rules.least // 2, _FEW)

    def _over_all(self, contrast: Contrast, alpha: float, widest: float = 1.0) -> Interval:
        """The difference over all requests, whether decided apart or not.

        No request differs by more than `widest`, so where hardly any request is decided apart,
        their share alone bounds the difference.
        """
        share = self.apart_share
        if self._enough:
            return contrast.values.interval(alpha).times(share)
        if self.requests < _FEW_REQUESTS:
            return UNKNOWN
        most = widest * (share + 3 * sqrt((share + 1 / self.requests) / self.requests))
        return Interval(-most, 0.0, most)


def _plain(interval: Interval) -> dict[str, float | None]:
    named = {"low": interval.low, "mean": interval.mean, "high": interval.high}
    return {name: None if abs(value) == inf else round(value, 6) for name, value in named.items()}
