"""What was registered, tried, adopted and rolled back: a fold over a file that only grows.

Any process may add a line; a lock keeps lines whole and decisions in order, and who adds one has
read all before it. Killed between two lines, whoever comes next reads the same book.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import orjson

from learner.assignment import Slot, room
from router.config.config import Config
from router.config.yaml_tree import unknown
from router.domain import new_id
from router.routing.function_contract import lint
from router.routing.steering import HOLDOUT, Live, Steering
from router.routing.strategies import Strategy, built_in, check, configured

State = Literal[
    "shadow", "running", "decided", "adopting", "adopted", "kept", "stopped", "vetoed",
    "rolled back", "superseded",
]  # fmt: skip
ENDED: tuple[State, ...] = ("kept", "stopped", "vetoed", "rolled back", "superseded")
STEPS = (0.01, 0.1, 0.5)  # the candidate's shares on its way to all but the control
_FILE = "ledger.jsonl"
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial as it stands."""

    id: str
    name: str
    candidate: str  # the key of a strategy
    current: str  # what served when it began
    slot: Slot
    state: State
    opened_by: str
    began: float
    since: float  # when it came into its state
    why: str = ""
    goal: str = "better"
    rules: Mapping[str, Any] = field(default_factory=dict)  # where they are not the usual ones
    numbers: Mapping[str, Any] = field(default_factory=dict)
    share: float = 0.5  # the candidate's, of what is adopted
    effect: str = ""  # what was expected of it
    replay: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Served:
    """A strategy that came to serve."""

    key: str
    at: float
    why: str
    trial: str = ""


class Rejected(ValueError):
    """What was asked for cannot be done; the message says why and what can."""


@dataclass
class Book:
    """All lines, folded."""

    config: Config
    registered: dict[str, Strategy] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    history: list[Served] = field(default_factory=list)
    adopting: str = ""  # the trial whose candidate serves, beside its control
    control: Strategy | None = None
    prompts: list[dict[str, Any]] = field(default_factory=list)  # that ask for functions
    notes: list[Line] = field(default_factory=list)
    lines: int = 0

    @property
    def strategies(self) -> dict[str, Strategy]:
        return {**built_in(self.config), **self.registered}

    @property
    def serving(self) -> Strategy:
        """What decides. What was adopted under a configuration that has its plans no more, not."""
        for served in reversed(self.history):
            strategy = self.strategies.get(served.key)
            if strategy is not None and self.usable(strategy):
                return strategy
        return configured(self.config)

    def usable(self, strategy: Strategy) -> bool:
        with contextlib.suppress(ValueError):
            check(strategy, self.config)
            return True
        return False

    def strategy(self, name: str) -> Strategy:
        """By its key; a bare name is its latest version."""
        known = self.strategies
        versions = [one for one in known.values() if one.name == name]
        if name in known:
            return known[name]
        if versions:
            return max(versions, key=lambda one: one.version)
        rule, mend = unknown("strategy", name, known)
        raise Rejected(f"{name}: {rule}. {mend}")

    def trial(self, name: str) -> Trial:
        """By its name or id; of several of one name the latest."""
        found = [one for one in self.trials.values() if name in (one.id, one.name)]
        if found:
            return found[-1]
        rule, mend = unknown("trial", name, [one.name for one in self.trials.values()])
        raise Rejected(f"{name}: {rule}. {mend}")

    @property
    def live(self) -> list[Trial]:
        return [one for one in self.trials.values() if one.state in ("shadow", "running")]

    @property
    def watched(self) -> Trial | None:
        trial = self.trials.get(self.adopting)
        return trial if trial is not None and trial.state in ("adopting", "adopted") else None

    def steering(self) -> Steering:
        holdout, serving, watched = None, self.serving, self.watched
        if watched is not None and self.control is not None and self.usable(self.control):
            slot = Slot(watched.id, HOLDOUT, 0.0, 1.0, watched.share, "adopted")
            holdout = Live(slot, watched.name, serving, self.control)
        lives = []
        for one in self.live:
            candidate = self.strategies[one.candidate]
            if self.usable(candidate):
                shadow = one.state == "shadow"
                lives.append(Live(one.slot, one.name, candidate, shadow=shadow))
        # What is taken from whoever serves comes after the question who that is.
        lives.sort(key=lambda live: live.candidate.kind == "same")
        return Steering(serving, holdout, tuple(lives), self.lines)

    def fold(self, line: Line) -> None:
        self.lines += 1
        at = line["at"]
        match line["do"]:
            case "register":
                strategy = Strategy.read(line["strategy"])
                self.registered[strategy.key] = strategy
            case "open":
                told = line["trial"]
                slot = Slot(**told["slot"])
                trial = Trial(**{**told, "slot": slot, "began": at, "since": at})
                self.trials[trial.id] = trial
            case "state":
                self._state(line, at)
            case "share":
                trial = self.trials[line["trial"]]
                self.trials[trial.id] = replace(trial, share=line["share"], why=line["why"])
            case "serve":
                self._serve(line, at)
            case "prompt":
                self.prompts.append(line)
            case "note":
                self.notes.append(line)

    def _state(self, line: Line, at: float) -> None:
        trial = self.trials[line["trial"]]
        told = {name: line[name] for name in ("why", "numbers", "share") if name in line}
        self.trials[trial.id] = replace(trial, state=line["state"], since=at, **told)

    def _serve(self, line: Line, at: float) -> None:
        before = self.serving
        self.history.append(Served(line["strategy"], at, line["why"], line.get("trial", "")))
        if line.get("trial"):
            self.adopting, self.control = line["trial"], before
        else:
            self.adopting, self.control = "", None

    # -- what may be done -----------------------------------------------------------------------

    def next_version(self, name: str) -> int:
        return 1 + max((s.version for s in self.registered.values() if s.name == name), default=0)

    def register(self, strategy: Strategy, at: float) -> list[Line]:
        """As the next version of its name."""
        if strategy.name in built_in(self.config):
            raise Rejected(f"{strategy.name}: that name is the configuration's own: give another")
        told = replace(strategy, version=self.next_version(strategy.name), at=at)
        try:
            check(told, self.config)
        except ValueError as error:
            raise Rejected(str(error)) from None
        wrong = lint(told.source) if told.kind == "function" else []
        if wrong:
            raise Rejected(f"strategy {told.name}: {'; '.join(wrong)}")
        return [{"do": "register", "at": at, "strategy": told.written()}]

    def open(
        self,
        name: str,
        candidate: str,
        at: float,
        *,
        traffic: float = 1.0,
        share: float = 0.5,
        layer: str = "",
        goal: str = "better",
        shadow: bool = False,
        opened_by: str = "operator",
        rules: Mapping[str, Any] | None = None,
        effect: str = "",
    ) -> list[Line]:
        strategy = self.strategy(candidate)
        if any(one.name == name for one in self.live):
            raise Rejected(f"a trial called {name} is running: give another name, or stop it")
        serving = self.serving
        if strategy.over(serving).key == serving.key:
            raise Rejected(f"{strategy.key} serves already: there is nothing to compare it with")
        if not 0 < traffic <= 1 or not 0 < share < 1:
            raise Rejected(
                f"traffic = {traffic:g} and split = {share:g}: each is more than 0, traffic at "
                "most 1 and split below 1"
            )
        layer = layer or ("plans" if strategy.kind == "same" else "strategy")
        taken = [one.slot for one in self.live]
        id_ = new_id(at)
        try:
            low, high = room(taken, layer, traffic)
            slot = Slot(id_, layer, low, high, share)
        except ValueError as error:
            raise Rejected(str(error)) from None
        trial = Trial(
            id_,
            name,
            strategy.key,
            serving.key,
            slot,
            "shadow" if shadow else "running",
            opened_by,
            at,
            at,
            goal=goal,
            rules=rules or {},
            effect=effect,
        )
        return [{"do": "open", "at": at, "trial": asdict(trial)}]

    def stop(self, name: str, at: float, why: str = "an operator stopped it") -> list[Line]:
        trial = self.trial(name)
        if trial.state not in ("shadow", "running", "decided"):
            raise Rejected(f"{trial.name} is {trial.state}: only what runs can be stopped")
        return [_state(trial, "stopped", at, why)]

    def adopt(
        self, name: str, at: float, *, why: str, by_steps: bool = True, keep: float = 0.02
    ) -> list[Line]:
        """The candidate of a trial serves, beside its control; by steps, at first almost none."""
        trial = self.trial(name)
        if trial.state not in ("shadow", "running", "decided", "kept", "stopped"):
            raise Rejected(f"{trial.name} is {trial.state}: it cannot be adopted from there")
        candidate = self.strategies[trial.candidate]
        lines: list[Line] = []
        serving = candidate.over(self.serving)
        if candidate.kind == "same":
            # It becomes a strategy of its own: what it was taken from may change its name.
            made = replace(serving, name=f"{_bare(self.serving.name)}-simpler", author="simplifier")
            made = replace(made, version=self.next_version(made.name), at=at, evidence=why)
            lines.append({"do": "register", "at": at, "strategy": made.written()})
            serving = made
        watched = self.watched
        if watched is not None:
            lines.append(_state(watched, "superseded", at, f"{serving.key} took its place"))
        for other in self.live:
            if other.id != trial.id and other.slot.layer == trial.slot.layer:
                lines.append(_state(other, "superseded", at, f"{serving.key} was adopted"))
        share = STEPS[0] if by_steps else 1 - keep
        state: State = "adopting" if by_steps else "adopted"
        lines.append({**_state(trial, state, at, why), "share": share})
        told = {"strategy": serving.key, "why": why, "trial": trial.id}
        lines.append({"do": "serve", "at": at, **told})
        return lines

    def roll_back(self, at: float, why: str) -> list[Line]:
        """The control serves again."""
        watched, control = self.watched, self.control
        if watched is None or control is None:
            raise Rejected("nothing that was adopted serves: there is nothing to roll back")
        told = {"strategy": control.key, "why": why}
        return [_state(watched, "rolled back", at, why), {"do": "serve", "at": at, **told}]

    def return_to(self, name: str, at: float, why: str) -> list[Line]:
        """Any strategy serves at once, without a trial: an operator's word."""
        strategy = self.strategy(name)
        lines: list[Line] = []
        if self.watched is not None:
            lines.append(_state(self.watched, "rolled back", at, why))
        return [*lines, {"do": "serve", "at": at, "strategy": strategy.key, "why": why}]


class Ledger:
    """The file. `change` reads what is new, asks what may be done, and adds it, under one lock."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.path = folder / _FILE
        self._read = 0
        self.book = Book(config)

    def reconfigure(self, config: Config) -> None:
        self.book.config = config

    def follow(self) -> list[Line]:
        """Take in what others added; what that was."""
        try:
            size = self.path.stat().st_size
        except OSError:
            return []
        if size == self._read:
            return []
        return list(self._take_in())

    def change(self, told: Callable[[Book], list[Line]]) -> list[Line]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            found = list(self._take_in())
            lines = told(self.book)
            if lines:
                content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
                file.seek(0, os.SEEK_END)
                if file.tell() != self._read:  # a line that a kill cut short: nobody acted upon it
                    content = b" torn\n" + content
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            return [*found, *self._take_in()]

    def _take_in(self) -> Iterator[Line]:
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                content = file.read()
        except OSError:
            return
        whole = content.rfind(b"\n") + 1
        for text in content[:whole].split(b"\n"):
            line = None
            with contextlib.suppress(orjson.JSONDecodeError):
                line = orjson.loads(text) if text else None
            if line is not None:
                self.book.fold(line)
                yield line
        self._read += whole


def _state(trial: Trial, state: State, at: float, why: str) -> Line:
    return {"do": "state", "at": at, "trial": trial.id, "state": state, "why": why}


def _bare(name: str) -> str:
    return name.removesuffix("-simpler")
