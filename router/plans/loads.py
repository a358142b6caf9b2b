"""What a call of each backend must be expected to wait now, by this router's own calls.

A busy backend shows in two ways. Calls take longer, the more of them are under way: a regression of
their times says by how much, so that a burst is seen before its first call ends. And calls take
longer than even that: those that ended lately say so, and those under way as soon as they are
overdue. Both count only beyond their standard errors, so that chance makes no backend busy.

A stream counts until its first event. Not covered: calls of other routers, but as far as these make
this router's calls slower.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import sqrt

_LATELY = 33.0  # calls after which an earlier call hardly counts for the usual time, as in learner/
_MEMORY = 400.0  # calls after which an earlier call hardly counts for the delay by other calls
_ENOUGH = 20.0  # calls before anything is usual
_HALF_LIFE = 4.0  # seconds after which an ended call counts half for what is so lately
_DOUBT = 2.0  # calls without a delay that are added to those that ended lately
_SURE = 1.0  # standard errors by which a delay must be shown
_LEAST, _PART = 0.02, 0.15  # a shorter wait, in seconds or as a part of the usual time, is none
_LEAST_PART = 0.1  # of the usual time that any call takes
_FRESH = 0.02  # seconds for which a wait need not be worked out again


@dataclass(slots=True)
class Flight:
    """A call that is under way."""

    begun: float
    beside: int  # calls of the backend that were under way when it began
    expected: float  # its seconds, by what was usual then


@dataclass(slots=True)
class Slope:
    """By how much each other call delays a call: a regression that fades."""

    weight: float = 0.0
    beside: float = 0.0  # fading means, also of squares and products
    seconds: float = 0.0
    squares: float = 0.0
    products: float = 0.0

    def learn(self, beside: int, took: float) -> None:
        self.weight = min(self.weight + 1.0, _MEMORY)
        step = 1.0 / self.weight
        self.beside += step * (beside - self.beside)
        self.seconds += step * (took - self.seconds)
        self.squares += step * (beside**2 - self.squares)
        self.products += step * (beside * took - self.products)

    def shown(self, variance: float) -> float:
        """The seconds for each other call, less a standard error."""
        spread = self.squares - self.beside**2
        if self.weight < _ENOUGH or spread < 1e-6:
            return 0.0
        slope = (self.products - self.beside * self.seconds) / spread
        return max(slope - _SURE * sqrt(variance / (self.weight * spread)), 0.0)


@dataclass(slots=True)
class Load:
    """The calls of one backend."""

    flights: dict[int, Flight] = field(default_factory=dict)
    slope: Slope = field(default_factory=Slope)
    weight: float = 0.0
    beside: float = 0.0  # what was usual lately: the calls beside a call, and its seconds
    seconds: float = 0.0
    variance: float = 0.0  # of seconds around what was expected
    late_weight: float = 0.0  # of the calls that ended in the last seconds
    late: float = 0.0  # the sum of their delays, as they fade
    late_at: float = 0.0
    _number: int = 0
    _per_call: float = 0.0
    _wait: float = 0.0
    _fresh_until: float = float("-inf")

    def begin(self, now: float) -> int:
        self._number += 1
        beside = len(self.flights)
        self.flights[self._number] = Flight(now, beside, self.expected(beside))
        return self._number

    def end(self, number: int, now: float, *, answered: bool) -> None:
        flight = self.flights.pop(number)
        if not answered:
            return
        took = now - flight.begun
        if self.weight >= _ENOUGH:
            self._fade(now)
            self.late += took - flight.expected
            self.late_weight += 1.0
        self._learn(flight.beside, took, flight.expected)

    def expected(self, beside: int) -> float:
        """The usual seconds of a call that begins beside so many others."""
        return max(
            self.seconds + self._per_call * (beside - self.beside), _LEAST_PART * self.seconds
        )

    def wait(self, now: float) -> float:
        """The seconds by which a call that begins now must be expected to take longer than usual;
        below 0 where fewer calls are under way than usual."""
        if self.weight < _ENOUGH:
            return 0.0
        if now >= self._fresh_until:
            waits = self.expected(len(self.flights)) - self.seconds + self._delay(now)
            counts = abs(waits) >= max(_LEAST, _PART * self.seconds)
            self._wait, self._fresh_until = waits if counts else 0.0, now + _FRESH
        return self._wait

    def _delay(self, now: float) -> float:
        """The mean delay of the calls that ended lately, and of those that are overdue."""
        self._fade(now)
        late, weight = self.late, self.late_weight
        for flight in self.flights.values():
            over = now - flight.begun - flight.expected
            if over > 0:
                late += over
                weight += 1.0
        weight += _DOUBT
        error = sqrt(self.variance / weight)
        return max(late / weight - _SURE * error, 0.0)

    def _fade(self, now: float) -> None:
        part = 0.5 ** (max(now - self.late_at, 0.0) / _HALF_LIFE)
        self.late *= part
        self.late_weight *= part
        self.late_at = now

    def _learn(self, beside: int, took: float, expected: float) -> None:
        self.weight = min(self.weight + 1.0, _LATELY)
        step = 1.0 / self.weight
        self.beside += step * (beside - self.beside)
        self.seconds += step * (took - self.seconds)
        self.variance += step * ((took - expected) ** 2 - self.variance)
        self.slope.learn(beside, took)
        self._per_call = self.slope.shown(self.variance)


class Loads:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.by_backend: dict[str, Load] = {}
        self.calls = 0

    @contextmanager
    def calling(self, backend: str) -> Iterator[Callable[[bool], None]]:
        """Count a call as under way; what is yielded takes whether the backend answered it."""
        load = self.by_backend.get(backend)
        if load is None:
            load = self.by_backend[backend] = Load()
        self.calls += 1
        number, outcome = load.begin(self._clock()), [False]
        try:
            yield lambda answered: outcome.__setitem__(0, answered)
        finally:
            load.end(number, self._clock(), answered=outcome[0])

    def wait(self, backend: str) -> float:
        """The seconds beyond the usual that a call of the backend must be expected to take now."""
        load = self.by_backend.get(backend)
        return 0.0 if load is None else load.wait(self._clock())
