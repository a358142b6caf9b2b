"""Plans that a strategy could do without, by the learner's estimates; a trial must prove it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import erf, exp, pi, sqrt

from learner.policy import Arm
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.logged import LoggedDecision
from router.trials.replaying import Replay

_ENOUGH = 30  # judged answers before a plan is called idle
_MOST_LOSS = 2.0  # times epsilon: among plans nearly alike, the lead of the best is partly chance


@dataclass(frozen=True, slots=True)
class Idle:
    """Plans that could go together."""

    plans: tuple[str, ...]
    loss: float  # of utility a request, as the learner expects it
    hope: float  # utility that the plans might still add


@dataclass(frozen=True, slots=True)
class IdleSearch:
    """The plans that could go, and the plans to learn more of before they could."""

    idle: Idle | None
    unsure: tuple[str, ...] = ()  # the plan with the fewest judged answers first


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

    `spared` plans had a trial and stay. `alone` plans were among several that a trial failed to go
    without: each of them is now tried on its own.
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
    """The utility that the learner expects of each plan for each logged request."""

    plans: tuple[Arm, ...]
    worth: Sequence[Sequence[float]]
    deviation: Sequence[Sequence[float]]
    best: float

    @classmethod
    def of(
        cls, replay: Replay, rows: Sequence[LoggedDecision], plans: Sequence[Arm]
    ) -> "PlanWorths | None":
        """None if there are no rows, or if a plan is so new that the learner has no estimate."""
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
        """The mean loss without these plans, and the hope for the last of them.

        The loss counts the best of the remaining plans. The hope is the utility that the last plan
        may add for all that is uncertain about it.
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
    """Take plans away one by one, the least missed first, as long as nearly nothing is lost."""
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
            break  # a plan that is missed a little goes alone
    return Idle(tuple(gone), loss, hope) if gone else None


def _improvement(ahead: float, deviation: float) -> float:
    """The mean gain of knowing: the expected positive part of a normal variable."""
    if deviation <= 0:
        return max(ahead, 0.0)
    z = ahead / deviation
    return deviation * exp(-z * z / 2) / sqrt(2 * pi) + ahead * (1 + erf(z / sqrt(2))) / 2
