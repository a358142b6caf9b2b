"""Which requests may share an answer, and for which reason two requests may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.reuse.suite import pairs
from router.reuse.guards import compare

MILES = "How do I convert 5 miles to kilometres?"


@pytest.mark.parametrize(
    ("stored", "request_text", "why"),
    [
        (MILES, "How do I convert 8 miles to kilometres?", "numbers differ: 5 is not 8"),
        (MILES, "How do I convert 5 feet to kilometres?", "units differ: mile and foot"),
        (MILES, "How do I convert 5 kilometres to miles?", "the same words, in other parts"),
        ("Which vitamins are in carrots?", "Which vitamins are not in carrots?", "negates"),
        ("How do I grow basil indoors?", "How do I grow basil outdoors?", "words differ: indoor"),
        ("What is the capital of France?", "What is the capital of Spain?", "words differ: france"),
        ("What is the capital of France?", "What was the capital of France?", "of the past"),
        (
            "Who directed the film Alien?",
            "When was the film Alien directed?",
            "who, the other when",
        ),
        ("List the rules of chess.", "Explain the rules of chess.", "asks to list"),
        ("Translate `a = 1` to Rust.", "Translate `a = 2` to Rust.", "what is quoted differs"),
        ("What do cats think of dogs?", "What do dogs think of cats?", "in other parts"),
        ("What share of birds are owls?", "What share of owls are birds?", "in other parts"),
        ("What is my balance?", "What is a balance?", "own affairs"),
        ("Write a business plan.", "What is a business plan?", "create"),
        ("How does Uber make money?", "How do I make money with Uber?", "in other parts"),
        ("What is in catnip?", "What is catnip?", "in other parts"),
        ("Is US GDP growing?", "Is us GDP growing?", "words differ"),
        ("x " * 1500, "x " * 1501, "too long"),
    ],
)
def test_a_verdict_names_what_sets_two_requests_apart(stored, request_text, why):
    verdict = compare(stored, request_text)
    assert verdict.likeness != "same"
    assert any(part in verdict.why for part in why.split("|")), verdict.why


@pytest.mark.parametrize(
    ("stored", "request_text"),
    [
        (MILES, "Could you please show me how to convert five miles into km?"),
        ("What is the capital of France?", "What's France's capital city?"),
        ("How do I reverse a list in Python?", "In Python, how can I reverse a list?"),
        ("What is the difference between TCP and UDP?", "How does UDP differ from TCP?"),
        ("How are pancakes made?", "How do I make pancakes?"),
        ("Who is the founder of Lego?", "Who founded Lego?"),
        ("How far is Oslo from Rome?", "What is the distance from Oslo to Rome?"),
        ("What's 15% of 1,200?", "Calculate 15 percent of 1200."),
        ("Why do leaves fall?", "What is the reason that leaves fall?"),
    ],
)
def test_a_paraphrase_is_the_same(stored, request_text):
    assert compare(stored, request_text).likeness == "same"
    assert compare(request_text, stored).likeness == "same"


@pytest.mark.parametrize("name", ["seen", "unseen"])
def test_no_pair_that_differs_is_taken_for_the_same(name):
    wrong = [p for p in pairs(name) if not p.same and compare(p.stored, p.later).likeness == "same"]
    assert wrong == []


@pytest.mark.parametrize("name", ["seen", "unseen"])
def test_most_paraphrases_are_recognised(name):
    hits = [compare(p.stored, p.later).likeness == "same" for p in pairs(name) if p.same]
    assert len(hits) >= 150
    assert sum(hits) / len(hits) >= 0.6


_SOME = ["red", "cat", "in", "paris", "5", "not", "who", "sold", "the", "of", "car"]
WORDS = st.lists(st.sampled_from(_SOME), max_size=9)


@given(WORDS, WORDS)
def test_it_does_not_matter_which_came_first(first, second):
    first, second = " ".join(first), " ".join(second)
    assert compare(first, second).likeness == compare(second, first).likeness
    assert compare(first, first).likeness == "same"


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_gets_a_verdict(first, second):
    assert compare(first, second).likeness in ("same", "parameters", "minor", "other")
