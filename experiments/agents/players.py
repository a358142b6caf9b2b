"""Who answers each turn of the world's sessions: Waggle as the service decides, or a fixed rule.

Waggle is the product: its parser, its decision with the session's home, its signals and its fold,
which learns from rows as telemetry would hand them over. A policy is published every few answers.
Nobody rates anything: all it learns from is what turns and sessions show.
"""

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from experiments.agents.world import Play
from learner.trust import SourceScore
from router.api.parse import parse_chat
from router.config.config import Config
from router.domain import Attempt, Home, Request, Signal, Trace, Usage
from router.engine.sessions import OpenSession, OpenSessions, failed_turns, home_after
from router.learning.fold import Fold
from router.plans.compiled import Plans
from router.request.context import FEATURES_VERSION
from router.request.reading import reading_of
from router.routing.case import Surroundings
from router.routing.decide import route
from router.routing.deciders import Deciders
from router.routing.ladder import policy_of
from router.signals.outcomes import ending_of, session_outcome, session_signals, turn_signals
from router.telemetry.feed import AnsweredRequest, Batch, Feed, JudgedRequest, Watermark

WEAK, STRONG = "weak", "strong"
_EVERY = 25  # answers between two policies
_WRITER = "agents"


class Player(Protocol):
    def choose(self, play: Play, now: float) -> str: ...
    def answered(self, usage: Usage, cost_usd: float, now: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Always:
    plan: str

    def choose(self, play: Play, now: float) -> str:  # noqa: ARG002
        return self.plan

    def answered(self, usage: Usage, cost_usd: float, now: float) -> None: ...


class Rule:
    """The rule of thumb: the strong model while a session is stuck, and the weak one otherwise."""

    def choose(self, play: Play, now: float) -> str:  # noqa: ARG002
        trajectory = reading_of({"messages": play.messages}).trajectory
        return STRONG if trajectory is not None and trajectory.stuck else WEAK

    def answered(self, usage: Usage, cost_usd: float, now: float) -> None: ...


class Signals(Feed):
    """A feed of answers and signals that were never written to a disk."""

    def __init__(self) -> None:
        self.answers: list[AnsweredRequest] = []
        self.places: dict[str, int] = {}
        self.count = 0
        self._new: list[tuple[int, str]] = []  # the number of a signal, and its answer
        self._scores: dict[str, list[tuple[int, SourceScore]]] = defaultdict(list)

    def answer(self, row: AnsweredRequest) -> None:
        self.places[row.request_id] = len(self.answers)
        self.answers.append(row)

    def say(self, signal: Signal) -> None:
        assert signal.score is not None
        self.count += 1
        score = SourceScore(signal.source, signal.metric, signal.score, signal.weight)
        self._scores[signal.about.request_id].append((self.count, score))
        self._new.append((self.count, signal.about.request_id))

    @property
    def stamp(self) -> tuple[tuple[str, int], ...]:
        return (("requests", len(self.answers)), ("signals", self.count))

    def beyond(self, mark: Watermark, *, since_micros: int = 0) -> Batch:  # noqa: ARG002
        ranges: dict[str, dict[str, tuple[int, int]]] = {}
        for table, size in self.stamp:
            read = mark.read[table].get(_WRITER, 0)
            ranges[table] = {_WRITER: (read + 1, size)} if size > read else {}
        return Batch(ranges)

    def rows(self, batch: Batch) -> list[AnsweredRequest]:
        low, high = batch.ranges.get("requests", {}).get(_WRITER, (1, 0))
        return self.answers[low - 1 : high]

    def judged(self, batch: Batch, mark: Watermark) -> list[JudgedRequest]:  # noqa: ARG002
        low, high = batch.ranges.get("signals", {}).get(_WRITER, (1, 0))
        touched = dict.fromkeys(answer for _, answer in self._new[low - 1 : high])
        return [
            JudgedRequest(
                self.answers[self.places[answer]],
                self._latest(answer, low - 1),
                self._latest(answer, high),
            )
            for answer in touched
        ]

    def _latest(self, answer: str, last: int) -> tuple[SourceScore, ...]:
        latest = {
            (score.source, score.metric): score
            for number, score in self._scores[answer]
            if number <= last
        }
        return tuple(latest.values())


class Waggle:
    def __init__(self, backends: Mapping[str, Mapping[str, Any]], seed: int, **objective: Any):
        self._folder = Path(tempfile.mkdtemp(prefix="agents-"))
        self.config = Config.model_validate(
            {
                "server": {"data": str(self._folder)},
                "backends": backends,
                "plans": {plan: {"ask": plan} for plan in backends},
                "objective": {"strategy": "bandit", **objective},
            }
        )
        self.plans, self.chance = Plans(self.config), np.random.default_rng(seed)
        self.feed, self.now = Signals(), 0.0
        self.fold = Fold(self.config, 0, wall=lambda: self.now)
        self.fold.feed = self.feed
        self.fold.begin()
        self.policy = self.fold.policy(0.0)
        self.sessions, self.homes = OpenSessions(), dict[str, Home]()
        self.weight = next(s.believed for s in self.config.signals if s.kind == "outcome")
        self.strategies: dict[str, int] = defaultdict(int)
        self.trace: Trace

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def choose(self, play: Play, now: float) -> str:
        self.now = now
        body = orjson.dumps({"model": "auto", "messages": play.messages, "tools": _TOOLS})
        number = f"{play.task.number}-{play.turns}"
        request = parse_chat(body, {}, request_id=number, key_id="")
        home = self.homes.get(request.session) if request.continues else None
        around = Surroundings(home=home, policy_version="agents", now=now)
        by = Deciders(policy_of(self.plans), self.policy)
        decision = route(self.plans, by, request, around, uniform=float(self.chance.random()))
        self.strategies[decision.strategy] += 1
        self._hear(request, home, now)
        self.trace = Trace(request, decision, started_at=now)
        return str(decision.plan)

    def _hear(self, request: Request, home: Home | None, now: float) -> None:
        """The signals that this request gives, as a router's ledger gives them."""
        signals = list[Signal]()
        for over in self.sessions.ended(now).values():
            outcome = session_outcome(over.trajectory)
            signals += session_signals(
                over.turns, outcome, weight=self.weight, now=now, failed=over.failed
            )
        trajectory = request.reading.trajectory
        if home is not None and trajectory is not None:
            signals += turn_signals(home.turns, trajectory, weight=self.weight, now=now)
            ending = ending_of(request.fields["messages"])
            if ending.reply and ending.turns:
                outcome = session_outcome(trajectory, ending.closing, ending.reply)
                turns, failed = home.turns[-ending.turns :], failed_turns(home, trajectory)
                signals += session_signals(
                    turns, outcome, weight=self.weight, now=now, failed=failed
                )
        for signal in signals:
            self.feed.say(signal)

    def answered(self, usage: Usage, cost_usd: float, now: float) -> None:
        decision, request = self.trace.decision, self.trace.request
        attempt = Attempt(str(decision.plan), 200, "", "", 5.0, usage=usage, cost_usd=cost_usd)
        trace = Trace(request, decision, self.trace.started_at, (attempt,), status=200)
        home = home_after(self.homes.get(request.session), trace, None, now)
        self.homes[request.session] = home
        trajectory = request.reading.trajectory
        assert trajectory is not None
        turns = home.turns[-1 - trajectory.loop :]
        self.sessions.goes_on(request.session, OpenSession(turns, home.failed, trajectory, now))
        self.feed.answer(
            AnsweredRequest(
                request.id,
                int(trace.started_at * 1e6),
                str(decision.plan),
                decision.kind,
                decision.strategy,
                decision.numbers,
                FEATURES_VERSION,
                cost_usd,
                decision.rates[decision.plan],
                5_000.0,
                failed=False,
                abandoned=False,
                propensity=decision.propensity,
            )
        )
        if len(self.feed.answers) % _EVERY == 0:
            while self.fold.turn():
                pass
            self.policy = self.fold.policy(now)


_TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("Read", "Edit", "Bash", "Grep")
]
