"""Everyday words that documents happen to hold do not tell that documents are about a question."""

import pytest

from router.documents.telling import hold_side_by_side, pairs_of, tells


@pytest.mark.parametrize(
    ("counts", "language", "telling"),
    [
        ({"order": 3, "return": 2}, "en", False),  # two passages of sixty hold any everyday word
        ({"order": 30, "return": 2}, "en", True),  # the documents are about orders
        ({"validator": 1}, "en", True),  # no everyday word
        ({"validator": 0, "day": 5}, "en", False),
        ({"pedir": 2, "client": 1}, "es", False),
        ({"veladur": 1}, "es", True),
        ({}, "en", False),
    ],
)
def test_words_tell_by_how_much_more_often_the_documents_use_them(
    counts: dict[str, int], language: str, telling: bool
) -> None:
    assert tells(counts, 60, language) is telling


def test_a_large_store_needs_more_than_that_words_occur() -> None:
    assert not tells({"order": 15_000, "return": 9_000}, 1_000_000)
    assert tells({"order": 400_000}, 1_000_000)


def test_two_everyday_words_side_by_side_are_a_term() -> None:
    pairs = pairs_of(["false", "nine", "team"])
    assert hold_side_by_side([["striker"], ["false", "nine"]], pairs)
    assert not hold_side_by_side([["nine", "false", "team"]], pairs)
    assert not hold_side_by_side([["false", "nine"]], pairs_of(["false"]))
