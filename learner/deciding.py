"""A policy that explores where its estimates are unsure: a frozen copy of a bandit's estimates.

Prices and the caller's preference are arguments of the policy, so a change of either needs no
relearning. The policy needs only numpy, so a router decides without loading the learner.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import exp

import numpy as np
from numpy.typing import NDArray

from learner.controls import Fixed
from learner.explore import Rule, floored, thompson
from learner.guarding import LEAST_VARIANCE, Guard, Worths
from learner.insight import Insight
from learner.pacing import Pacer
from learner.policy import Arm, Context, Distribution, Policy
from learner.posterior import ExpectedExpenses, Posterior, Vector, placed
from learner.preference import BALANCED, Estimate, Preference
from learner.standing import Standing

_COST_UNIT = 1000.0  # utility counts the cost of a thousand answers, in dollars
_HARDLY = 1e-4  # quality; a smaller part explains nothing
_CLOSED = -1e3  # utility of an arm that the rest of the budget cannot pay for
Places = NDArray[np.intp]
Reasons = Callable[[Arm, Arm], list[tuple[str, float]]]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BanditSettings:
    curiosity: float = 0.4  # share of the variance used to explore, before judgements
    settled: float = 0.02  # the share that `curiosity` falls to after many judgements
    patience: float = 100.0  # judged answers for each arm until most of that fall is over
    floor: float = 0.0002  # the least share of any arm
    memory: float = 20_000.0  # judged answers after which an old answer counts half
    kept: float = 0.15  # share of an arm's evidence that remains when the arm drifts
    burst: float = 0.05  # the least share of an arm that is new or drifted
    burst_length: float = 60.0  # judged answers for which that least share lasts
    safe_share: float = 1.0  # the largest share of requests that try other arms; 1: no guard
    risk: float = 0.01  # utility a request that exploring contexts may cost at first
    reinvested: float = 0.3  # the part of the gain from contexts that exploring may cost
    margin: float = 0.004  # utility a request that choosing by context may lose at the worst
    publish_every: int = 1  # judged answers between two posteriors in a learner


@dataclass(frozen=True, slots=True)
class BanditPolicy:
    """A frozen copy of a bandit's estimates, which decides between arms and never changes."""

    features: str  # the version of the features that the bandit learned from
    posterior: Posterior
    expected: Mapping[str, ExpectedExpenses]  # by kind; "" stands for any other kind
    settings: BanditSettings = BanditSettings()
    preference: Preference = BALANCED
    bursts: tuple[Arm, ...] = ()
    rates: Vector | None = None  # dollars for a spend of 1, by arm
    fallback: Policy | None = None  # decides until answers are judged
    standing: Standing | None = None  # which arm is best on the whole
    insight: Insight | None = None  # what trees say of contexts, and what contexts gain
    hears: bool = True  # whether answers are judged; if not, nothing can be learned by exploring
    pacer: Pacer | None = None
    rule: Rule = thompson

    @property
    def arms(self) -> tuple[Arm, ...]:
        return self.posterior.arms

    @property
    def seen(self) -> float:
        """The total weight of the judged answers that the policy learned from."""
        return float(self.posterior.weights.sum())

    @property
    def curiosity(self) -> float:
        """The share of the posterior's variance that the policy uses for exploring."""
        settings = self.settings
        progress = self.seen / (settings.patience * max(len(self.arms), 1))
        return settings.settled + (settings.curiosity - settings.settled) * exp(-progress)

    def preferring(self, preference: Preference) -> "BanditPolicy":
        return replace(self, preference=preference)

    def priced(self, rates: Mapping[Arm, float]) -> "BanditPolicy":
        return replace(self, rates=np.array([rates.get(arm, 0.0) for arm in self.arms]))

    def distribution(self, context: Context, arms: Sequence[Arm]) -> Distribution:
        if tuple(arms) == self.arms:
            return dict(zip(arms, self._weigh(context, None).shares.tolist(), strict=True))
        index = {arm: at for at, arm in enumerate(self.arms)}
        at = [index[arm] for arm in arms if arm in index]
        shares = self._weigh(context, at).shares.tolist() if at else []
        return self.spread(dict(zip((self.arms[n] for n in at), shares, strict=True)), arms)

    def spread(self, shares: Mapping[Arm, float], arms: Sequence[Arm]) -> Distribution:
        """Extend the shares of the policy's arms to arms that were added later."""
        if not shares:
            return dict.fromkeys(arms, 1 / len(arms))
        strangers = len(arms) - len(shares)
        if not strangers:
            return shares
        # An added arm gets the share of any new arm.
        burst = min(self.settings.burst, 1 / len(arms))
        left = 1 - burst * strangers
        return {arm: left * shares[arm] if arm in shares else burst for arm in arms}

    def estimates(self, context: Context, arms: Sequence[Arm] | None = None) -> list[Estimate]:
        """What the policy expects of each arm in a context, and the arm's share."""
        return self.explained(context, arms)[0]

    def explained(
        self, context: Context, arms: Sequence[Arm] | None = None
    ) -> tuple[list[Estimate], "Reasons"]:
        """The estimates, and what tells two arms apart in this context.

        The reasons for an arm over another say what each feature adds to the difference of their
        expected qualities, most important first. `trees` are what the trees add, and `bias` is what
        no context explains. The parts add up to the difference, but for parts that hardly count.
        """
        reading = self._read(context)
        reasons = partial(self._reasons, reading)
        places = [at for at, arm in enumerate(self.arms) if arms is None or arm in arms]
        if not places:
            return [], reasons
        weighed = self._weigh(context, places, reading)
        expected = self._expected(context)
        costs = expected.spend * (self.rates if self.rates is not None else 0.0)
        estimates = [
            Estimate(
                self.arms[at],
                float(weighed.quality[n]),
                float(np.sqrt(weighed.variance[n])),
                float(costs[at]),
                float(expected.seconds[at]),
                float(1 - expected.works[at]),
                float(weighed.utility[n]),
                float(weighed.shares[n]),
            )
            for n, at in enumerate(places)
        ]
        return estimates, reasons

    def _reasons(self, reading: "_Reading", arm: Arm, other: Arm) -> list[tuple[str, float]]:
        at, beside = self.arms.index(arm), self.arms.index(other)
        means, trees = self.posterior.means, 0.0
        features = means[at] - means[beside]
        if self.insight is not None and reading.trees is not None:
            # What regressions say of all arms alike tells none of them apart.
            alike, own = means.mean(axis=0), self.insight.linear
            features = own[at] * (means[at] - alike) - own[beside] * (means[beside] - alike)
            extra = self.insight.trees * reading.trees
            trees = float(extra[at] - extra[beside])
        values = features * reading.x
        values[0] = 0.0
        bias = float(reading.quality[at] - reading.quality[beside] - values.sum()) - trees
        names = self.posterior.in_order
        parts = [(names[n], float(values[n])) for n in np.flatnonzero(np.abs(values) > _HARDLY)]
        parts += [part for part in (("trees", trees), ("bias", bias)) if abs(part[1]) > _HARDLY]
        return sorted(parts, key=lambda part: -abs(part[1]))

    def tail_seconds(self, context: Context) -> dict[Arm, float]:
        """The 95th percentile of the seconds of each arm that has answered before."""
        tails = self._expected(context).tail_seconds
        return {
            arm: float(seconds)
            for arm, seconds in zip(self.arms, tails, strict=True)
            if not np.isnan(seconds)
        }

    def _vector(self, context: Context) -> Vector:
        x = np.zeros(len(self.posterior.names))
        placed(context, self.posterior.names, x)
        x[0] = 1.0
        return x

    def _expected(self, context: Context) -> ExpectedExpenses:
        expected = self.expected
        if len(expected) > 1:
            for name in context:
                if name in expected:
                    return expected[name]
        return expected[""]

    def _read(self, context: Context) -> "_Reading":
        """What regressions and trees say of all arms in a context."""
        x = self._vector(context)
        linear: Vector = self.posterior.means @ x
        if self.insight is None or self.standing is None:
            return _Reading(x, linear, None, linear)
        trees, means = self.insight.forest.expected(context), self.standing.means
        return _Reading(x, linear, trees, self.insight.mixed(means, linear - means, trees))

    def _weigh(
        self, context: Context, at: Sequence[int] | None, reading: "_Reading | None" = None
    ) -> "_Weighed":
        """The estimates and shares of the arms at these places, or of all arms, in a context."""
        reading = reading or self._read(context)
        quality, linear = reading.quality, reading.linear
        variance, common = self.posterior.variances(reading.x)
        variance = np.maximum(variance, LEAST_VARIANCE)
        expected = self._expected(context)
        utility = quality * expected.works
        costs = None if self.rates is None else expected.spend * self.rates
        utility -= self._price(expected, costs)
        places = np.arange(len(self.arms)) if at is None else np.asarray(at)
        if at is not None:
            quality, variance, utility = quality[places], variance[places], utility[places]
            common = common[places]
        if len(places) == 1:
            return _Weighed(quality, variance, utility, np.ones(1))
        worth, affordable = self._paced(utility, costs, places)
        works = expected.works[places]
        standing = self.standing if self.settings.safe_share < 1 else None
        hoped = worth + (linear[places] - quality) * works
        odds = self.rule(hoped, self.curiosity * _apart(variance, common))
        if self.fallback is None or standing is None:
            shares = self._lifted(odds, affordable, places) if self.hears else _only(worth)
        else:
            at_all = worth + (standing.means[places] - quality) * works
            worths = Worths(worth, at_all, np.sqrt(standing.variances[places]) * works, odds)
            default = None  # it costs time, and matters only then
            if not standing.judged or isinstance(self.fallback, Fixed):
                default = self._default(self.fallback, context, affordable, places)
            shares = self._guarded(standing, worths, default, affordable, places)
        return _Weighed(quality, variance, utility, shares)

    @property
    def prices(self) -> Vector:
        """What an answer of each arm costs in utility, whatever its quality."""
        expected = self.expected.get("") or self._expected({})
        costs = None if self.rates is None else expected.spend * self.rates
        return self._price(expected, costs)

    def _price(self, expected: ExpectedExpenses, costs: Vector | None) -> Vector:
        price = self.preference.latency * expected.log_seconds
        if costs is not None:
            price = price + self.preference.cost * np.log10(1 + _COST_UNIT * costs)
        return np.asarray(price)

    def _paced(self, utility: Vector, costs: Vector | None, places: Places) -> tuple[Vector, Flags]:
        """The utility less the price of money that a budget has left, and the arms it can pay."""
        affordable = np.ones(len(places), dtype=bool)
        if self.pacer is None or costs is None:
            return utility, affordable
        here = costs[places]
        utility = utility - np.array([self.pacer.penalty(cost) for cost in here])
        affordable = np.array(self.pacer.affordable(here.tolist()))
        return np.where(affordable, utility, _CLOSED), affordable

    def _lifted(self, shares: Vector, affordable: Flags, places: Places) -> Vector:
        """Raise shares to the least share of any arm, and of an arm that is new or drifted."""
        shares = floored(shares, self.settings.floor)
        for arm in self.bursts:
            for n, at in enumerate(places):
                if self.arms[at] == arm and shares[n] < self.settings.burst:
                    shares = shares * ((1 - self.settings.burst) / (1 - shares[n]))
                    shares[n] = self.settings.burst
        if not affordable.all():
            shares = np.where(affordable, shares, 0.0)
            shares = shares / shares.sum()
        return shares

    def _default(
        self, fallback: Policy, context: Context, affordable: Flags, places: Places
    ) -> int | None:
        """The arm that the fallback prefers; None if that arm cannot answer."""
        arms = [self.arms[at] for at in places]
        usual = fallback.distribution(context, arms)
        likeliest = max(usual, key=lambda arm: usual[arm])
        at = arms.index(likeliest)
        # The odds are even only if the default cannot answer.
        return at if usual[likeliest] > 1 / len(arms) + 1e-9 and affordable[at] else None

    @property
    def guard(self) -> Guard:
        settings = self.settings
        return Guard(self.insight, self.seen, settings.margin, settings.risk, settings.reinvested)

    def _guarded(
        self,
        standing: Standing,
        worths: Worths,
        default: int | None,
        affordable: Flags,
        places: Places,
    ) -> Vector:
        """The shares under the guard. Before any answer is judged, and when answers are no longer
        judged, nothing can be learned, so nothing is tried."""
        if not standing.judged:
            return _only(worths.here, default)
        if default is not None:
            worths = worths.trusting(default)
        guard = self.guard
        if not self.hears:
            return _only(guard.believed(worths))
        shares = guard.shares(standing, worths, most=self.settings.safe_share)
        return self._lifted(shares, affordable, places)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What regressions and trees say of all arms in a context, and what is believed of both."""

    x: Vector
    linear: Vector
    trees: Vector | None
    quality: Vector


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The quality, utility and share of some arms in a context."""

    quality: Vector
    variance: Vector
    utility: Vector
    shares: Vector


def _only(worth: Vector, default: int | None = None) -> Vector:
    """Everything to the default, or to the best arm if there is no default."""
    at = int(worth.argmax()) if default is None else default
    return np.asarray(np.arange(len(worth)) == at, dtype=np.float64)


def _apart(variance: Vector, common: Vector) -> Vector:
    """The variance of each arm that it does not share with the other arms.

    Uncertainty that all arms have in common makes no arm better than another, and is no reason to
    explore.
    """
    common = np.maximum(common, 0.0)
    alike = np.sqrt(common)
    apart = variance - common + (alike - alike.min()) ** 2
    return np.asarray(np.maximum(apart, LEAST_VARIANCE))
