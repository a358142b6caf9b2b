"""The players of a stream: Waggle's bandit, its controls, and the learners of other libraries.

A player gives the odds of all arms, and then learns the quality of one arm. The score of a step is
the mean worth of the arms, weighted by the odds, so that no run profits from lucky draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from river import bandit

from experiments.replay.outcomes import Matrix, Outcomes
from learner.bandit_learner import Bandit
from learner.controls import Fixed
from learner.deciding import BanditPolicy, BanditSettings
from learner.explore import Rule, thompson
from learner.pacing import Pacer
from learner.policy import Arm, Context, Feedback
from learner.pooling import BELIEFS, Belief
from learner.preference import Preference

Vector = np.ndarray[Any, np.dtype[np.float64]]


class Player(Protocol):
    def odds(self, at: int, context: Context) -> Vector: ...
    def learn(self, at: int, context: Context, arm: int, quality: float) -> None: ...


@dataclass
class Ours:
    """The bandit as the service runs it, but without the guard for a cold start, because the replay
    measures how well the bandit learns and not how little it risks."""

    outcomes: Outcomes
    settings: BanditSettings = field(default_factory=BanditSettings)
    cost_weight: float = 0.1
    every: int = 20  # A new policy is published after so many answers.
    beliefs: Sequence[Belief] = BELIEFS
    rule: Rule = thompson
    default: int | None = None  # The guard prefers this arm at first.
    arms: Sequence[int] = ()
    pacer: Pacer | None = None
    drifts: int = 0

    def __post_init__(self) -> None:
        self.bandit = Bandit("replay", self.settings, self.beliefs)
        self.rates = self.outcomes.rates
        joined = self.arms or range(len(self.outcomes.arms))
        self.joined = [self.outcomes.arms[n] for n in joined]
        self.bandit.set_arms(self.joined)
        self._unpublished = 0  # answers since the last policy was published
        self._policy: BanditPolicy | None = None

    def joins(self, arm: int) -> None:
        self.joined.append(self.outcomes.arms[arm])
        self.bandit.set_arms(self.joined, burst=True)
        self._policy = None

    def reprice(self, rates: Mapping[Arm, float]) -> None:
        self.rates |= rates
        self._policy = None

    def pace(self, pacer: Pacer) -> None:
        """Replace the policy's pacer, and nothing else in the policy."""
        self.pacer = pacer
        if self._policy is not None:
            self._policy = replace(self._policy, pacer=pacer)

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        if self._policy is None or self._unpublished >= self.every:
            self._unpublished = 0
            default = None if self.default is None else Fixed(self.outcomes.arms[self.default])
            policy = self.bandit.policy(pacer=self.pacer, fallback=default)
            policy = policy.priced(self.rates).preferring(Preference(self.cost_weight, 0.0))
            self._policy = replace(policy, rule=self.rule)
        shares = self._policy.distribution(context, self.joined)
        return np.array([shares.get(arm, 0.0) for arm in self.outcomes.arms])

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None:
        self._unpublished += 1
        feedback = Feedback(str(at), self.outcomes.arms[arm], context, quality)
        self.drifts += self.bandit.learn(feedback) is not None

    def teach(self, at: Sequence[int], contexts: Sequence[Context]) -> None:
        """Learn the scores of every arm on some prompts, before the stream begins."""
        for n in at:
            for arm, name in enumerate(self.outcomes.arms):
                quality = float(self.outcomes.quality[n, arm])
                self.bandit.learn(Feedback(f"warm:{n}:{arm}", name, contexts[n], quality))


@dataclass
class NoContext(Ours):
    """Thompson sampling that ignores the context of a request."""

    beliefs: Sequence[Belief] = ({},)

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        return super().odds(at, {})

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None:  # noqa: ARG002
        super().learn(at, {}, arm, quality)


@dataclass
class UniformPlayer:
    outcomes: Outcomes

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        return _even(self.outcomes)

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None: ...


@dataclass
class Climbs:
    """The rule ladder: it chooses a cheap, a middling or a dear arm by the prompt's complexity."""

    outcomes: Outcomes
    contexts: Sequence[Context]

    def __post_init__(self) -> None:
        order = np.argsort(self.outcomes.cost.mean(axis=0), kind="stable")
        self.rungs = [int(order[0]), int(order[len(order) // 2]), int(order[-1])]
        scores = [context.get("part.complexity", 0.0) for context in self.contexts]
        self.cuts = np.quantile(scores, [1 / 3, 2 / 3])

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        rung = int(np.searchsorted(self.cuts, context.get("part.complexity", 0.0), side="right"))
        return _certain(self.rungs[rung], self.outcomes)

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None: ...


@dataclass
class RiverLinUCB:
    """River's LinUCB on the same contexts. LinUCB knows no prices, so it learns utility."""

    outcomes: Outcomes
    seed: int

    def __post_init__(self) -> None:
        self.policy: Any = bandit.LinUCBDisjoint(alpha=0.5, seed=self.seed)
        self.dearness = 0.1 * self.outcomes.dearness

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        arms: list[int | str] = list(range(len(self.outcomes.arms)))
        return _certain(self.policy.pull(arms, context={"bias": 1.0, **context}), self.outcomes)

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None:  # noqa: ARG002
        reward = quality - self.dearness[arm]
        self.policy.update(arm, {"bias": 1.0, **context}, reward)


@dataclass
class VowpalWabbit:
    """Vowpal Wabbit's `squarecb` or `regcb`, with features for each pair of arm and context."""

    outcomes: Outcomes
    kind: str
    seed: int

    def __post_init__(self) -> None:
        import vowpalwabbit  # Only `make bench-replay` installs Vowpal Wabbit.

        rule = "--squarecb --gamma_scale 100" if self.kind == "squarecb" else "--regcb"
        self.vw = vowpalwabbit.Workspace(
            f"--cb_explore_adf {rule} -q SA --quiet --random_seed {self.seed} --cb_type mtr"
        )
        self.dearness = 0.1 * self.outcomes.dearness
        self.last: Vector = np.zeros(0)

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        weights = self.vw.predict(self._example(context))
        self.last = np.array(weights) / sum(weights)
        return self.last

    def learn(self, at: int, context: Context, arm: int, quality: float) -> None:  # noqa: ARG002
        # By default, Vowpal Wabbit expects costs between 0 and 1.
        cost = min(max(1 + self.dearness[arm] - quality, 0.0), 1.0)
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
        # Only `make bench-replay` installs MABWiser.
        from mabwiser.mab import MAB, LearningPolicy

        names = sorted({name for context in self.contexts for name in context})
        self.index = {name: n + 1 for n, name in enumerate(names)}
        self.mab = MAB(
            list(range(len(self.outcomes.arms))), LearningPolicy.LinTS(alpha=0.3), seed=self.seed
        )
        self.dearness = 0.1 * self.outcomes.dearness
        self.begun = False

    def odds(self, at: int, context: Context) -> Vector:  # noqa: ARG002
        if not self.begun:
            return _even(self.outcomes)
        return _certain(self.mab.predict(self._row(context)), self.outcomes)

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


def _even(outcomes: Outcomes) -> Vector:
    return np.full(len(outcomes.arms), 1 / len(outcomes.arms))


def _certain(arm: int, outcomes: Outcomes) -> Vector:
    odds = np.zeros(len(outcomes.arms))
    odds[arm] = 1.0
    return odds
