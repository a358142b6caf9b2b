"""Plays a world in its own time: the bandit of the service decides, with waits or without."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Protocol

from experiments.busy.worlds import Served
from learner.bandit_learner import Bandit
from learner.deciding import BanditPolicy
from learner.policy import Arm, Context, Feedback, Outcome, draw
from learner.preference import Preference
from router.plans.loads import Load
from router.request.context import taught
from router.routing.bandit import chosen

PUBLISHED = 2.0  # seconds between two policies
RATED = 0.2  # of the answers
KNOWN = 500.0  # judged answers of each backend before
_CONTEXT: Context = {}


class Playable(Protocol):
    """A world of backends, with its own arrivals and times."""

    @property
    def kind(self) -> str: ...
    @property
    def number(self) -> int | str: ...
    @property
    def backends(self) -> tuple[Served, ...]: ...
    def arrivals(self) -> Iterator[float]: ...
    def seconds(self, backend: Served, now: float, drawn: random.Random) -> float: ...


@dataclass(frozen=True, slots=True)
class Answered:
    began: float
    backend: str
    seconds: float


@dataclass
class Call:
    number: int
    began: float
    flight: int


class Play:
    def __init__(self, world: Playable, preference: Preference, *, waits: bool) -> None:
        self.world, self.preference, self.waits = world, preference, waits
        self.drawn = random.Random(f"calls {world.kind} {world.number}")
        self.odds = random.Random(f"odds {world.kind} {world.number}")
        self.by_name = {Arm(each.name): each for each in world.backends}
        self.rates = {str(arm): each.usd for arm, each in self.by_name.items()}
        self.loads = {arm: Load() for arm in self.by_name}
        self.busy = dict.fromkeys(self.by_name, 0)
        self.queues: dict[Arm, list[Call]] = {arm: [] for arm in self.by_name}
        self.events: list[tuple[float, int, Any]] = []
        self.bandit = Bandit(taught(0))
        self.bandit.set_arms(list(self.by_name))
        for arm, backend in self.by_name.items():  # what answers are worth is known well
            self.bandit.believe(arm, backend.quality, weight=KNOWN)
        self.policy = self._published()
        self.published_at = 0.0

    def answers(self) -> Iterator[Answered]:
        for number, at in enumerate(self.world.arrivals()):
            yield from self._ended(at)
            self._arrive(number, at)
        yield from self._ended(float("inf"))

    def _published(self) -> BanditPolicy:
        return self.bandit.policy().preferring(self.preference)

    def _arrive(self, number: int, now: float) -> None:
        if now - self.published_at >= PUBLISHED:
            self.policy, self.published_at = self._published(), now
        waits = {arm: wait for arm, load in self.loads.items() if (wait := load.wait(now))}
        choice = chosen(
            self.policy,
            self.preference,
            _CONTEXT,
            list(self.by_name),
            self.rates,
            waits if self.waits else {},
        )
        arm = draw(choice.distribution, self.odds.random()).arm
        call = Call(number, now, self.loads[arm].begin(now))
        if self.busy[arm] < self.by_name[arm].slots:
            self._start(arm, call, now)
        else:
            self.queues[arm].append(call)

    def _start(self, arm: Arm, call: Call, now: float) -> None:
        self.busy[arm] += 1
        ends = now + self.world.seconds(self.by_name[arm], now, self.drawn)
        heappush(self.events, (ends, call.number, (arm, call)))

    def _ended(self, until: float) -> Iterator[Answered]:
        """The calls that end by a moment; each makes room for one that waits."""
        while self.events and self.events[0][0] <= until:
            now, _, (arm, call) = heappop(self.events)
            self.busy[arm] -= 1
            self.loads[arm].end(call.flight, now, answered=True)
            self._learn(arm, self.by_name[arm], call, now)
            if self.queues[arm]:
                self._start(arm, self.queues[arm].pop(0), now)
            yield Answered(call.began, arm, now - call.began)

    def _learn(self, arm: Arm, backend: Served, call: Call, now: float) -> None:
        self.bandit.see(Outcome(arm, _CONTEXT, 1.0, now - call.began), "")
        if self.drawn.random() < RATED:
            good = float(self.drawn.random() < backend.quality)
            self.bandit.learn(Feedback(str(call.number), arm, _CONTEXT, good))
