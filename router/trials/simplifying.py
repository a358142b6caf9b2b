"""What of a strategy could go without utility falling: found here by replay, proved by trial."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import erf, exp, pi, sqrt

from learner.policy import Arm
from router.config.config import Config
from router.config.plan_steps import LESS, backends_of, stages
from router.routing.strategies import Strategy
from router.trials.logged import Logged
from router.trials.replaying import Replay
from router.trials.writing import returns_in

ENOUGH = 30  # judged answers before a plan is called useless
_LEAST_SHARE = 0.05  # of requests, before it is worth asking what a plan's stages are for
_MOST_LOSS = 2.0  # times epsilon: of several that are nearly alike, the best only seems so


@dataclass(frozen=True, slots=True)
class Idle:
    """Plans that could go, and what they might take with them."""

    plans: tuple[str, ...]
    loss: float  # of utility a request, as the learner expects it
    hope: float  # what they might add at best
    backends: tuple[str, ...]  # that no plan needs then
    before: int  # ways a request may take
    after: int

    @property
    def sentence(self) -> str:
        told = f"without {', '.join(self.plans)} a request is expected to lose {self.loss:.4f}"
        gone = f"; {', '.join(self.backends)} would not be needed" if self.backends else ""
        return f"{told} of utility; {self.before} paths become {self.after}{gone}"


@dataclass(frozen=True, slots=True)
class Look:
    """What could go, and of what more must be known before it could."""

    idle: Idle | None
    strangers: tuple[str, ...] = ()  # the least known first


def look(
    config: Config,
    replay: Replay,
    strategy: Strategy,
    rows: Sequence[Logged],
    judged: Mapping[str, int],
    epsilon: float,
    *,
    spared: Collection[str] = (),
    alone: Collection[str] = (),
) -> Look:
    """The plans to try going without: those that nothing is lost with, all at once; else the one
    that least is, as far as the learner can tell it from the others. A trial has to prove it.
    `alone`: plans that were among several without which a trial failed."""
    plans = [plan for plan in config.asking if plan not in strategy.without]
    known = _Known.of(replay, rows, [Arm(plan) for plan in plans])
    if known is None or len(plans) < 2:
        return Look(None)
    able = [p for p in plans if judged.get(p, 0) >= ENOUGH and p not in spared]
    few = [plan for plan in plans if judged.get(plan, 0) < ENOUGH]
    first = {plan: known.without([plan], plan) for plan in able}
    hopeful = [p for p, (lost, hoped) in first.items() if lost <= epsilon / 2 and hoped > epsilon]
    strangers = tuple(sorted((*few, *hopeful), key=lambda plan: judged.get(plan, 0)))
    gone: list[str] = []
    loss = hope = 0.0
    while len(plans) - len(gone) > 1 and not set(gone) & set(alone):
        left = [p for p in able if p not in gone and not (gone and p in alone)]
        tried = {plan: known.without([*gone, plan], plan) for plan in left}
        tried = {plan: told for plan, told in tried.items() if hope + told[1] <= epsilon}
        if not tried:
            break
        plan = min(tried, key=lambda one: (tried[one][0], tried[one][1], one))
        lost, hoped = tried[plan]
        if lost > (epsilon / 4 if gone else _MOST_LOSS * epsilon):
            break
        gone.append(plan)
        loss, hope = lost, hope + hoped
        if lost > epsilon / 4:
            break  # it is tried alone
    if not gone:
        return Look(None, strangers)
    simpler = replace(strategy, without=(*strategy.without, *gone))
    kinds = sorted({one.kind for one in rows})
    found = Idle(
        tuple(gone),
        loss,
        hope,
        _unneeded(config, simpler),
        paths(config, strategy, kinds),
        paths(config, simpler, kinds),
    )
    return Look(found, strangers)


@dataclass(frozen=True, slots=True)
class _Known:
    """What each plan is worth for each logged request, as the learner expects, and might be."""

    plans: tuple[Arm, ...]
    worth: Sequence[Sequence[float]]
    unsure: Sequence[Sequence[float]]  # one deviation of each
    best: float

    @classmethod
    def of(cls, replay: Replay, rows: Sequence[Logged], plans: Sequence[Arm]) -> "_Known | None":
        if not rows:
            return None
        worth, unsure = [], []
        for one in rows:
            told = {e.arm: e for e in replay.estimates(one, plans)}
            if len(told) < len(plans):
                return None  # one is new: nothing is known of it yet
            worth.append([told[arm].utility for arm in plans])
            unsure.append([told[arm].deviation for arm in plans])
        best = sum(max(row) for row in worth) / len(rows)
        return cls(tuple(plans), worth, unsure, best)

    def without(self, gone: Sequence[str], last: str) -> tuple[float, float]:
        """What is lost, on average, where the best of the others answers; and how much more the
        last of them may be expected to add, for all that is not known of it."""
        at = self.plans.index(Arm(last))
        left = [n for n, plan in enumerate(self.plans) if plan not in gone]
        kept = [max(row[n] for n in left) for row in self.worth]
        lost = self.best - sum(kept) / len(kept)
        hoped = sum(
            _improvement(row[at] - best, deviation[at])
            for row, deviation, best in zip(self.worth, self.unsure, kept, strict=True)
        )
        alone = sum(max(row[at] - best, 0.0) for row, best in zip(self.worth, kept, strict=True))
        return lost, (hoped - alone) / len(kept)


def _improvement(ahead: float, deviation: float) -> float:
    """What is gained on average by knowing: the expected part of a normal variable above zero."""
    if deviation <= 0:
        return max(ahead, 0.0)
    z = ahead / deviation
    return deviation * exp(-z * z / 2) / sqrt(2 * pi) + ahead * (1 + erf(z / sqrt(2))) / 2


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a plan that might go, and the plan without it."""

    plan: str
    stage: str
    share: float  # of requests that go through the plan

    @property
    def simpler(self) -> str:
        return f"{self.plan}{LESS}{self.stage}"

    @property
    def sentence(self) -> str:
        return f"{self.plan} without {self.stage}; {self.share:.0%} of requests go through it"


def idle_stages(
    config: Config, strategy: Strategy, rows: Sequence[Logged], tried: Collection[str]
) -> list[Stage]:
    """Stages that no trial ever went without, of the plans that most requests go through first."""
    counts = Counter(str(one.plan) for one in rows)
    found = []
    for plan, count in counts.most_common():
        if plan not in config.asking or plan in strategy.without or plan in strategy.instead:
            continue
        share = count / len(rows)
        for stage in stages(plan, config.plans):
            one = Stage(plan, stage, share)
            if one.simpler not in tried and share >= _LEAST_SHARE:
                found.append(one)
    return found


def paths(config: Config, strategy: Strategy, kinds: Sequence[str]) -> int:
    """Ways a request may take: of a function its branches, else each kind with each plan."""
    if strategy.kind == "function":
        return returns_in(strategy.source)
    if strategy.kind == "fixed":
        return 1
    plans = [plan for plan in config.asking if plan not in strategy.without]
    if strategy.kind == "ladder":
        return len(plans)
    return max(len(kinds), 1) * len(plans)


def _unneeded(config: Config, strategy: Strategy) -> tuple[str, ...]:
    def needed(plans: Sequence[str]) -> set[str]:
        return {backend for plan in plans for backend in backends_of(plan, config.plans)}

    every = list(config.plans)
    left = [plan for plan in every if plan not in strategy.without]
    return tuple(sorted(needed(every) - needed(left)))
