"""How often a made plan answers a request of its pattern, and what is expected of it there.

On trial, and with `growth.serve: all`, a made plan answers every such request. With `bandit`, an
adopted made plan is an arm within its pattern: the bandit's model of it, which began as that of its
parent, says request by request whether another plan is better.
"""

from collections.abc import Sequence

from learner.policy import Arm, Distribution
from learner.preference import Estimate
from router.plans.costs import size_of
from router.routing.bandit import Chosen, preference_of, rates_of
from router.routing.case import Case
from router.routing.deciders import Deciders
from router.routing.steering import Believed, Steering


def made_choice(
    case: Case,
    plan: str,
    others: Distribution,
    estimates: Sequence[Estimate],
    steering: Steering,
    by: Deciders,
) -> Chosen:
    """The odds of a plan that was made for the request, beside the odds of the `others` without it.

    It gets all if the bandit does not know it well enough, or knows nothing of the others.
    """
    estimate, share = _modelled(case, plan, by), 1.0
    chosen = plan in steering.chosen and case.plans.config.growth.serve == "bandit"
    beside = [each for each in estimates if others.get(each.arm, 0.0) > 0]
    if chosen and estimate is not None and by.bandit is not None and beside:
        share = by.bandit.share_beside(estimate, beside)
    elif estimate is None and plan in steering.believed:
        estimate = _believed(case, plan, steering.believed[plan])
    odds = {Arm(plan): share}
    if share < 1:
        odds |= {arm: (1 - share) * chance for arm, chance in others.items()}
        estimates = [each._replace(share=(1 - share) * each.share) for each in estimates]
    own = () if estimate is None else (estimate._replace(share=share),)
    reason = f" (in {share:.0%} of such requests)" if share < 1 else ""
    return Chosen(odds, (*estimates, *own), reason)


def _modelled(case: Case, plan: str, by: Deciders) -> Estimate | None:
    """What the bandit's model of a made plan expects for this request; None if it has none yet."""
    if by.bandit is None or plan not in case.made:
        return None
    usd = rates_of(case.plans, [Arm(plan)], size_of(case.request))[plan]
    wait = case.around.wait(case.plans[plan].lead) if case.around.wait is not None else 0.0
    preference = preference_of(case.plans.config, case.request)
    return by.bandit.heir(case.features.context, plan, preference, usd, wait)


def _believed(case: Case, plan: str, believed: Believed) -> Estimate:
    """What is expected of a made plan in its pattern."""
    utility = believed.utility(preference_of(case.plans.config, case.request))
    quality, deviation = believed.quality, believed.deviation
    return Estimate(
        Arm(plan), quality, deviation, believed.usd, believed.seconds, 0.0, utility, 1.0
    )
