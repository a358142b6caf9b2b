"""Decides while `auto` is in the shadow: what the caller named serves, and what `auto` would have
chosen is noted with its odds. Pure functions.

A caller who names a backend by header gives an order: it is followed, and nothing is noted. Only
the first request of a conversation may be answered by `auto`, so that no conversation is torn.
"""

from dataclasses import replace

from learner.assignment import Slot, assigned
from learner.policy import Arm
from router.config.objective import Objective
from router.config.plans import Ask
from router.domain import Decision, Exposure, Request, Shadow
from router.plans.compiled import Plans
from router.plans.costs import size_of
from router.routing.bandit import rates_of
from router.routing.steering import Steering, digest_of, unit_of

AUTO_TRIAL = "auto"  # names the comparison of `auto` with the callers' own choices
DRAWN = "shadow"  # the strategy of a request for which a draw decided whether `auto` answers
_DECIDED = ("bandit", "ladder", "fixed", "mix", "function", "computed", "specialist")


def auto_serves(objective: Objective, steering: Steering | None) -> bool:
    """Whether `auto` answers requests whose caller names a model: it was switched on."""
    return objective.start == "shadow" and steering is not None and steering.switched


def share_of_auto(
    objective: Objective, request: Request, *, switched: bool, control: float
) -> float:
    """The chance that `auto` answers. After the switch, a control group keeps what it names."""
    if switched:
        return 1 - control
    return 0.0 if request.continues else objective.explored_in_shadow


def plan_named(plans: Plans, named: Arm) -> Arm:
    """The plan that does the same as a named backend: it asks this backend alone, and plainly."""
    if named in plans.names:
        return named
    for name in plans.names:
        tree = plans[name].tree
        if isinstance(tree, Ask) and tree.plain and tree.backends == (named,):
            return Arm(name)
    return named


def shadowed(
    plans: Plans, request: Request, named: Decision, auto: Decision, *, share: float
) -> Decision:
    """The caller's choice, or with the chance `share` that of `auto`; each notes the other."""
    if auto.strategy not in _DECIDED:
        return named
    own = plan_named(plans, named.plan)
    unit = unit_of(request)
    slot = Slot(AUTO_TRIAL, AUTO_TRIAL, 0.0, 1.0, share)
    assignment = assigned(slot, unit)
    answers = assignment is not None and assignment.side == "candidate"
    odds = {arm: share * chance for arm, chance in auto.probabilities.items()}
    odds[own] = odds.get(own, 0.0) + 1 - share
    plan = auto.plan if answers else own
    other = own if answers else auto.plan
    exposure = Exposure(
        AUTO_TRIAL,
        AUTO_TRIAL,
        ("candidate" if answers else "current") if share > 0 else "shadow",
        digest_of(unit),
        (share if answers else 1 - share) if share > 0 else 1.0,
        own != auto.plan,
        str(other),
    )
    return replace(
        auto,
        plan=plan,
        propensity=odds[plan],
        strategy=DRAWN if share > 0 else named.strategy,
        probabilities={arm: chance for arm, chance in odds.items() if chance > 0 or share > 0},
        reason=_reason(named, auto, answers=answers),
        rates=rates_of(plans, [plan], size_of(request)),
        exposures=(exposure,),
        shadow=Shadow(
            own,
            auto.plan,
            share,
            auto.strategy,
            auto.policy_version,
            auto.probabilities,
            tuple(arm for arm in auto.probabilities if plans[arm].unpriced),
        ),
    )


def _reason(named: Decision, auto: Decision, *, answers: bool) -> str:
    if answers:
        return f"auto answers instead, to measure what it saves: {auto.reason} ({named.reason})"
    return f"{named.reason}; auto would have chosen {auto.plan}: {auto.reason}"
