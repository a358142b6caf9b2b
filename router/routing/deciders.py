"""The deciders behind strategies: the configured policy, and the learner's bandit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from learner.controls import Ladder
from learner.policy import Policy
from router.routing.bandit import Chosen, chosen, preference_of, too_slow
from router.routing.case import Case
from router.routing.ladder import configured_ladder

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy


@dataclass(frozen=True, slots=True)
class Deciders:
    """The configured policy, and the bandit, which is None until the learner has sent one."""

    policy: Policy
    bandit: "BanditPolicy | None" = None

    def ladder(self, case: Case) -> Ladder:
        if isinstance(self.policy, Ladder):
            return self.policy
        return configured_ladder(case.plans)


def by_bandit(
    case: Case,
    policy: "BanditPolicy",
    settings: Mapping[str, Any] | None = None,
    *,
    prices: Mapping[str, float] | None = None,
) -> Chosen:
    """The bandit's odds of each plan; `settings` replace some of its settings, and `prices` are the
    dollars by which plans are compared, if the caller knows them."""
    if settings:
        policy = policy.set(**settings)
    if prices is None:
        prices = case.prices(case.eligible)
    preference = preference_of(case.plans.config, case.request)
    context, waits = case.features.context, case.waits
    return chosen(policy, preference, context, case.eligible, prices, waits)


def quick_enough(case: Case, policy: "BanditPolicy | None") -> Case:
    """The case without the plans that usually take longer than the request allows."""
    most_ms = case.request.max_latency_ms
    if most_ms is None or policy is None:
        return case
    slow = too_slow(policy, case.features.context, case.eligible, most_ms, case.waits)
    left = [arm for arm in case.eligible if arm not in slow]
    return replace(case, eligible=left, ineligible={**case.ineligible, **slow})


def reason_by_rule(case: Case, policy: Policy) -> str:
    """The reason for a decision by a policy that does not learn."""
    score = case.features.score
    if not isinstance(policy, Ladder):
        return f"the strategy is {case.plans.config.objective.strategy}"
    most = max(score.parts, key=lambda part: score.parts[part])
    why = f", most of it from {most}" if score.parts[most] >= 0.5 else ""
    return f"complexity {score.score:.1f} of 10{why}; cuts at {list(policy.cuts)}"
