"""The plans of one configuration, compiled: afterwards a plan is looked up, never resolved.

A compiled tree has no name of a plan left in it: each step is a plan, each leaf names backends.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from router.config.backends import SpecialistSettings
from router.config.config import Config
from router.config.plan_steps import LESS, backends_of, lead, resolved, stages
from router.config.plans import AnyPlan, Ask, Code, FanOut, Pipeline, Step
from router.plans.costs import ExpectedCost, Size, call_cost, expected

FROM_PASSAGES = (
    "Above are numbered passages from documents. Answer the question from them alone, in your own "
    "words, and name the passages you used by their numbers in brackets. What they do not say, you "
    "do not know: say so."
)


class FromPassages(Pipeline):
    """A specialist finds passages, and its writer answers from them. The specialist leads."""

    @property
    def leading(self) -> Step:
        return self.pipeline[0]


@dataclass(frozen=True, slots=True)
class CompiledPlan:
    """A plan with everything that its configuration says of it."""

    tree: AnyPlan
    lead: str  # the backend that the answer comes from when all goes well
    backends: tuple[str, ...]  # that may be called, each once
    of_input: ExpectedCost  # of one input token in each call
    of_output: ExpectedCost

    def cost(self, size: Size) -> ExpectedCost:
        """All prices are by the token, so that a plan's cost is linear in the size of a call."""
        many, few = size.input_tokens, size.output_tokens
        return ExpectedCost(
            many * self.of_input.least_usd + few * self.of_output.least_usd,
            many * self.of_input.most_usd + few * self.of_output.most_usd,
            self.of_input.least_calls,
            self.of_input.most_calls,
        )


class Plans(Mapping[str, CompiledPlan]):
    """Every plan by its name, every simpler stage of a plan, and every backend as a plan to ask it.

    Iterating yields the names of configured plans alone, in their order.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        simpler = [f"{n}{LESS}{stage}" for n in config.plans for stage in stages(n, config.plans)]
        names = [*config.backends, *config.plans, *simpler]
        self._compiled = {name: self._compile(name) for name in names}
        self.aliases = _aliases(config)
        self.asking = config.asking
        self.premium = config.objective.premium or max(config.plans, key=self._dearness)
        self.counts_votes = any(_counts_votes(self[name].tree) for name in config.plans)

    def __getitem__(self, name: str) -> CompiledPlan:
        return self._compiled[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.config.plans)

    def __len__(self) -> int:
        return len(self.config.plans)

    def __contains__(self, name: object) -> bool:
        return name in self.config.plans

    def call_cost(self, size: Size) -> Callable[[str], float]:
        """The price of one call of each backend, at this size."""
        return lambda backend: call_cost(self.config.backends[backend].price, size)

    def _compile(self, name: str) -> CompiledPlan:
        backend = self.config.backends.get(name)
        sandbox = backend is not None and backend.kind == "sandbox"
        tree = Code(code=name) if sandbox else _tree(self.config, name)
        return CompiledPlan(
            tree,
            lead(name, self.config.plans),
            tuple(dict.fromkeys(backends_of(tree, {}))),
            expected(tree, self.call_cost(Size(1, 0))),
            expected(tree, self.call_cost(Size(0, 1))),
        )

    def _dearness(self, name: str) -> float:
        price = self.config.backends[self[name].lead].price
        return price.input + price.output


def _aliases(config: Config) -> dict[str, str]:
    """Every name that a caller may give in `model` to mean one backend."""
    aliases = {alias: name for name, b in config.backends.items() for alias in b.aliases}
    return aliases | {name: name for name in config.backends}


def _tree(config: Config, step: Step) -> AnyPlan:
    """A step with no name left in it. A specialist with a writer finds, and the writer answers."""
    plan = resolved(step, config.plans)
    if isinstance(plan, Ask) and plan.instruct is None:
        settings = config.backends.get(plan.ask)
        if isinstance(settings, SpecialistSettings) and settings.writer is not None:
            finding = Ask(ask=plan.ask, instruct=FROM_PASSAGES)
            writing = Ask(ask=settings.writer, instruct=FROM_PASSAGES)
            bounds = {"max_cost": plan.max_cost, "max_latency_ms": plan.max_latency_ms}
            return FromPassages(pipeline=(finding, writing), gate=plan.gate, **bounds)
    tree = plan.with_steps([_tree(config, inner) for _, inner in plan.places])
    return tree  # type: ignore[return-value]


def _counts_votes(plan: Step) -> bool:
    """Whether some step counts votes by what was learned of each backend."""
    if isinstance(plan, str):
        return False
    votes = isinstance(plan, FanOut) and plan.merge == "vote"
    return votes or any(_counts_votes(inner) for _, inner in plan.places)
