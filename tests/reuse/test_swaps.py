"""Swapped questions: which twins the rule makes, and that only pairs read by eye are given."""

import pytest

from experiments.reuse import swaps

# Questions that let the rule learn which verbs there are, and which ing-form belongs to which.
VERBS = [
    "Can I sleep?",
    "Do you sleep?",
    "Is sleeping good?",
    "Can I bake?",
    "Do you bake?",
    "Is baking fun?",
]


def rows(*texts):
    return [{"source": "qqp", "text_a": text, "text_b": text} for text in texts]


def twin(question):
    return dict(swaps.candidates(rows(question, *VERBS))).get(question)


@pytest.mark.parametrize(
    ("question", "swapped"),
    [
        ("How do I add a stamp to my letter?", "How do I add my letter to a stamp?"),
        ("Can I walk from Leeds to York?", "Can I walk from York to Leeds?"),
        ("Does rain affect an apple?", "Does an apple affect rain?"),
        ("Is copper heavier than silver?", "Is silver heavier than copper?"),
        ("Why did Anna not write to Bertha?", "Why did Bertha not write to Anna?"),
        ("Do tall men envy short women?", "Do short women envy tall men?"),
        ("Can a doctor visit an old lawyer?", "Can a lawyer visit an old doctor?"),
        ("Why does he call me?", "Why do I call him?"),
        ("Why do I miss her?", "Why does she miss me?"),
        ("Who knows that I miss her?", "Who knows that she misses me?"),
        ("Why do I cough when I laugh?", "Why do I laugh when I cough?"),
        ("How can I bake bread without sleeping?", "How can I sleep without baking bread?"),
    ],
)
def test_two_parts_in_different_roles_change_places(question, swapped):
    assert twin(question) == swapped


def test_an_article_fits_the_word_that_comes_behind_it():
    assert twin("Can a boss thank an employee?") == "Can an employee thank a boss?"


@pytest.mark.parametrize(
    "question",
    ["Are cats and dogs clever?", "Is it late today?", "Who likes France or Spain?"],
)
def test_a_mere_list_has_no_twin(question):
    assert twin(question) is None


def test_a_verb_keeps_a_subject_that_agrees_with_it():
    assert twin("Does rain affect apples?") is None


def test_the_order_of_the_data_changes_nothing():
    questions = rows("Can I walk from Leeds to York?", "Is copper heavier than silver?", *VERBS)
    assert list(swaps.candidates(questions)) == list(swaps.candidates(questions[::-1]))


def test_only_pairs_that_were_read_are_given(tmp_path):
    data = rows("Can I walk from Leeds to York?", "Is copper heavier than silver?")
    pair = ("Is copper heavier than silver?", "Is silver heavier than copper?")
    listed = tmp_path / "checked.txt"
    listed.write_text(swaps.digest(*pair) + "\n", "utf-8")
    assert len(list(swaps.candidates(data))) == 2
    assert swaps.checked(data, listed) == [pair]


def test_the_list_of_checked_pairs_is_sorted_and_names_each_once():
    digests = swaps.CHECKED.read_text("utf-8").split()
    assert digests == sorted(set(digests))
    assert len(digests) >= 420
