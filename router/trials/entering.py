"""Takes a proposal through the gates and into a trial."""

from collections.abc import Sequence
from dataclasses import replace

from learner.policy import Arm
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.book import Book, Line, Rejected
from router.trials.changes import open_trial, register
from router.trials.director import Director
from router.trials.evidence import kept_out, refusal
from router.trials.gates import LoadedFunction, check_function
from router.trials.logged import LoggedDecision
from router.trials.proposals import REPLAYED, LearnerView, Proposal
from router.trials.replaying import ReplayEstimate

_CONTRACT_ROWS = 60


def enter(
    director: Director,
    config: Config,
    proposal: Proposal,
    view: LearnerView,
    rows: Sequence[LoggedDecision],
    at: float,
) -> None:
    """Open a trial of the proposal. Raises `Rejected`, which names the gate that failed."""
    strategy = proposal.strategy
    again = refusal(strategy, kept_out(director.book, config, view.judged))
    if again:
        raise Rejected(again)
    with LoadedFunction(strategy, config.trials.function_ms / 1000) as ask_function:
        if strategy.kind == "function":
            drawn = [of_all_plans(row, config) for row in rows[-_CONTRACT_ROWS:]]
            check_function(strategy.source, ask_function, drawn)
        in_force = strategy.over(director.book.serving)
        estimate = view.replay(config, ask_function).estimate(in_force, rows[-REPLAYED:])
    veto = estimate.veto(config.trials.epsilon)
    if veto:
        raise Rejected(veto)
    director.change(_register_and_open, proposal, estimate, at)


def of_all_plans(row: LoggedDecision, config: Config) -> LoggedDecision:
    """The row; where a made plan had a say, with all plans, since such a row names only the two
    that the plan's trial compares."""
    if row.odds.keys() <= config.plans.keys():
        return row
    return replace(row, odds=dict.fromkeys(map(Arm, config.asking), 1 / len(config.asking)))


def free_name(book: Book, name: str) -> str:
    """The name if it is free, or else the name with the first free number."""
    taken = {trial.name for trial in book.trials.values()}
    number = 2
    while name in taken:
        name = f"{name.rstrip('0123456789').rstrip('-')}-{number}"
        number += 1
    return name


def _register_and_open(
    book: Book, proposal: Proposal, estimate: ReplayEstimate, at: float
) -> list[Line]:
    registered = register(book, proposal.strategy, at)
    strategy = Strategy.read(registered[0]["strategy"])
    opened = open_trial(
        replace(book, registered={**book.registered, strategy.key: strategy}),
        free_name(book, strategy.key.replace("@", "-")),
        strategy.key,
        at,
        goal=proposal.goal,
        share=proposal.share,
        shadow=strategy.kind == "function",
        opened_by=proposal.opened_by,
        effect="; ".join(filter(None, (proposal.effect, estimate.sentence))),
        rules=proposal.rules,
    )
    opened[0]["trial"]["replay"] = estimate.written()
    return [*registered, *opened]
