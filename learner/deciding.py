"""A policy that explores where its estimates are unsure: a frozen copy of a bandit's estimates.

Prices and the caller's preference are arguments of the policy, so a change of either needs no
relearning. The policy needs only numpy, so a router decides without loading the learner.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from math import exp, log10, sqrt
from typing import Any

import numpy as np

from learner.controls import Fixed
from learner.explore import Rule, floored, thompson
from learner.guarding import LEAST_VARIANCE, Guard, Worths
from learner.inherited import Inherited
from learner.insight import Insight
from learner.pacing import Pacer
from learner.policy import Arm, Context, Distribution, Policy
from learner.posterior import ExpectedExpenses, Posterior, Vector
from learner.preference import BALANCED, Estimate, Preference
from learner.standing import Standing
from learner.weighing import Expenses, Stacked, View, apart, of_kind, only

_COST_UNIT = 1000.0  # utility counts the cost of a thousand answers, in dollars
_CLOSED = -1e3  # utility of an arm that the rest of the budget cannot pay for
_LEAST_OF_HEIRS = 0.01  # the least share of an heir in the places that it was made for
_SURE_OF_HEIRS = 1.28  # standard errors by which an heir must seem worse than another arm
Reasons = Callable[[Arm, Arm], list[tuple[str, float]]]


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


@dataclass(frozen=True)
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
    inherited: Inherited | None = None  # what is known of heirs of its arms
    rule: Rule = thompson

    @property
    def arms(self) -> tuple[Arm, ...]:
        return self.posterior.arms

    @cached_property
    def seen(self) -> float:
        """The total weight of the judged answers that the policy learned from."""
        return float(self.posterior.weights.sum())

    @cached_property
    def curiosity(self) -> float:
        """The share of the posterior's variance that the policy uses for exploring."""
        settings = self.settings
        progress = self.seen / (settings.patience * max(len(self.arms), 1))
        return settings.settled + (settings.curiosity - settings.settled) * exp(-progress)

    def __getstate__(self) -> dict[str, Any]:
        """The policy as it is sent: without what it works out when it first decides."""
        return {part.name: self.__dict__[part.name] for part in fields(self)}

    @cached_property
    def _stacked(self) -> Stacked:
        return Stacked(self.posterior, self.expected, self.insight, self.standing)

    def set(self, **settings: Any) -> "BanditPolicy":
        """The same policy with some other settings."""
        policy = replace(self, settings=replace(self.settings, **settings))
        policy.__dict__["_stacked"] = self._stacked
        return policy

    def preferring(self, preference: Preference) -> "BanditPolicy":
        return replace(self, preference=preference)

    def priced(self, rates: Mapping[Arm, float]) -> "BanditPolicy":
        return replace(self, rates=np.array([rates.get(arm, 0.0) for arm in self.arms]))

    def distribution(self, context: Context, arms: Sequence[Arm]) -> Distribution:
        shares = {each.arm: each.share for each in self.estimates(context, arms)}
        return self.spread({arm: shares[arm] for arm in arms if arm in shares}, arms)

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
        self,
        context: Context,
        arms: Sequence[Arm] | None = None,
        *,
        preference: Preference | None = None,
        rates: Mapping[Arm, float] | None = None,
        waits: Mapping[Arm, float] | None = None,
    ) -> tuple[list[Estimate], "Reasons"]:
        """The estimates, and what tells two arms apart in this context.

        `preference` and `rates` stand in for those of the policy. `waits` are the seconds by which
        arms take longer just now than they usually do, below 0 where they take less. The reasons
        for an arm over another say what each feature adds to the difference of their expected
        qualities, most important first. `trees` are what the trees add, and `bias` is what no
        context explains. The parts add up to the difference, but for parts that hardly count.
        """
        stacked = self._stacked
        view, expenses = stacked.view(context), stacked.expenses(context)
        if waits:
            expenses = expenses.waiting([waits.get(arm, 0.0) for arm in self.arms])
        places = stacked.all_places
        if arms is not None and tuple(arms) != self.arms:
            places = [at for at, arm in enumerate(self.arms) if arm in arms]
        usd = None if self.rates is None else self.rates.tolist()
        if rates is not None:
            usd = [rates.get(arm, 0.0) for arm in self.arms]
        weights = self.preference if preference is None else preference
        estimates = self._weighed(context, view, expenses, usd, weights, places) if places else []
        return estimates, partial(self._reasons, view)

    def heir(
        self, context: Context, arm: str, preference: Preference, usd: float, wait: float
    ) -> Estimate | None:
        """What is expected of an heir in a context. None: the arm is no heir, or has shown too
        little. `usd` is the arm's rate, and `wait` is as in `explained`."""
        inherited = self.inherited
        at = None if inherited is None else inherited.place(arm)
        if inherited is None or at is None:
            return None
        view = self._stacked.view(context)
        of_parent = view.quality[self.arms.index(inherited.parents[at])]
        of = {"of_parent": of_parent, "usd": usd, "wait": wait}
        return inherited.estimate(at, context, view.x, preference=preference, **of)

    def share_beside(self, heir: Estimate, others: Sequence[Estimate]) -> float:
        """The share of an heir beside other arms: nearly all, unless the best of them is hardly
        likely to be worse. That the heir is better on the whole was shown; that it is worse in a
        context is only an estimate, and the best of several others' estimates is too high."""
        best = max(others, key=lambda estimate: estimate.utility)
        doubt = sqrt(heir.deviation**2 + best.deviation**2)
        worse = best.utility - heir.utility > _SURE_OF_HEIRS * doubt
        return _LEAST_OF_HEIRS if worse else 1.0

    def _reasons(self, view: View, arm: Arm, other: Arm) -> list[tuple[str, float]]:
        return self._stacked.parts(view, self.arms.index(arm), self.arms.index(other))

    def tail_seconds(self, context: Context) -> dict[Arm, float]:
        """The 95th percentile of the seconds of each arm that has answered before."""
        tails = self._expected(context).tail_seconds
        return {
            arm: float(seconds)
            for arm, seconds in zip(self.arms, tails, strict=True)
            if not np.isnan(seconds)
        }

    def _expected(self, context: Context) -> ExpectedExpenses:
        return of_kind(self.expected, context)

    def _weighed(
        self,
        context: Context,
        view: View,
        expenses: Expenses,
        usd: list[float] | None,
        weights: Preference,
        places: list[int],
    ) -> list[Estimate]:
        """The estimates and shares of the arms at these places in a context."""
        quality, works, all_arms = view.quality, expenses.works, len(self.arms)
        variances = self.posterior.variances(view.x)
        doubts = apart(
            [max(variances[at], LEAST_VARIANCE) for at in places],
            [variances[all_arms + at] for at in places],
        )
        costs, utility = [], []
        for at in places:
            price = weights.latency * expenses.log_seconds[at]
            cost = 0.0
            if usd is not None:
                cost = expenses.spend[at] * usd[at]
                price += weights.cost * log10(1 + _COST_UNIT * cost)
            costs.append(cost)
            utility.append(quality[at] * works[at] - price)
        if len(places) == 1:
            shares = [1.0]
        else:
            worth, affordable = utility, None
            if self.pacer is not None and usd is not None:
                worth, affordable = _paced(self.pacer, utility, costs)
            shares = self._shares(context, view, expenses, worth, doubts, affordable, places)
        return [
            Estimate(
                self.arms[at],
                quality[at],
                sqrt(max(variances[at], LEAST_VARIANCE)),
                costs[n],
                expenses.seconds[at],
                1 - works[at],
                utility[n],
                shares[n],
            )
            for n, at in enumerate(places)
        ]

    def _shares(
        self,
        context: Context,
        view: View,
        expenses: Expenses,
        worth: list[float],
        doubts: list[float],
        affordable: list[bool] | None,
        places: list[int],
    ) -> list[float]:
        quality, linear, works = view.quality, view.linear, expenses.works
        curiosity, stacked, standing = self.curiosity, self._stacked, self.standing
        hoped = [
            w + (linear[at] - quality[at]) * works[at] for w, at in zip(worth, places, strict=True)
        ]
        doubts = [curiosity * doubt for doubt in doubts]
        if self.settings.safe_share >= 1 or self.fallback is None or standing is None:
            if not self.hears:
                return only(worth)
            shares = self.rule(np.array(hoped), np.array(doubts)).tolist()
            return self._lifted(shares, affordable, places)
        on_whole = stacked.on_whole
        at_all = [
            w + (on_whole[at] - quality[at]) * works[at]
            for w, at in zip(worth, places, strict=True)
        ]
        deviations = [stacked.deviations[at] * works[at] for at in places]
        worths = Worths(worth, at_all, deviations, hoped, doubts)
        default = None  # it costs time, and matters only then
        if not standing.judged or isinstance(self.fallback, Fixed):
            default = self._default(self.fallback, context, affordable, places)
        # Before any answer is judged, and when answers are no longer judged, nothing can be
        # learned, so nothing is tried.
        if not standing.judged:
            return only(worth, default)
        if default is not None:
            worths = worths.trusting(default)
        guard, tries = self.guard, expenses.tries
        if not self.hears:
            return only(guard.believed(worths))
        if tries is None or len(places) < len(self.arms):
            tries = standing.tries(np.maximum(np.array(deviations) ** 2, LEAST_VARIANCE))
        shares = guard.shares(standing, worths, tries, self.rule, most=self.settings.safe_share)
        return self._lifted(shares, affordable, places)

    @property
    def prices(self) -> Vector:
        """What an answer of each arm costs in utility, whatever its quality."""
        expected = self.expected.get("") or self._expected({})
        price: Vector = self.preference.latency * expected.log_seconds
        if self.rates is not None:
            usd = expected.spend * self.rates
            price = price + self.preference.cost * np.log10(1 + _COST_UNIT * usd)
        return price

    def _lifted(
        self, shares: list[float], affordable: list[bool] | None, places: list[int]
    ) -> list[float]:
        """Raise shares to the least share of any arm, and of an arm that is new or drifted."""
        shares, burst = floored(shares, self.settings.floor), self.settings.burst
        for arm in self.bursts:
            for n, at in enumerate(places):
                if self.arms[at] == arm and shares[n] < burst:
                    scale = (1 - burst) / (1 - shares[n])
                    shares = [share * scale for share in shares]
                    shares[n] = burst
        if affordable is not None and not all(affordable):
            shares = [s if can else 0.0 for s, can in zip(shares, affordable, strict=True)]
            total = sum(shares)
            shares = [share / total for share in shares]
        return shares

    def _default(
        self,
        fallback: Policy,
        context: Context,
        affordable: list[bool] | None,
        places: list[int],
    ) -> int | None:
        """The arm that the fallback prefers; None if that arm cannot answer."""
        arms = [self.arms[at] for at in places]
        usual = fallback.distribution(context, arms)
        likeliest = max(usual, key=usual.__getitem__)
        at = arms.index(likeliest)
        if affordable is not None and not affordable[at]:
            return None
        # The odds are even only if the default cannot answer.
        return at if usual[likeliest] > 1 / len(arms) + 1e-9 else None

    @cached_property
    def guard(self) -> Guard:
        settings = self.settings
        return Guard(self.insight, self.seen, settings.margin, settings.risk, settings.reinvested)


def _paced(
    pacer: Pacer, utility: list[float], costs: list[float]
) -> tuple[list[float], list[bool]]:
    """The utility less the price of money that a budget has left, and the arms it can pay."""
    affordable = pacer.affordable(costs)
    rows = zip(utility, costs, affordable, strict=True)
    return [u - pacer.penalty(cost) if can else _CLOSED for u, cost, can in rows], affordable
