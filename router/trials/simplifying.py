"""Proposes strategies without some plans, or plans without a stage. A trial must prove each."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from router.config.config import Config
from router.config.plan_steps import LESS, backends_of, stages
from router.routing.strategies import Strategy
from router.trials.book import Book, Rejected
from router.trials.evidence import KEPT_OUT, kept_out
from router.trials.idle_plans import Idle, IdleSearch, find_idle
from router.trials.logged import LoggedDecision
from router.trials.proposals import LearnerView, Proposal
from router.trials.writing import returns_in

CURIOUS = 4  # the most plans at a time to which more requests go
_LEAST_SHARE = 0.05  # share of requests below which a plan is not worth simplifying
CAREFUL = 0.25  # the share of requests for a plan that never ran before
MOST_HARM = 0.1  # utility of a request that any pattern or kind may lose
_MOST_NAME = 60  # characters


def without_plans(
    config: Config, serving: Strategy, idle: Idle, rows: Sequence[LoggedDecision]
) -> Proposal:
    """The serving strategy without plans that add nothing."""
    names = "-".join(idle.plans[:3]) + ("-more" if len(idle.plans) > 3 else "")
    effect = _effect(config, serving, idle, sorted({row.kind for row in rows}))
    strategy = Strategy(
        f"without-{names}"[:_MOST_NAME],
        "same",
        without=idle.plans,
        author="simplifier",
        evidence=effect,
    )
    rules = {"studied": True, "most_harm": MOST_HARM}
    return Proposal(strategy, "no worse", "simplifier", effect, rules=rules)


def without_stage(
    config: Config, book: Book, view: LearnerView, rows: Sequence[LoggedDecision]
) -> Proposal | None:
    """A plan without one of its stages, on few requests, because the new plan is untested."""
    out = {strategy.key for _, strategy in kept_out(book, config, view.judged).values()}
    ended = [trial for trial in book.trials.values() if trial.state in KEPT_OUT]
    renewed = {trial.candidate for trial in ended} - out  # there is new evidence
    tried = {
        plan
        for key, strategy in book.registered.items()
        if key not in renewed
        for plan in strategy.instead.values()
    }
    stage = next(iter(idle_stages(config, book.serving, rows, tried)), None)
    if stage is None:
        return None
    strategy = Strategy(
        f"{stage.plan}-less-{stage.stage}"[:_MOST_NAME],
        "same",
        instead={stage.plan: stage.simpler},
        author="simplifier",
        evidence=stage.sentence,
    )
    rules = {"most_harm": MOST_HARM}
    return Proposal(strategy, "no worse", "simplifier", stage.sentence, share=CAREFUL, rules=rules)


def nothing_idle(config: Config, book: Book, search: IdleSearch) -> Rejected:
    """The reason why no plan can be removed."""
    if search.unsure:
        names = ", ".join(search.unsure[:CURIOUS])
        return Rejected(f"too little is known of {names}: more requests go there for a while")
    return Rejected(
        f"every plan that {book.serving.key} may choose is worth more than "
        f"{config.trials.epsilon:g} of utility, or is too little known"
    )


def search_idle(
    config: Config, book: Book, view: LearnerView, rows: Sequence[LoggedDecision]
) -> IdleSearch:
    """Search the serving strategy for idle plans. What earlier trials kept out is not proposed
    again without new evidence."""
    out = kept_out(book, config, view.judged).values()
    needed = [strategy.without for _, strategy in out if strategy.without]
    return find_idle(
        config,
        view.replay(config),
        book.serving,
        rows,
        view.judged,
        config.trials.epsilon,
        tried=view.tried,
        spared={without[0] for without in needed if len(without) == 1},
        alone={plan for without in needed if len(without) > 1 for plan in without},
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that a plan may not need."""

    plan: str
    stage: str
    share: float  # the share of requests that go through the plan

    @property
    def simpler(self) -> str:
        """The name of the plan without the stage."""
        return f"{self.plan}{LESS}{self.stage}"

    @property
    def sentence(self) -> str:
        return f"{self.plan} without {self.stage}; {self.share:.0%} of requests go through it"


def idle_stages(
    config: Config, strategy: Strategy, rows: Sequence[LoggedDecision], tried: Collection[str]
) -> list[Stage]:
    """Stages whose removal was not tried yet, from the plan with most requests on."""
    candidates = []
    for plan, count in Counter(str(row.plan) for row in rows).most_common():
        share = count / len(rows)
        changed = plan in strategy.without or plan in strategy.instead
        if plan in config.asking and not changed and share >= _LEAST_SHARE:
            candidates += [Stage(plan, name, share) for name in stages(plan, config.plans)]
    return [stage for stage in candidates if stage.simpler not in tried]


def paths(config: Config, strategy: Strategy, kinds: Sequence[str]) -> int:
    """The number of paths of a request: the branches of a function, or each plan for each kind."""
    if strategy.kind == "function":
        return returns_in(strategy.source)
    if strategy.kind == "fixed":
        return 1
    plans = [plan for plan in config.asking if plan not in strategy.without]
    if strategy.kind == "ladder":
        return len(plans)
    return max(len(kinds), 1) * len(plans)


def _effect(config: Config, serving: Strategy, idle: Idle, kinds: Sequence[str]) -> str:
    simpler = replace(serving, without=(*serving.without, *idle.plans))
    backends = ", ".join(_unneeded(config, simpler))
    unneeded = f"; {backends} would not be needed" if backends else ""
    return (
        f"without {', '.join(idle.plans)} a request is expected to lose {idle.loss:.4f} of "
        f"utility, and at most {idle.could_add:.4f}; {paths(config, serving, kinds)} paths become "
        f"{paths(config, simpler, kinds)}"
        f"{unneeded}"
    )


def _unneeded(config: Config, strategy: Strategy) -> list[str]:
    """Backends that are used only by plans which the strategy goes without."""
    left = [plan for plan in config.plans if plan not in strategy.without]
    every, needed = (
        {backend for plan in plans for backend in backends_of(plan, config.plans)}
        for plans in (config.plans, left)
    )
    return sorted(every - needed)
