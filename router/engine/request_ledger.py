"""Ends every request: measures its time, counts it, charges its key and records its trace."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from router.calls.outcome import CallOutcome
from router.compute.computing import verification
from router.domain import Home, Signal, Trace
from router.engine.allowances import Allowances
from router.engine.conversations import Homes
from router.engine.progress import InProgress
from router.engine.request_meters import RequestMeters
from router.engine.sessions import (
    IDLE_SECONDS,
    OpenSession,
    OpenSessions,
    failed_turns,
    home_after,
)
from router.engine.tries import Tell
from router.signals.behaviours import WITHIN_SECONDS, last_answer, noticed
from router.signals.outcomes import ending_of, session_outcome, session_signals, turn_signals
from router.signals.turns import turn_of
from router.telemetry.journal import Journal

# Strategies whose decisions do not settle where a conversation lives.
_PASSING = ("by_price", "named", "compared", "computed", "specialist", "last_resort", "reuse")


@dataclass
class RequestLedger:
    journal: Journal
    meters: RequestMeters
    allowances: Allowances
    homes: Homes
    wall: Callable[[], float]
    tell: Tell
    say: Callable[[Sequence[Signal]], None]
    sessions: OpenSessions = field(default_factory=OpenSessions)
    _level: int = 0  # isolation level of the last program run

    def finish(
        self,
        progress: InProgress,
        outcome: CallOutcome | None = None,
        *,
        upstream: float | None = None,
    ) -> None:
        """End a request, whose trace is complete but for its times. `upstream` is the time in
        seconds during which a backend worked, for plans whose steps ran side by side."""
        streamed, trace = outcome is not None and outcome.stream is not None, progress.trace
        _time(progress, outcome, upstream, streamed=streamed)
        self.meters.count(trace, streamed=streamed)
        self.allowances.settle(trace)
        behaviours = self._follow_conversation(progress, trace)
        self.journal.append(trace)
        if behaviours:
            self.say(behaviours)
        if trace.computed is not None:
            self._note_level(trace.computed)
            if trace.status < 400 and trace.verified is not None and trace.verified.proven:
                self.say([verification(trace, self.wall())])

    def _follow_conversation(self, progress: InProgress, trace: Trace) -> Sequence[Signal]:
        """Settle where the conversation lives, and return the signals that the request gives."""
        sources = progress.plans.config.signals
        notices = any(source.kind == "behaviour" for source in sources)
        weight = next((source.believed for source in sources if source.kind == "outcome"), 0.0)
        session, now, signals = trace.request.session, self.wall(), list[Signal]()
        home = self.homes.find(session, now=now, seconds=IDLE_SECONDS)
        turn = turn_of(trace.request.fields) if notices else None
        if turn is not None:
            recent = home is not None and abs(now - home.at) < WITHIN_SECONDS
            signals += noticed(home.last if home is not None and recent else None, trace, turn, now)
        if weight:
            signals += self._outcomes(home, trace, weight, now)
        passing = trace.decision.strategy in _PASSING
        if trace.status < 400 and progress.plans.choices and not passing:
            last = last_answer(trace, turn, now) if turn is not None else None
            settled = home_after(home, trace, last, now)
            self.homes.settle(session, settled)
            trajectory = trace.request.reading.trajectory
            if weight and trajectory is not None:
                loop = settled.turns[-1 - trajectory.loop :]
                self.sessions.goes_on(
                    session, OpenSession(loop, settled.failed, trajectory, now, trace.closing)
                )
        return signals

    def _outcomes(
        self, home: Home | None, trace: Trace, weight: float, now: float
    ) -> Sequence[Signal]:
        """What the request shows of its session's turns, and how sessions ended meanwhile."""
        signals = list[Signal]()
        for session, over in self.sessions.ended(now).items():
            elsewhere = self.homes.find(session, now=now, seconds=1e9)
            if elsewhere is None or elsewhere.at <= over.at:
                outcome = session_outcome(over.trajectory, over.closing)
                signals += session_signals(
                    over.turns, outcome, weight=weight, now=now, failed=over.failed
                )
        trajectory = trace.request.reading.trajectory
        if trajectory is None or home is None or trace.operation != "chat":
            return signals
        signals += turn_signals(home.turns, trajectory, weight=weight, now=now)
        ending = ending_of(trace.request.fields["messages"])
        if ending.reply and ending.turns and trajectory.turns:
            outcome = session_outcome(trajectory, ending.closing, ending.reply)
            turns, failed = home.turns[-ending.turns :], failed_turns(home, trajectory)
            signals += session_signals(turns, outcome, weight=weight, now=now, failed=failed)
        return signals

    def _note_level(self, computed: Mapping[str, Any]) -> None:
        """Record the isolation level of programs as an event, at first and after each change."""
        level = computed.get("run", {}).get("level", 0)
        if level and level != self._level:
            self._level = level
            self.tell("sandbox", "programs", f"level {level}")


def _time(
    progress: InProgress, outcome: CallOutcome | None, upstream: float | None, *, streamed: bool
) -> None:
    trace = progress.trace
    seconds = first = time.perf_counter() - progress.begun
    if upstream is None:
        upstream = sum([attempt.seconds for attempt in trace.attempts[:-1]])
    if outcome is not None:
        planned = any(attempt.role for attempt in trace.attempts)
        upstream = outcome.upstream_seconds + (0.0 if planned else upstream)
        first = outcome.attempt.first_byte_seconds or seconds
    upstream += sum([question.seconds for question in trace.questions])
    trace.seconds, trace.first_byte_seconds = seconds, first
    trace.overhead_seconds = max((first if streamed else seconds) - upstream, 0.0)
