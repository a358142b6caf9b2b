"""The plans of one configuration, compiled: a request looks its plan up and resolves no names.

In a compiled plan, every step is itself a plan, and every leaf names backends.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from router.catalog import Price, dearest
from router.config.backends import KnowledgeSettings, SpecialistSettings
from router.config.config import Config
from router.config.plan_steps import LESS, backends_of, lead, resolved, stages
from router.config.plans import (
    AnyPlan,
    Ask,
    AskMember,
    Calls,
    Code,
    Committee,
    FanOut,
    Pipeline,
    Step,
)
from router.config.values import BackendSettings
from router.plans.costs import ExpectedCost, Size, call_cost, comparable_cost, expected
from router.plans.made import MadePlan, overlaid, usable
from router.plans.ordering import PlanRank, cheapest_first, dearest_known, effort_of
from router.plans.priors import priors_of
from router.plans.settings import Set, asks_in, form_of, sets_of, shown_settings

FROM_PASSAGES = (
    "Above are numbered passages from documents. Answer the question from them alone, in your own "
    "words, and name the passages you used by their numbers in brackets. What they do not say, you "
    "do not know: say so."
)


@dataclass(frozen=True, slots=True)
class Vital:
    """Backends, or groups of backends, of which at least `enough` must be able to answer."""

    parts: tuple["str | Vital", ...]
    enough: int

    def missing(self, refusals: Mapping[str, str]) -> str:
        """Why too few of the parts can answer; empty if enough can."""
        reasons = [reason for part in self.parts if (reason := _reason(part, refusals))]
        if len(self.parts) - len(reasons) >= self.enough:
            return ""
        return "; ".join(dict.fromkeys(reasons))

    @classmethod
    def of(cls, step: Step) -> "Vital":
        steps, enough = ((step,), 1) if isinstance(step, str) else step.vital
        return cls(tuple(s if isinstance(s, str) else cls.of(s) for s in steps), enough)


def _reason(part: str | Vital, refusals: Mapping[str, str]) -> str:
    if not isinstance(part, str):
        return part.missing(refusals)
    reason = refusals[part]
    return f"{part} {reason}" if reason else ""


class FromPassages(Pipeline):
    """A specialist finds passages, and its writer answers from them; the specialist is the lead."""

    @property
    def leading(self) -> Step:
        return self.pipeline[0]


class Checked(Committee):
    """A committee with validators, by their positions: each checks every answer of a round."""

    validators: tuple[int, ...]

    @property
    def vital(self) -> tuple[tuple[Step, ...], int]:
        steps = (step for n, (_, step) in enumerate(self.places) if n not in self.validators)
        return tuple(steps), 2

    @property
    def calls(self) -> Calls:
        members, answers = len(self.places), len(self.places) - len(self.validators)
        return tuple(
            (step, least, most * answers if n < members and n in self.validators else most)
            for n, (step, least, most) in enumerate(super().calls)
        )


@dataclass(frozen=True, slots=True)
class PlanRates:
    """What one token in each call of a plan costs, for prompts of more than `above` tokens."""

    above: int
    of_input: ExpectedCost
    of_output: ExpectedCost
    comparable_input: float  # with a stand-in for each unknown price
    comparable_output: float


def _dollars(tokens: tuple[int, int], *rates: float | None) -> float | None:
    """The cost of input and output tokens; None if either rate is unknown."""
    products = [count * rate for count, rate in zip(tokens, rates, strict=True) if rate is not None]
    return sum(products) if len(products) == len(tokens) else None


@dataclass(frozen=True, slots=True)
class CompiledPlan:
    """A plan with its backends and its expected cost."""

    tree: AnyPlan
    lead: str  # the backend that gives the answer, if nothing fails
    backends: tuple[str, ...]  # every backend that the plan may call, each once
    vital: "Vital"
    rates: tuple[PlanRates, ...]  # by the length of the prompt, rising
    unpriced: tuple[str, ...] = ()  # those of its backends whose price is unknown
    codes: tuple[Code, ...] = ()  # the steps that compute
    sets: Mapping[str, tuple[Set, ...]] = field(default_factory=dict)  # parameters, by backend
    form: str = ""  # tells answers apart that were made with other prompts or parameters
    shown: tuple[Mapping[str, Any], ...] = ()  # the settings, for people who ask why
    off: str = ""  # which backend that it cannot do without is switched off, e.g. its critic
    stores: tuple[str, ...] = ()  # the stores that its backends may ask

    def impossible(self, refusals: Mapping[str, str]) -> str:
        """Why no way through the plan leads to an answer; empty if one does. `refusals` holds the
        reason for each backend that cannot answer, and an empty text for the others."""
        return self.off or self.vital.missing(refusals)

    def cost(self, size: Size) -> ExpectedCost:
        """The expected cost of calls of this size, computed from the cost per token."""
        rates, tokens = self._rates_of(size), (size.input_tokens, size.output_tokens)
        return ExpectedCost(
            _dollars(tokens, rates.of_input.least_usd, rates.of_output.least_usd),
            _dollars(tokens, rates.of_input.most_usd, rates.of_output.most_usd),
            rates.of_input.least_calls,
            rates.of_input.most_calls,
        )

    def comparable_usd(self, size: Size) -> float:
        """Midway between least and most; an unknown price counts as the dearest that is known."""
        rates = self._rates_of(size)
        return (
            size.input_tokens * rates.comparable_input
            + size.output_tokens * rates.comparable_output
        )

    def _rates_of(self, size: Size) -> PlanRates:
        tokens, rates = size.input_tokens, self.rates
        if len(rates) == 1:
            return rates[0]
        return next((r for r in reversed(rates) if tokens > r.above), rates[0])


@dataclass(frozen=True, slots=True)
class VerifyingModel:
    """The backends to ask in turn whether one answer serves two requests, and the model's name."""

    chain: tuple[str, ...]
    model: str


class Plans(dict[str, CompiledPlan]):
    """Every plan by its name; also each plan less one stage, and each backend as a plan of its own.

    `names` holds the configured plans in their order, `rungs` the plans of the ladder from cheap to
    strong, `priors` what is believed of plans beforehand, `weights` the weights of the complexity
    score, `specialists` the least confidence of each specialist's answers, `unconditional` the
    capabilities of each backend that refuses requests for no other reason, `verifier` what is asked
    whether one answer serves two requests, `last_resorts` the plans for what no other can answer,
    `computing` the plans that are a program, and `compute` says whether any step of a plan is one,
    `doubting` the plans that ask a learned model and do nothing more, `choices` says whether a
    conversation could go on at another backend, `conditional` the plans whose own parameters decide
    which requests their backends can express, `of_stores` the plans and backends that ask stores of
    knowledge, `made` the plans that growth made, and `made_for`
    those of each pattern: they are not among the `names`.
    """

    def __init__(self, config: Config, made: Iterable[MadePlan] = ()) -> None:
        self.config = config
        self.made = usable(config, made)
        self.stand_in = dearest(backend.price for backend in config.backends.values())
        simpler = [f"{n}{LESS}{stage}" for n in config.plans for stage in stages(n, config.plans)]
        self.names = tuple(config.plans)
        super().__init__({n: self._compile(n) for n in (*config.backends, *self.names, *simpler)})
        self.made_for: dict[str, tuple[MadePlan, ...]] = {}
        overlay = overlaid(config, self.made)
        for each in self.made:
            self[each.name] = self._compile(each.name, overlay)
            for pattern in each.patterns:
                self.made_for[pattern] = (*self.made_for.get(pattern, ()), each)
        self.aliases = _aliases(config)
        self.asking = config.asking
        self.last_resorts = config.last_resorts
        self.computing = frozenset(n for n, plan in self.items() if isinstance(plan.tree, Code))
        self.doubting = frozenset(n for n, plan in self.items() if _doubts(plan.tree, config))
        self.conditional = frozenset(n for n, plan in self.items() if self._restricts(plan))
        equals = (ask.equals for name in self.names for ask in asks_in(self[name].tree))
        self.choices = len(self.names) > 1 or any(equals)
        self.compute = any(plan.codes for plan in self.values())
        self.of_stores = tuple(name for name, plan in self.items() if plan.stores)
        self.priors = priors_of(config)
        self.weights = config.objective.ladder.all_weights
        self.specialists = {
            name: settings.enough
            for name, settings in config.backends.items()
            if isinstance(settings, SpecialistSettings | KnowledgeSettings)
        }
        self.unconditional = {
            name: frozenset(settings.capabilities)
            for name, settings in config.backends.items()
            if settings.enabled
            and settings.context_window is None
            and type(settings).refuses is BackendSettings.refuses
        }
        self.verifier = _verifier(config, self.aliases)
        rungs = config.objective.ladder.rungs
        ranks = [self._rank(name, self.usual_price(name)) for name in self.asking]
        self.rungs = rungs or cheapest_first(ranks)
        leads = [self._rank(name, self._price_of_lead(name)) for name in self.names]
        self.premium = config.objective.premium or dearest_known(leads)
        self.counts_votes = any(_counts_votes(self[name].tree) for name in config.plans)

    def with_made(self, made: Iterable[MadePlan]) -> "Plans":
        """The plans with other made plans. Those that were made before stay for requests that are
        decided already."""
        plans = Plans(self.config, made)
        for each in self.made:
            plans.setdefault(each.name, self[each.name])
        return plans

    def made_in(self, places: Iterable[str]) -> list[MadePlan]:
        """The plans that were made for any of these patterns and tasks."""
        return [each for place in places for each in self.made_for.get(place, ())]

    def call_cost(self, size: Size) -> Callable[[str], float | None]:
        """A function that gives the dollars of one call of a backend, for calls of this size."""
        return lambda backend: call_cost(self.config.backends[backend].price, size)

    def _compile(self, name: str, overlay: Config | None = None) -> CompiledPlan:
        config = self.config if overlay is None else overlay
        backend = config.backends.get(name)
        sandbox = backend is not None and backend.kind == "sandbox"
        tree = Code(code=name) if sandbox else _tree(config, name)
        backends = tuple(dict.fromkeys(backends_of(tree, {})))
        return CompiledPlan(
            tree,
            lead(name, config.plans),
            backends,
            Vital.of(tree),
            tuple(self._rates(tree, backends)),
            tuple(b for b in backends if self.config.backends[b].price is None),
            tuple(_codes(tree)),
            sets_of(tree),
            form_of(tree),
            shown_settings(tree),
            self._off(tree),
            tuple(dict.fromkeys(s for b in backends for s in config.backends[b].asks_stores)),
        )

    def _off(self, tree: AnyPlan) -> str:
        """Which backend is switched off that the plan asks beside its steps."""
        return next(
            (
                f"{purpose} {name} {self.config.backends[name].off}"
                for purpose, name in _asks(tree)
                if self.config.backends[name].off
            ),
            "",
        )

    def _restricts(self, plan: CompiledPlan) -> bool:
        backends = self.config.backends
        return any(backends[name].translates and any(sets) for name, sets in plan.sets.items())

    def usual_price(self, name: str) -> float | None:
        """Expected dollars for 1,000 usual requests, midway between least and most; None if the
        price of a backend is unknown that may be called."""
        cost = self[name].cost(Size())
        if cost.least_usd is None or cost.most_usd is None:
            return None
        return 1000 * (cost.least_usd + cost.most_usd) / 2

    def _price_of_lead(self, name: str) -> float | None:
        price = self.config.backends[self[name].lead].price
        return None if price is None else 1000 * comparable_cost(price, Size())

    def _rank(self, name: str, price: float | None) -> PlanRank:
        plan = self.config.plans[name]
        stands_in = name in self.last_resorts
        prior = self.priors[name].overall if name in self.priors else None
        return PlanRank(name, price, effort_of(plan), prior, stands_in)

    def _rates(self, tree: AnyPlan, backends: Sequence[str]) -> Iterator[PlanRates]:
        stated = {name: self.config.backends[name].price for name in backends}
        prices = {name: self.stand_in if p is None else p for name, p in stated.items()}
        bounds = {tier.above for price in prices.values() for tier in price.tiers}
        for above in sorted({0, *bounds}):
            yield PlanRates(
                above,
                expected(tree, _per_token(stated, above, "input")),
                expected(tree, _per_token(stated, above, "output")),
                _midway(expected(tree, _per_token(prices, above, "input"))),
                _midway(expected(tree, _per_token(prices, above, "output"))),
            )


def _per_token(
    prices: Mapping[str, Price | None], above: int, part: Literal["input", "output"]
) -> Callable[[str], float | None]:
    """A function that gives the dollars of a token of a backend, in calls with longer prompts."""

    def usd(backend: str) -> float | None:
        price = prices[backend]
        return None if price is None else getattr(price.rates(above + 1), part) / 1e6

    return usd


def _midway(cost: ExpectedCost) -> float:
    return ((cost.least_usd or 0.0) + (cost.most_usd or 0.0)) / 2


def _aliases(config: Config) -> dict[str, str]:
    """Every name that a caller may give in `model`, with the backend that the name means."""
    aliases = {alias: name for name, b in config.backends.items() for alias in b.aliases}
    return aliases | {name: name for name in config.backends}


def _doubts(plan: AnyPlan, config: Config) -> bool:
    """Whether a plan asks a learned model, which may be unsure."""
    if not isinstance(plan, Ask):
        return False
    return any(config.backends[name].kind == "learned" for name in plan.backends)


def _verifier(config: Config, aliases: Mapping[str, str]) -> VerifyingModel | None:
    name = config.reuse.verifier
    if name is None:
        return None
    plan = config.plans.get(name)
    if isinstance(plan, Ask):
        return VerifyingModel(tuple(plan.backends), plan.model or plan.ask)
    return VerifyingModel((aliases[name],), name)


def _tree(config: Config, step: Step) -> AnyPlan:
    """Replace each name in a step by its plan; a specialist with a writer becomes a pipeline."""
    plan = resolved(step, config.plans)
    if isinstance(plan, Ask) and plan.instruct is None and not plan.equals:
        settings = config.backends.get(plan.ask)
        if isinstance(settings, SpecialistSettings | KnowledgeSettings) and settings.writer:
            finding = Ask(ask=plan.ask, instruct=FROM_PASSAGES)
            writing = Ask(ask=settings.writer, instruct=FROM_PASSAGES)
            bounds = {"max_cost": plan.max_cost, "max_latency_ms": plan.max_latency_ms}
            return FromPassages(pipeline=(finding, writing), gate=plan.gate, **bounds)
    if isinstance(plan, Committee) and plan.committee.design is not None:
        models = _conferring(config) or (plan.committee.design,)
        plan = plan.with_steps([AskMember(ask=name) for name in models])
    tree = plan.with_steps([_tree(config, inner) for _, inner in plan.places])
    if isinstance(tree, Committee):
        kinds = [config.backends[lead(step, {})].kind for _, step in tree.places]
        validators = tuple(n for n, kind in enumerate(kinds) if kind == "validator")
        if validators:
            return Checked.model_construct(**dict(tree), validators=validators)
    return tree  # type: ignore[return-value]


def _conferring(config: Config) -> tuple[str, ...]:
    """The models that a designed committee may have as members."""
    return tuple(
        name
        for name, settings in config.backends.items()
        if settings.is_model
        and settings.enabled
        and "chat" in settings.capabilities
        and not settings.last_resort
    )


def _asks(plan: Step) -> Iterator[tuple[str, str]]:
    """Every backend that a compiled plan asks beside its steps, with the purpose."""
    if not isinstance(plan, str):
        yield from plan.asks
        for _, inner in plan.places:
            yield from _asks(inner)


def _codes(plan: Step) -> Iterator[Code]:
    if isinstance(plan, Code):
        yield plan
    elif not isinstance(plan, str):
        for _, inner in plan.places:
            yield from _codes(inner)


def _counts_votes(plan: Step) -> bool:
    """Whether some step merges answers by vote."""
    if isinstance(plan, str):
        return False
    votes = isinstance(plan, FanOut) and plan.merge == "vote"
    votes = votes or (isinstance(plan, Committee) and plan.committee.chair is None)
    return votes or any(_counts_votes(inner) for _, inner in plan.places)
