"""The test for drift notices changes of an arm and nothing else, and can be saved and loaded."""

from math import log

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.drift import Detectors, likeliest_change
from learner.policy import Arm
from tests.sparing import slow_after

A, B = Arm("a"), Arm("b")
qualities = st.lists(st.integers(0, 256).map(lambda part: part / 256), max_size=220)


def answers(quality, count, seed):
    """Answers that are right or wrong by chance."""
    return (np.random.default_rng(seed).random(count) < quality).astype(float).tolist()


def changes(detectors, values, explained=None, arm=A):
    """The changes that are noticed, each with the number of answers until then."""
    effects = explained or [0.0] * len(values)
    seen = [detectors.see(arm, *pair) for pair in zip(values, effects, strict=True)]
    return [(at, change) for at, change in enumerate(seen, 1) if change is not None]


def likelihood(values, chance):
    chance = min(max(chance, 1e-3), 1 - 1e-3)
    return sum(log(chance) if value else log(1 - chance) for value in values)


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=35, max_size=80))
def test_the_ratio_is_that_of_the_best_place_among_all_places(values):
    mean = sum(values) / len(values)
    ratios = {}
    for place in range(30, len(values) - 4):
        parts = values[:place], values[place:]
        changed = sum(likelihood(part, sum(part) / len(part)) for part in parts)
        ratios[place] = changed - likelihood(values, mean)
    change = likeliest_change(values)
    assert change.log_ratio == pytest.approx(max(ratios.values()), abs=1e-9)
    assert ratios[change.place] == pytest.approx(change.log_ratio, abs=1e-9)


def test_too_few_answers_show_no_change():
    assert likeliest_change([1.0] * 29 + [0.0] * 5) is None


@given(qualities, st.integers(0, 220), st.floats(-0.5, 0.5))
def test_a_test_that_was_written_down_goes_on_to_the_last_bit(values, cut, explained):
    through, again = Detectors(), Detectors()
    changes(through, values, [explained] * len(values))
    changes(again, values[:cut], [explained] * len(values[:cut]))
    again = Detectors.restored(orjson.loads(orjson.dumps(again.state())))
    changes(again, values[cut:], [explained] * len(values[cut:]))
    assert again.state() == through.state()


@pytest.mark.parametrize(
    ("quality", "within"), slow_after(1, [(0.6, 140), (0.9, 50), (0.8, 70), (0.5, 200)])
)
def test_a_fall_by_half_is_noticed_nine_times_in_ten(quality, within):
    in_time = 0
    for seed in range(100):
        detectors = Detectors()
        changes(detectors, answers(quality, 200, seed))
        noticed = changes(detectors, answers(quality / 2, within, 1000 + seed))
        in_time += bool(noticed) and noticed[0][1] < 0
    assert in_time >= 90


@pytest.mark.parametrize("quality", slow_after(1, [0.8, 0.2, 0.5, 0.95]))
def test_an_arm_that_stays_as_it_is_rarely_alarms(quality):
    assert sum(len(changes(Detectors(), answers(quality, 1500, seed))) for seed in range(100)) <= 10


def test_a_model_that_comes_back_is_noticed_too():
    detectors = Detectors()
    changes(detectors, answers(0.8, 200, 1))
    fall = changes(detectors, answers(0.3, 100, 2))
    assert [change < 0 for _, change in fall] == [True]
    rise = changes(detectors, answers(0.8, 100, 3))
    assert [change > 0 for _, change in rise] == [True]


def test_harder_requests_are_no_drift_where_the_context_explains_them():
    values = [*answers(0.9, 200, 1), *answers(0.4, 200, 2)]
    explained = [0.25] * 200 + [-0.25] * 200
    assert changes(Detectors(), values)[0][1] < 0
    assert changes(Detectors(), values, explained) == []


def test_an_estimate_that_changed_is_no_drift_where_the_answers_did_not():
    explained = [0.0] * 200 + [0.5] * 200
    assert changes(Detectors(), answers(0.7, 400, 1), explained) == []


def test_graded_answers_drift_as_well():
    chance = np.random.default_rng(4)
    before, after = chance.uniform(0.6, 1.0, 200), chance.uniform(0.2, 0.6, 100)
    noticed = changes(Detectors(), [*before, *after])
    assert 200 < noticed[0][0] <= 250
    assert noticed[0][1] == pytest.approx(-0.4, abs=0.1)


def test_arms_are_tested_apart():
    detectors = Detectors()
    for value in answers(0.9, 200, 1):
        detectors.see(A, value)
    assert changes(detectors, [0.0] * 34, arm=B) == []
    assert changes(detectors, [0.0] * 34) != []


def test_a_window_has_a_bound():
    detectors = Detectors()
    changes(detectors, answers(0.8, 2000, 1))
    assert all(len(part) < 400 for part in detectors.state()[A])


def test_the_state_of_the_older_test_is_dropped_and_the_rest_is_kept():
    older = {"a": [75, [15, 0.1, -2.0, 1.0, -2.5, 1.5]], "b": [12, None], "c": [[256, 0], [200, 9]]}
    assert Detectors.restored(older).state() == {"c": [[256, 0], [200, 9]]}
