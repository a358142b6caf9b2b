"""Which plan answers a request, and why. Pure: what is up, known or remembered comes in."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from learner.controls import Ladder
from learner.policy import Arm, Choice, Context, Distribution, Policy, draw
from learner.preference import Estimate
from router.config.backends import SpecialistSettings
from router.config.capabilities import able
from router.config.config import Config
from router.config.plans import AnyPlan, Ask, Code, backends_of
from router.domain import Decision, Exposure, Home, Request
from router.plans.costs import expected, size_of
from router.plans.feasible import impossible
from router.request.complexity import Complexity, complexity, kind_of
from router.request.context import context_of, numbers
from router.request.lens import Lens
from router.request.statistical import reading_of
from router.request.wants import needs
from router.routing.bandit import Chosen, chosen, leaves, preference_of, rates_of, too_slow
from router.routing.function_contract import Unanswered, opinion, told_of
from router.routing.ladder import ladder_of
from router.routing.steering import Steering, TrialPart, unit_of
from router.routing.strategies import Strategy, policy_for
from router.wire.errors import Unroutable

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a decision may know beside the request itself."""

    allowed: Collection[str] = ()  # plans; none named: all
    down: Collection[str] = ()  # backends that are resting after failures
    claims: Mapping[str, float] = field(default_factory=dict)  # of specialists: how sure they are
    home: Home | None = None
    policy_version: str = ""
    lens: Lens | None = None
    vector: Sequence[float] | None = None  # of the request's words, where it was needed anyway
    steering: Steering | None = None  # who serves and who is tried, where that is not only ours
    asks: Callable[[Strategy, Sequence[Any]], Any] | None = None  # a routing function
    similar: Sequence[Mapping[str, Any]] = ()  # what is remembered that is like it


def aliases(config: Config) -> dict[str, str]:
    """Every name a caller may give in `model` to mean one backend."""
    named = {alias: name for name, b in config.backends.items() for alias in b.aliases}
    return named | {name: name for name in config.backends}


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
    plan = plan_of(config, decision)
    if not isinstance(plan, Ask):
        return ()
    chain = [b for b in plan.backends if not able(config.backends[b], request, wanted)]
    if home is not None and decision.strategy == "sticky" and home.backend in chain:
        chain = [home.backend, *(b for b in chain if b != home.backend)]
    return tuple(chain)


def plan_of(config: Config, decision: Decision) -> AnyPlan:
    """What was decided, as a plan: a backend that was named stands for asking it."""
    name = str(decision.plan)
    backend = config.backends.get(name)
    if name not in config.plans and backend is not None and backend.kind == "sandbox":
        return Code(code=name)
    return config.plan(name)


def named(
    config: Config, request: Request, backend: str, around: Surroundings, *, wanted: str = "chat"
) -> Decision | None:
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
        reason = _cannot(config, request.model, request, wanted)
        if reason:
            message = f"The plan `{request.model}` cannot answer this request. {reason}."
            raise Unroutable(400, "plan_cannot_answer", message, "model")
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
    bandit: "BanditPolicy | None" = None,
) -> Decision:
    """Choose among the plans that can answer. The draw is `uniform`'s; the rest is arithmetic.

    Where there is a bandit, it decides, and `policy` is what it is guarded by."""
    for plan in request.only:
        if plan not in config.plans:
            message = f"There is no plan `{plan}`. Known: {', '.join(config.plans)}."
            raise Unroutable(400, "unknown_plan", message, "x-waggle-plans")
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
    case = _Case(config, request, around, eligible, ineligible, _seen(config, request, around))
    ruled = _ruled(case)
    if ruled is not None:
        return ruled
    stays = case.home is not None and bandit is not None and around.steering is not None
    if around.steering is not None and not (stays and around.steering.serving.kind == "bandit"):
        return _steered(case, around.steering, _Deciders(policy, bandit), uniform)
    if bandit is not None and config.objective.strategy == "bandit":
        return _by_bandit(case, bandit, uniform)
    if case.home is not None:
        reason = "the conversation stays where it began"
        return case.decided(Choice(Arm(case.home.plan), 1.0), "sticky", reason)
    distribution = policy.distribution(case.seen.context, eligible)
    strategy = "ladder" if config.objective.strategy == "bandit" else config.objective.strategy
    reason = _reason(config, policy, case.seen.score)
    decided = case.decided(draw(distribution, uniform), strategy, reason)
    return replace(decided, probabilities=distribution)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A request as numbers: how hard it looks, and what the learner is told of it."""

    score: Complexity
    numbers: tuple[float | None, ...]
    context: Context
    kind: str


@dataclass(frozen=True, slots=True)
class _Case:
    """A request, and the plans there are for it."""

    config: Config
    request: Request
    around: Surroundings
    eligible: Sequence[Arm]
    ineligible: Mapping[str, str]
    seen: _Seen

    @property
    def home(self) -> Home | None:
        """Where the conversation lives, if it can go on there."""
        home = self.around.home
        if home is None or home.plan not in self.eligible or home.backend in self.around.down:
            return None
        return home

    def decided(self, choice: Choice, strategy: str, reason: str) -> Decision:
        """One plan and no other; whoever drew it puts in the odds of all."""
        return Decision(
            plan=choice.arm,
            propensity=choice.propensity,
            strategy=strategy,
            probabilities={arm: float(arm == choice.arm) for arm in self.eligible},
            ineligible=self.ineligible,
            reason=reason,
            score=self.seen.score.score,
            parts=self.seen.score.parts,
            numbers=self.seen.numbers,
            policy_version=self.around.policy_version,
            kind=self.seen.kind,
            rates=rates_of(self.config, [choice.arm], size_of(self.request)),
        )


def _seen(config: Config, request: Request, around: Surroundings) -> _Seen:
    score = complexity(request.fields, config.objective.ladder.all_weights)
    tagged, lens = bool(request.task), around.lens
    told = numbers(
        request.fields, score, sort=score.kind, tagged=tagged, lens=lens, vector=around.vector
    )
    context = context_of(told, request.task, lens=lens.number if lens is not None else 0)
    return _Seen(score, told, context, request.task or score.kind)


def _ruled(case: _Case) -> Decision | None:
    """What no policy is asked about: a program's exact answer, and a question on documents."""
    config, request = case.config, case.request
    computed = [arm for arm in case.eligible if isinstance(config.plans[arm], Code)]
    if computed:  # what a program answers exactly is not left to chance, nor to a model
        spec = reading_of(request.fields).spec
        reason = f"a program can answer it: {spec.summary if spec else 'it was named'}"
        told = case.decided(Choice(computed[0], 1.0), "computed", reason)
        return replace(told, kind=request.task or STATISTICS)
    leads = {arm: config.lead_of(arm) for arm in case.eligible}
    theirs = [arm for arm, lead in leads.items() if config.backends[lead].kind == "specialist"]
    if not theirs:
        return None
    claims = case.around.claims
    surest = max(theirs, key=lambda arm: claims.get(leads[arm], 0.0))
    sure = claims.get(leads[surest], 0.0)
    reason = f"its documents hold an answer, with confidence {sure:.2f}"
    told = case.decided(Choice(surest, 1.0), "specialist", reason)
    return replace(told, kind=request.task or case.seen.score.kind)


@dataclass(frozen=True, slots=True)
class _Deciders:
    """Who decides where nothing was registered: the configuration's policy, and what is learned."""

    policy: Policy
    bandit: "BanditPolicy | None"


def _steered(case: _Case, steering: Steering, by: _Deciders, uniform: float) -> Decision:
    """As the side decides that the request fell on; and what the other would have done, with the
    same luck: only where that is something else do the two compare."""
    if case.home is not None:
        reason = "the conversation stays where it began"
        return case.decided(Choice(Arm(case.home.plan), 1.0), "sticky", reason)
    if case.request.max_latency_ms is not None and by.bandit is not None:
        case = _quick_enough(case, by.bandit, case.request.max_latency_ms)
    unit = unit_of(case.request)
    parts = steering.parts(unit)
    known: dict[str, tuple[Chosen, str]] = {}

    def told(strategy: Strategy) -> tuple[Chosen, str]:
        if strategy.key not in known:
            own, trouble = _told(case, strategy, steering, by)
            odds = _instead(own.distribution, strategy.instead)
            known[strategy.key] = replace(own, distribution=odds), trouble
        return known[strategy.key]

    strategy = steering.strategy(parts)
    own, trouble = told(strategy)
    choice = draw(own.distribution, uniform)
    exposures = []
    odds = _whichever_side(steering, parts, lambda one: told(one)[0].distribution)
    for part in parts:
        other, others_trouble = told(steering.strategy(parts, flipped=(part,)))
        elsewhere = draw(other.distribution, uniform).arm
        live, side = part.live, part.told.side
        exposures.append(
            Exposure(
                live.slot.trial,
                live.name,
                "shadow" if live.shadow else side,
                blake2b(unit.encode(), digest_size=8).hexdigest(),
                1.0 if live.shadow else part.told.chance,
                choice.arm != elsewhere,
                str(elsewhere),
                trouble or others_trouble,
            )
        )
    taken = Choice(choice.arm, odds.get(choice.arm, 0.0))
    decided = case.decided(taken, strategy.kind, own.reason)
    return replace(
        decided,
        probabilities=odds,
        exposures=tuple(exposures),
        policy_version=(case.around.policy_version if strategy.kind == "bandit" else strategy.key),
        rates=rates_of(case.config, [*odds], size_of(case.request)),
        estimates=own.estimates,
    )


def _whichever_side(
    steering: Steering, parts: Sequence[TrialPart], told: Callable[[Strategy], Distribution]
) -> Distribution:
    """The odds of each plan before it was known on which sides the request falls."""
    tried = [part for part in parts if not part.live.shadow and not steering.holds_out(part)]

    sides: list[tuple[float, tuple[TrialPart, ...]]] = [(1.0, ())]
    for part in tried:
        chance = part.told.chance
        sides = [
            one
            for share, flipped in sides
            for one in ((share * chance, flipped), (share * (1 - chance), (*flipped, part)))
        ]
    odds: dict[Arm, float] = {}
    for share, flipped in sides:
        for arm, own in told(steering.strategy(parts, flipped=flipped)).items():
            odds[arm] = odds.get(arm, 0.0) + share * own
    for part in parts:
        if steering.holds_out(part):
            other = told(steering.strategy((part,), flipped=(part,)))
            odds = _mixed(odds, other, 1 - part.told.chance)
    return odds


def _instead(odds: Distribution, instead: Mapping[str, str]) -> Distribution:
    """The same odds, where simpler plans take the place of some."""
    if not instead:
        return odds
    return {Arm(instead.get(arm, arm)): share for arm, share in odds.items()}


def _mixed(a: Distribution, b: Distribution, share: float) -> dict[Arm, float]:
    return {arm: (1 - share) * a.get(arm, 0.0) + share * b.get(arm, 0.0) for arm in {**a, **b}}


def _told(case: _Case, strategy: Strategy, steering: Steering, by: _Deciders) -> tuple[Chosen, str]:
    """What a strategy would do. A function that has no answer leaves it to what serves, and that to
    the configuration's own."""
    eligible = [arm for arm in case.eligible if arm not in strategy.without] or case.eligible
    case = replace(case, eligible=eligible)
    if strategy.kind == "function":
        try:
            return _by_function(case, strategy, by), ""
        except Unanswered as error:
            usual = steering.serving
            if usual.kind == "function":
                usual = Strategy("bandit", "bandit")
            told, _ = _told(case, usual, steering, by)
            reason = f"{strategy.key} did not say ({error}); {told.reason}"
            return replace(told, reason=reason), str(error)
    if strategy.kind == "bandit" and by.bandit is not None:
        return _chosen(case, by.bandit, strategy.settings), ""
    policy = by.policy if strategy.kind == "bandit" else policy_for(strategy, _ladder(case, by))
    distribution = policy.distribution(case.seen.context, eligible)
    reason = f"{strategy.key}: {_reason(case.config, policy, case.seen.score)}"
    return Chosen(distribution, (), reason), ""


def _ladder(case: _Case, by: _Deciders) -> Ladder:
    if isinstance(by.policy, Ladder):
        return by.policy
    return ladder_of(case.config.objective.ladder, case.config.asking)


def _chosen(
    case: _Case, policy: "BanditPolicy", settings: Mapping[str, Any] | None = None
) -> Chosen:
    if settings:
        policy = replace(policy, settings=replace(policy.settings, **settings))
    rates = rates_of(case.config, case.eligible, size_of(case.request))
    preference = preference_of(case.config, case.request)
    return chosen(policy, preference, case.seen.context, case.eligible, rates)


def _by_function(case: _Case, strategy: Strategy, by: _Deciders) -> Chosen:
    around = case.around
    if around.asks is None:
        raise Unanswered("no routing function can run here")
    known = _chosen(case, by.bandit) if by.bandit is not None else None
    estimates = known.estimates if known is not None else ()
    size = size_of(case.request)
    rates = rates_of(case.config, case.eligible, size)
    request = told_of(
        case.seen.numbers,
        kind=case.seen.kind,
        tagged=bool(case.request.task),
        input_tokens=size.input_tokens,
    )
    expected = {one.arm: _score(one) for one in estimates}
    scores = {str(arm): {"usd": rates[arm], **expected.get(arm, {})} for arm in case.eligible}
    answer = around.asks(strategy, (request, scores, list(around.similar)))
    return Chosen(opinion(answer, case.eligible), estimates, f"{strategy.key} says so")


def _score(one: Estimate) -> dict[str, float]:
    return {
        "usd": one.cost,
        "quality": round(one.quality, 6),
        "deviation": round(one.deviation, 6),
        "seconds": round(one.seconds, 6),
        "failure": round(one.failure, 6),
        "utility": round(one.utility, 6),
    }


def _by_bandit(case: _Case, policy: "BanditPolicy", uniform: float) -> Decision:
    config, request, context = case.config, case.request, case.seen.context
    if request.max_latency_ms is not None:
        case = _quick_enough(case, policy, request.max_latency_ms)
    size, preference = size_of(request), preference_of(config, request)
    rates = rates_of(config, case.eligible, size)
    told = chosen(policy, preference, context, case.eligible, rates)
    if case.home is None:
        decided = case.decided(draw(told.distribution, uniform), "bandit", told.reason)
        decided = replace(decided, probabilities=told.distribution)
    else:
        tokens = size.input_tokens
        moves = leaves(config, preference, case.home, told, input_tokens=tokens)
        best = max(told.estimates, key=lambda one: one.utility, default=None)
        if moves and best is not None:
            decided = case.decided(Choice(best.arm, 1.0), "moved", moves)
        else:
            reason = f"the conversation stays where it began; {told.reason}"
            decided = case.decided(Choice(Arm(case.home.plan), 1.0), "sticky", reason)
    return replace(decided, rates=rates, estimates=told.estimates)


def _quick_enough(case: _Case, policy: "BanditPolicy", most_ms: float) -> _Case:
    slow = too_slow(policy, case.seen.context, case.eligible, most_ms)
    left = [arm for arm in case.eligible if arm not in slow]
    return replace(case, eligible=left, ineligible={**case.ineligible, **slow})


_RESTING = "resting"


def _ineligible(
    config: Config, plan: str, request: Request, reasons: Mapping[str, str], around: Surroundings
) -> str:
    if around.allowed and plan not in around.allowed:
        return "this key may not use it"
    if request.only and plan not in request.only:
        return "the request names other plans"
    if request.region:
        asked = dict.fromkeys(backends_of(plan, config.plans))
        away = [b for b in asked if config.backends[b].region != request.region]
        if away:
            return f"{away[0]} does not stand in region {request.region}"
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


def _not_theirs(config: Config, claims: Mapping[str, float]) -> dict[str, str]:
    """Specialists answer what their documents hold; of all else they can only say that they do not
    know it."""
    return {
        name: "speaks for what its documents hold, and they do not hold this"
        for name, settings in config.backends.items()
        if isinstance(settings, SpecialistSettings) and claims.get(name, 0.0) < settings.enough
    }


STATISTICS = "statistics"  # what kind a request is that can be computed


def _reason(config: Config, policy: Policy, score: Complexity) -> str:
    if isinstance(policy, Ladder):
        most = max(score.parts, key=lambda part: score.parts[part])
        why = f", most of it from {most}" if score.parts[most] >= 0.5 else ""
        return f"complexity {score.score:.1f} of 10{why}; cuts at {list(policy.cuts)}"
    return f"the strategy is {config.objective.strategy}"


def _cannot(config: Config, plan: str, request: Request, wanted: str) -> str:
    """Why a plan that was asked for by name could not even begin, or nothing."""
    if isinstance(config.plans[plan], Code):
        return ""  # its own refusal says what it could not read
    all_wanted = needs(request.fields) | {wanted}
    return impossible(config, plan, lambda b: able(config.backends[b], request, all_wanted))


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
