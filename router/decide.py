"""Which plan answers a request, and why. Pure: what is up, known or remembered comes in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import orjson

from learner.controls import Fixed, Ladder
from learner.policy import Arm, Policy, draw
from router.backends.base import BackendSettings
from router.backends.specialist import SpecialistSettings
from router.config import Config, LadderSettings
from router.domain import Decision, PolicyInForce, Request
from router.features import Complexity, complexity, context, kind_of, needs, prompt_text
from router.hive import Home
from router.plans.costs import OUTPUT_TOKENS, Size, expected
from router.plans.grammar import AnyPlan, Ask, Code, backends_of
from router.plans.possible import impossible
from router.statistics import reading_of

AUTO = "auto"
_CHARACTERS_PER_TOKEN = 4


class Unroutable(Exception):
    """No plan can answer this; the message says why, the rest is OpenAI's error shape."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a decision may know beside the request itself."""

    allowed: Collection[str] = ()  # plans; none named: all
    down: Collection[str] = ()  # backends that are resting after failures
    claims: Mapping[str, float] = field(default_factory=dict)  # of specialists: how sure they are
    home: Home | None = None
    policy_version: str = ""


def ladder_of(settings: LadderSettings, plans: Sequence[str]) -> Ladder:
    """The rule ladder; where no rungs are named, the plans in the order of the file."""
    rungs = settings.rungs or tuple(plans)
    cuts = settings.cuts
    if cuts is None:
        cuts = tuple(round(9 * step / len(rungs), 2) for step in range(1, len(rungs)))
    return Ladder("complexity", cuts, tuple(map(Arm, rungs)))


def policy_of(config: Config) -> Policy:
    if config.objective.strategy == "fixed" and config.objective.plan:
        return Fixed(Arm(config.objective.plan))
    return ladder_of(config.objective.ladder, config.asking)


def policy_in_force(config: Config, *, at: float) -> PolicyInForce:
    """What decides under this configuration; its version is the same wherever that is the same."""
    settings = {
        "objective": config.objective.model_dump(mode="json"),
        "plans": {name: plan.model_dump(mode="json") for name, plan in config.plans.items()},
    }
    text = orjson.dumps(settings, option=orjson.OPT_SORT_KEYS)
    version = blake2b(text, digest_size=6).hexdigest()
    return PolicyInForce(version, config.objective.strategy, settings, at)


def premium(config: Config) -> str:
    """The plan that savings are counted against: the one named, else the one that costs most."""
    if config.objective.premium is not None:
        return config.objective.premium

    def dearness(plan: str) -> float:
        price = config.backends[config.lead_of(plan)].price
        return price.input + price.output

    return max(config.plans, key=dearness)


def aliases(config: Config) -> dict[str, str]:
    """Every name a caller may give in `model` to mean one backend."""
    named = {alias: name for name, b in config.backends.items() for alias in b.aliases}
    return named | {name: name for name in config.backends}


def able(settings: BackendSettings, request: Request, wanted: frozenset[str]) -> str:
    """Why this backend cannot answer the request, or nothing."""
    missing = wanted - set(settings.capabilities)
    if missing:
        return f"cannot do {', '.join(sorted(missing))}"
    if settings.context_window is not None:
        tokens = len(prompt_text(request.fields)) // _CHARACTERS_PER_TOKEN
        if tokens > settings.context_window:
            return f"about {tokens} tokens do not fit its window of {settings.context_window}"
    return settings.refuses(request.fields)


def chain_of(
    config: Config,
    decision: Decision,
    request: Request,
    *,
    wanted: frozenset[str],
    home: Home | None,
) -> tuple[str, ...]:
    """The backends to try, in order: where the conversation lives, then as the plan says. Of a plan
    that is more than asking, none: it says itself what comes when."""
    plan = config.plans.get(decision.plan)
    if plan is None:
        return (str(decision.plan),)
    if not isinstance(plan, Ask):
        return ()
    chain = [b for b in plan.backends if not able(config.backends[b], request, wanted)]
    if home is not None and decision.strategy == "sticky" and home.backend in chain:
        chain = [home.backend, *(b for b in chain if b != home.backend)]
    return tuple(chain)


def plan_of(config: Config, decision: Decision) -> AnyPlan:
    """What was decided, as a plan: a backend that was named stands for asking it."""
    name = str(decision.plan)
    if name not in config.plans and config.backends[name].kind == "sandbox":
        return Code(code=name)
    return config.plan(name)


def named(config: Config, request: Request, backend: str, around: Surroundings) -> Decision | None:
    """The decision of a caller who decided: a backend asked for, or a model that is not `auto`."""
    if backend:
        if backend not in config.backends:
            known = ", ".join(config.backends)
            message = f"Backend `{backend}` does not exist. Known backends: {known}."
            raise Unroutable(400, "unknown_backend", message, "backend")
        reason = f"the caller asked for backend {backend}"
        return _bypass(config, request, backend, around, reason)
    if request.model == AUTO:
        return None
    if request.model in config.plans:
        if around.allowed and request.model not in around.allowed:
            raise _not_allowed(request.model, around)
        return _certain(request, request.model, f"the caller asked for plan {request.model}")
    target = aliases(config).get(request.model)
    if target is None:
        message = (
            f"The model `{request.model}` does not exist. Use `auto`, or one of /v1/models: "
            f"{', '.join((*config.plans, *config.backends))}."
        )
        raise Unroutable(404, "model_not_found", message, "model")
    reason = f"the caller asked for model {request.model}"
    return _bypass(config, request, target, around, reason)


def route(
    config: Config,
    policy: Policy,
    request: Request,
    around: Surroundings,
    *,
    wanted: str,
    uniform: float,
) -> Decision:
    """Choose among the plans that can answer. The draw is `uniform`'s; the rest is arithmetic."""
    all_wanted = needs(request.fields) | {wanted}
    reasons = {b: able(settings, request, all_wanted) for b, settings in config.backends.items()}
    reasons |= _not_theirs(config, around.claims)
    ineligible = {
        plan: reason
        for plan in config.plans
        if (reason := _ineligible(config, plan, request, reasons, around))
    }
    eligible = [Arm(plan) for plan in config.plans if plan not in ineligible]
    if not eligible:
        resting = {p for p, reason in ineligible.items() if reason.startswith(_RESTING)}
        if not resting:
            told = "; ".join(f"{plan}: {reason}" for plan, reason in ineligible.items())
            message = f"No plan can answer this request. {told}."
            raise Unroutable(400, "no_plan_can_answer", message)
        # All that could answer are resting after failures: better to try one than to give up.
        eligible = [Arm(plan) for plan in config.plans if plan in resting]
    score = complexity(request.fields, config.objective.ladder.all_weights)
    computed = [arm for arm in eligible if isinstance(config.plans[arm], Code)]
    if computed:  # what a program answers exactly is not left to chance, nor to a model
        spec = reading_of(request.fields).spec
        return _ruled(
            request,
            computed[0],
            eligible,
            ineligible,
            score,
            around,
            strategy="computed",
            reason=f"a program can answer it: {spec.summary if spec else 'it was named'}",
            kind=STATISTICS,
        )
    theirs = [arm for arm in eligible if config.backends[config.lead_of(arm)].kind == "specialist"]
    if theirs:
        surest = max(theirs, key=lambda arm: around.claims.get(config.lead_of(arm), 0.0))
        sure = around.claims.get(config.lead_of(surest), 0.0)
        return _ruled(
            request,
            surest,
            eligible,
            ineligible,
            score,
            around,
            strategy="specialist",
            reason=f"its documents hold an answer, with confidence {sure:.2f}",
            kind=score.kind,
        )
    home = around.home
    if home is not None and home.plan in eligible and home.backend not in around.down:
        return _ruled(
            request,
            Arm(home.plan),
            eligible,
            ineligible,
            score,
            around,
            strategy="sticky",
            reason="the conversation stays where it began",
            kind=score.kind,
        )
    distribution = policy.distribution(context(score), eligible)
    choice = draw(distribution, uniform)
    return Decision(
        plan=choice.arm,
        propensity=choice.propensity,
        strategy=config.objective.strategy,
        probabilities=distribution,
        ineligible=ineligible,
        reason=_reason(config, policy, score),
        score=score.score,
        parts=score.parts,
        policy_version=around.policy_version,
        kind=request.task or score.kind,
    )


_RESTING = "resting"


def _ineligible(
    config: Config, plan: str, request: Request, reasons: Mapping[str, str], around: Surroundings
) -> str:
    if around.allowed and plan not in around.allowed:
        return "this key may not use it"
    reason = impossible(config, plan, reasons.__getitem__)
    if reason:
        return reason
    if request.max_cost_usd is not None:
        least = expected(config, plan, size_of(request)).least_usd
        if least > request.max_cost_usd:
            bound = f"${request.max_cost_usd:.6g}"
            return f"is expected to cost ${least:.6g} at least, and the request may cost {bound}"
    if not around.down:
        return ""
    resting = {b: _RESTING if b in around.down else why for b, why in reasons.items()}
    if not impossible(config, plan, resting.__getitem__):
        return ""
    asked = dict.fromkeys(backends_of(plan, config.plans))
    return f"{_RESTING} after failures: {', '.join(b for b in asked if b in around.down)}"


def size_of(request: Request) -> Size:
    """Tokens of one call with this request, as far as can be told before."""
    given = request.fields.get("max_completion_tokens") or request.fields.get("max_tokens")
    most = given if isinstance(given, int) and not isinstance(given, bool) else OUTPUT_TOKENS
    size = len(prompt_text(request.fields)) // _CHARACTERS_PER_TOKEN
    return Size(size, min(most, OUTPUT_TOKENS))


def _not_theirs(config: Config, claims: Mapping[str, float]) -> dict[str, str]:
    """Specialists answer what their documents hold; of all else they can only say that they do not
    know it."""
    return {
        name: "speaks for what its documents hold, and they do not hold this"
        for name, settings in config.backends.items()
        if isinstance(settings, SpecialistSettings) and claims.get(name, 0.0) < settings.enough
    }


STATISTICS = "statistics"  # what kind a request is that can be computed


def _ruled(
    request: Request,
    plan: Arm,
    eligible: Sequence[Arm],
    ineligible: Mapping[str, str],
    score: Complexity,
    around: Surroundings,
    *,
    strategy: str,
    reason: str,
    kind: str,
) -> Decision:
    """A plan that a rule outside any policy takes: nothing is drawn."""
    return Decision(
        plan=plan,
        propensity=1.0,
        strategy=strategy,
        probabilities={arm: float(arm == plan) for arm in eligible},
        ineligible=ineligible,
        reason=reason,
        score=score.score,
        parts=score.parts,
        policy_version=around.policy_version,
        kind=request.task or kind,
    )


def _reason(config: Config, policy: Policy, score: Complexity) -> str:
    if isinstance(policy, Ladder):
        most = max(score.parts, key=lambda part: score.parts[part])
        why = f", most of it from {most}" if score.parts[most] >= 0.5 else ""
        return f"complexity {score.score:.1f} of 10{why}; cuts at {list(policy.cuts)}"
    return f"the strategy is {config.objective.strategy}"


def _bypass(
    config: Config, request: Request, backend: str, around: Surroundings, reason: str
) -> Decision:
    if around.allowed and not any(
        backend in backends_of(plan, config.plans)
        for plan in around.allowed
        if plan in config.plans
    ):
        raise _not_allowed(backend, around)
    return _certain(request, backend, reason)


def _certain(request: Request, name: str, reason: str) -> Decision:
    kind = request.task or kind_of(request.fields)
    return Decision(Arm(name), 1.0, "named", {Arm(name): 1.0}, reason=reason, kind=kind)


def _not_allowed(name: str, around: Surroundings) -> Unroutable:
    allowed = ", ".join(sorted(around.allowed))
    message = f"This key may not use `{name}`. It may use: {allowed}."
    return Unroutable(403, "plan_not_allowed", message, "model")
