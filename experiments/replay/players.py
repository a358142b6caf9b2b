"""Those who play the same stream: ours, its controls, and what others have built.

Each is asked for the odds of all arms and told what came of one. The score of a step is what those
odds are worth on average, so no run is lucky in its draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from experiments.replay.outcomes import Matrix, Outcomes
from learner.bandit_learner import Bandit
from learner.controls import Fixed
from learner.deciding import BanditPolicy, BanditSettings
from learner.explore import Rule, thompson
from learner.pacing import Pacer
from learner.policy import Context, Feedback
from learner.pooling import BELIEFS, Belief
from learner.preference import Preference

Vector = np.ndarray[Any, np.dtype[np.float64]]


class Player(Protocol):
    def odds(self, at: int, context: Context) -> Vector: ...
    def learn(self, at: int, context: Context, arm: int, quality: float) -> None: ...


@dataclass
class Ours:
    """The bandit as the service runs it, but for the guard of a cold start: it is asked how well it
    learns, not how little it may risk."""

    outcomes: Outcomes
    settings: BanditSettings = field(default_factory=BanditSettings)
    cost_weight: float = 0.1
    every: int = 20  # answers between two policies
    beliefs: Sequence[Belief] = BELIEFS
    rule: Rule = thompson
    default: int | None = None  # the arm that a guard keeps to until others are known as good
    arms: Sequence[int] = ()
    pacer: Pacer | None = None
    drifts: int = 0

    def __post_init__(self) -> None:
        self.bandit = Bandit("replay", self.settings, self.beliefs)
        self.rates = self.outcomes.rates
        known = self.arms or range(len(self.outcomes.arms))
        self.known = [self.outcomes.arms[n] for n in known]
        self.bandit.set_arms(self.known)
        self._told = 0
        self._policy: BanditPolicy | None = None

    def joins(self, arm: int) -> None:
        self.known.append(self.outcomes.arms[arm])
        self.bandit.set_arms(self.known, burst=True)
        self._policy = None

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        if self._policy is None or self._told >= self.every:
            self._told = 0
            default = None if self.default is None else Fixed(self.outcomes.arms[self.default])
            made = self.bandit.policy(pacer=self.pacer, fallback=default)
            made = made.priced(self.rates).preferring(Preference(self.cost_weight, 0.0))
            self._policy = _with_rule(made, self.rule)
        told = self._policy.distribution(context, self.known)
        return np.array([told.get(arm, 0.0) for arm in self.outcomes.arms])

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None:
        self._told += 1
        one = Feedback(str(at), self.outcomes.arms[arm], context, quality)
        self.drifts += self.bandit.learn(one) is not None

    def teach(self, at: Sequence[int], contexts: Sequence[Context]) -> None:
        """Prompts on which every arm was scored."""
        for n in at:
            for arm, name in enumerate(self.outcomes.arms):
                quality = float(self.outcomes.quality[n, arm])
                self.bandit.learn(Feedback(f"warm:{n}:{arm}", name, contexts[n], quality))


def _with_rule(policy: BanditPolicy, rule: Rule) -> BanditPolicy:
    return replace(policy, rule=rule)


@dataclass
class NoContext(Ours):
    """The same Thompson sampling, blind to what is asked."""

    beliefs: Sequence[Belief] = ({},)

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        return super().odds(at, {})

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None:  # noqa: ARG002
        super().learn(at, {}, arm, quality)


@dataclass
class Random:
    outcomes: Outcomes

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        count = len(self.outcomes.arms)
        return np.full(count, 1 / count)

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None: ...


@dataclass
class Climbs:
    """The rule ladder: cheapest, middle and dearest by how complex a request looks."""

    outcomes: Outcomes
    contexts: Sequence[Context]

    def __post_init__(self) -> None:
        order = np.argsort(self.outcomes.cost.mean(axis=0), kind="stable")
        self.rungs = [int(order[0]), int(order[len(order) // 2]), int(order[-1])]
        told = [context.get("part.complexity", 0.0) for context in self.contexts]
        self.cuts = np.quantile(told, [1 / 3, 2 / 3])

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        rung = int(np.searchsorted(self.cuts, context.get("part.complexity", 0.0), side="right"))
        told = np.zeros(len(self.outcomes.arms))
        told[self.rungs[rung]] = 1.0
        return told

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None: ...


@dataclass
class RiverLinUCB:
    """River's own, on the same contexts; it maximises utility, for it knows no prices."""

    outcomes: Outcomes
    seed: int

    def __post_init__(self) -> None:
        from river import bandit

        self.policy = bandit.LinUCBDisjoint(alpha=0.5, seed=self.seed)
        self.dearness = 0.1 * self.outcomes.dearness

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        arms = list(range(len(self.outcomes.arms)))
        told = np.zeros(len(arms))
        told[self.policy.pull(arms, context={"bias": 1.0, **context})] = 1.0
        return told

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None:  # noqa: ARG002
        reward = quality - self.dearness[arm]
        self.policy.update(arm, {"bias": 1.0, **context}, reward)


@dataclass
class VowpalWabbit:
    """`squarecb` or `regcb`, with arms crossed with the context."""

    outcomes: Outcomes
    kind: str
    seed: int

    def __post_init__(self) -> None:
        import vowpalwabbit

        told = "--squarecb --gamma_scale 100" if self.kind == "squarecb" else "--regcb"
        self.vw = vowpalwabbit.Workspace(
            f"--cb_explore_adf {told} -q SA --quiet --random_seed {self.seed} --cb_type mtr"
        )
        self.dearness = 0.1 * self.outcomes.dearness
        self.last: Vector = np.zeros(0)

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        told = self.vw.predict(self._example(context))
        self.last = np.array(told) / sum(told)
        return self.last

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None:  # noqa: ARG002
        cost = min(max(1 + self.dearness[arm] - quality, 0.0), 1.0)  # what it expects by default
        self.vw.learn(self._example(context, f"{arm}:{cost:.6f}:{max(self.last[arm], 1e-3):.6f}"))

    def _example(self, context: Context, label: str = "") -> list[str]:
        def feature(name: str, value: float) -> str:
            return f"{name.replace('=', '_').replace(':', '_').replace(' ', '_')}:{value:.5f}"

        shared = "shared |S " + " ".join(feature(n, v) for n, v in context.items())
        chosen = int(label.partition(":")[0]) if label else -1
        arms = [
            f"{'0:' + label.split(':', 1)[1] if arm == chosen else ''} |A arm{arm}"
            for arm in range(len(self.outcomes.arms))
        ]
        return [shared, *arms]


@dataclass
class MabWiserLinTS:
    outcomes: Outcomes
    contexts: Sequence[Context]
    seed: int

    def __post_init__(self) -> None:
        from mabwiser.mab import MAB, LearningPolicy

        names = sorted({name for context in self.contexts for name in context})
        self.index = {name: n + 1 for n, name in enumerate(names)}
        self.mab = MAB(
            list(range(len(self.outcomes.arms))), LearningPolicy.LinTS(alpha=0.3), seed=self.seed
        )
        self.dearness = 0.1 * self.outcomes.dearness
        self.begun = False

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        told = np.zeros(len(self.outcomes.arms))
        if not self.begun:
            return np.full(len(told), 1 / len(told))
        told[self.mab.predict(self._row(context))] = 1.0
        return told

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None:  # noqa: ARG002
        row, reward = self._row(context), [quality - self.dearness[arm]]
        if self.begun:
            self.mab.partial_fit([arm], reward, row)
        else:
            self.mab.fit([arm], reward, row)
            self.begun = True

    def _row(self, context: Context) -> Matrix:
        row = np.zeros((1, len(self.index) + 1))
        row[0, 0] = 1.0
        for name, value in context.items():
            row[0, self.index[name]] = value
        return row


Makes = Callable[[Outcomes, Sequence[Context], int], Player]
