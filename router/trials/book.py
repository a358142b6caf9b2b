"""The book of trials: registered strategies, trials, and a history of what served.

The book is built from the lines of a file, which `ledger` reads and writes. The book only answers
questions; `changes` says which changes are allowed.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from learner.assignment import Slot
from router.config.config import Config
from router.config.problems import unknown
from router.plans.made import MadePlan, compiled_from
from router.routing.nodes import Node, NodeTrial
from router.routing.steering import HOLDOUT, Live, Steering
from router.routing.strategies import Strategy, built_in, check, configured

TrialState = Literal[
    "shadow", "running", "decided", "adopting", "adopted", "kept", "stopped", "vetoed",
    "rolled back", "superseded",
]  # fmt: skip
ENDED: tuple[TrialState, ...] = ("kept", "stopped", "vetoed", "rolled back", "superseded")
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """The present state of a trial."""

    id: str
    name: str
    candidate: str  # the key of the candidate strategy
    current: str  # the key of the strategy that served when the trial began
    slot: Slot
    state: TrialState
    opened_by: str
    began: float
    since: float  # when the trial entered its present state
    why: str = ""
    trouble: str = ""  # why it cannot be judged at present
    goal: str = "better"
    rules: Mapping[str, Any] = field(default_factory=dict)  # only changed rules
    numbers: Mapping[str, Any] = field(default_factory=dict)
    share: float = 0.5  # the adopted candidate's share of requests
    node: str = ""  # the name of the written node that is tried; empty: a strategy is tried
    effect: str = ""  # the effect that was expected when the trial began
    replay: Mapping[str, Any] = field(default_factory=dict)
    # What was known soon after it ended: judged answers of each plan, and a digest of the setting.
    judged: Mapping[str, int] = field(default_factory=dict)
    setting: str = ""
    pattern: str = ""  # the pattern of a made plan's trial, which has the name of the plan
    shared_at: float = 0.0  # when the candidate's share changed last

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Served:
    """An entry of the history: a strategy that began to serve."""

    key: str
    at: float
    why: str
    trial: str = ""


@dataclass(frozen=True, slots=True)
class Switched:
    """`auto` was switched on for requests that name a model, or off again."""

    live: bool
    at: float
    by: str  # `bound` or `operator`
    why: str


def candidate_of(made: MadePlan) -> Strategy:
    """The strategy that answers the requests of a pattern by a made plan."""
    instead = {made.stands_for: made.name}
    return Strategy(
        made.name,
        "same",
        version=made.version,
        author=made.author,
        evidence=made.evidence,
        within={} if made.stands_for else dict.fromkeys(made.patterns, made.answers),
        stands=dict.fromkeys(made.patterns, instead) if made.stands_for else {},
        at=made.at,
    )


def parent_of(made: MadePlan) -> Strategy:
    """The strategy that answers the requests of a pattern by the plan that a made plan was made
    from: a made plan must be better than that, and not only than what serves."""
    name = f"{made.parent} for {made.pattern}"
    return Strategy(name, "same", within={made.pattern: made.parent})


class Rejected(ValueError):
    """A change of trials is not allowed; the message says why, and what to do instead."""


@dataclass
class Book:
    """The state that follows from all lines of the book's file."""

    config: Config
    registered: dict[str, Strategy] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)  # versions of written nodes, by their keys
    reviews: dict[str, Line] = field(default_factory=dict)  # of functions and nodes, by their keys
    trials: dict[str, Trial] = field(default_factory=dict)
    history: list[Served] = field(default_factory=list)
    adopting: str = ""  # the id of the trial whose adopted candidate serves
    control: Strategy | None = None
    prompts: list[Line] = field(default_factory=list)  # versions of the author's prompt, and scores
    notes: list[Line] = field(default_factory=list)
    switches: list[Switched] = field(default_factory=list)
    made: dict[str, MadePlan] = field(default_factory=dict)  # without the words of examples
    words: dict[str, Line] = field(default_factory=dict)  # the last `grown` line of each made plan
    lines: int = 0

    @property
    def switched(self) -> bool:
        """Whether `auto` left the shadow, if the configuration starts it there."""
        return bool(self.switches) and self.switches[-1].live

    @property
    def strategies(self) -> dict[str, Strategy]:
        return {**built_in(self.config), **self.registered}

    @property
    def serving(self) -> Strategy:
        """The strategy that decides: the latest strategy in the history whose plans still exist."""
        strategies = self.strategies
        for served in reversed(self.history):
            strategy = strategies.get(served.key)
            if strategy is not None and self.usable(strategy):
                return strategy
        return configured(self.config)

    def usable(self, strategy: Strategy) -> bool:
        with contextlib.suppress(ValueError):
            check(strategy, self.config)
            for plan in strategy.made:
                if plan in self.made:
                    compiled_from(self.config, self.made[plan])
                elif plan not in self.config.plans:  # where a route led
                    return False
            return True
        return False

    def strategy(self, name: str) -> Strategy:
        """The strategy with this key, or the latest version of the strategy with this name."""
        strategies = self.strategies
        if name in strategies:
            return strategies[name]
        latest = self.latest(name)
        if latest is not None:
            return latest
        rule, mend = unknown("strategy", name, strategies)
        raise Rejected(f"{name}: {rule}. {mend}")

    def latest(self, name: str) -> Strategy | None:
        versions = [strategy for strategy in self.registered.values() if strategy.name == name]
        return max(versions, key=lambda strategy: strategy.version, default=None)

    def trial(self, name: str) -> Trial:
        """The trial with this id, or the latest trial with this name."""
        trials = [trial for trial in self.trials.values() if name in (trial.id, trial.name)]
        if trials:
            return trials[-1]
        rule, mend = unknown("trial", name, [trial.name for trial in self.trials.values()])
        raise Rejected(f"{name}: {rule}. {mend}")

    @property
    def live(self) -> list[Trial]:
        return [trial for trial in self.trials.values() if trial.state in ("shadow", "running")]

    @property
    def grown(self) -> list[Trial]:
        """The trials whose made plans were adopted; each is watched beside its control."""
        return [t for t in self.trials.values() if t.pattern and t.state == "adopted"]

    @property
    def watched(self) -> Trial | None:
        """The trial whose candidate was adopted and serves beside its control."""
        trial = self.trials.get(self.adopting)
        return trial if trial is not None and trial.state in ("adopting", "adopted") else None

    def steering(self) -> Steering:
        """The part of the book that routers need."""
        holdout, serving, watched = None, self.serving, self.watched
        if watched is not None and self.control is not None and self.usable(self.control):
            slot = Slot(watched.id, HOLDOUT, 0.0, 1.0, watched.share, "adopted")
            holdout = Live(slot, watched.name, serving, self.control)
        lives = []
        for trial in (*self.grown, *self.live):
            if trial.node:
                continue
            candidate = self.strategies[trial.candidate]
            if self.usable(candidate):
                slot, shadow = trial.slot, trial.state == "shadow"
                made = self.made[trial.name] if trial.pattern else None
                rival = parent_of(made) if made is not None and made.kind == "spawn" else None
                narrow = made is not None and made.others and not made.mixes
                if made is not None and narrow and trial.state != "adopted":
                    # In its other patterns it does what is done there already.
                    candidate = replace(candidate, within={trial.pattern: made.answers})
                if trial.state == "adopted":  # it leaves its layer to the next trial of the pattern
                    slot = Slot(trial.id, f"grown {trial.pattern}", 0.0, 1.0, trial.share)
                    rival = None
                lives.append(Live(slot, trial.name, candidate, shadow=shadow, rival=rival))
        # Candidates that change the plans of any strategy apply after that strategy is chosen.
        lives.sort(key=lambda live: live.candidate.kind == "same")
        grown = [self.made[live.name] for live in lives if live.candidate.made]
        grown = [made for made in grown if made.kind != "route"]
        adopted = [self.made[trial.name] for trial in self.grown]
        chosen = tuple(made.name for made in adopted if made.may_be_chosen)
        nodes = tuple(map(self._node_trial, (*self.live_nodes, *self.adopted_nodes)))
        return Steering(
            serving,
            holdout,
            tuple(lives),
            self.lines,
            self.switched,
            tuple(grown),
            nodes=nodes,
            chosen=chosen,
        )

    @property
    def live_nodes(self) -> list[Trial]:
        return [trial for trial in self.live if trial.node]

    @property
    def adopted_nodes(self) -> list[Trial]:
        """The trials of the nodes that act now, each beside its control."""
        return [t for t in self.trials.values() if t.node and t.state == "adopted"]

    @property
    def matched(self) -> set[str]:
        """The patterns that written matchers name: those on trial, and those that act."""
        trials = (*self.live_nodes, *self.adopted_nodes)
        return {t.node for t in trials if self.nodes[t.candidate].kind == "matcher"}

    def _node_trial(self, trial: Trial) -> NodeTrial:
        watched, slot = trial.state == "adopted", trial.slot
        if watched:
            slot = Slot(trial.id, f"{slot.layer} {HOLDOUT}", 0.0, 1.0, trial.share, "adopted")
        return NodeTrial(
            slot,
            trial.name,
            self.nodes[trial.candidate],
            self.nodes.get(trial.current),
            shadow=trial.state == "shadow",
            watched=watched,
        )

    def fold(self, line: Line) -> None:
        """Apply a line to the book. Lines of any other kind are only counted."""
        self.lines += 1
        at = line["at"]
        match line["do"]:
            case "register" | "node" | "reviewed":
                self._register(line)
            case "open":
                fields = line["trial"]
                slot = Slot(**fields["slot"])
                trial = Trial(**{**fields, "slot": slot, "began": at, "since": at})
                self.trials[trial.id] = trial
            case "state":
                changed = {name: line[name] for name in ("why", "numbers", "share") if name in line}
                self._replace(line["trial"], state=line["state"], since=at, **changed)
            case "share":
                self._replace(line["trial"], share=line["share"], why=line["why"], shared_at=at)
            case "trouble":
                self._replace(line["trial"], trouble=line["why"])
            case "evidence":
                self._replace(line["trial"], judged=line["judged"], setting=line["setting"])
            case "serve":
                self._serve(line, at)
            case "switch":
                switched = Switched(line["live"], at, line["by"], line["why"])
                self.switches.append(switched)
            case "prompt":
                self.prompts.append(line)
            case "made" | "grown":
                self._grow(line)
            case "note":
                self.notes.append(line)

    def _register(self, line: Line) -> None:
        if line["do"] == "reviewed":
            self.reviews[line["key"]] = line
            return
        if line["do"] == "node":
            node = Node.read(line["node"])
            self.nodes[node.key] = node
            return
        strategy = Strategy.read(line["strategy"])
        self.registered[strategy.key] = strategy

    def _grow(self, line: Line) -> None:
        if line["do"] == "grown":
            self.words[line["plan"]] = line
            return
        made = MadePlan.read(line["plan"])
        self.made[made.name] = made
        candidate = candidate_of(made)
        self.registered[candidate.key] = candidate

    def _replace(self, id_: str, **changed: Any) -> None:
        self.trials[id_] = replace(self.trials[id_], **changed)

    def _serve(self, line: Line, at: float) -> None:
        before = self.serving
        self.history.append(Served(line["strategy"], at, line["why"], line.get("trial", "")))
        if line.get("trial"):
            self.adopting, self.control = line["trial"], before
        else:
            self.adopting, self.control = "", None
