"""The test for drift finds what River's test finds, and can be saved and loaded."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river.drift import PageHinkley

from learner.drift import Detectors, PageHinkleyTest
from learner.policy import Arm

A = Arm("a")
residuals = st.lists(st.floats(-2, 2), min_size=1, max_size=200)


def rivers():
    return PageHinkley(min_instances=30, delta=0.15, threshold=34.0, mode="both")


@given(residuals, st.sampled_from([-1.5, 0.0, 1.5]))
def test_drift_is_found_where_rivers_test_finds_it(values, shift):
    ours, theirs = PageHinkleyTest(), rivers()
    for value in [*values, *([shift] * 120)]:
        theirs.update(value)
        drifted = ours.update(value)
        assert drifted == theirs.drift_detected
        if drifted:
            break


@given(residuals, st.integers(0, 200))
def test_a_test_that_was_written_down_goes_on_to_the_last_bit(values, cut):
    through, again = Detectors(), Detectors()
    for value in values:
        through.see(A, value)
    for value in values[:cut]:
        again.see(A, value)
    again = Detectors.restored(orjson.loads(orjson.dumps(again.state())))
    for value in values[cut:]:
        again.see(A, value)
    assert again.state() == through.state()


@pytest.mark.parametrize("shift", [-0.8, 0.8])
def test_residuals_that_shift_are_drift_and_residuals_about_nothing_are_not(shift):
    detectors = Detectors()
    assert not any(detectors.see(A, 0.4 * (-1) ** n) for n in range(500))
    assert any(detectors.see(A, shift) for _ in range(60))
