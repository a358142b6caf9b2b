"""A contextual bandit: it estimates quality and expense, explores, and forgets.

`Bandit` learns; `BanditPolicy`, a frozen copy of its estimates, decides. Learning never ends: old
evidence fades, every arm keeps a least share of requests, and a new or drifted arm gets more
requests for a while.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from learner.deciding import BanditPolicy, BanditSettings
from learner.drift import Detectors
from learner.evidence import Evidence, Sums
from learner.expense import Expenses
from learner.pacing import Pacer
from learner.policy import Arm, Context, Feedback, Outcome, Policy
from learner.pooling import BELIEFS, Belief, posterior
from learner.posterior import ExpectedExpenses, Posterior, Vector, log_seconds, on_grid

_REMEMBERED_IDS = 20_000
_WRITTEN_IDS = 2_000  # the number of ids that a snapshot holds
_FORGETS_EVERY = 200  # judged answers between two steps of forgetting
_LOOKS_EVERY = 50  # judged answers after which drift is measured with new estimates


@dataclass(frozen=True, slots=True)
class Drifted:
    """An arm whose answers became better or worse than before."""

    arm: Arm
    residual: float  # the mean quality since then, minus the mean quality before
    seen: float


@dataclass
class Bandit:
    """A `Learner` whose state is sums over judged answers and over expenses."""

    features: str
    settings: BanditSettings = field(default_factory=BanditSettings)
    beliefs: Sequence[Belief] = BELIEFS
    evidence: Evidence = field(default_factory=Evidence)
    expenses: Expenses = field(default_factory=Expenses)
    detectors: Detectors = field(default_factory=Detectors)
    bursts: dict[Arm, float] = field(default_factory=dict)  # judged answers left in each burst
    learned: int = 0
    duplicates: int = 0

    def __post_init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._posterior: Posterior | None = None
        self._since = 0
        self._watching: tuple[dict[str, int], dict[Arm, Vector]] = {}, {}

    @property
    def watching(self) -> tuple[dict[str, int], dict[Arm, Vector]]:
        """The earlier estimates of weights with which drift is measured."""
        return self._watching

    @property
    def recent_ids(self) -> list[str]:
        return list(self._ids)[-_WRITTEN_IDS:]

    def resume(
        self, names: dict[str, int], means: dict[Arm, Vector], recent_ids: Sequence[str]
    ) -> None:
        """Restore the values that a snapshot holds beside the sums."""
        self._watching = names, means
        self._ids = OrderedDict.fromkeys(recent_ids)

    def set_arms(self, arms: Sequence[Arm], *, burst: bool = False) -> None:
        """Make these the only arms. With `burst`, a new arm gets more requests at first."""
        for arm in arms:
            if arm not in self.evidence.arms:
                self.evidence.add_arm(arm)
                if burst:
                    self.bursts[arm] = self.settings.burst_length
                self._posterior = None
        for arm in [arm for arm in self.evidence.arms if arm not in arms]:
            self.evidence.drop_arm(arm)
            self.expenses.drop(arm)
            self.detectors.drop(arm)
            self.bursts.pop(arm, None)
            self._posterior = None

    def forget_features(self, names: Sequence[str]) -> None:
        """Remove features from all sums, as if every answer had been learned without them."""
        self.evidence.drop_features(names)
        self._watching = {}, {}
        self._posterior = None

    def believe(self, arm: Arm, quality: float, *, weight: float, kind: str = "") -> None:
        """Start from a claimed quality, as if `weight` answers had shown it."""
        self.evidence.learn(arm, {kind: 1.0} if kind else {}, quality, weight)
        self._posterior = None

    def learn(self, feedback: Feedback) -> Drifted | None:
        if not self._is_new(feedback.id):
            return None
        arm = feedback.arm
        drifted = self._watch(feedback)
        self.evidence.learn(arm, feedback.context, feedback.quality, feedback.weight)
        self.learned += 1
        self._since += 1
        if arm in self.bursts:
            self.bursts[arm] -= feedback.weight
            if self.bursts[arm] <= 0:
                del self.bursts[arm]
        if self.learned % _FORGETS_EVERY == 0:
            self.evidence.forget(0.5 ** (_FORGETS_EVERY / self.settings.memory))
        if drifted is not None:
            self.evidence.forget(self.settings.kept, [arm])
            self.bursts[arm] = self.settings.burst_length
            self._posterior = None
        return drifted

    def revise(self, before: Feedback, now: Feedback) -> None:
        """Replace the judgement of an answer that was learned before."""
        if not self._is_new(now.id):
            return
        self.evidence.unlearn(before.arm, before.context, before.quality, before.weight)
        self.evidence.learn(now.arm, now.context, now.quality, now.weight)
        self._since += 1

    def see(self, outcome: Outcome, kind: str) -> None:
        self.expenses.see(outcome, kind)

    def policy(self, *, fallback: Policy | None = None, pacer: Pacer | None = None) -> BanditPolicy:
        if self._posterior is None or self._since >= self.settings.publish_every:
            self._since = 0
            self._posterior = self._current_posterior()
        kinds = list(self.expenses.kinds()) or [""]
        return BanditPolicy(
            self.features,
            self._posterior,
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

    def _current_posterior(self) -> Posterior:
        return posterior(self.evidence, list(self.evidence.arms), self.beliefs)

    def _watch(self, feedback: Feedback) -> Drifted | None:
        """Check whether this answer shows that its arm has drifted.

        Estimates say what the context explains, and are renewed after a fixed number of answers. So
        the same answers reset the same arms, whenever and however often policies are made.
        """
        if self.learned % _LOOKS_EVERY == 0:
            estimated = self._current_posterior()
            rows = (row.copy() for row in estimated.means)
            self._watching = dict(estimated.names), dict(zip(estimated.arms, rows, strict=True))
        arm = feedback.arm
        change = self.detectors.see(arm, feedback.quality, self._explained(arm, feedback.context))
        if change is None:
            return None
        return Drifted(arm, change, self.evidence.weight(arm))

    def _explained(self, arm: Arm, context: Context) -> float:
        """How much more quality this context promises than the arm's mean context."""
        names, means = self._watching
        mean, usual = means.get(arm), self.evidence.mean_context(arm)
        if mean is None or usual is None:
            return 0.0
        x = np.zeros(len(mean))
        for name, value in context.items():
            if name in names:
                x[names[name]] = on_grid(value)
        x[0] = 1.0
        return float(mean @ (x - usual[: len(mean)]))

    def _is_new(self, id_: str) -> bool:
        """Remember the id of a feedback, and tell whether the id is new."""
        if id_ in self._ids:
            self.duplicates += 1
            return False
        self._ids[id_] = None
        if len(self._ids) > _REMEMBERED_IDS:
            self._ids.popitem(last=False)
        return True

    def _expected(self, kind: str) -> ExpectedExpenses:
        expenses = [self.expenses.of(arm, kind) for arm in self.evidence.arms]
        times = [e.seconds for e in expenses if e.seconds is not None]
        usual = sum(times) / len(times) if times else 0.0
        seconds = np.array([usual if e.seconds is None else e.seconds for e in expenses])
        tails = [np.nan if e.tail_seconds is None else e.tail_seconds for e in expenses]
        return ExpectedExpenses(
            np.array([e.spend for e in expenses]),
            log_seconds(seconds),
            seconds,
            np.array(tails),
            np.array([1 - e.failure for e in expenses]),
        )
