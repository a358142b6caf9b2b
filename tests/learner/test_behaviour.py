"""What a user did next counts only as far as ratings of the same answers have borne it out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.trust import SourceScore, Trust
from tests.sparing import draws

RETRIED = SourceScore("implicit", "retried", 0.0, 0.0)
COPIED = SourceScore("implicit", "copied", 1.0, 0.0)
scores = st.floats(0, 1)
behaviours = st.sampled_from([RETRIED, COPIED])


def rating(score):
    return SourceScore("app", "score", score, 1.0)


def rated(trust, score, *behaviours):
    trust.compare([rating(score), *behaviours])


@given(st.lists(behaviours, min_size=1, max_size=2))
def test_a_behaviour_that_was_never_compared_says_nothing_about_quality(seen):
    assert Trust().quality(seen) is None


@given(st.lists(scores, max_size=50))
def test_ratings_alone_give_a_behaviour_no_weight(ratings):
    trust = Trust()
    for score in ratings:
        rated(trust, score)
    assert trust.quality([RETRIED]) is None


@given(st.lists(scores, max_size=50))
def test_a_behaviour_that_follows_every_answer_has_no_weight(ratings):
    trust = Trust()
    for score in ratings:
        rated(trust, score, COPIED)
    assert trust.quality([COPIED]) is None


@given(st.lists(st.tuples(scores, scores), min_size=1, max_size=60))
def test_a_behaviour_that_contradicts_the_ratings_ends_without_weight(pairs):
    """Retried answers have the better ratings, and copied answers the worse."""
    trust = Trust()
    for first, second in pairs:
        worse, better = sorted((first, second))
        rated(trust, better, RETRIED)
        rated(trust, worse, COPIED)
    assert trust.quality([RETRIED]) is None
    assert trust.quality([COPIED]) is None


def test_a_behaviour_that_the_ratings_bear_out_earns_nearly_full_weight():
    trust = Trust()
    for _ in range(200):
        rated(trust, 0.0, RETRIED)
        rated(trust, 1.0)
    quality, weight = trust.quality([RETRIED])
    assert weight > 0.7
    assert quality < 0.05


@draws(30)
@given(st.integers(0, 10**6), st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_a_behaviour_that_has_nothing_to_do_with_the_ratings_has_almost_no_weight(
    seed, good, often
):
    chance, trust = np.random.default_rng(seed), Trust()
    for _ in range(400):
        seen = [RETRIED] if chance.random() < often else []
        rated(trust, float(chance.random() < good), *seen)
    assert trust.behaved(RETRIED.name)[1] < 0.25
    assert trust.behaved(COPIED.name) == (0.5, 0.0)


def test_behaviours_by_chance_weigh_two_hundredths_on_average_at_most():
    weights = []
    for seed in range(200):
        chance, trust = np.random.default_rng(seed), Trust()
        for _ in range(300):
            rated(
                trust, float(chance.random() < 0.7), *([RETRIED] if chance.random() < 0.3 else [])
            )
        weights.append(trust.behaved(RETRIED.name)[1])
    assert np.mean(weights) < 0.02
    assert np.mean(np.array(weights) > 0) < 0.1


@given(st.lists(st.tuples(scores, st.booleans()), max_size=60))
def test_every_weight_and_every_expected_quality_is_a_share(answers):
    trust = Trust()
    for score, retried in answers:
        rated(trust, score, *([RETRIED] if retried else []))
    quality, weight = trust.behaved(RETRIED.name)
    assert 0 <= quality <= 1
    assert 0 <= weight <= 1


def test_an_explicit_rating_is_not_diluted_by_what_the_user_did_next():
    trust = Trust()
    for _ in range(200):
        rated(trust, 0.0, RETRIED)
        rated(trust, 1.0)
    assert trust.quality([rating(1.0), RETRIED]) == (1.0, 1.0)


def test_each_source_is_compared_once_for_an_answer_whichever_came_first():
    judge = SourceScore("judge", "judge", 0.9, 0.5)
    trust = Trust()
    trust.compare([RETRIED])  # no rating yet
    trust.compare([RETRIED, rating(0.2)], [RETRIED])
    trust.compare([RETRIED, rating(0.2), judge], [RETRIED, rating(0.2)])
    trust.compare([RETRIED, rating(0.4), judge], [RETRIED, rating(0.2), judge])
    assert [(name, r.compared) for name, r in trust.behaviours()] == [("retried:bad", 1)]
    assert [(name, r.compared) for name, r in trust.records()] == [("judge:judge", 1)]


@given(st.lists(st.tuples(scores, st.booleans()), max_size=40))
def test_a_restored_trust_weighs_the_same(answers):
    trust = Trust()
    for score, retried in answers:
        rated(trust, score, *([RETRIED] if retried else []))
    again = Trust.restored(trust.state())
    assert again.state() == trust.state()
    assert again.behaved(RETRIED.name) == pytest.approx(trust.behaved(RETRIED.name), abs=0)


CORRECTED, THANKED, CONTINUED = (
    SourceScore("implicit", name, score, 0.0)
    for name, score in (("corrected", 0.0), ("thanked", 1.0), ("continued", 1.0))
)


def lived(seed, *, strength, answers=600):
    """The trust after users complained of bad answers more often than of good ones, by strength."""
    chance, trust = np.random.default_rng(seed), Trust()
    for _ in range(answers):
        score, bad, thanks = float(chance.random() < 0.6), chance.random(), chance.random()
        seen = CORRECTED if bad < 0.15 + strength * (1 - score) else CONTINUED
        if seen is CONTINUED and thanks < 0.1 + strength * score / 2:
            seen = THANKED
        rated(trust, score, seen)
    return trust


@pytest.mark.parametrize("strength", [0.3, 0.5, 0.8])
def test_behaviours_beside_each_other_stand_for_qualities_that_differ_as_ratings_do(strength):
    """On average over good answers the quality is 1, and over bad answers 0."""
    trust = lived(1, strength=strength, answers=4_000)
    (corrected, weight), (thanked, _), (continued, _) = (
        trust.quality([seen]) for seen in (CORRECTED, THANKED, CONTINUED)
    )
    for score in (0.0, 1.0):
        bad = 0.15 + strength * (1 - score)
        thanks = (1 - bad) * (0.1 + strength * score / 2)
        mean = bad * corrected + thanks * thanked + (1 - bad - thanks) * continued
        assert mean == pytest.approx(score, abs=0.15)
    assert weight == trust.behaviours_weight() > 0


def test_behaviours_by_chance_are_hardly_ever_contrasted():
    weights = [lived(seed, strength=0.0).behaviours_weight() for seed in range(100)]
    assert np.mean(np.array(weights) > 0) < 0.05
    assert np.mean(weights) < 0.01


def test_behaviours_that_contradict_the_ratings_are_never_contrasted():
    trust = Trust()
    for _ in range(200):
        rated(trust, 1.0, CORRECTED)
        rated(trust, 0.0, THANKED)
    assert trust.behaviours_weight() == 0
    assert trust.quality([CORRECTED]) is None
    assert trust.quality([THANKED]) is None


def test_more_informative_behaviours_weigh_more():
    weights = [lived(3, strength=strength).behaviours_weight() for strength in (0.2, 0.4, 0.6, 0.8)]
    assert weights == sorted(weights)


def test_of_several_behaviours_the_most_telling_counts_once():
    trust = lived(1, strength=0.5)
    assert trust.quality([CONTINUED, CORRECTED]) == trust.quality([CORRECTED])


@given(st.integers(0, 50))
def test_a_restored_trust_contrasts_the_same(seed):
    trust = lived(seed, strength=0.5, answers=200)
    assert Trust.restored(trust.state()).quality([CORRECTED]) == trust.quality([CORRECTED])
