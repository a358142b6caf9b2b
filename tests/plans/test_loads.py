"""What a call must be expected to wait: by the calls under way, and by those that are late."""

import random
from heapq import heappop, heappush

import pytest

from router.plans.loads import Load, Loads


def usual(calls=60):
    """A load whose calls took about half a second, one after the other, and when they ended."""
    load, now, drawn = Load(), 0.0, random.Random(7)
    for _ in range(calls):
        number = load.begin(now)
        now += 0.5 * drawn.uniform(0.8, 1.2)
        load.end(number, now, answered=True)
    return load, now


def test_nothing_is_busy_while_calls_take_what_they_usually_do():
    load, now = usual()
    assert load.wait(now) == 0.0
    number = load.begin(now)
    assert load.wait(now + 0.4) == 0.0
    load.end(number, now + 0.5, answered=True)
    assert load.wait(now + 0.5) == 0.0


def test_a_backend_of_which_little_is_known_is_not_busy():
    load, now = usual(calls=5)
    for _ in range(9):
        load.begin(now)
    assert load.wait(now + 30) == 0.0


def test_calls_that_are_overdue_make_a_backend_busy_before_any_of_them_ends():
    load, now = usual()
    numbers = [load.begin(now) for _ in range(8)]
    assert load.wait(now + 0.4) == 0.0
    waits = [load.wait(now + after) for after in (2.0, 5.0)]
    assert 0.5 < waits[0] < waits[1]
    for number in numbers:
        load.end(number, now + 5.0, answered=True)
    soon, late = load.wait(now + 5.1), load.wait(now + 90)
    assert soon > 1.0
    assert late < soon / 3


def test_a_call_that_failed_or_was_left_says_nothing_of_the_time():
    load, now = usual()
    for number in [load.begin(now) for _ in range(8)]:
        load.end(number, now + 60, answered=False)
    assert load.wait(now + 60) == 0.0
    assert not load.flights


def served(rate, *, slots, calls, load, drawn):
    """Send calls at a rate to a backend that works half a second on each of so many at a time; the
    last moment, and the ends of the calls that are under way then."""
    now, ends, free = 0.0, [], [0.0] * slots
    for _ in range(calls):
        now += drawn.expovariate(rate)
        while ends and ends[0][0] <= now:
            at, number = heappop(ends)
            load.end(number, at, answered=True)
        done = max(now, heappop(free)) + 0.5 * drawn.uniform(0.8, 1.2)
        heappush(free, done)
        heappush(ends, (done, load.begin(now)))
    return now, ends


def finished(load, now, ends):
    """Let the calls that are under way end, and return when the last one did."""
    for at, number in sorted(ends):
        now = max(now, at)
        load.end(number, at, answered=True)
    return now


def test_a_burst_at_a_backend_with_few_slots_is_seen_by_its_calls_under_way():
    drawn, waits = random.Random(3), {}
    for slots in (2, 200):
        load = Load()
        now = finished(load, *served(3.0, slots=slots, calls=400, load=load, drawn=drawn)) + 60.0
        for _ in range(12):
            load.begin(now)
        waits[slots] = load.wait(now)
    assert waits[2] > 1.0  # twelve calls at two slots take some three seconds
    assert waits[200] == 0.0


def test_after_a_crowd_a_backend_is_quicker_than_the_mean_of_the_crowd():
    load, drawn = Load(), random.Random(5)
    later = finished(load, *served(6.0, slots=2, calls=200, load=load, drawn=drawn)) + 60
    assert load.seconds > 2.0
    assert load.wait(later) < -1.0
    assert load.seconds + load.wait(later) > 0.0


def test_loads_count_the_calls_that_are_under_way():
    loads = Loads(lambda: 1.0)
    with loads.calling("a") as ends:
        assert len(loads.by_backend["a"].flights) == 1
        ends(True)
    with pytest.raises(RuntimeError), loads.calling("a"):
        raise RuntimeError
    assert not loads.by_backend["a"].flights
    assert loads.by_backend["a"].weight == 1.0
    assert loads.calls == 2
    assert loads.wait("never called") == 0.0
