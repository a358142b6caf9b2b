"""Finds plans that a strategy may not need, by the learner's estimates; a trial must prove it.

A plan may go if it could add less than a margin. What it could add is asked kind by kind: it is
the improvement that the learner expects of knowing the plan's worth. Where the plan was hardly
tried, the learner's estimate comes from other kinds; there it is what the best answers would add.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import erf, exp, inf, log, pi, sqrt

from learner.policy import Arm
from learner.preference import Estimate
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.logged import LoggedDecision
from router.trials.replaying import Replay

_ENOUGH = 30  # judged answers before a plan can count as idle
_ENOUGH_IN_KIND = 20  # judged answers on a kind before the learner's estimate counts for it
_CONFIDENCE = 0.05
_ALIKE, _ALIKE_EACH = 0.03, 0.06  # quality by which doubles may differ: in the mean, on a request

Tried = Callable[[LoggedDecision, str], int]  # judged answers of a plan on requests of a row's kind


@dataclass(frozen=True, slots=True)
class Idle:
    """Plans that a strategy may not need, and what removing all of them may cost."""

    plans: tuple[str, ...]
    loss: float  # the expected loss of utility of a request
    could_add: float  # utility that the plans could add at most


@dataclass(frozen=True, slots=True)
class IdleSearch:
    """The plans that may go, and the plans about which too little is known."""

    idle: Idle | None
    unsure: tuple[str, ...] = ()  # fewest judged answers first


def find_idle(
    config: Config,
    replay: Replay,
    strategy: Strategy,
    rows: Sequence[LoggedDecision],
    judged: Mapping[str, int],
    epsilon: float,
    *,
    tried: Tried,
    spared: Collection[str] = (),
    alone: Collection[str] = (),
) -> IdleSearch:
    """The plans that together add nothing; if there are none, the plan that adds least.

    The plans in `spared` have had their own trial and stay. A trial failed without several plans
    together; each of these, in `alone`, is now tried alone.
    """
    plans = [plan for plan in config.asking if plan not in strategy.without]
    worths = PlanWorths.of(replay, rows, [Arm(plan) for plan in plans], tried)
    if worths is None or len(plans) < 2:
        return IdleSearch(None)
    able = [p for p in plans if judged.get(p, 0) >= _ENOUGH and p not in spared]
    few = [plan for plan in plans if judged.get(plan, 0) < _ENOUGH]
    hopeful = [
        plan
        for plan in able
        for loss, could_add in [worths.without([plan], plan)]
        if loss <= epsilon / 2 and could_add > epsilon
    ]
    unsure = tuple(sorted((*few, *hopeful), key=lambda plan: judged.get(plan, 0)))
    return IdleSearch(_idle(worths, able, alone, epsilon), unsure)


@dataclass(frozen=True, slots=True)
class PlanWorths:
    """The utility that the learner expects of each plan, for each logged request."""

    plans: tuple[Arm, ...]
    worth: Sequence[Sequence[float]]
    deviation: Sequence[Sequence[float]]
    ceiling: Sequence[Sequence[float]]  # the highest utility, where hardly tried; else -inf
    best: float
    quality: Sequence[Sequence[float]] = ()  # the utility without what an answer costs
    price: Sequence[float] = ()  # what an answer costs in utility, by plan

    @classmethod
    def of(
        cls, replay: Replay, rows: Sequence[LoggedDecision], plans: Sequence[Arm], tried: Tried
    ) -> "PlanWorths | None":
        """The worths; None if there are no rows, or if the learner does not know a plan yet."""
        if not rows:
            return None
        worth, deviation, ceiling, quality = [], [], [], []
        for row in rows:
            estimates = {estimate.arm: estimate for estimate in replay.estimates(row, plans)}
            if len(estimates) < len(plans):
                return None
            worth.append([estimates[arm].utility for arm in plans])
            deviation.append([estimates[arm].deviation for arm in plans])
            ceiling.append([_ceiling(estimates[arm], tried(row, arm)) for arm in plans])
            quality.append([estimates[arm].quality * (1 - estimates[arm].failure) for arm in plans])
        best = sum(max(utilities) for utilities in worth) / len(rows)
        price = [
            sum(row[at] - paid[at] for row, paid in zip(quality, worth, strict=True)) / len(rows)
            for at in range(len(plans))
        ]
        return cls(tuple(plans), worth, deviation, ceiling, best, quality, price)

    def doubles(self, plan: str, other: str) -> bool:
        """Whether two plans are as good as each other on all requests, as far as is known."""
        a, b = self.plans.index(Arm(plan)), self.plans.index(Arm(other))
        apart = [row[a] - row[b] for row in self.quality]
        even = abs(sum(apart)) <= _ALIKE * len(apart)
        return even and sum(map(abs, apart)) <= _ALIKE_EACH * len(apart)

    def price_of(self, plan: str) -> float:
        return self.price[self.plans.index(Arm(plan))]

    def without(self, gone: Sequence[str], last: str) -> tuple[float, float]:
        """The mean loss without the plans `gone`, and what the plan `last` of them could add.

        Both assume that the best remaining plan answers. What is known to be lost is a part of what
        the last plan could add.
        """
        at = self.plans.index(Arm(last))
        left = [n for n, plan in enumerate(self.plans) if plan not in gone]
        kept = [max(row[n] for n in left) for row in self.worth]
        loss = self.best - sum(kept) / len(kept)
        could_add = sum(
            max(_improvement(row[at] - best, deviation[at]), ceiling[at] - best)
            for row, deviation, ceiling, best in zip(
                self.worth, self.deviation, self.ceiling, kept, strict=True
            )
        )
        return loss, could_add / len(kept)


def _idle(
    worths: PlanWorths, able: Sequence[str], alone: Collection[str], epsilon: float
) -> Idle | None:
    """Remove plans one by one, the least useful first, until removing another costs utility."""
    gone: list[str] = []
    loss = could_add = 0.0
    while len(worths.plans) - len(gone) > 1 and not set(gone) & set(alone):
        left = [p for p in able if p not in gone and not (gone and p in alone)]
        tried = {plan: worths.without([*gone, plan], plan) for plan in left}
        tried = {plan: (lost, more) for plan, (lost, more) in tried.items()
                 if could_add + more <= epsilon}  # fmt: skip
        if not tried:
            break
        plan = min(tried, key=lambda plan: (*tried[plan], plan))
        plan = _dearer_double(worths, plan, tried, gone)
        lost, more = tried[plan]
        if gone and lost > epsilon / 4:
            break
        gone.append(plan)
        loss, could_add = lost, could_add + more
        if lost > epsilon / 4:
            break  # if removing a plan costs a little, remove no other plan
    return Idle(tuple(gone), loss, could_add) if gone else None


def _dearer_double(
    worths: PlanWorths, plan: str, tried: Mapping[str, tuple[float, float]], gone: Collection[str]
) -> str:
    """The plan, or a dearer double of it: of two that do the same, the cheaper stands for both."""
    doubles = [
        other
        for other in worths.plans
        if other in tried and other not in gone and worths.doubles(plan, other)
    ]
    return max((plan, *doubles), key=lambda each: (worths.price_of(each), each))


def _ceiling(estimate: Estimate, tried: int) -> float:
    """The utility of the plan if its quality is as high as so few answers allow."""
    if tried >= _ENOUGH_IN_KIND:
        return -inf
    radius = sqrt(log(1 / _CONFIDENCE) / (2 * tried)) if tried else 1.0
    return estimate.utility + max(min(1.0 - estimate.quality, radius), 0.0)


def _improvement(ahead: float, deviation: float) -> float:
    """The expected positive part of a normal variable: the gain from learning its value."""
    if deviation <= 0:
        return max(ahead, 0.0)
    z = ahead / deviation
    return deviation * exp(-z * z / 2) / sqrt(2 * pi) + ahead * (1 + erf(z / sqrt(2))) / 2
