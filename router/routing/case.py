"""The input of a decision: a request, its features, and the plans that can answer it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from learner.policy import Arm, Choice, Context, Distribution
from learner.preference import Estimate
from router.domain import Decision, Exposure, Home, Request
from router.plans.compiled import Plans
from router.plans.costs import size_of
from router.plans.made import place_of_task
from router.request.complexity import Complexity, complexity
from router.request.context import NAMES, context_of, kind_of, meaning_of, numbers
from router.request.lens import Lens
from router.request.patterns import Patterns, own_terms
from router.routing.bandit import rates_of
from router.routing.eligible import eligible_plans, made_plans
from router.routing.escalating import turns_ahead
from router.routing.node_features import CallNode, NamedByNodes, named_by_nodes
from router.routing.nodes import node_view
from router.routing.steering import Steering
from router.routing.strategies import Strategy
from router.routing.warmth import cached_tokens, lasting_rates, warm_rates

_TAGGED = NAMES.index("tagged")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that a decision may use beside the request itself."""

    allowed: Collection[str] = ()  # the plans that the key may use; empty: all
    down: Collection[str] = ()  # backends that are resting after failures
    claims: Mapping[str, float] = field(default_factory=dict)  # each specialist's confidence
    home: Home | None = None
    policy_version: str = ""
    lens: Lens | None = None
    vector: Sequence[float] | None = None  # the request's sentence vector, if one was made
    steering: Steering | None = None  # the learner's serving strategy and trials
    call_function: Callable[[Strategy, Sequence[Any]], Any] | None = None  # runs routing functions
    call_node: CallNode | None = None  # asks written nodes
    similar: Sequence[Mapping[str, Any]] = ()  # remembered answers to similar requests
    priced_only: bool = False  # whether the key's limit of dollars refuses unknown prices
    scope: str = ""  # the owner of what the key remembers
    patterns: Patterns | None = None  # the patterns that the learner found
    wait: Callable[[str], float] | None = None  # how much slower than usual a backend is now
    now: float = 0.0  # the time, by which the age of a prompt cache is known
    # Plans and backends that ask stores of which the caller may read none: to it they do not exist.
    hidden: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Features:
    """A request as numbers: how hard it looks, and the context that the learner sees; with the
    buckets of its own words, and the pattern that it belongs to."""

    score: Complexity
    numbers: tuple[float | None, ...]
    context: Context
    kind: str
    terms: tuple[int, ...]
    pattern: str  # the pattern's id; empty: none
    exposures: tuple[Exposure, ...] = ()  # its part in trials of matchers and classifiers


@dataclass(frozen=True, slots=True)
class Case:
    """A request, and the plans that can answer it."""

    plans: Plans
    request: Request
    around: Surroundings
    eligible: Sequence[Arm]
    ineligible: Mapping[str, str]  # the other plans, and why they cannot answer
    features: Features
    made: Sequence[Arm] = ()  # plans that growth made for the request's pattern; a trial's alone

    @property
    def pattern(self) -> str:
        """The id of the pattern that the request belongs to; empty if it belongs to none."""
        return self.features.pattern

    @property
    def places(self) -> tuple[str, ...]:
        """The task and the pattern of the request, as made plans name what they are for. What was
        made for a task, which the caller names, comes first."""
        return places_of(self.features)

    @property
    def home(self) -> Home | None:
        """The conversation's home, if its plan is eligible and its backend is not resting."""
        home = self.around.home
        if home is None or home.plan not in self.eligible or home.backend in self.around.down:
            return None
        return home

    def rates(self, arms: Sequence[Arm]) -> dict[str, float]:
        """Each plan's expected dollars. In an agent's session they count what backends are likely
        to have in their prompt caches."""
        home, size = self.around.home, size_of(self.request)
        if home is None or self.request.reading.trajectory is None:
            return rates_of(self.plans, arms, size)
        return warm_rates(self.plans, arms, size, home, now=self.around.now)

    @property
    def waits(self) -> dict[Arm, float]:
        """By how many seconds a plan's first call takes longer just now than it usually does, or
        less: only of plans where it differs."""
        wait = self.around.wait
        if wait is None:
            return {}
        seconds = {arm: wait(self.plans[arm].lead) for arm in self.eligible}
        return {arm: each for arm, each in seconds.items() if each}

    def prices(self, arms: Sequence[Arm]) -> dict[str, float]:
        """The dollars by which plans are compared: in an agent's session those of a usual turn,
        with the price of moving spread over the turns that a move is likely to last."""
        home, size = self.around.home, size_of(self.request)
        trajectory = self.request.reading.trajectory
        if home is None or trajectory is None:
            return self.rates(arms)
        turns = turns_ahead(trajectory)
        return lasting_rates(self.plans, arms, size, home, now=self.around.now, turns=turns)

    def decided(
        self,
        choice: Choice,
        strategy: str,
        reason: str,
        *,
        odds: Distribution | None = None,
        rates: Mapping[str, float] | None = None,
        estimates: tuple[Estimate, ...] = (),
    ) -> Decision:
        """A decision for one plan. A caller that drew the plan gives the odds of all plans."""
        if odds is None:
            odds = {arm: float(arm == choice.arm) for arm in self.eligible}
        return Decision(
            plan=choice.arm,
            propensity=choice.propensity,
            strategy=strategy,
            probabilities=odds,
            ineligible=self.ineligible,
            reason=reason,
            score=self.features.score.score,
            parts=self.features.score.parts,
            numbers=self.features.numbers,
            policy_version=self.around.policy_version,
            kind=self.features.kind,
            rates=self.rates([choice.arm]) if rates is None else rates,
            estimates=estimates,
            unpriced=tuple(arm for arm in self.eligible if self.plans[arm].unpriced),
            terms=self.features.terms,
            pattern=self.features.pattern,
            exposures=self.features.exposures,
        )

    def stays(self, home: Home) -> Decision:
        reason = "the conversation stays where it began"
        return self.decided(Choice(Arm(home.plan), 1.0), "sticky", reason)


def case_of(plans: Plans, request: Request, around: Surroundings) -> Case:
    features = features_of(plans, request, around)
    eligible, ineligible = eligible_plans(
        plans,
        request,
        allowed=around.allowed,
        down=around.down,
        claims=around.claims,
        priced_only=around.priced_only,
        hidden=around.hidden,
    )
    made = made_plans(
        plans,
        request,
        places_of(features),
        scope=around.scope,
        allowed=around.allowed,
        down=around.down,
        priced_only=around.priced_only,
        hidden=around.hidden,
    )
    return Case(plans, request, around, eligible, ineligible, features, made)


def places_of(features: Features) -> tuple[str, ...]:
    places = (place_of_task(features.kind), features.pattern)
    return tuple(place for place in places if place)


def view_before(plans: Plans, request: Request, around: Surroundings) -> dict[str, Any]:
    """A request as matchers and classifiers see it; as classifiers do, if `around` has what the
    matchers said."""
    steering = around.steering
    if around.call_node is None or steering is None:
        around = replace(around, steering=None)
    else:
        trials = tuple(t for t in steering.nodes if t.candidate.kind == "matcher")
        around = replace(around, steering=replace(steering, nodes=trials))
    features = features_of(plans, request, around)
    return node_view(
        request,
        features.numbers,
        kind=kind_of(features.numbers),
        pattern=features.pattern,
        pattern_name=pattern_name(around.patterns, features.pattern),
    )


def features_of(plans: Plans, request: Request, around: Surroundings) -> Features:
    score = complexity(request.reading, plans.weights)
    lens = around.lens
    row = numbers(
        request.reading,
        score,
        tagged=bool(request.task),
        lens=lens,
        vector=around.vector,
        cached=cached_share(request, around),
    )
    context = context_of(row, request.task, lens=lens.number if lens is not None else 0)
    terms = own_terms(request.reading)
    pattern = ""
    if around.patterns is not None:
        seen = lens is not None and lens.number == around.patterns.lens
        meaning = meaning_of(row) if seen else None
        pattern = around.patterns.of(terms, meaning, request.reading.language)
    name = pattern_name(around.patterns, pattern)
    named = NamedByNodes(request.task, pattern, name)
    if around.steering is not None and around.steering.nodes and around.call_node is not None:
        trials, call = around.steering.nodes, around.call_node
        named = named_by_nodes(trials, call, request, row, named, kind_of(row))
    if named.kind != request.task:
        row = (*row[:_TAGGED], 1.0, *row[_TAGGED + 1 :])  # as if the caller had named it
        context = context_of(row, named.kind, lens=lens.number if lens is not None else 0)
    kind = named.kind or kind_of(row)
    return Features(score, row, context, kind, terms, named.pattern, named.exposures)


def pattern_name(patterns: Patterns | None, id_: str) -> str:
    """The name of a pattern that was found in traffic; the id itself if it was not found there."""
    pattern = patterns.named(id_) if patterns is not None and id_ else None
    return pattern.name if pattern is not None else id_


def cached_share(request: Request, around: Surroundings) -> float:
    """The share of a prompt that its home is likely to have in its prompt cache."""
    home, tokens = around.home, request.reading.tokens
    if home is None or not tokens:
        return 0.0
    return cached_tokens(home, home.backend, tokens=tokens, now=around.now) / tokens
