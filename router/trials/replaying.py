"""What a strategy would have done with decisions that were logged, and what that would have been
worth. It may veto a strategy and find what is idle; it never promotes one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from learner.controls import Ladder
from learner.offpolicy import normalised
from learner.policy import Arm, Distribution
from learner.preference import Estimate as Expected
from learner.preference import Preference
from router.config.config import Config
from router.plans.compiled import Plans
from router.plans.costs import Size
from router.routing.bandit import rates_of
from router.routing.function_contract import Unanswered, opinion
from router.routing.ladder import ladder_of
from router.routing.strategies import Strategy, policy_for
from router.trials.logged import Logged

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy

Asks = Callable[[Strategy, Sequence[Any]], Any]
_ENOUGH = 100.0  # logged rewards that an estimate must be worth


@dataclass(frozen=True, slots=True)
class ReplayEstimate:
    """What a strategy would have been worth, beside what was."""

    value: float
    deviation: float
    effective: float
    actual: float
    n: int

    def vetoes(self, epsilon: float) -> str:
        """Why it is not even to be tried, or nothing."""
        if self.effective < _ENOUGH or self.value + 2 * self.deviation >= self.actual - epsilon:
            return ""
        return (
            f"replay: {self.n:,} logged answers put it at {self.value:.3f} ± "
            f"{2 * self.deviation:.3f} of utility, and what served had {self.actual:.3f}"
        )

    def told(self) -> dict[str, float]:
        return {
            "value": round(self.value, 5),
            "deviation": round(self.deviation, 5),
            "effective": round(self.effective, 1),
            "actual": round(self.actual, 5),
            "n": self.n,
        }


class Replay:
    """Decides as routers would, from what a row holds."""

    def __init__(
        self, config: Config, bandit: "BanditPolicy", lens: int, asks: Asks | None = None
    ) -> None:
        self._config, self._asks = config, asks
        self.bandit, self.lens = bandit, lens
        self.preference: Preference = config.objective.preference
        plans = [Arm(plan) for plan in config.plans]
        self._rates = {Arm(p): rate for p, rate in rates_of(Plans(config), plans, Size()).items()}
        self._bandit = bandit.preferring(self.preference).priced(self._rates)
        self._ladder: Ladder = ladder_of(config.objective.ladder, config.asking)

    def odds(self, strategy: Strategy, one: Logged) -> Distribution:
        every = [arm for arm in one.odds if arm in self._config.plans]
        eligible = [arm for arm in every if arm not in strategy.without] or every
        context = one.context(self.lens)
        if strategy.kind == "function":
            try:
                return self._asked(strategy, one, eligible)
            except Unanswered:
                strategy = Strategy("bandit", "bandit")
        if strategy.kind == "bandit":
            policy = self._bandit
            if strategy.settings:
                settings = replace(policy.settings, **strategy.settings)
                policy = replace(policy, settings=settings)
            return policy.distribution(context, eligible)
        return policy_for(strategy, self._ladder).distribution(context, eligible)

    def worth(self, one: Logged, arms: Sequence[Arm]) -> list[float]:
        """What the learner expects of these arms for this request."""
        told = {e.arm: e.utility for e in self.estimates(one, arms)}
        return [told.get(arm, float("-inf")) for arm in arms]

    def estimates(self, one: Logged, arms: Sequence[Arm]) -> Sequence[Expected]:
        return self._bandit.estimates(one.context(self.lens), arms)

    def estimate(self, strategy: Strategy, rows: Sequence[Logged]) -> ReplayEstimate:
        rewards = np.array([one.utility(self.preference) for one in rows])
        logged = np.array([one.propensity for one in rows])
        wanted = np.array([self.odds(strategy, one).get(one.plan, 0.0) for one in rows])
        if not len(rows):
            return ReplayEstimate(0.0, float("inf"), 0.0, 0.0, 0)
        told = normalised(rewards, logged, wanted)
        actual = float(rewards.mean())
        return ReplayEstimate(told.value, told.deviation, told.effective, actual, len(rows))

    def _asked(self, strategy: Strategy, one: Logged, eligible: Sequence[Arm]) -> Distribution:
        if self._asks is None:
            raise Unanswered("no routing function can run here")
        scores: dict[str, dict[str, float]] = {
            str(e.arm): {
                "usd": e.cost,
                "quality": e.quality,
                "deviation": e.deviation,
                "seconds": e.seconds,
                "failure": e.failure,
                "utility": e.utility,
            }
            for e in self._bandit.estimates(one.context(self.lens), eligible)
        }
        for arm in eligible:
            scores.setdefault(str(arm), {"usd": self._rates.get(arm, 0.0)})
        return opinion(self._asks(strategy, (one.told, scores, [])), eligible)
