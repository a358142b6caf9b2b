"""The decision for a caller who names a backend, a plan or a model. Pure functions."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from learner.policy import Arm
from router.config.plans import Code
from router.domain import Decision, Request
from router.plans.compiled import Plans
from router.plans.costs import size_of
from router.plans.settings import refusals_as_set
from router.routing.bandit import rates_of
from router.routing.case import Surroundings, features_of
from router.routing.eligible import backend_refusals, changes_native
from router.wire.errors import Unroutable

AUTO = "auto"


def named(plans: Plans, request: Request, backend: str, around: Surroundings) -> Decision | None:
    """The decision for the named target; None if the model is `auto` and no backend is named."""
    if backend:
        if backend not in plans.config.backends or backend in around.hidden:
            names = ", ".join(seen(plans.config.backends, around.hidden))
            message = f"Backend `{backend}` does not exist. Known backends: {names}."
            raise Unroutable(400, "unknown_backend", message, "backend")
        return _bypass(plans, request, backend, around, f"the caller asked for backend {backend}")
    if request.model == AUTO:
        return None
    if request.model in plans.names and request.model not in around.hidden:
        if around.allowed and request.model not in around.allowed:
            raise _not_allowed(request.model, around)
        reason = _cannot(plans, request.model, request)
        if reason:
            message = f"The plan `{request.model}` cannot answer this request. {reason}."
            raise Unroutable(400, "plan_cannot_answer", message, "model")
        return _certain(request, request.model, f"the caller asked for plan {request.model}")
    target = plans.aliases.get(request.model)
    if target is None or target in around.hidden:
        names = ", ".join(seen((*plans.names, *plans.config.backends), around.hidden))
        hint = f"Use `auto`, or one of /v1/models: {names}."
        message = f"The model `{request.model}` does not exist. {hint}"
        raise Unroutable(404, "model_not_found", message, "model")
    return _bypass(plans, request, target, around, f"the caller asked for model {request.model}")


def compared(plans: Plans, request: Request, named: Decision, around: Surroundings) -> Decision:
    """The decision for a caller who asks several plans the same, to judge them side by side.

    The caller prefers none of the plans, so a judgement of an answer teaches the learner what the
    plan is worth on such requests. A caller who names one plan may have reasons that no feature
    shows.
    """
    features = features_of(plans, request, around)
    return replace(
        named,
        strategy="compared",
        reason=f"{named.reason}, to compare it with others",
        score=features.score.score,
        parts=features.score.parts,
        numbers=features.numbers,
        policy_version=around.policy_version,
        kind=features.kind,
        rates=rates_of(plans, [named.plan], size_of(request)),
        terms=features.terms,
        pattern=features.pattern,
    )


def _cannot(plans: Plans, plan: str, request: Request) -> str:
    """Why a named plan cannot answer; empty if it can."""
    if isinstance(plans[plan].tree, Code):
        return ""  # a program's own refusal names what it could not read
    refusals = backend_refusals(plans, request, plans[plan].backends)
    return changes_native(plans, plan, request) or plans[plan].impossible(
        refusals_as_set(plans[plan].sets, request, refusals, plans.config.backends)
    )


def seen(names: Iterable[str], hidden: Collection[str]) -> list[str]:
    """Those of these names that exist for the caller, each once."""
    return [name for name in dict.fromkeys(names) if name not in hidden]


def may_use(plans: Plans, backend: str, allowed: Collection[str]) -> bool:
    """Whether a key that may use these plans may call a backend by its name; no plans: all."""
    usable = (plans[plan].backends for plan in allowed if plan in plans.names)
    return not allowed or any(backend in backends for backends in usable)


def _bypass(
    plans: Plans, request: Request, backend: str, around: Surroundings, reason: str
) -> Decision:
    if not may_use(plans, backend, around.allowed):
        raise _not_allowed(backend, around)
    refusal = backend_refusals(plans, request, (backend,))[backend]
    computes = plans.config.backends[backend].kind == "sandbox"  # it names what it could not read
    off = plans.config.backends[backend].off
    if off or (refusal and request.operation == "chat" and not computes):
        message = f"The backend `{backend}` cannot answer this request. {backend}: {refusal}."
        raise Unroutable(400, "backend_cannot_answer", message, "model")
    return _certain(request, backend, reason)


def _certain(request: Request, name: str, reason: str) -> Decision:
    kind = request.task or request.reading.kind
    return Decision(Arm(name), 1.0, "named", {Arm(name): 1.0}, reason=reason, kind=kind)


def _not_allowed(name: str, around: Surroundings) -> Unroutable:
    allowed = ", ".join(sorted(seen(around.allowed, around.hidden)))
    message = f"This key may not use `{name}`. It may use: {allowed}."
    return Unroutable(403, "plan_not_allowed", message, "model")
