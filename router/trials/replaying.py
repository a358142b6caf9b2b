"""Replays logged decisions with a strategy, and estimates the utility that would have followed.

A replay may veto a strategy and point out needless parts; a replay never promotes a strategy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from learner.offpolicy import normalised
from learner.policy import Arm, Distribution
from learner.preference import Estimate
from router.config.config import Config
from router.plans.compiled import Plans
from router.plans.costs import Size
from router.routing.bandit import rates_of
from router.routing.function_contract import Unanswered, opinion
from router.routing.ladder import configured_ladder
from router.routing.strategies import Strategy, policy_for
from router.trials.logged import LoggedDecision

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy

AskFunction = Callable[[Strategy, Sequence[Any]], Any]
_ENOUGH = 100.0  # the effective number of rewards that a veto needs


@dataclass(frozen=True, slots=True)
class ReplayEstimate:
    """The estimated utility of a strategy, beside the actual utility of the same requests."""

    value: float
    deviation: float
    effective: float
    actual: float
    n: int
    unseen: int = 0  # logged requests that lack what the function looks at
    lacks: str = ""  # what they lack

    @property
    def sentence(self) -> str:
        """What the replay could not see; empty if it saw all."""
        if not self.unseen:
            return ""
        total = self.n + self.unseen
        return (
            f"replay saw {self.n:,} of {total:,} logged requests, for the others do not hold the "
            f"{self.lacks} that the function looks at"
        )

    def veto(self, epsilon: float) -> str:
        """The reason not to try the strategy; empty if there is no such reason."""
        if self.effective < _ENOUGH or self.value + 2 * self.deviation >= self.actual - epsilon:
            return ""
        return (
            f"replay: {self.n:,} logged answers put it at {self.value:.3f} ± "
            f"{2 * self.deviation:.3f} of utility, and what served had {self.actual:.3f}"
        )

    def written(self) -> dict[str, Any]:
        return {
            "value": round(self.value, 5),
            "deviation": round(self.deviation, 5),
            "effective": round(self.effective, 1),
            "actual": round(self.actual, 5),
            "n": self.n,
            **({"unseen": self.unseen, "lacks": self.lacks} if self.unseen else {}),
        }


class Replay:
    """Decides as a router would, given the values in a logged row."""

    def __init__(
        self,
        config: Config,
        bandit: "BanditPolicy",
        lens: int,
        ask_function: AskFunction | None = None,
    ) -> None:
        self._config, self._ask_function, self._lens = config, ask_function, lens
        self._preference = config.objective.preference
        compiled, plans = Plans(config), [Arm(plan) for plan in config.plans]
        self._rates = {Arm(p): rate for p, rate in rates_of(compiled, plans, Size()).items()}
        self._bandit = bandit.preferring(self._preference).priced(self._rates)
        self._ladder = configured_ladder(compiled)

    def odds(self, strategy: Strategy, row: LoggedDecision) -> Distribution:
        configured = [arm for arm in row.odds if arm in self._config.plans]
        eligible = [arm for arm in configured if arm not in strategy.without] or configured
        context = row.context(self._lens)
        if strategy.kind == "function":
            try:
                return self._function_odds(strategy, row, eligible)
            except Unanswered:
                strategy = Strategy("bandit", "bandit")
        if strategy.kind == "bandit":
            settings = replace(self._bandit.settings, **strategy.settings)
            return replace(self._bandit, settings=settings).distribution(context, eligible)
        return policy_for(strategy, self._ladder).distribution(context, eligible)

    def worth(self, row: LoggedDecision, arms: Sequence[Arm]) -> list[float]:
        """The utility that the learner expects of these arms for this request."""
        utilities = {estimate.arm: estimate.utility for estimate in self.estimates(row, arms)}
        return [utilities.get(arm, float("-inf")) for arm in arms]

    def expected(self, strategy: Strategy, rows: Sequence[LoggedDecision]) -> float:
        """The mean utility that the learner expects of a strategy."""
        total = 0.0
        for row in rows:
            odds = self.odds(strategy, row)
            worth = self.worth(row, list(odds))
            total += sum(
                share * value for share, value in zip(odds.values(), worth, strict=True) if share
            )
        return total / len(rows) if rows else 0.0

    def estimates(self, row: LoggedDecision, arms: Sequence[Arm]) -> Sequence[Estimate]:
        return self._bandit.estimates(row.context(self._lens), arms)

    def estimate(self, strategy: Strategy, rows: Sequence[LoggedDecision]) -> ReplayEstimate:
        """Estimate a strategy's utility from logged rewards, without the learner."""
        lacking = [row.lacks(strategy.source) for row in rows]
        lacks = " and ".join(dict.fromkeys(name for names in lacking for name in names))
        unseen = sum(map(bool, lacking))
        rows = [row for row, names in zip(rows, lacking, strict=True) if not names]
        if not rows:
            return ReplayEstimate(0.0, float("inf"), 0.0, 0.0, 0, unseen, lacks)
        rewards = np.array([row.utility(self._preference) for row in rows])
        logged = np.array([row.propensity for row in rows])
        wanted = np.array([self.odds(strategy, row).get(row.plan, 0.0) for row in rows])
        replayed = normalised(rewards, logged, wanted)
        actual = float(rewards.mean())
        return ReplayEstimate(
            replayed.value,
            replayed.deviation,
            replayed.effective,
            actual,
            len(rows),
            unseen,
            lacks,
        )

    def _function_odds(
        self, strategy: Strategy, row: LoggedDecision, eligible: Sequence[Arm]
    ) -> Distribution:
        if self._ask_function is None:
            raise Unanswered("no routing function can run here")
        if row.lacks(strategy.source):
            raise Unanswered("the logged request does not hold what the function looks at")
        scores: dict[str, dict[str, float]] = {
            str(estimate.arm): {
                "usd": estimate.cost,
                "quality": estimate.quality,
                "deviation": estimate.deviation,
                "seconds": estimate.seconds,
                "failure": estimate.failure,
                "utility": estimate.utility,
            }
            for estimate in self.estimates(row, eligible)
        }
        for arm in eligible:
            scores.setdefault(str(arm), {"usd": self._rates.get(arm, 0.0)})
        answer = self._ask_function(strategy, (row.function_view, scores, []))
        return opinion(answer, eligible, strategy.source)
