"""Proposes routing functions distilled from the learner: short decision trees, as code."""

from collections.abc import Sequence

from learner.policy import Arm
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.book import Book, Rejected
from router.trials.evidence import KEPT_OUT
from router.trials.gates import LoadedFunction
from router.trials.logged import LoggedDecision
from router.trials.proposals import REPLAYED, LearnerView, Proposal
from router.trials.simplifying import paths
from router.trials.writing import code_of, distilled, returns_in, table_of, worth_of

_NAME = "distilled"


def distill(
    config: Config, book: Book, view: LearnerView, rows: Sequence[LoggedDecision]
) -> Proposal:
    """A function that decides as well as the learner, or better than the serving function."""
    serving = book.serving
    plans = _plans(config, serving)
    rows = [row for row in rows if set(plans) & set(row.odds)]
    table = table_of(rows, view.replay(config), plans)
    tree = distilled(table)
    best, worth = float(table.worth.max(axis=1).mean()), worth_of(tree)
    fixed = float(table.worth.mean(axis=0).max())
    summary = (
        f"Distilled from {len(rows):,} judged answers: expected to be worth {worth:.4f} a "
        f"request; the best plan for each would be {best:.4f}, the best one plan {fixed:.4f}."
    )
    source = code_of(tree, summary, rows)
    latest = book.latest(_NAME)
    if latest is not None and _code(latest.source) == _code(source) and _had_trial(book, latest):
        raise Rejected(f"{latest.key} says the same: nothing new was learned")
    strategy = Strategy(_NAME, "function", source=source, author="distiller", evidence=summary)
    kinds = sorted({row.kind for row in rows})
    ways = f"{paths(config, serving, kinds)} paths become {returns_in(source)}"
    if serving.kind != "function":
        effect = f"{worth - best:+.4f} of utility a request; {ways}"
        return Proposal(strategy, "no worse", "distiller", effect)
    current = _expected(config, view, serving, rows)
    if worth < current + config.trials.epsilon:
        raise Rejected(
            f"the learner expects {worth:.4f} of what could be distilled, and {current:.4f} of "
            f"{serving.key}"
        )
    effect = f"{worth - current:+.4f} of utility a request; {ways}"
    return Proposal(strategy, "better", "distiller", effect)


def prune(
    config: Config, book: Book, view: LearnerView, rows: Sequence[LoggedDecision]
) -> Proposal:
    """A function with fewer branches than the serving function, and about the same utility."""
    serving = book.serving
    table = table_of(rows, view.replay(config), _plans(config, serving))
    current = _expected(config, view, serving, rows)
    branches = returns_in(serving.source)
    for leaves in range(1, branches):
        tree = distilled(table, leaves=leaves)
        worth = worth_of(tree)
        if worth < current - config.trials.epsilon:
            continue
        summary = (
            f"Distilled from {len(rows):,} judged answers with fewer branches than {serving.key}: "
            f"expected to be worth {worth:.4f} a request, where that is {current:.4f}."
        )
        source = code_of(tree, summary, rows)
        ways = f"{branches} paths become {returns_in(source)}"
        strategy = Strategy(_NAME, "function", source=source, author="simplifier", evidence=summary)
        effect = f"{worth - current:+.4f} of utility a request; {ways}"
        return Proposal(strategy, "no worse", "simplifier", effect)
    raise Rejected(f"{serving.key} has {branches} branches, and each of them is worth having")


def _plans(config: Config, serving: Strategy) -> list[Arm]:
    return [Arm(plan) for plan in config.asking if plan not in serving.without]


def _expected(
    config: Config, view: LearnerView, strategy: Strategy, rows: Sequence[LoggedDecision]
) -> float:
    """The utility that the learner expects of a strategy."""
    with LoadedFunction(strategy, config.trials.function_ms / 1000) as ask_function:
        return view.replay(config, ask_function).expected(strategy, rows[-REPLAYED:])


def _code(source: str) -> list[str]:
    """The lines of a function that decide, without docstring and comments."""
    lines = [line.strip() for line in source.splitlines()]
    return [line for line in lines if line.startswith(("if ", "return "))]


def _had_trial(book: Book, strategy: Strategy) -> bool:
    """Whether the strategy is in a trial or was adopted; if a trial kept it out, new evidence may
    bring it back."""
    states = [trial.state for trial in book.trials.values() if trial.candidate == strategy.key]
    return any(state not in (*KEPT_OUT, "superseded") for state in states)
