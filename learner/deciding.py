"""A policy that explores by what it does not know: a frozen picture of a bandit.

It is told what arms cost at the moment and what the caller prefers, so a change of either asks for
no relearning. It needs numpy and nothing else: whoever decides need not load what learns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.explore import Rule, floored, thompson
from learner.pacing import Pacer
from learner.policy import Arm, Context, Distribution, Policy
from learner.preference import BALANCED, Estimate, Preference

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_STEPS = 256.0  # to one: contexts and qualities lie on this grid, on which sums are exact
_COST_UNIT = 1000.0  # utility counts dollars per thousand answers, and tenths of seconds
_SECONDS_UNIT = 10.0
_LEAST_VARIANCE = 1e-9
_SURE = 1.28  # standard deviations: right nine times in ten


def on_grid(value: float) -> float:
    return round(value * _STEPS) / _STEPS


def log_time(seconds: Vector) -> Vector:
    return np.asarray(np.log10(1 + _SECONDS_UNIT * seconds))


@dataclass(frozen=True, slots=True)
class BanditSettings:
    curiosity: float = 0.4  # share of the variance that is explored by, with nothing known yet
    settled: float = 0.02  # the same once much is known
    patience: float = 100.0  # judged answers an arm over which the one becomes the other
    floor: float = 0.001  # the least share of any arm
    memory: float = 20_000.0  # judged answers after which half of one is forgotten
    kept: float = 0.15  # of what was known of an arm that drifted
    burst: float = 0.05  # the least share of an arm that is new or drifted
    burst_length: float = 60.0  # judged answers that the burst lasts
    safe_share: float = 1.0  # of answers that may go to arms not yet known to be safe
    margin: float = 0.02  # how much worse than the default an arm may be and still be safe
    publish_every: int = 1  # judged answers between two policies, for whoever learns in place


@dataclass(frozen=True, slots=True)
class Posterior:
    """Quality of each arm as one normal variable: `means @ x` with variance `x @ spreads @ x`."""

    names: Mapping[str, int]
    arms: tuple[Arm, ...]
    means: Matrix
    spreads: NDArray[np.float64]
    common: NDArray[np.float64]  # of the spreads, what comes of weights that arms share
    weights: Vector  # of arms: how much was seen of each
    beliefs: Vector  # how likely each belief is by now


@dataclass(frozen=True, slots=True)
class Expected:
    """Expenses of all arms for one kind of request."""

    spend: Vector
    log_seconds: Vector  # log10(1 + 10 * seconds)
    seconds: Vector
    tail_seconds: Vector  # NaN where it was never seen
    works: Vector  # how likely an answer comes at all


@dataclass(frozen=True, slots=True)
class BanditPolicy:
    """A picture of a bandit: decides, and never changes."""

    features: str  # the version of contexts that it was taught
    posterior: Posterior
    expected: Mapping[str, Expected]  # by kind; "" for any other
    settings: BanditSettings = BanditSettings()
    preference: Preference = BALANCED
    bursts: tuple[Arm, ...] = ()
    rates: Vector | None = None  # what an arm costs that takes once its rate
    fallback: Policy | None = None  # decides until arms are known to be as good
    pacer: Pacer | None = None
    rule: Rule = thompson

    @property
    def arms(self) -> tuple[Arm, ...]:
        return self.posterior.arms

    @property
    def seen(self) -> float:
        """Judged answers that it rests on."""
        return float(self.posterior.weights.sum())

    @property
    def curiosity(self) -> float:
        """The share of its uncertainty that is explored by."""
        told = self.settings
        known = self.seen / (told.patience * max(len(self.arms), 1))
        return told.settled + (told.curiosity - told.settled) * exp(-known)

    def preferring(self, preference: Preference) -> "BanditPolicy":
        return replace(self, preference=preference)

    def priced(self, rates: Mapping[Arm, float]) -> "BanditPolicy":
        return replace(self, rates=np.array([rates.get(arm, 0.0) for arm in self.arms]))

    def distribution(self, context: Context, arms: Sequence[Arm]) -> Distribution:
        known = self.posterior.arms
        if tuple(arms) == known:
            return dict(zip(arms, self._shares(context, None)[3].tolist(), strict=True))
        index = {arm: at for at, arm in enumerate(known)}
        at = [index[arm] for arm in arms if arm in index]
        shares = self._shares(context, at)[3].tolist() if at else []
        return self.spread(dict(zip((known[n] for n in at), shares, strict=True)), arms)

    def spread(self, told: Mapping[Arm, float], arms: Sequence[Arm]) -> Distribution:
        """Shares of the arms it knows, over all that there are."""
        if not told:
            return dict.fromkeys(arms, 1 / len(arms))
        strangers = len(arms) - len(told)
        if not strangers:
            return told
        # One that came after this policy was made: tried as one is that is new.
        burst = min(self.settings.burst, 1 / len(arms))
        left = 1 - burst * strangers
        return {arm: left * told[arm] if arm in told else burst for arm in arms}

    def estimates(self, context: Context, arms: Sequence[Arm] | None = None) -> list[Estimate]:
        """What it expects of each arm here, and the share it would give it."""
        chosen = [at for at, arm in enumerate(self.arms) if arms is None or arm in arms]
        if not chosen:
            return []
        quality, variance, utility, shares = self._shares(context, chosen)
        expected = self._expected(context)
        costs = self._costs(expected)
        return [
            Estimate(
                self.arms[at],
                float(quality[n]),
                float(np.sqrt(variance[n])),
                float(costs[at]),
                float(expected.seconds[at]),
                float(1 - expected.works[at]),
                float(utility[n]),
                float(shares[n]),
            )
            for n, at in enumerate(chosen)
        ]

    def reasons(self, context: Context, arm: Arm, other: Arm) -> list[tuple[str, float]]:
        """What each feature adds to the quality of one arm over another, most important first."""
        index = {one: at for at, one in enumerate(self.arms)}
        apart = self.posterior.means[index[arm]] - self.posterior.means[index[other]]
        told = [(n, float(apart[at] * on_grid(context.get(n, 0.0)))) for n, at in self._named()]
        told.append(("bias", float(apart[0])))
        told = [(name, value) for name, value in told if abs(value) > 1e-4]
        return sorted(told, key=lambda one: -abs(one[1]))

    def tail_seconds(self, context: Context) -> dict[Arm, float]:
        """The 95th percentile of what each arm takes, where it was seen."""
        told = self._expected(context).tail_seconds
        return {arm: float(s) for arm, s in zip(self.arms, told, strict=True) if s == s}

    def _named(self) -> list[tuple[str, int]]:
        return [(name, at) for name, at in self.posterior.names.items() if name != "bias"]

    def _vector(self, context: Context) -> Vector:
        names = self.posterior.names
        x = np.zeros(len(names))
        for name, value in context.items():
            at = names.get(name)
            if at is not None:
                x[at] = round(value * _STEPS) / _STEPS
        x[0] = 1.0
        return x

    def _expected(self, context: Context) -> Expected:
        expected = self.expected
        if len(expected) > 1:
            for name in context:
                if name in expected:
                    return expected[name]
        return expected[""]

    def _costs(self, expected: Expected) -> Vector:
        rates = self.rates
        return expected.spend * (rates if rates is not None else 0.0)

    def _shares(
        self, context: Context, at: Sequence[int] | None
    ) -> tuple[Vector, Vector, Vector, Vector]:
        """Quality, its variance, utility and share of these arms, or of all."""
        posterior = self.posterior
        x = self._vector(context)
        quality: Vector = posterior.means @ x
        size = len(x)
        spread = (posterior.spreads.reshape(-1, size) @ x).reshape(-1, size) @ x
        variance: Vector = np.maximum(spread, _LEAST_VARIANCE)
        expected = self._expected(context)
        utility = quality * expected.works
        told = self.preference
        costs = None
        if self.rates is not None:
            costs = expected.spend * self.rates
            utility -= told.cost * np.log10(1 + _COST_UNIT * costs)
        utility -= told.latency * expected.log_seconds
        if at is not None:
            chosen = np.asarray(at)
            quality, variance, utility = quality[chosen], variance[chosen], utility[chosen]
        else:
            chosen = np.arange(len(self.arms))
        shares = self._explored(chosen, utility, self._apart(x, variance, chosen), costs)
        if self.fallback is not None and len(chosen) > 1:
            shares = self._guarded(context, chosen, utility, variance, shares)
        return quality, variance, utility, shares

    def _apart(self, x: Vector, variance: Vector, chosen: Any) -> Vector:
        """What is unsure of each arm beside the others: what is unsure of all alike tells none
        from another, and is no reason to try them."""
        size = len(x)
        common = (self.posterior.common.reshape(-1, size) @ x).reshape(-1, size) @ x
        common = np.maximum(common[chosen], 0.0)
        alike = np.sqrt(common)
        apart = variance - common + (alike - alike.min()) ** 2
        return np.asarray(np.maximum(apart, _LEAST_VARIANCE))

    def _explored(
        self, chosen: Any, utility: Vector, variance: Vector, costs: Vector | None
    ) -> Vector:
        if len(chosen) == 1:
            return np.ones(1)
        open_ = None
        if self.pacer is not None and costs is not None:
            here = costs[chosen]
            utility = utility - np.array([self.pacer.penalty(cost) for cost in here])
            open_ = np.array(self.pacer.affordable(here.tolist()))
            utility = np.where(open_, utility, -1e3)
        shares = floored(self.rule(utility, self.curiosity * variance), self.settings.floor)
        for arm in self.bursts:
            for n, at in enumerate(chosen):
                if self.arms[at] == arm and shares[n] < self.settings.burst:
                    shares = shares * ((1 - self.settings.burst) / (1 - shares[n]))
                    shares[n] = self.settings.burst
        if open_ is not None and not open_.all():
            shares = np.where(open_, shares, 0.0)
            shares = shares / shares.sum()
        return shares

    def _guarded(
        self, context: Context, chosen: Any, utility: Vector, variance: Vector, shares: Vector
    ) -> Vector:
        """Arms that may yet be worse than the default share no more than was set aside for it."""
        assert self.fallback is not None
        arms = [self.arms[at] for at in chosen]
        usual = self.fallback.distribution(context, arms)
        most = max(usual, key=lambda arm: usual[arm])
        # A default that cannot be used here says nothing of the others: then the best known is it.
        told = usual[most] > 1 / len(arms) + 1e-9
        default = arms.index(most) if told else int(utility.argmax())
        apart = utility - utility[default] + self.settings.margin
        safe = apart >= _SURE * np.sqrt(variance + variance[default])
        safe[default] = True
        risked = float(shares[~safe].sum())
        if risked <= self.settings.safe_share:
            return shares
        kept = np.where(safe, shares, shares * (self.settings.safe_share / risked))
        kept[default] += 1 - kept.sum()
        return kept
