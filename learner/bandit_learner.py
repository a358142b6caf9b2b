"""A contextual bandit: estimates of quality and expense, a rule to explore, and forgetting.

`Bandit` learns; what decides is a `BanditPolicy`, a frozen picture of it that needs no learner. A
policy is told what arms cost at the moment and what the caller prefers, so a change of either asks
for no relearning. Nothing is ever settled: evidence fades, every arm keeps a floor, and an arm that
drifted, or is new, is tried more for a while.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from learner.deciding import (
    BanditPolicy,
    BanditSettings,
    Expected,
    Posterior,
    Vector,
    log_time,
    on_grid,
)
from learner.drift import Detectors
from learner.evidence import BELIEFS, Belief, Evidence, Sums
from learner.expense import Expense, Expenses
from learner.pacing import Pacer
from learner.policy import Arm, Feedback, Outcome, Policy


@dataclass(frozen=True, slots=True)
class Drifted:
    """An arm whose answers are not what they were."""

    arm: Arm
    residual: float
    seen: float


@dataclass
class Bandit:
    """A `Learner`: a fold over what was tried and what came of it."""

    features: str
    settings: BanditSettings = field(default_factory=BanditSettings)
    beliefs: Sequence[Belief] = BELIEFS
    evidence: Evidence = field(default_factory=Evidence)
    expenses: Expenses = field(default_factory=Expenses)
    detectors: Detectors = field(default_factory=Detectors)
    bursts: dict[Arm, float] = field(default_factory=dict)  # judged answers that are left of it
    learned: int = 0
    duplicates: int = 0

    _REMEMBERED = 20_000
    _WRITTEN = 2_000  # of those, the ones that go into a snapshot
    _AT_ONCE = 200
    _LOOKS_EVERY = 50

    def __post_init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._posterior: Posterior | None = None
        self._since = 0
        self._watching: tuple[dict[str, int], dict[Arm, Vector]] = {}, {}

    @property
    def watching(self) -> tuple[dict[str, int], dict[Arm, Vector]]:
        """What drift is looked for against: weights as they stood a while ago."""
        return self._watching

    @property
    def recent_ids(self) -> list[str]:
        return list(self._ids)[-self._WRITTEN :]

    def resume(
        self, names: dict[str, int], means: dict[Arm, Vector], recent_ids: Sequence[str]
    ) -> None:
        """Go on from where a snapshot was taken."""
        self._watching = names, means
        self._ids = OrderedDict.fromkeys(recent_ids)

    def know(self, arms: Sequence[Arm], *, burst: bool = False) -> None:
        """The arms there are. One that comes later is tried for a while whatever is thought."""
        for arm in arms:
            if arm not in self.evidence.arms:
                self.evidence.know(arm)
                if burst:
                    self.bursts[arm] = self.settings.burst_length
                self._posterior = None
        for arm in [arm for arm in self.evidence.arms if arm not in arms]:
            self.evidence.drop(arm)
            self.expenses.drop(arm)
            self.detectors.drop(arm)
            self.bursts.pop(arm, None)
            self._posterior = None

    def believe(self, arm: Arm, quality: float, *, weight: float, kind: str = "") -> None:
        """What is said of an arm beforehand, as if so many answers had shown it."""
        self.evidence.learn(arm, {kind: 1.0} if kind else {}, quality, weight)
        self._posterior = None

    def learn(self, feedback: Feedback) -> Drifted | None:
        if feedback.id in self._ids:
            self.duplicates += 1
            return None
        self._remember(feedback.id)
        arm = feedback.arm
        drifted = self._watch(feedback)
        self.evidence.learn(arm, feedback.context, feedback.quality, feedback.weight)
        self.learned += 1
        self._since += 1
        if arm in self.bursts:
            self.bursts[arm] -= feedback.weight
            if self.bursts[arm] <= 0:
                del self.bursts[arm]
        if self.learned % self._AT_ONCE == 0:
            self.evidence.forget(0.5 ** (self._AT_ONCE / self.settings.memory))
        if drifted is not None:
            self.evidence.forget(self.settings.kept, [arm])
            self.bursts[arm] = self.settings.burst_length
            self._posterior = None
        return drifted

    def revise(self, before: Feedback, now: Feedback) -> None:
        """Something else was said of an answer that was learned from already."""
        if now.id in self._ids:
            self.duplicates += 1
            return
        self._remember(now.id)
        self.evidence.unlearn(before.arm, before.context, before.quality, before.weight)
        self.evidence.learn(now.arm, now.context, now.quality, now.weight)
        self._since += 1

    def see(self, outcome: Outcome, kind: str) -> None:
        self.expenses.see(outcome, kind)

    def policy(self, *, fallback: Policy | None = None, pacer: Pacer | None = None) -> BanditPolicy:
        posterior = self._believed(self.settings.publish_every)
        kinds = list(self.expenses.kinds()) or [""]
        return BanditPolicy(
            self.features,
            posterior,
            {kind: self._expected(kind) for kind in kinds},
            self.settings,
            bursts=tuple(self.bursts),
            fallback=fallback,
            pacer=pacer,
        )

    def sums(self, since: Sums | None = None) -> Sums:
        return self.evidence.sums(since)

    def merge(self, sums: Sums) -> None:
        self.evidence.merge(sums)
        self._posterior = None

    def _believed(self, every: int) -> Posterior:
        if self._posterior is None or self._since >= every:
            self._since = 0
            self._posterior = self.evidence.posterior(list(self.evidence.arms), self.beliefs)
        return self._posterior

    def _watch(self, feedback: Feedback) -> Drifted | None:
        """What is expected of arms is looked up as it stood at a round number of answers: whenever
        policies are asked for, and however often, the same answers lead to the same resets."""
        if self.learned % self._LOOKS_EVERY == 0:
            told = self.evidence.posterior(list(self.evidence.arms), self.beliefs)
            rows = (row.copy() for row in told.means)
            self._watching = dict(told.names), dict(zip(told.arms, rows, strict=True))
        names, means = self._watching
        mean = means.get(feedback.arm)
        if mean is None:
            return None
        expected = mean[0]
        for name, value in feedback.context.items():
            if name in names:
                expected += mean[names[name]] * on_grid(value)
        residual = feedback.quality - float(expected)
        if not self.detectors.see(feedback.arm, residual):
            return None
        return Drifted(feedback.arm, residual, self.evidence.weight(feedback.arm))

    def _remember(self, one: str) -> None:
        self._ids[one] = None
        if len(self._ids) > self._REMEMBERED:
            self._ids.popitem(last=False)

    def _expected(self, kind: str) -> Expected:
        told: list[Expense] = [self.expenses.of(arm, kind) for arm in self.evidence.arms]
        known = [e.seconds for e in told if e.seconds is not None]
        usual = sum(known) / len(known) if known else 0.0
        seconds = np.array([usual if e.seconds is None else e.seconds for e in told])
        tails = [np.nan if e.tail_seconds is None else e.tail_seconds for e in told]
        return Expected(
            np.array([e.spend for e in told]),
            log_time(seconds),
            seconds,
            np.array(tails),
            np.array([1 - e.failure for e in told]),
        )
