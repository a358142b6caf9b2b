"""Witnesses (checks and judges) are believed as far as explicit ratings agree with them."""

import pytest

from learner.trust import SourceScore, Trust

UP, DOWN = SourceScore("app", "thumbs", 1.0, 1.0), SourceScore("app", "thumbs", 0.0, 1.0)


def judge(score):
    return SourceScore("judge", "judge", score, 0.5)


def test_without_any_score_quality_is_unknown():
    assert Trust().quality([]) is None


def test_a_source_that_was_never_compared_keeps_its_weight():
    assert Trust().quality([judge(0.8)]) == (0.8, 0.5)


def test_the_app_is_believed_over_a_witness_that_contradicts_it():
    quality, weight = Trust().quality([DOWN, judge(1.0)])
    assert quality == pytest.approx(1 / 3)
    assert weight == 1.0


def test_a_witness_that_is_always_right_counts_in_full_and_a_wrong_witness_hardly_at_all():
    right, wrong = Trust(), Trust()
    for n in range(200):
        truth = UP if n % 2 else DOWN
        right.compare([truth, judge(truth.score)])
        wrong.compare([truth, judge(1 - truth.score)])
    assert right.believed("judge:judge", 0.5) > 0.95
    assert wrong.believed("judge:judge", 0.5) == pytest.approx(0.02)


def test_the_score_of_a_witness_that_is_too_kind_is_lowered():
    trust = Trust()
    for _ in range(100):
        trust.compare([SourceScore("app", "score", 0.6, 1.0), judge(0.9)])
    quality, _ = trust.quality([judge(0.9)])
    assert quality == pytest.approx(0.65, abs=0.03)
    assert Trust.restored(trust.state()).quality([judge(0.9)]) == trust.quality([judge(0.9)])


def test_answers_without_a_rating_teach_nothing_about_witnesses():
    trust = Trust()
    trust.compare([judge(0.1)])
    trust.compare([UP])
    assert not list(trust.records())
