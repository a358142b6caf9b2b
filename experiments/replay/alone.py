"""The learner alone on contexts made beforehand, for experiments that only need a learner.

Not the service: there is no guard, no feed and no lens that comes later. The replay itself plays
`service.Waggle`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from experiments.replay.outcomes import Outcomes
from experiments.replay.playing import COST, drawn
from learner.bandit_learner import Bandit
from learner.deciding import BanditPolicy, BanditSettings
from learner.policy import Context, Feedback
from learner.preference import Preference


@dataclass
class LearnerAlone:
    """The bandit with prices, which gets a new policy after each `every` answers."""

    outcomes: Outcomes
    settings: BanditSettings = field(default_factory=BanditSettings)
    every: int = 20

    judged: Counter[tuple[str, int]] = field(default_factory=Counter)  # answers by task and arm

    def __post_init__(self) -> None:
        self.bandit = Bandit("replay", self.settings)
        self.rates = self.outcomes.rates
        self.bandit.set_arms(list(self.outcomes.arms))

    def policy(self) -> BanditPolicy:
        return self.bandit.policy().priced(self.rates).preferring(Preference(COST, 0.0))

    def play(self, order: Sequence[int], seen: Sequence[Context], seed: int) -> None:
        """Answer these prompts in their order, and learn from each answer."""
        chance, arms = np.random.default_rng(1000 + seed), self.outcomes.arms
        policy = self.policy()
        for step, at in enumerate(order):
            if step % self.every == 0:
                policy = self.policy()
            shares = policy.distribution(seen[at], arms)
            arm = drawn(np.array([shares[arm] for arm in arms]), chance.random())
            self.learn(str(at), at, arm, seen[at])

    def learn(self, name: str, at: int, arm: int, context: Context) -> None:
        """Learn the outcome of an arm on a prompt."""
        quality = float(self.outcomes.quality[at, arm])
        self.judged[self.outcomes.tasks[at], arm] += 1
        self.bandit.learn(Feedback(name, self.outcomes.arms[arm], context, quality))
