"""The breaker: when routers stop calling a failing backend, and when they try it again."""

import pytest

from router.backends.breaker import CircuitBreaker, failed
from router.config.values import Breaker


def breaker(**settings):
    return CircuitBreaker(Breaker(**({"failures": 3, "cooldown": 5, "longest": 12} | settings)))


def fail(it, now, times=1, **how):
    for _ in range(times):
        it.enter()
        it.failed(now, **how)


def test_it_opens_after_so_many_failures_in_a_row_and_not_before():
    it = breaker()
    fail(it, 0, 2)
    assert it.state(0) == "closed"
    it.succeeded()
    fail(it, 0, 2)
    assert it.state(0) == "closed"
    fail(it, 0)
    assert it.state(0) == "open"
    assert it.wait(1) == 4


def test_half_open_lets_one_probe_through_and_no_second():
    it = breaker()
    fail(it, 0, 3)
    assert it.state(5) == "half_open"
    assert it.wait(5) == 0
    it.enter()
    assert it.wait(5) > 0


def test_a_probe_that_succeeds_closes_it():
    it = breaker()
    fail(it, 0, 3)
    it.enter()
    it.succeeded()
    assert it.state(5) == "closed"


def test_a_probe_that_fails_doubles_the_rest_up_to_the_longest():
    it = breaker()
    fail(it, 0, 3)
    fail(it, 5)
    assert it.wait(5) == 10
    fail(it, 15)
    assert it.wait(15) == 12


def test_a_probe_whose_caller_left_makes_room_for_another():
    it = breaker()
    fail(it, 0, 3)
    it.enter()
    it.abandoned()
    assert it.wait(5) == 0


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_backend_that_refuses_us_is_left_alone_at_once(status):
    it = breaker()
    fail(it, 0, status=status)
    assert it.state(0) == "open"


def test_it_rests_at_least_as_long_as_the_backend_asks_for():
    it = breaker(failures=1)
    fail(it, 0, status=429, retry_after=9)
    assert it.wait(0) == 9


def test_a_call_from_before_it_opened_changes_nothing():
    it = breaker()
    fail(it, 0, 3)
    it.failed(2)
    assert it.wait(2) == 3


@pytest.mark.parametrize("status", [400, 404, 413, 422, 200])
def test_a_callers_own_mistake_is_no_failure(status):
    assert not failed(status)


@pytest.mark.parametrize("status", [401, 402, 403, 408, 429, 500, 503, 529])
def test_a_fault_of_the_backend_is_a_failure(status):
    assert failed(status)
