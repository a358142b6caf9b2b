"""A contextual bandit: it estimates quality and expense, explores, and forgets.

`Bandit` learns; `BanditPolicy`, a frozen copy of its estimates, decides. Learning never ends: old
evidence fades, every arm keeps a least share of requests, and a new or drifted arm gets more
requests for a while.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from learner.deciding import BanditPolicy, BanditSettings
from learner.drift import Detectors
from learner.evidence import MIDDLE, Evidence, Sums
from learner.expense import Expenses, as_expected
from learner.foretold import Foretold
from learner.heirs import Heirs
from learner.insight import Ledger
from learner.kinship import alike
from learner.model import Model
from learner.pacing import Pacer
from learner.policy import Arm, Context, Feedback, Outcome, Policy
from learner.pooling import BELIEFS, Belief, posterior
from learner.posterior import ExpectedExpenses, Matrix, Posterior, Vector, on_grid
from learner.rows import Rows
from learner.standing import Standing, standing
from learner.traits import ArmTraits

_REMEMBERED_IDS = 20_000
_WRITTEN_IDS = 2_000  # the number of ids that a snapshot holds
_FORGETS_EVERY = 200  # judged answers between two steps of forgetting
FIRST = 100  # judged answers before the first trees
GROWTH, MOST_BETWEEN = 1.2, 2_000.0  # trees grow anew with so many times, or so many, more answers
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
    rows: Rows = field(default_factory=Rows)
    ledger: Ledger = field(default_factory=Ledger)
    foretold: Foretold = field(default_factory=Foretold)
    model: Model | None = None
    grown_at: int = 0  # the answers that were judged before trees grew
    heirs: Heirs = field(default_factory=Heirs)  # arms that began as another arm

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
            self.rows.drop(arm)
            self.bursts.pop(arm, None)
            self._posterior = None

    def forget_features(self, names: Sequence[str]) -> None:
        """Remove features from all sums, as if every answer had been learned without them."""
        self.evidence.drop_features(names)
        self.rows.drop_features(names)
        self.heirs.evidence.drop_features(names)
        self.model = None
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
        if arm in self.heirs.parents:
            self.heirs.learn(self._as_known(feedback))
            return None
        drifted = self._watch(feedback) if feedback.watched else None
        self.evidence.learn(arm, feedback.context, feedback.quality, feedback.weight)
        self.rows.add(feedback)
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
            self.rows.drop(arm)
            self.grown_at = 0  # the trees of this arm are of another time
            self.bursts[arm] = self.settings.burst_length
            self._posterior = None
        return drifted

    def revise(self, before: Feedback, now: Feedback) -> None:
        """Replace the judgement of an answer that was learned before."""
        if not self._is_new(now.id):
            return
        if before.arm in self.heirs.parents:
            self.heirs.revise(self._as_known(before), self._as_known(now))
            return
        self.evidence.unlearn(before.arm, before.context, before.quality, before.weight)
        self.evidence.learn(now.arm, now.context, now.quality, now.weight)
        self.rows.add(now)
        self._since += 1

    def see(self, outcome: Outcome, kind: str) -> None:
        expenses = self.heirs.expenses if outcome.arm in self.heirs.parents else self.expenses
        expenses.see(outcome, kind)

    def policy(
        self,
        *,
        fallback: Policy | None = None,
        pacer: Pacer | None = None,
        hears: bool = True,
        traits: Mapping[str, ArmTraits] = MappingProxyType({}),
    ) -> BanditPolicy:
        """What is known now, as a policy. Arms that their traits relate share their standing."""
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
            standing=self._standing(alike(list(self.evidence.arms), traits)),
            insight=None if self.model is None else self.model.insight.of(self._posterior.arms),
            pacer=pacer,
            hears=hears,
            inherited=self.heirs.inherited(self._posterior, self.expenses),
        )

    @property
    def trees_are_due(self) -> bool:
        """Whether enough answers were judged since trees were grown to grow them anew."""
        if self.model is None:
            return len(self.rows) >= FIRST
        wait = min((GROWTH - 1) * self.grown_at, MOST_BETWEEN)
        return self.learned >= self.grown_at + wait

    def grow(self, prices: Vector) -> None:
        """Grow trees from the judged answers; `prices` is what each arm costs in utility.

        First the answers since the last time show what choosing by context gained on them.
        """
        from learner.growing import grown  # loads scikit-learn, which few processes need

        estimated = self._current_posterior()
        rows = self.rows.arrays(estimated.arms)
        model = self.model
        if model is not None and model.insight.arms == rows.arms:
            judged = model.judged(rows, prices)
            self.ledger = self.ledger.plus(judged.gains)
            self.foretold = self.foretold.plus(judged)
        means = self._standing().means
        self.model = grown(rows, estimated, means, self.ledger, self.foretold)
        self.grown_at = self.learned

    def sums(self, since: Sums | None = None) -> Sums:
        return self.evidence.sums(since)

    def merge(self, sums: Sums) -> None:
        self.evidence.merge(sums)
        self._posterior = None

    def _standing(self, likeness: Matrix | None = None) -> Standing:
        sums = list(self.evidence.arms.values())
        weights = np.array([arm.weight for arm in sums])
        about = np.array([arm.natural[0] for arm in sums])  # the sums count from the middle
        squares = np.array([arm.squares for arm in sums]) + (2 * about + MIDDLE * weights) * MIDDLE
        return standing(weights, about + MIDDLE * weights, squares, likeness)

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

    def _as_known(self, feedback: Feedback) -> Feedback:
        """The feedback with the features that arms know: an heir adds none, whatever its context
        names."""
        names = self.evidence.names
        context = {name: value for name, value in feedback.context.items() if name in names}
        return replace(feedback, context=context)

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
        return as_expected(expenses, usual)
