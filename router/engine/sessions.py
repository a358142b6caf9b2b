"""Agents' sessions: where they live, the turns they had, and the outcome of each that ends.

A router remembers of a session the ids of its latest turns and what each backend has read of it. A
session that nobody goes on with ends after a while, by what its last request showed.

Not covered: a session whose last router stops before the session ends; it has no outcome then.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router.domain import About, Home, LastAnswer, Trace, Trajectory, Warm

MOST_TURNS = 40  # the weight of an outcome hardly reaches further back
_MOST_BACKENDS = 8
_MOST_OPEN = 5_000
IDLE_SECONDS = 900.0  # after so long, nobody goes on


def home_after(before: Home | None, trace: Trace, last: LastAnswer | None, now: float) -> Home:
    """Where a conversation lives after an answer; of an agent's session, also its turns."""
    home = Home(trace.decision.plan, trace.backend, trace.started_at, last)
    if trace.request.reading.trajectory is None:
        return home
    answering = trace.answering
    written = answering.usage.output_tokens if answering is not None else 0
    read = Warm(trace.backend, trace.request.reading.tokens + written, now)
    warm = [] if before is None else [w for w in before.warm if w.backend != read.backend]
    turns = (*(() if before is None else before.turns)[1 - MOST_TURNS :], trace.about)
    kept = {turn.request_id for turn in turns}
    return Home(
        home.plan,
        home.backend,
        home.at,
        last,
        (read, *warm[: _MOST_BACKENDS - 1]),
        turns,
        failed_turns(before, trace.request.reading.trajectory) & kept,
    )


def failed_turns(home: Home | None, trajectory: Trajectory | None) -> frozenset[str]:
    """The ids of a session's turns whose calls failed, by its latest request."""
    if home is None or trajectory is None or not home.turns:
        return frozenset()
    latest = trajectory.last_failed and not trajectory.waits
    return home.failed | ({home.turns[-1].request_id} if latest else frozenset())


@dataclass(frozen=True, slots=True)
class OpenSession:
    """The turns of a session that may go on, and what its last request showed."""

    turns: Sequence[About]
    failed: frozenset[str]
    trajectory: Trajectory
    at: float
    closing: str = ""  # what the agent said last, if its loop has ended


class OpenSessions:
    def __init__(self) -> None:
        self._open: OrderedDict[str, OpenSession] = OrderedDict()

    def goes_on(self, session: str, state: OpenSession) -> None:
        self._open[session] = state
        self._open.move_to_end(session)
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)

    def ended(self, now: float) -> Mapping[str, OpenSession]:
        """The sessions that nobody went on with, each once."""
        over = {}
        while self._open:
            session, state = next(iter(self._open.items()))
            if abs(now - state.at) < IDLE_SECONDS:
                break
            over[session] = self._open.pop(session)
        return over
