"""Which backends answer a request that is passed through, in which order. Pure functions.

No bandit chooses here. Nobody says how good an image, a sound or a ranking was, so there is nothing
to learn from; and what a call costs is known before, so nothing has to be tried. The cheapest able
backend comes first, then the order of the configuration; one of unknown price comes after the known
ones, and one that rests after failures comes last.
"""

from collections.abc import Mapping
from dataclasses import replace

from learner.policy import Arm
from router.calls.measures import Measured, cost_usd, estimated_usage, expected
from router.config.capabilities import able
from router.domain import Decision, Operation, Request
from router.plans.compiled import Plans
from router.routing.case import Surroundings
from router.routing.named import may_use, named
from router.wire.errors import NotFound, Unroutable

BY_PRICE = "by_price"
_USUAL_ANSWER = 300  # tokens that are assumed of a completion, to compare prices

WORDS: Mapping[Operation, str] = {
    "completions": "completes texts",
    "rerank": "ranks documents",
    "moderations": "moderates",
    "image_generation": "makes images",
    "speech": "speaks",
    "transcription": "transcribes sounds",
}


def passing(
    plans: Plans, request: Request, backend: str, around: Surroundings
) -> tuple[Decision, tuple[str, ...]]:
    """The decision, and the backends to try in turn. `backend` is what the caller named, or ""."""
    operation = request.operation
    capable = [n for n, b in plans.config.backends.items() if operation in b.capabilities]
    decision = named(plans, request, backend, around)
    if decision is not None:
        chain = tuple(name for name in plans[decision.plan].backends if name in capable)
        if not chain:
            raise _incapable(request, decision.plan)
        return decision, chain
    if not capable:
        message = (
            f"No backend here {WORDS[operation]}: put `{operation}` into the `capabilities` of one "
            "that can."
        )
        raise NotFound("no_able_backend", message, "model")
    reasons = {name: _obstacle(plans, name, request, around) for name in capable}
    chain = tuple(name for name in _by_price(plans, request, capable, around) if not reasons[name])
    if not chain:
        why = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise Unroutable(400, "no_plan_can_answer", f"No backend can answer this request. {why}.")
    arm = Arm(chain[0])
    rates = {name: usd for name in chain if (usd := _likely_usd(plans, name, request)) is not None}
    decision = Decision(
        arm,
        1.0,
        BY_PRICE,
        {arm: 1.0},
        ineligible={name: reason for name, reason in reasons.items() if reason},
        reason=f"the cheapest backend that {WORDS[operation]}",
        kind=operation,
        rates=rates,
        unpriced=tuple(name for name in chain if name not in rates),
    )
    return decision, chain


def _by_price(plans: Plans, request: Request, names: list[str], around: Surroundings) -> list[str]:
    def rank(name: str) -> tuple[bool, bool, float]:
        usd = _likely_usd(plans, name, request)
        return name in around.down, usd is None, usd or 0.0

    return sorted(names, key=rank)  # stable: equals keep the order of the configuration


def _likely_usd(plans: Plans, name: str, request: Request) -> float | None:
    """The dollars that a call of a backend will likely cost; None: unknown."""
    price, usage = plans.config.backends[name].price, estimated_usage(request)
    if usage is not None and request.operation == "completions":
        usage = replace(usage, output_tokens=_USUAL_ANSWER)
    amount = expected(request)
    units = None if amount is None else amount.likely
    return cost_usd(price, request, Measured(usage, units))


def _obstacle(plans: Plans, name: str, request: Request, around: Surroundings) -> str:
    """Why a backend may not answer; empty if it may."""
    settings = plans.config.backends[name]
    if not may_use(plans, name, around.allowed):
        return "this key may not use it"
    if request.only and not may_use(plans, name, request.only):
        return "the request names other plans"
    if request.region and settings.region != request.region:
        return f"does not stand in region {request.region}"
    if around.priced_only and settings.price is None:
        return "its price is unknown, and this key has a limit of dollars"
    if request.max_cost_usd is not None:
        usd = _likely_usd(plans, name, request)
        if usd is None:
            return f"has no known price, and the request may cost ${request.max_cost_usd:.6g}"
        if usd > request.max_cost_usd:
            return f"costs about ${usd:.6g}, and the request may cost ${request.max_cost_usd:.6g}"
    return able(settings, request)


def _incapable(request: Request, plan: str) -> NotFound:
    message = (
        f"The model `{request.model}` means `{plan}` here, and no backend of it "
        f"{WORDS[request.operation]}: name another, or put `{request.operation}` into its "
        "`capabilities`."
    )
    return NotFound("model_not_found", message, "model")
