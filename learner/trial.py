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
from math import exp, inf, lgamma, log, sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from learner.assignment import Side
from learner.policy import Context

_TIGHT_AT = 500  # compared units at which the interval is tightest
_MIXING = 7.94 / _TIGHT_AT  # (2 ln 20 + ln(1 + 2 ln 20)) / n
_MOST_NAMES = 32  # covariates
_RIDGE = 8.0
_HEAVIEST = 50.0
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
class Rules:
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


@dataclass(frozen=True, slots=True)
class Exposed:
    """A unit that the two sides would have treated apart, and what came of it."""

    side: Side
    chance: float  # that it fell on this side
    context: Context
    log_cost: float
    seconds: float
    failed: bool
    quality: float | None = None  # None: nobody said
    utility: float | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    mean: float
    high: float

    def times(self, share: float) -> "Interval":
        return Interval(self.low * share, self.mean * share, self.high * share)

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


_UNKNOWN = Interval(-inf, 0.0, inf)


@dataclass(slots=True)
class Running:
    """A mean of values that come one by one. `span`: how large one may be."""

    span: float
    n: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float, span: float = 0.0) -> None:
        self.span = max(self.span, span)
        self.n += 1
        apart = value - self.mean
        self.mean += apart / self.n
        self.squares += apart * (value - self.mean)

    def radius(self, alpha: float) -> float:
        if self.n < 2:
            return inf
        # One value more, as far out as they go: of what is rare, none may have been seen yet.
        variance = (self.squares + self.span**2) / self.n
        mixed = self.n * _MIXING
        return sqrt(variance * 2 * (mixed + 1) / (self.n * mixed) * log(sqrt(mixed + 1) / alpha))

    def interval(self, alpha: float) -> Interval:
        radius = self.radius(alpha)
        return Interval(self.mean - radius, self.mean, self.mean + radius)


@dataclass
class Adjustment:
    """What is to be expected of a unit, by what was known of it before it was decided: ridge
    regression, one unit at a time. It only ever knows units that came before."""

    names: dict[str, int] = field(default_factory=lambda: {"": 0})
    _spread: NDArray[np.float64] = field(default_factory=lambda: _wide(_MOST_NAMES))
    _weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_MOST_NAMES))

    def vector(self, context: Context) -> NDArray[np.float64]:
        x = np.zeros(_MOST_NAMES)
        x[0] = 1.0
        for name, value in context.items():
            at = self.names.get(name)
            if at is None and len(self.names) < _MOST_NAMES:
                at = self.names[name] = len(self.names)
            if at is not None:
                x[at] = value
        return x

    def expected(self, x: NDArray[np.float64]) -> float:
        return float(self._weights @ x)

    def learn(self, x: NDArray[np.float64], value: float, weight: float) -> None:
        lean = self._spread @ x
        gain = lean / (1 / weight + float(x @ lean))
        self._weights += gain * (value - float(self._weights @ x))
        self._spread -= np.outer(gain, lean)


def _wide(size: int) -> NDArray[np.float64]:
    told = np.eye(size) / _RIDGE
    told[0, 0] = 100.0  # what is usual is known from the first on
    return told


@dataclass
class Contrast:
    """How far the candidate is from the current side, over units that were decided apart."""

    span: float = 1.0
    values: Running = field(init=False)
    adjustment: Adjustment = field(default_factory=Adjustment)

    def __post_init__(self) -> None:
        self.values = Running(self.span)

    def add(self, one: Exposed, value: float) -> float:
        """The value's part in the difference; unbiased whatever was expected of it."""
        x = self.adjustment.vector(one.context)
        beyond = value - self.adjustment.expected(x)
        sign = 1 if one.side == "candidate" else -1
        told = sign * beyond / one.chance
        self.values.add(told, self.span / one.chance)
        # What serves best is what would be expected of the *other* side: rarer sides count more.
        self.adjustment.learn(x, value, min(max((1 - one.chance) / one.chance, 0.02), _HEAVIEST))
        return beyond


@dataclass
class Tail:
    """Whether the candidate's 95th percentile exceeds so many times that of the current side."""

    times: float
    _current: list[float] = field(default_factory=list)
    over: Running = field(default_factory=lambda: Running(1.0))
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
class Verdict:
    """What the numbers say, in one word, one sentence and themselves."""

    word: Word
    sentence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Comparison:
    """All that is known of one trial so far."""

    rules: Rules = Rules()
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
            return _UNKNOWN
        most = widest * (share + 3 * sqrt((share + 1 / self.requests) / self.requests))
        return Interval(-most, 0.0, most)

    def guards(self) -> list[Guard]:
        rules = self.rules
        alpha = rules.alpha / 4
        tail = self.tail.over
        slow = tail.interval(alpha) if tail.n >= rules.least else _UNKNOWN
        return [
            _guard("quality", self._over_all(self.quality, alpha), -rules.quality, above=True),
            _guard("cost", self._over_all(self.cost, alpha, _MOST_LOG_COST), rules.cost),
            _guard("errors", self._over_all(self.errors, alpha), rules.errors),
            _guard("p95", slow, 0.0),
        ]

    def verdict(self) -> Verdict:
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
            return Verdict("keep", f"Keep: {told}.", numbers)
        if breached:
            told = "; ".join(str(one) for one in breached)
            return Verdict("keep", f"Keep: it does harm: {told}; utility {found}.", numbers)
        floor = 0.0 if rules.goal == "better" else -rules.margin
        if lift.high < floor:
            return Verdict("keep", f"Keep: the candidate is worse: utility {found}.", numbers)
        if lift.low > floor:
            return self._adopt(guards, found, numbers)
        if rules.goal == "better" and lift.high < rules.worth:
            told = f"a gain of {rules.worth:g} a request can be ruled out"
            return Verdict("keep", f"Keep: {told}: utility {found}.", numbers)
        if self.requests >= rules.most_requests:
            told = f"nothing was decided within {rules.most_requests:,} requests"
            return Verdict("keep", f"Keep: {told}: utility {found}.", numbers)
        return Verdict("more data", f"More data: utility {found}.", numbers)

    def _adopt(self, guards: list[Guard], found: str, numbers: Mapping[str, Any]) -> Verdict:
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
            return Verdict(word, f"{word.capitalize()}: {told}; utility {found}.", numbers)
        if open_:
            told = ", ".join(one.name for one in open_)
            word = "keep" if reached else "more data"
            sentence = f"{word.capitalize()}: it is {words}, and not yet shown to spare {told}"
            return Verdict(word, f"{sentence}: utility {found}.", numbers)
        return Verdict("adopt", f"Adopt: the candidate is {words}: utility {found}.", numbers)

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


@dataclass
class Watch:
    """Whether what was adopted still earns its place: calm while its answers are as they were, and
    where they are not, the control gets half until that is decided.

    A held-out control of a few per cent could not tell soon; that the answers of an adopted
    strategy fell is seen at once, and whether the old one would do better is then asked.
    """

    rules: Rules = Rules()
    calm_share: float = 0.98
    alert_share: float = 0.5
    patience: int = 1200  # compared units of an alert before it must be decided
    alerts: int = 0
    alert: Contrast | None = None
    _fall: float = 0.0
    _own: Adjustment = field(default_factory=Adjustment)
    _spread: Running = field(default_factory=lambda: Running(0.1))

    @property
    def share(self) -> float:
        """The candidate's, until something changes."""
        return self.calm_share if self.alert is None else self.alert_share

    def judge(self, one: Exposed) -> Literal["calm", "alert", "roll back", "recovered"]:
        assert one.utility is not None
        if self.alert is not None:
            return self._decide(self.alert, one)
        if one.side != "candidate":
            return "calm"
        x = self._own.vector(one.context)
        beyond = one.utility - self._own.expected(x)
        known = self._spread.n >= self.rules.least
        if known:
            deviation = sqrt(max(self._spread.squares / self._spread.n, 1e-4))
            self._fall = max(0.0, self._fall - beyond / deviation - _SLACK)
        if not known or self._fall < _SETTLED:
            # While it seems to fall, nothing is learned: it would get used to it.
            self._own.learn(x, one.utility, 1.0)
            self._spread.add(beyond)
        if self._fall < _ALARM:
            return "calm"
        self.alerts += 1
        self.alert, self._fall = Contrast(), 0.0
        return "alert"

    def _decide(
        self, told: Contrast, one: Exposed
    ) -> Literal["calm", "alert", "roll back", "recovered"]:
        if abs(one.chance - 0.5) > 0.3:
            return "calm"  # decided before routers heard of the alert
        told.add(one, one.utility or 0.0)
        if told.values.n >= _LEAST_ALERT:
            found = self.found
            over = told.values.n >= self.patience
            if found.high < 0 or (over and found.mean < -_LITTLE / 2):
                return "roll back"
            if found.low > -_LITTLE or over:
                # Both are alike: the world changed, and this is how its answers are now.
                self.alert = None
                self._own, self._spread = Adjustment(), Running(0.1)
                return "recovered"
        return "calm"

    @property
    def found(self) -> Interval:
        """Only a loss matters, so its side has all of alpha; and each alert half of the last's."""
        if self.alert is None:
            return _UNKNOWN
        return self.alert.values.interval(2 * self.rules.alpha / 2 ** max(self.alerts, 1))


# A cumulative sum in deviations: shifts of less than twice the slack are let be; one of a deviation
# is seen after about twenty answers, and a false alarm comes once in many thousands.
_SLACK = 0.2
_SETTLED = 6.0
_ALARM = 20.0
_LEAST_ALERT = 30
_LITTLE = 0.05  # of utility, where both decide apart: a loss that may be let be


def split_evidence(candidate: int, current: int, share: float) -> float:
    """Log of how much likelier some other split made these counts; it may be watched for ever, and
    exceeds `-log(p)` with a chance of `p` where the split is what it was to be."""
    a, b = 50 * share, 50 * (1 - share)
    mixed = (
        (lgamma(a + candidate) - lgamma(a))
        + (lgamma(b + current) - lgamma(b))
        - (lgamma(a + b + candidate + current) - lgamma(a + b))
    )
    return mixed - candidate * log(share) - current * log(1 - share)


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
