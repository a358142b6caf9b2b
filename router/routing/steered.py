"""Decides while strategies compete, and notes what the other strategies would do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from learner.policy import Arm, Choice, Distribution, draw, draw_beside
from learner.preference import Estimate
from router.domain import Decision, Exposure
from router.plans.costs import size_of
from router.routing.bandit import rates_of
from router.routing.case import Case, pattern_name
from router.routing.deciders import Deciders, by_bandit, quick_enough, reason_by_rule
from router.routing.function_contract import (
    LEFT_OUT,
    NOT_ITS_FAULT,
    NOWHERE,
    MachineTrouble,
    Unanswered,
    opinion,
)
from router.routing.made_choice import made_choice
from router.routing.nodes import node_view
from router.routing.steering import Steering, TrialPart, digest_of, unit_of
from router.routing.strategies import Strategy, policy_for


def steered(case: Case, steering: Steering, by: Deciders, uniform: float) -> Decision:
    """Decide by the strategy of the side on which the request falls in each trial.

    Each exposure notes what the other side would choose with the same luck: a trial compares its
    sides only on requests where they differ, and these are as few as the odds of both allow.
    """
    if case.home is not None:
        return case.stays(case.home)
    case = quick_enough(case, by.bandit)
    unit = unit_of(case.request)
    parts = steering.parts(unit, case.places, case.made)
    odds_of = _Odds(case, steering, by)
    strategy = steering.strategy(parts)
    own = odds_of(strategy)
    choice = draw(own.distribution, uniform)
    exposures = []
    for part in parts:
        other = odds_of(steering.strategy(parts, flipped=(part,)))
        elsewhere = draw_beside(own.distribution, other.distribution, uniform)
        trouble = _trouble(part, own, other)
        exposures.append(_exposure(part, unit, choice.arm, elsewhere, trouble))
    odds = _before_sides(steering, parts, lambda strategy: odds_of(strategy).distribution)
    taken = Choice(choice.arm, odds.get(choice.arm, 0.0))
    return replace(
        case.decided(taken, strategy.kind, own.reason),
        probabilities=odds,
        exposures=(*case.features.exposures, *exposures),
        policy_version=(case.around.policy_version if strategy.kind == "bandit" else strategy.key),
        rates=rates_of(case.plans, [*odds], size_of(case.request)),
        estimates=own.estimates,
    )


class _Odds:
    """Computes the odds of each plan under a strategy, once for each strategy."""

    def __init__(self, case: Case, steering: Steering, by: Deciders) -> None:
        self._case, self._steering, self._by = case, steering, by
        self._made: dict[str, _Opinion] = {}
        self._shared: dict[tuple[object, ...], _Opinion] = {}

    def __call__(self, strategy: Strategy) -> "_Opinion":
        opinion = self._made.get(strategy.key)
        if opinion is None:
            opinion = self._of_any_pattern(strategy)
            opinion = _within(self._case, opinion, strategy, self._steering, self._by)
            self._made[strategy.key] = opinion
        return opinion

    def _of_any_pattern(self, strategy: Strategy) -> "_Opinion":
        """The opinion without the plans of patterns, which the sides of their trials share."""
        instead = tuple(strategy.instead.items())
        settings = id(strategy.settings)  # a strategy over another one has the other's settings
        same = (strategy.kind, settings, strategy.source, strategy.without, instead)
        opinion = self._shared.get(same)
        if opinion is None:
            opinion = _opinion_of(self._case, strategy, self._steering, self._by)
            opinion = replace(opinion, distribution=_instead(opinion, strategy.instead))
            self._shared[same] = opinion
        return opinion


@dataclass(frozen=True, slots=True)
class _Opinion:
    """A strategy's odds of the plans. `trouble`: why another strategy decided in its place."""

    distribution: Distribution
    estimates: tuple[Estimate, ...]
    reason: str
    trouble: str = ""


def _trouble(part: TrialPart, own: _Opinion, other: _Opinion) -> str:
    """The trouble of a shadow is its own. Where sides are compared, a trouble of the machine comes
    first, since such a request says nothing about either side. A plan that is left out is what a
    trial of a simpler strategy compares, and no trouble."""
    if part.live.shadow:
        return other.trouble
    troubles = [o.trouble for o in (own, other) if o.trouble and o.trouble != LEFT_OUT]
    return next((t for t in troubles if t in NOT_ITS_FAULT), troubles[0] if troubles else "")


def _exposure(part: TrialPart, unit: str, here: Arm, elsewhere: Arm, trouble: str) -> Exposure:
    live = part.live
    return Exposure(
        live.slot.trial,
        live.name,
        "shadow" if live.shadow else part.assignment.side,
        digest_of(unit),
        1.0 if live.shadow else part.assignment.chance,
        here != elsewhere,
        str(elsewhere),
        trouble,
    )


def _before_sides(
    steering: Steering, parts: Sequence[TrialPart], odds_of: Callable[[Strategy], Distribution]
) -> Distribution:
    """The odds of each plan before the request is assigned to a side of each trial."""
    sides: list[tuple[float, tuple[TrialPart, ...]]] = [(1.0, ())]
    for part in parts:
        if part.live.shadow or steering.holds_out(part):
            continue
        chance = part.assignment.chance
        sides = [
            side
            for share, flipped in sides
            for side in ((share * chance, flipped), (share * (1 - chance), (*flipped, part)))
        ]
    odds: dict[Arm, float] = {}
    for share, flipped in sides:
        for arm, chance in odds_of(steering.strategy(parts, flipped=flipped)).items():
            odds[arm] = odds.get(arm, 0.0) + share * chance
    for part in parts:
        if steering.holds_out(part):
            other = odds_of(steering.strategy((part,), flipped=(part,)))
            odds = _mixed(odds, other, 1 - part.assignment.chance)
    return odds


def _instead(opinion: _Opinion, instead: Mapping[str, str]) -> Distribution:
    """The odds, with some plans replaced by simpler plans."""
    odds = opinion.distribution
    return {Arm(instead.get(arm, arm)): share for arm, share in odds.items()} if instead else odds


def _within(
    case: Case, opinion: _Opinion, strategy: Strategy, steering: Steering, by: Deciders
) -> _Opinion:
    """The opinion of a strategy that has plans of its own for the request's task or pattern."""
    stands = strategy.stands.get(case.pattern, {})
    stands = {plan: made for plan, made in stands.items() if made in case.made}
    opinion = replace(opinion, distribution=_instead(opinion, stands))
    for place in case.places:
        plan = strategy.within.get(place)
        if plan is None or plan not in (*case.made, *case.eligible):
            continue
        why = "was made for" if plan in case.made else "is the plan that is tried or kept for"
        reason = f"{plan} {why} {place}; else: {opinion.reason}"
        choice = made_choice(case, plan, opinion.distribution, opinion.estimates, steering, by)
        return replace(
            opinion,
            distribution=choice.distribution,
            estimates=choice.estimates,
            reason=f"{reason}{choice.reason}",
        )
    return opinion


def _mixed(a: Distribution, b: Distribution, share: float) -> dict[Arm, float]:
    return {arm: (1 - share) * a.get(arm, 0.0) + share * b.get(arm, 0.0) for arm in {**a, **b}}


def _opinion_of(case: Case, strategy: Strategy, steering: Steering, by: Deciders) -> _Opinion:
    """The opinion of a strategy. If a function fails, the serving strategy decides; if that is a
    function as well, the bandit decides."""
    able = case.eligible
    case = replace(case, eligible=[arm for arm in able if arm not in strategy.without] or able)
    if strategy.kind == "function":
        try:
            return _by_function(case, strategy, by, able)
        except Unanswered as error:
            usual = steering.serving
            if usual.kind == "function":
                usual = Strategy("bandit", "bandit")
            opinion = _opinion_of(case, usual, steering, by)
            reason = f"{strategy.key} did not say ({error}); {opinion.reason}"
            return replace(opinion, reason=reason, trouble=str(error))
    if strategy.kind == "bandit" and by.bandit is not None:
        choice = by_bandit(case, by.bandit, strategy.settings)
        return _Opinion(choice.distribution, choice.estimates, choice.reason)
    policy = by.policy if strategy.kind == "bandit" else policy_for(strategy, by.ladder(case))
    distribution = policy.distribution(case.features.context, case.eligible)
    return _Opinion(distribution, (), f"{strategy.key}: {reason_by_rule(case, policy)}")


def _by_function(case: Case, strategy: Strategy, by: Deciders, able: Sequence[Arm]) -> _Opinion:
    """The opinion of a function; `able` are all plans that could answer, also those left out."""
    around, features = case.around, case.features
    if around.call_function is None:
        raise MachineTrouble(NOWHERE)
    estimates = by_bandit(case, by.bandit).estimates if by.bandit is not None else ()
    rates = rates_of(case.plans, case.eligible, size_of(case.request))
    request = node_view(
        case.request,
        features.numbers,
        kind=features.kind,
        pattern=case.pattern,
        pattern_name=pattern_name(case.around.patterns, case.pattern),
    )
    expected = {estimate.arm: _score(estimate) for estimate in estimates}
    scores = {str(arm): {"usd": rates[arm], **expected.get(arm, {})} for arm in case.eligible}
    answer = around.call_function(strategy, (request, scores, list(around.similar)))
    try:
        odds = opinion(answer, case.eligible, strategy.source)
    except Unanswered:
        opinion(answer, able, strategy.source)  # raises the function's own error, if it made one
        raise Unanswered(LEFT_OUT) from None
    return _Opinion(odds, estimates, f"{strategy.key} says so")


def _score(estimate: Estimate) -> dict[str, float]:
    return {
        "usd": estimate.cost,
        "quality": round(estimate.quality, 6),
        "deviation": round(estimate.deviation, 6),
        "seconds": round(estimate.seconds, 6),
        "failure": round(estimate.failure, 6),
        "utility": round(estimate.utility, 6),
    }
