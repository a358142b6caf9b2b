"""Which plans can answer a request, and why the others cannot. Pure functions."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from learner.policy import Arm
from router.config.capabilities import able
from router.config.plans import Ask, Code
from router.domain import Request
from router.plans.compiled import Plans
from router.plans.costs import size_of
from router.plans.settings import refusals_as_set
from router.routing.last_resort import (
    INVENTING,
    asks_for_a_form,
    asks_for_no_computation,
    unanswerable,
)
from router.wire.errors import Unroutable
from sandbox.reading.kind import needs_calculation

_NO_ABILITY: frozenset[str] = frozenset()
Refusals = Mapping[str, str]  # why each backend cannot answer; "" if it can


class Obstacle(NamedTuple):
    """Why a plan may not answer a request. With `rests`, its backends may soon recover."""

    reason: str
    rests: bool = False


def eligible_plans(
    plans: Plans,
    request: Request,
    *,
    allowed: Collection[str] = (),
    down: Collection[str] = (),
    claims: Mapping[str, float],
    priced_only: bool = False,
    hidden: Collection[str] = (),
) -> tuple[list[Arm], dict[str, str]]:
    """The plans that can answer, and why the others cannot. Raises `Unroutable` if none can."""
    names = [name for name in plans.names if name not in hidden] if hidden else plans.names
    for plan in request.only:
        if plan not in names:
            message = f"There is no plan `{plan}`. Known: {', '.join(names)}."
            raise Unroutable(400, "unknown_plan", message, "x-waggle-plans")
    refusals = backend_refusals(plans, request, plans.config.backends)
    refusals |= _without_claim(plans, claims)
    refused = {backend for backend, refusal in refusals.items() if refusal}
    bounded = _bounded(request, allowed, down)
    obstacles = {
        plan: obstacle
        for plan in names
        if (
            (bounded or plan in plans.conditional or not refused.isdisjoint(plans[plan].backends))
            and (obstacle := _obstacle(plans, plan, request, refusals, allowed, down))
        )
        or (priced_only and (obstacle := _unpriced(plans, plan)))
    }
    reasons = {plan: obstacle.reason for plan, obstacle in obstacles.items()}
    able = [Arm(plan) for plan in names if plan not in obstacles]
    # Better to try a plan that rests after failures than to give up.
    resting = [Arm(plan) for plan, obstacle in obstacles.items() if obstacle.rests]
    last = [arm for arm in (*able, *resting) if arm in plans.last_resorts]
    if last and asks_for_a_form(request):
        inventing = {str(arm): "would invent an answer" for arm in _inventing(plans, able)}
        able = [arm for arm in able if arm not in inventing]
        reasons.update(inventing)
    eligible = [arm for arm in able if arm not in last]
    eligible = eligible or [arm for arm in resting if arm not in last]
    if not eligible and not (last and asks_for_no_computation(request)):
        eligible = _explaining(plans, request, refusals, allowed, down)
    if eligible:
        reasons |= {str(arm): "answers only what no other plan can" for arm in last}
    eligible = eligible or last
    if not eligible:
        raise Unroutable(400, "no_plan_can_answer", unanswerable(plans, request, reasons))
    return eligible, reasons


def made_plans(
    plans: Plans,
    request: Request,
    places: Iterable[str],
    *,
    scope: str,
    allowed: Collection[str] = (),
    down: Collection[str] = (),
    priced_only: bool = False,
    hidden: Collection[str] = (),
) -> list[Arm]:
    """The plans that were made for the request's task or pattern, and that can answer it.

    A key that may not use a plan may use nothing that was made from it. Examples hold words of
    other requests: their plan answers only requests of the words' owner.
    """
    bounded = request.only or request.max_latency_ms is not None
    made = [] if bounded or not plans.made_for else plans.made_in(places)
    if not made:
        return []
    backends = {name: None for each in made for name in plans[each.name].backends}
    refusals = backend_refusals(plans, request, backends)
    return [
        Arm(each.name)
        for each in made
        if (not allowed or each.parent in allowed)
        and each.name not in hidden
        and each.scope in ("", scope)
        and _obstacle(plans, each.name, request, refusals, (), down) is None
        and not (priced_only and _unpriced(plans, each.name))
    ]


def _bounded(request: Request, allowed: Collection[str], down: Collection[str]) -> bool:
    """Whether a plan may be out of reach although all its backends can answer."""
    return bool(
        (allowed or down or request.only or request.region)
        or request.native is not None
        or request.max_cost_usd is not None
    )


def _inventing(plans: Plans, arms: Iterable[Arm]) -> list[Arm]:
    """The plans whose answers are invented records."""
    return [arm for arm in arms if set(_kinds(plans, arm)) & INVENTING]


def _kinds(plans: Plans, plan: str) -> list[str]:
    return [plans.config.backends[name].kind for name in plans[plan].backends]


def backend_refusals(plans: Plans, request: Request, backends: Iterable[str]) -> dict[str, str]:
    """Why each backend cannot answer, or "" if it can."""
    needs = {*request.reading.needs, request.operation}
    native_only = request.native is not None and bool(request.native.needs)
    return {
        name: ""
        if not native_only and needs <= plans.unconditional.get(name, _NO_ABILITY)
        else able(plans.config.backends[name], request)
        for name in backends
    }


def _obstacle(
    plans: Plans,
    plan: str,
    request: Request,
    refusals: Refusals,
    allowed: Collection[str],
    down: Collection[str],
) -> Obstacle | None:
    if allowed and plan not in allowed:
        return Obstacle("this key may not use it")
    if request.only and plan not in request.only:
        return Obstacle("the request names other plans")
    refusals = refusals_as_set(plans[plan].sets, request, refusals, plans.config.backends)
    refusals = with_authors(plans, plan, request, refusals)
    reason = (
        _elsewhere(plans, plan, request)
        or changes_native(plans, plan, request)
        or plans[plan].impossible(refusals)
        or _too_dear(plans, plan, request)
    )
    if reason:
        return Obstacle(reason)
    return _resting(plans, plan, refusals, down) if down else None


def _explaining(
    plans: Plans,
    request: Request,
    refusals: Refusals,
    allowed: Collection[str],
    down: Collection[str],
) -> list[Arm]:
    """A plan that cannot compute a calculation, and whose refusal names what it did not read."""
    if request.operation != "chat" or not needs_calculation(request.reading.last_words):
        return []
    for plan in plans.names:
        tree = plans[plan].tree
        if isinstance(tree, Code) and request.reading.shape is None:
            as_read = {**refusals, tree.code: ""}
            if _obstacle(plans, plan, request, as_read, allowed, down) is None:
                return [Arm(plan)]
    return []


def with_authors(plans: Plans, plan: str, request: Request, refusals: Refusals) -> Refusals:
    """The refusals, less those of sandboxes for which a model may write a program.

    A model may write for any request that needs a calculation, also where no rule has read it.
    """
    written = {
        code.code: ""
        for code in plans[plan].codes
        if refusals[code.code] and any(not refusals[name] for name in code.models)
    }
    if not written or request.operation != "chat" or request.reading.shape is not None:
        return refusals
    needs = needs_calculation(request.reading.last_words)
    return {**refusals, **written} if needs else refusals


def _unpriced(plans: Plans, plan: str) -> Obstacle | None:
    """Why a key with a limit of dollars may not use a plan whose cost nobody would know."""
    names = ", ".join(plans[plan].unpriced)
    if not names:
        return None
    return Obstacle(
        f"the price of {names} is unknown, and this key has a limit of dollars: give a `price`, or "
        "set keys.limits.unpriced to allow"
    )


def _elsewhere(plans: Plans, plan: str, request: Request) -> str:
    if not request.region:
        return ""
    backends = plans.config.backends
    away = [b for b in plans[plan].backends if backends[b].region != request.region]
    return f"{away[0]} does not stand in region {request.region}" if away else ""


def changes_native(plans: Plans, plan: str, request: Request) -> str:
    """Why a plan cannot carry what only the caller's own dialect says; empty if it can."""
    native = request.native
    if native is None or not native.needs:
        return ""
    tree = plans[plan].tree
    if isinstance(tree, Ask) and tree.plain and not tree.changes:
        return ""
    names = ", ".join(native.needs)
    return f"only a plan that asks one backend, and changes nothing, can carry {names}"


def _too_dear(plans: Plans, plan: str, request: Request) -> str:
    if request.max_cost_usd is None:
        return ""
    least = plans[plan].cost(size_of(request)).least_usd
    bound = f"${request.max_cost_usd:.6g}"
    if least is None:
        names = ", ".join(plans[plan].unpriced)
        return f"has no known price ({names}), and the request may cost {bound}"
    if least <= request.max_cost_usd:
        return ""
    return f"is expected to cost ${least:.6g} at least, and the request may cost {bound}"


def _resting(plans: Plans, plan: str, refusals: Refusals, down: Collection[str]) -> Obstacle | None:
    if not plans[plan].impossible({**refusals, **dict.fromkeys(down, "rests")}):
        return None
    names = ", ".join(b for b in plans[plan].backends if b in down)
    return Obstacle(f"resting after failures: {names}", rests=True)


def _without_claim(plans: Plans, claims: Mapping[str, float]) -> dict[str, str]:
    """Refusals of the specialists that are not sure enough that their documents hold an answer."""
    return {
        name: "speaks for what its documents hold, and they do not hold this"
        for name, enough in plans.specialists.items()
        if claims.get(name, 0.0) < enough
    }
