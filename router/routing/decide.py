"""Chooses the plan that answers a request, with the reason. Pure: all state is an argument."""

from dataclasses import replace
from typing import TYPE_CHECKING

from learner.policy import Choice, draw
from router.config.plans import AnyPlan, Ask
from router.config.values import CLAIMING
from router.domain import Decision, Home, Request
from router.plans.compiled import Plans
from router.plans.costs import size_of
from router.plans.settings import refusals_as_set
from router.plans.weighing import in_turn
from router.request.statistical import interpretation_of
from router.routing.bandit import Chosen, preference_of, reason_to_move
from router.routing.case import Case, Surroundings, case_of
from router.routing.deciders import Deciders, by_bandit, quick_enough, reason_by_rule
from router.routing.eligible import backend_refusals
from router.routing.escalating import ESCALATE, STICKY, next_step
from router.routing.steered import steered

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy

STATISTICS = "statistics"  # the kind of a request that a program can answer
LAST_RESORT = "last_resort"


def route(
    plans: Plans, by: Deciders, request: Request, around: Surroundings, *, uniform: float
) -> Decision:
    """Choose among the plans that can answer; `uniform` decides the draw.

    Fixed rules and trials come first, then the bandit if there is one, then the configured policy.
    Where a plan computes, the reason says so if the request was too long to be read as a request
    for figures.
    """
    decision = _routed(plans, by, request, around, uniform)
    if not plans.compute:
        return decision
    reading = interpretation_of(request)
    if not reading.not_read:
        return decision
    return replace(decision, reason=f"{decision.reason}; {reading.reasons[0]}")


def _routed(
    plans: Plans, by: Deciders, request: Request, around: Surroundings, uniform: float
) -> Decision:
    case = case_of(plans, request, around)
    steering = around.steering
    objective = plans.config.objective
    learned = by.bandit is not None and objective.strategy == "bandit"
    ruled = _ruled(case, learned=learned)
    if ruled is not None:
        return ruled
    stays = case.home is not None and by.bandit is not None and steering is not None
    if steering is not None and not (stays and steering.serving.kind == "bandit"):
        return steered(case, steering, by, uniform)
    if by.bandit is not None and learned:
        return _learned(case, by.bandit, uniform)
    if case.home is not None:
        return case.stays(case.home)
    distribution = by.policy.distribution(case.features.context, case.eligible)
    strategy = "ladder" if objective.strategy == "bandit" else objective.strategy
    reason = reason_by_rule(case, by.policy)
    return case.decided(draw(distribution, uniform), strategy, reason, odds=distribution)


def chain_of(
    plans: Plans, tree: AnyPlan, request: Request, *, strategy: str, home: Home | None
) -> tuple[str, ...]:
    """The backends to try, in order: the conversation's home if it stays there, then the plan's own
    order, in which equals are drawn. A plan of several steps orders its calls itself, and has no
    chain."""
    if not isinstance(tree, Ask):
        return ()
    refusals = refusals_as_set(
        dict.fromkeys(tree.backends, (tree.set_,)),
        request,
        backend_refusals(plans, request, tree.backends),
        plans.config.backends,
    )
    order = in_turn(tree, request, plans.config.backends)
    chain = [backend for backend in order if not refusals[backend]]
    stays = strategy in (STICKY, ESCALATE)
    if home is not None and tree.equals and request.continues:
        stays = stays or home.backend in tree.alike
    if home is not None and stays and home.backend in chain:
        chain = [home.backend, *(b for b in chain if b != home.backend)]
    return tuple(chain)


def _ruled(case: Case, *, learned: bool) -> Decision | None:
    """A decision by fixed rule, if a program can compute the answer or a specialist claims it.

    If a bandit has `learned`, a program that a model would have to write is one of its arms.
    """
    plans, request = case.plans, case.request
    computed = [arm for arm in case.eligible if arm in plans.computing]
    spec = interpretation_of(request).spec if computed else None
    if computed and (spec is not None or not learned):
        reason = "no plan can answer it, and this one says what it did not understand"
        if spec is not None or any(code.models for code in plans[computed[0]].codes):
            why = spec.summary if spec is not None else "a model may write it"
            reason = f"a program can answer it: {why}"
        decision = case.decided(Choice(computed[0], 1.0), "computed", reason)
        return replace(decision, kind=request.task or STATISTICS)
    backends, claims = plans.config.backends, case.around.claims
    specialists = {
        arm: claims.get(plans[arm].lead, 0.0)
        for arm in case.eligible
        if backends[plans[arm].lead].kind in CLAIMING
    }
    if not specialists:
        return _last_resort(case)
    surest = max(specialists, key=lambda arm: specialists[arm])
    reason = f"its documents hold an answer, with confidence {specialists[surest]:.2f}"
    return case.decided(Choice(surest, 1.0), "specialist", reason)


def _last_resort(case: Case) -> Decision | None:
    """A decision for the first of the last resorts, where no other plan can answer."""
    if not case.plans.last_resorts.issuperset(case.eligible):
        return None
    names = ", ".join(case.plans.config.backends[case.plans[case.eligible[0]].lead].aliases)
    reason = f"no other plan can answer it{f'; this one asks {names}' if names else ''}"
    return case.decided(Choice(case.eligible[0], 1.0), LAST_RESORT, reason)


def _learned(case: Case, policy: "BanditPolicy", uniform: float) -> Decision:
    case = quick_enough(case, policy)
    if case.around.home is None:  # the plans are compared by the dollars that are written down
        rates = case.rates(case.eligible)
        choice = by_bandit(case, policy, prices=rates)
        return case.decided(
            draw(choice.distribution, uniform),
            "bandit",
            choice.reason,
            odds=choice.distribution,
            rates=rates,
            estimates=choice.estimates,
        )
    choice = by_bandit(case, policy)
    if case.home is None:
        decision = case.decided(draw(choice.distribution, uniform), "bandit", choice.reason)
        decision = replace(decision, probabilities=choice.distribution)
    else:
        decision = _next_turn(case, case.home, choice, uniform)
    return replace(decision, rates=case.rates(case.eligible), estimates=choice.estimates)


def _next_turn(case: Case, home: Home, choice: Chosen, uniform: float) -> Decision:
    trajectory = case.request.reading.trajectory
    if trajectory is None:
        return _moved_or_stays(case, home, choice)
    step = next_step(trajectory, home, choice)
    decision = case.decided(draw(step.odds, uniform), step.strategy, step.reason)
    return decision if len(step.odds) == 1 else replace(decision, probabilities=step.odds)


def _moved_or_stays(case: Case, home: Home, choice: Chosen) -> Decision:
    preference = preference_of(case.plans.config, case.request)
    tokens = size_of(case.request).input_tokens
    moves = reason_to_move(case.plans.config, preference, home, choice, input_tokens=tokens)
    best = max(choice.estimates, key=lambda estimate: estimate.utility, default=None)
    if moves and best is not None:
        return case.decided(Choice(best.arm, 1.0), "moved", moves)
    stay = case.stays(home)
    return replace(stay, reason=f"{stay.reason}; {choice.reason}")
