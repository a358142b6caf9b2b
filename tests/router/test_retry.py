"""Retries: which failed calls a backend gets again, and after how long a wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.calls.attempts import pause_before_retry, shown
from router.config.values import Retry
from router.domain import Attempt

RETRY = Retry(times=2, backoff=0.2, longest=5.0)


def pause(status=0, fault="upstream", *, turn=0, retry_after=None, uniform=1.0):
    attempt = Attempt("b", status, fault, "", 0.1)
    return pause_before_retry(attempt, RETRY, turn=turn, retry_after=retry_after, uniform=uniform)


@given(st.floats(0, 1), st.integers(0, 1))
def test_the_wait_is_drawn_up_to_a_ceiling_that_doubles(uniform, turn):
    assert pause(503, turn=turn, uniform=uniform) == pytest.approx(uniform * 0.2 * 2**turn)


def test_the_wait_is_never_shorter_than_the_backend_asks_for():
    assert pause(429, retry_after=3.0) == 3.0


def test_a_backend_that_asks_for_too_long_a_wait_is_not_tried_again():
    assert pause(429, retry_after=6.0) is None


def test_there_are_no_more_tries_than_allowed():
    assert pause(503, turn=2) is None


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_refusal_is_not_tried_again(status):
    assert pause(status, "refused") is None


@pytest.mark.parametrize("fault", ["timeout", "breaker_open", "queue_full", "too_large"])
def test_a_fault_that_another_try_would_repeat_is_not_tried_again(fault):
    assert pause(fault=fault) is None


@pytest.mark.parametrize("fault", ["connect", "protocol", "malformed"])
def test_a_momentary_fault_is_tried_again(fault):
    assert pause(fault=fault) is not None


@pytest.mark.parametrize(
    "text", ["key sk-abcdef123456 is wrong", "Bearer abc.def was refused", "wg-1234567-abc"]
)
def test_a_text_that_looks_like_a_secret_is_not_shown(text):
    assert "(hidden)" in shown(text)
    assert "abc" not in shown(text)
