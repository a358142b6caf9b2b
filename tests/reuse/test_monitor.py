"""A kind of likeness that goes bad is noticed by the classes that a router runs."""

import pytest

from experiments.reuse.monitor import WITHIN, Hit, Watched, right_hits, until_it_stops, wrong_hits

SWAPPED = [
    ("Is Canada larger than Mexico?", "Is Mexico larger than Canada?"),
    ("How do I get from Paris to Rome?", "How do I get from Rome to Paris?"),
]


@pytest.mark.parametrize("seed", range(4))
async def test_swaps_and_negations_at_five_percent_are_noticed(seed):
    stop = await until_it_stops(seed, 0.05, right_hits(), wrong_hits(SWAPPED))
    assert stop is not None
    checked, hits = stop
    assert checked <= WITHIN
    assert hits > checked, "most hits are served without a check"


async def test_right_answers_in_other_words_are_left_alone():
    assert await until_it_stops(7, 0.0, right_hits()[:20], wrong_hits(SWAPPED)) is None


async def test_a_planted_answer_is_found_wrong_by_the_backend_and_not_by_its_words():
    watched = Watched(1)
    watched.backend.right = 1.0
    watched.next_hit()
    finding = await watched.check(Hit("Is it so?", "It is so: a", "It is so: b", wrong=True))
    assert (finding.wrong, finding.by) == (True, "the verifying backend")
