"""What of a strategy could go without utility falling: found here by replay, proved by trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from learner.policy import Arm
from router.config import Config
from router.plans.grammar import backends_of
from router.trials.logged import Logged
from router.trials.replaying import Replay
from router.trials.strategies import Strategy
from router.trials.writing import returns_in

_OPTIMISM = 1.28  # deviations: what a plan might yet be worth, nine times in ten
_ENOUGH = 8  # judged answers before a plan is called useless: hope counts for the rest


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


def idle(
    config: Config,
    replay: Replay,
    strategy: Strategy,
    rows: Sequence[Logged],
    judged: Mapping[str, int],
    epsilon: float,
) -> Idle | None:
    """The plans whose going costs no more than `epsilon` together, the idlest first."""
    plans = [plan for plan in config.asking if plan not in strategy.without]
    known = _Known.of(replay, rows, [Arm(plan) for plan in plans])
    if known is None or len(plans) < 2:
        return None
    gone: list[str] = []
    loss = hope = 0.0
    while len(plans) - len(gone) > 1:
        left = [plan for plan in plans if plan not in gone]
        tried = {
            plan: known.without([*gone, plan], plan)
            for plan in left
            if judged.get(plan, 0) >= _ENOUGH
        }
        if not tried:
            break
        plan = min(tried, key=lambda one: (tried[one][0], tried[one][1], one))
        lost, hoped = tried[plan]
        if lost > epsilon / 2 or hope + hoped > epsilon:
            break
        gone.append(plan)
        loss, hope = lost, hope + hoped
    if not gone:
        return None
    simpler = replace(strategy, without=(*strategy.without, *gone))
    kinds = sorted({one.kind for one in rows})
    return Idle(
        tuple(gone),
        loss,
        hope,
        _unneeded(config, simpler),
        paths(config, strategy, kinds),
        paths(config, simpler, kinds),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What each plan is worth for each logged request, as the learner expects, and might be."""

    plans: tuple[Arm, ...]
    worth: Sequence[Sequence[float]]
    might: Sequence[Sequence[float]]
    best: float

    @classmethod
    def of(cls, replay: Replay, rows: Sequence[Logged], plans: Sequence[Arm]) -> "_Known | None":
        if not rows:
            return None
        worth, might = [], []
        for one in rows:
            told = {e.arm: e for e in replay.estimates(one, plans)}
            if len(told) < len(plans):
                return None  # one is new: nothing is known of it yet
            worth.append([told[arm].utility for arm in plans])
            might.append([told[arm].utility + _OPTIMISM * told[arm].deviation for arm in plans])
        best = sum(max(row) for row in worth) / len(rows)
        return cls(tuple(plans), worth, might, best)

    def without(self, gone: Sequence[str], last: str) -> tuple[float, float]:
        """What is lost, on average, where the best of the others answers; and what the last of
        them might have been worth beyond that."""
        at = self.plans.index(Arm(last))
        left = [n for n, plan in enumerate(self.plans) if plan not in gone]
        kept = [max(row[n] for n in left) for row in self.worth]
        lost = self.best - sum(kept) / len(kept)
        hoped = [max(row[at] - best, 0.0) for row, best in zip(self.might, kept, strict=True)]
        return lost, sum(hoped) / len(hoped)


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
