"""Finds plans that a strategy may not need, by the learner's estimates; a trial must prove it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import erf, exp, pi, sqrt

from learner.policy import Arm
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.logged import LoggedDecision
from router.trials.replaying import Replay

_ENOUGH = 30  # judged answers before a plan can count as idle
_MOST_LOSS = 2.0  # multiples of epsilon: among similar plans, the best one's lead is partly chance


@dataclass(frozen=True, slots=True)
class Idle:
    """Plans that a strategy may not need, and what removing all of them may cost."""

    plans: tuple[str, ...]
    loss: float  # the expected loss of utility of a request
    hope: float  # utility that the plans may add after all


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
    spared: Collection[str] = (),
    alone: Collection[str] = (),
) -> IdleSearch:
    """The plans that together add nothing; if there are none, the plan that adds least.

    The plans in `spared` have had their own trial and stay. A trial failed without several plans
    together; each of these, in `alone`, is now tried alone.
    """
    plans = [plan for plan in config.asking if plan not in strategy.without]
    worths = PlanWorths.of(replay, rows, [Arm(plan) for plan in plans])
    if worths is None or len(plans) < 2:
        return IdleSearch(None)
    able = [p for p in plans if judged.get(p, 0) >= _ENOUGH and p not in spared]
    few = [plan for plan in plans if judged.get(plan, 0) < _ENOUGH]
    hopeful = [
        plan
        for plan in able
        for loss, hope in [worths.without([plan], plan)]
        if loss <= epsilon / 2 and hope > epsilon
    ]
    unsure = tuple(sorted((*few, *hopeful), key=lambda plan: judged.get(plan, 0)))
    return IdleSearch(_idle(worths, able, alone, epsilon), unsure)


@dataclass(frozen=True, slots=True)
class PlanWorths:
    """The utility that the learner expects of each plan, for each logged request."""

    plans: tuple[Arm, ...]
    worth: Sequence[Sequence[float]]
    deviation: Sequence[Sequence[float]]
    best: float

    @classmethod
    def of(
        cls, replay: Replay, rows: Sequence[LoggedDecision], plans: Sequence[Arm]
    ) -> "PlanWorths | None":
        """The worths; None if there are no rows, or if the learner does not know a plan yet."""
        if not rows:
            return None
        worth, deviation = [], []
        for row in rows:
            estimates = {estimate.arm: estimate for estimate in replay.estimates(row, plans)}
            if len(estimates) < len(plans):
                return None
            worth.append([estimates[arm].utility for arm in plans])
            deviation.append([estimates[arm].deviation for arm in plans])
        best = sum(max(utilities) for utilities in worth) / len(rows)
        return cls(tuple(plans), worth, deviation, best)

    def without(self, gone: Sequence[str], last: str) -> tuple[float, float]:
        """The mean loss without the plans `gone`, and the hope for the plan `last`, one of them.

        The loss assumes that the best remaining plan answers. The hope is the utility that the last
        plan may add because its estimates are uncertain.
        """
        at = self.plans.index(Arm(last))
        left = [n for n, plan in enumerate(self.plans) if plan not in gone]
        kept = [max(row[n] for n in left) for row in self.worth]
        loss = self.best - sum(kept) / len(kept)
        hope = sum(
            _improvement(row[at] - best, deviation[at]) - max(row[at] - best, 0.0)
            for row, deviation, best in zip(self.worth, self.deviation, kept, strict=True)
        )
        return loss, hope / len(kept)


def _idle(
    worths: PlanWorths, able: Sequence[str], alone: Collection[str], epsilon: float
) -> Idle | None:
    """Remove plans one by one, the least useful first, until removing another costs utility."""
    gone: list[str] = []
    loss = hope = 0.0
    while len(worths.plans) - len(gone) > 1 and not set(gone) & set(alone):
        left = [p for p in able if p not in gone and not (gone and p in alone)]
        tried = {plan: worths.without([*gone, plan], plan) for plan in left}
        tried = {plan: (lost, hoped) for plan, (lost, hoped) in tried.items()
                 if hope + hoped <= epsilon}  # fmt: skip
        if not tried:
            break
        plan = min(tried, key=lambda plan: (*tried[plan], plan))
        lost, hoped = tried[plan]
        if lost > (epsilon / 4 if gone else _MOST_LOSS * epsilon):
            break
        gone.append(plan)
        loss, hope = lost, hope + hoped
        if lost > epsilon / 4:
            break  # if removing a plan costs a little, remove no other plan
    return Idle(tuple(gone), loss, hope) if gone else None


def _improvement(ahead: float, deviation: float) -> float:
    """The expected positive part of a normal variable: the gain from learning its value."""
    if deviation <= 0:
        return max(ahead, 0.0)
    z = ahead / deviation
    return deviation * exp(-z * z / 2) / sqrt(2 * pi) + ahead * (1 + erf(z / sqrt(2))) / 2
