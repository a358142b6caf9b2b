"""When remembered answers are trusted: error bounds, checks by bucket and space, and a budget."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from experiments.reuse.stream import ignorant, mixed, simulated
from router.config.reuse import Reuse
from router.reuse.calibration import Calibration, bucket_of
from router.reuse.evidence import ReuseCheck
from router.reuse.memory import SolutionMemory
from router.reuse.trust import upper


@given(st.floats(0.1, 50), st.floats(0.5, 5000))
def test_the_bound_is_that_of_the_beta_distribution(wrong, right):
    assert upper(wrong, right) == pytest.approx(beta.ppf(0.95, wrong, right), abs=1e-6)


@pytest.mark.parametrize(
    ("similarity", "bucket"), [(0.97, "words:3"), (0.9, "words:2"), (0.7, "words:1")]
)
def test_the_classical_cuts_are_the_bands_of_a_kind(similarity, bucket):
    assert bucket_of("words", similarity) == bucket


def checks(bucket, count, *, wrong=0, space=b"", first=0, part=0):
    return [ReuseCheck(bucket, space, n < wrong, 1.0, 0.0, first + n, part) for n in range(count)]


def test_a_bucket_without_a_prior_serves_once_checks_have_earned_it():
    calibration = Calibration(0.01, prior=ignorant)
    assert (calibration.standing("x:3").serves, calibration.standing("x:3").checked) == (False, 1.0)
    calibration.learn(checks("x:3", 100))
    assert not calibration.standing("x:3").serves
    calibration.learn(checks("x:3", 400, first=100))
    assert calibration.standing("x:3").serves
    assert calibration.standing("x:3").checked < 0.1


def test_one_solution_that_is_right_again_and_again_earns_little_trust():
    calibration = Calibration(0.01, prior=ignorant)
    calibration.learn([ReuseCheck("x:3", b"", False, 1.0, 0.0, 7)] * 2000)
    assert not calibration.standing("x:3").serves


def test_a_bucket_that_goes_wrong_no_longer_serves():
    calibration = Calibration(0.01)
    calibration.learn(checks("words:3", 400))
    assert calibration.standing("words:3").serves
    calibration.learn(checks("words:3", 10, wrong=10, first=400))
    assert not calibration.standing("words:3").serves


@pytest.mark.parametrize("kind", ["words", "verifier", "asked"])
def test_no_kind_is_trusted_before_it_was_checked(kind):
    """A prior counts for thirty checks, whatever it was measured on."""
    calibration = Calibration(0.01)
    assert not calibration.standing(f"{kind}:3").serves
    assert calibration.prior(f"{kind}:3")[1] <= 30


def test_a_space_that_goes_wrong_is_doubted_before_the_others():
    calibration = Calibration(0.01, prior=ignorant)
    calibration.learn(checks("x:3", 3000, space=b"a"))
    calibration.learn(checks("x:3", 40, wrong=4, space=b"b", first=5000))
    assert calibration.standing("x:3", b"b").bound > 2 * calibration.standing("x:3", b"a").bound
    assert not calibration.standing("x:3", b"b").serves


def test_a_bad_neighbourhood_stops_alone():
    calibration = Calibration(0.01, prior=ignorant)
    for part in range(16):
        calibration.learn(checks("x:3", 200, first=200 * part, part=part))
    calibration.learn(checks("x:3", 40, wrong=40, first=9000, part=5))
    states = [calibration.standing("x:3", b"", part).state for part in range(16)]
    assert states == ["serves"] * 5 + ["stopped"] + ["serves"] * 10
    assert calibration.summary()["x:3"].stopped_parts == 1
    assert calibration.summary()["x:3"].stops == 0


def _until_it_stops(calibration, bucket, most):
    """How many wrong checks it takes until a bucket no longer serves."""
    for n in range(most):
        calibration.learn(checks(bucket, 1, wrong=1, first=10_000 + n))
        if not calibration.standing(bucket).serves:
            return n + 1
    return most


def test_a_kind_that_goes_bad_after_thousands_of_good_checks_stops_after_a_few():
    calibration = Calibration(0.01, prior=ignorant)
    calibration.learn(checks("x:3", 9000))
    assert calibration.standing("x:3").bound < 0.001
    assert _until_it_stops(calibration, "x:3", 10) <= 4
    assert calibration.standing("x:3").state == "stopped"


def test_after_an_alarm_only_new_checks_earn_trust_and_they_need_a_margin():
    calibration = Calibration(0.01, prior=ignorant)
    calibration.learn(checks("x:3", 9000))
    _until_it_stops(calibration, "x:3", 10)
    calibration.learn(checks("x:3", 200, first=20_000))
    assert calibration.standing("x:3").state == "stopped", (
        "200 right checks keep 1%, without margin"
    )
    calibration.learn(checks("x:3", 100, first=30_000))
    assert calibration.standing("x:3").state == "serves"


def test_a_kind_at_the_edge_of_its_budget_does_not_flap():
    calibration = Calibration(0.01, prior=ignorant)
    calibration.learn(checks("x:3", 400))
    calibration.learn(checks("x:3", 1, wrong=1, first=500))
    calibration.learn(checks("x:3", 1, wrong=1, first=501))
    assert calibration.standing("x:3").state == "stopped"
    states = []
    for n in range(600):
        calibration.learn(checks("x:3", 1, first=1000 + n))
        states.append(calibration.standing("x:3").state)
    changes = sum(before != after for before, after in pairwise(states))
    assert (states[0], states[-1], changes) == ("stopped", "serves", 1)
    assert calibration.standing("x:3").bound <= 0.75 * 0.01


def test_a_wrong_check_has_more_answers_checked():
    calibration = Calibration(0.01, prior=ignorant)
    calibration.learn(checks("x:3", 9000))
    before = calibration.standing("x:3").checked
    calibration.learn(checks("x:3", 1, wrong=1, first=20_000))
    assert calibration.standing("x:3").serves
    assert calibration.standing("x:3").checked > 4 * before


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.floats(0.1, 1)), max_size=60))
def test_nothing_serves_unless_every_level_keeps_the_budget(results):
    calibration = Calibration(0.05, prior=ignorant)
    for n, (wrong, part, weight) in enumerate(results):
        calibration.learn([ReuseCheck("x:3", b"s", wrong, weight, 0.0, n, part)])
    for part in range(4):
        standing = calibration.standing("x:3", b"s", part)
        assert not standing.serves or standing.bound <= 0.05
        assert standing.serves or standing.checked == 1.0


def test_a_tighter_budget_counts_at_once(tmp_path):
    memory = SolutionMemory(tmp_path, Reuse(mode="similar", budget=0.01))
    memory.calibration.learn(checks("words:3", 400))
    assert memory.calibration.standing("words:3").serves
    memory.reconfigure(Reuse(mode="similar", budget=0.0001))
    assert not memory.calibration.standing("words:3").serves
    memory.close()


def test_solutions_and_spaces_whose_last_check_is_long_ago_are_forgotten():
    calibration = Calibration(0.01, prior=ignorant)
    right = ReuseCheck("x:3", b"a", False, 1.0, 0.0, 7)
    wrong = [ReuseCheck("x:3", b"a", True, 1.0, 0.0, 8 + n) for n in range(2)]
    others = [ReuseCheck("y:3", b"%d" % n, False, 1.0, 0.0, 10 + n) for n in range(50_000)]
    calibration.learn([*checks("x:3", 3000, space=b"b", first=100), *wrong, right, right])
    weight = calibration.summary()["x:3"].checks
    assert calibration.standing("x:3", b"a") != calibration.standing("x:3")
    calibration.learn([*others, right])
    assert calibration.summary()["x:3"].checks > weight + 0.5
    calibration.learn(others)
    assert calibration.standing("x:3", b"a") == calibration.standing("x:3")


@pytest.mark.slow
def test_the_budget_is_kept_on_streams_of_unknown_buckets():
    pool = mixed([(0.6, 0.001), (0.2, 0.03), (0.2, 0.2)])
    stream = simulated("a stream", pool, seeds=5)
    assert stream["kept"] == 5
    assert stream["mean_hits"] > 0.3
    assert np.isfinite(stream["worst"])
