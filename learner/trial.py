"""Whether one strategy is better than another, by intervals that hold at every look at once.

Units that both would treat alike are known not to differ and are not drawn; only those decided
apart are compared, each by its own probability, less what was to be expected of it beforehand. So
the intervals may be looked at after every answer, and a trial ended whenever they say so.

The intervals are asymptotic: they rest on a variance estimated as it comes, made wider while little
is known. What `experiments/trials` measures of them is what is claimed of them.
"""

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, inf, log, sqrt
from typing import Any, Literal

from learner.assignment import Side
from learner.sequence import UNKNOWN, Contrast, Exposed, Interval, RunningMoments, split_evidence

_MOST_TIMES = 4000  # latencies of the current side that are kept
_ENOUGH_TIMES = 40
_FEW = 20  # judged units of the rarer side
_FEW_REQUESTS = 200
_MOST_LOG_COST = 2.0  # a hundredfold
_TAIL = 0.05
_MISMATCH = 0.001  # how unlikely a split must be before it is called broken

Goal = Literal["better", "no worse"]
Word = Literal["adopt", "keep", "more data"]
State = Literal["held", "unknown", "breached"]


@dataclass(frozen=True, slots=True)
class TrialRules:
    """What a trial must show, and how long it may take."""

    goal: Goal = "better"
    alpha: float = 0.05
    margin: float = 0.01  # of utility: what a candidate may lose that only has to be no worse
    least: int = 50  # compared units before anything is said
    worth: float = 0.002  # of utility a request: a smaller gain is not worth looking for
    most_requests: int = 20_000
    quality: float = 0.02  # how much less is no loss
    cost: float = 0.03  # of log-cost, as utility counts it: 0.03 are 7% where answers cost much
    errors: float = 0.01
    slower: float = 1.5  # times the 95th percentile of the current side

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            raise ValueError(f"alpha = {self.alpha:g}: a chance of error lies in 0 to 0.5")
        if self.least < 2 or self.most_requests < self.least:
            raise ValueError(
                f"least = {self.least} and most_requests = {self.most_requests}: "
                "at least 2, and no more than the most"
            )


@dataclass
class Tail:
    """Whether the candidate's 95th percentile exceeds so many times that of the current side."""

    times: float
    _current: list[float] = field(default_factory=list)
    over: RunningMoments = field(default_factory=lambda: RunningMoments(1.0))
    _seen: int = 0

    def add(self, side: Side, seconds: float) -> None:
        if side == "current":
            self._seen += 1
            if len(self._current) < _MOST_TIMES:
                insort(self._current, seconds)
        elif len(self._current) >= _ENOUGH_TIMES:
            usual = self.usual
            bound = max(self.times * usual, usual + 0.02)
            self.over.add(float(seconds > bound) - _TAIL)

    @property
    def usual(self) -> float:
        at = min(int((1 - _TAIL) * len(self._current)), len(self._current) - 1)
        return self._current[at] if self._current else 0.0


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing that a candidate must not make worse."""

    name: str
    state: State
    interval: Interval
    bound: float

    def __str__(self) -> str:
        return f"{self.name} {self.state} ({self.interval}, bound {self.bound:+g})"


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """What the numbers say, in one word, one sentence and themselves."""

    word: Word
    sentence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Comparison:
    """All that is known of one trial so far."""

    rules: TrialRules = TrialRules()
    share: float = 0.5  # what the candidate was to have of the units
    assigned: dict[Side, int] = field(default_factory=lambda: {"candidate": 0, "current": 0})
    apart: dict[Side, int] = field(default_factory=lambda: {"candidate": 0, "current": 0})
    judged: dict[Side, int] = field(default_factory=lambda: {"candidate": 0, "current": 0})
    utility: Contrast = field(default_factory=Contrast)
    quality: Contrast = field(default_factory=Contrast)
    cost: Contrast = field(default_factory=Contrast)
    errors: Contrast = field(default_factory=Contrast)
    tail: Tail = field(init=False)
    mismatch: float = 0.0  # log of how much likelier another split made the counts

    def __post_init__(self) -> None:
        self.tail = Tail(self.rules.slower)

    def see(self, side: Side, seconds: float) -> None:
        """A unit of the trial, whether or not the sides would have treated it apart."""
        self.assigned[side] += 1
        self.tail.add(side, seconds)
        if 0 < self.share < 1:
            counts = self.assigned["candidate"], self.assigned["current"]
            self.mismatch = max(self.mismatch, split_evidence(*counts, self.share))

    def expose(self, one: Exposed) -> None:
        """A unit that was decided apart: what is seen whether or not anybody judges it."""
        self.apart[one.side] += 1
        self.cost.add(one, one.log_cost)
        self.errors.add(one, float(one.failed))

    def judge(self, one: Exposed) -> None:
        """The same unit, once somebody said how good its answer was."""
        assert one.quality is not None
        assert one.utility is not None
        self.judged[one.side] += 1
        self.quality.add(one, one.quality)
        self.utility.add(one, one.utility)

    @property
    def requests(self) -> int:
        return sum(self.assigned.values())

    @property
    def compared(self) -> int:
        return sum(self.judged.values())

    @property
    def apart_share(self) -> float:
        return sum(self.apart.values()) / self.requests if self.requests else 0.0

    @property
    def enough(self) -> bool:
        """Whether anything may be said: a mean of which one side is a handful is no normal one."""
        fewest = min(self.judged.values())
        return self.compared >= self.rules.least and fewest >= min(self.rules.least // 2, _FEW)

    def lift(self, alpha: float | None = None) -> Interval:
        """What the candidate adds to the utility of a request, on average over all of them."""
        return self._over_all(self.utility, self.rules.alpha if alpha is None else alpha)

    def _over_all(self, told: Contrast, alpha: float, widest: float = 1.0) -> Interval:
        """Of a request, whether decided apart or not. Where hardly any is, that alone bounds it:
        none can differ by more than `widest`."""
        share = self.apart_share
        if self.enough:
            return told.values.interval(alpha).times(share)
        if self.requests < _FEW_REQUESTS:
            return UNKNOWN
        most = widest * (share + 3 * sqrt((share + 1 / self.requests) / self.requests))
        return Interval(-most, 0.0, most)

    def guards(self) -> list[Guard]:
        rules = self.rules
        alpha = rules.alpha / 4
        tail = self.tail.over
        slow = tail.interval(alpha) if tail.n >= rules.least else UNKNOWN
        return [
            _guard("quality", self._over_all(self.quality, alpha), -rules.quality, above=True),
            _guard("cost", self._over_all(self.cost, alpha, _MOST_LOG_COST), rules.cost),
            _guard("errors", self._over_all(self.errors, alpha), rules.errors),
            _guard("p95", slow, 0.0),
        ]

    def verdict(self) -> TrialVerdict:
        rules, lift, guards = self.rules, self.lift(), self.guards()
        numbers = self._numbers(lift, guards)
        found = f"{_lift(lift)} after {self._counted()}"
        breached = [one for one in guards if one.state == "breached"]
        if self.mismatch > -log(_MISMATCH):
            told = (
                f"the sides have {self.assigned['candidate']:,} and {self.assigned['current']:,} "
                f"units where {self.share:.0%} were to be the candidate's: something removes units "
                "from one side, and nothing else here can be trusted"
            )
            return TrialVerdict("keep", f"Keep: {told}.", numbers)
        if breached:
            told = "; ".join(str(one) for one in breached)
            return TrialVerdict("keep", f"Keep: it does harm: {told}; utility {found}.", numbers)
        floor = 0.0 if rules.goal == "better" else -rules.margin
        if lift.high < floor:
            return TrialVerdict("keep", f"Keep: the candidate is worse: utility {found}.", numbers)
        if lift.low > floor:
            return self._adopt(guards, found, numbers)
        if rules.goal == "better" and lift.high < rules.worth:
            told = f"a gain of {rules.worth:g} a request can be ruled out"
            return TrialVerdict("keep", f"Keep: {told}: utility {found}.", numbers)
        if self.requests >= rules.most_requests:
            told = f"nothing was decided within {rules.most_requests:,} requests"
            return TrialVerdict("keep", f"Keep: {told}: utility {found}.", numbers)
        return TrialVerdict("more data", f"More data: utility {found}.", numbers)

    def _adopt(self, guards: list[Guard], found: str, numbers: Mapping[str, Any]) -> TrialVerdict:
        words = "better" if self.rules.goal == "better" else "no worse"
        open_ = [one for one in guards if one.state != "held"]
        counts = self.judged["candidate"], self.judged["current"]
        reached = self.requests >= self.rules.most_requests
        expected = self._expected_share()
        if split_evidence(*counts, expected) > -log(_MISMATCH):
            told = (
                f"answers of one side are judged more often than of the other ({counts[0]:,} and "
                f"{counts[1]:,}), so it may only seem {words}: adopt it by hand if that is harmless"
            )
            word: Word = "keep" if reached else "more data"
            return TrialVerdict(word, f"{word.capitalize()}: {told}; utility {found}.", numbers)
        if open_:
            told = ", ".join(one.name for one in open_)
            word = "keep" if reached else "more data"
            sentence = f"{word.capitalize()}: it is {words}, and not yet shown to spare {told}"
            return TrialVerdict(word, f"{sentence}: utility {found}.", numbers)
        return TrialVerdict("adopt", f"Adopt: the candidate is {words}: utility {found}.", numbers)

    def _expected_share(self) -> float:
        """The candidate's share of what was decided apart; sides may have been drawn by several."""
        total = sum(self.apart.values())
        return min(max(self.apart["candidate"] / total, 1e-6), 1 - 1e-6) if total else self.share

    def _counted(self) -> str:
        apart = sum(self.apart.values())
        return (
            f"{self.requests:,} requests, {apart:,} of them decided apart and {self.compared:,} of "
            "those judged"
        )

    def _numbers(self, lift: Interval, guards: list[Guard]) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "apart": dict(self.apart),
            "judged": dict(self.judged),
            "assigned": dict(self.assigned),
            "apart_share": round(self.apart_share, 4),
            "lift": _plain(lift),
            "alpha": self.rules.alpha,
            "guards": {one.name: {"state": one.state, **_plain(one.interval)} for one in guards},
            "split_p": round(min(1.0, exp(-self.mismatch)), 6),
        }


def _guard(name: str, found: Interval, bound: float, *, above: bool = False) -> Guard:
    state: State = "unknown"
    if (found.low > bound) if above else (found.high < bound):
        state = "held"
    elif (found.high < bound) if above else (found.low > bound):
        state = "breached"
    return Guard(name, state, found, bound)


def _lift(lift: Interval) -> str:
    return "not known yet" if lift.high == inf else f"{lift} a request"


def _plain(told: Interval) -> dict[str, float | None]:
    named = {"low": told.low, "mean": told.mean, "high": told.high}
    return {name: None if abs(value) == inf else round(value, 6) for name, value in named.items()}
