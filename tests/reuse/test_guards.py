"""Which requests the guards refuse, and for which reason. Guards accept nothing."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.reuse.guards import compare

BLIND = Path(__file__).parent / "blind"
MILES = "How do I convert 5 miles to kilometres?"


@pytest.mark.parametrize(
    ("stored", "request_text", "why"),
    [
        (MILES, "How do I convert 8 miles to kilometres?", "numbers differ: 5 is not 8"),
        (MILES, "How do I convert 5 feet to kilometres?", "words differ: mile and foot"),
        (MILES, "How do I convert 5 kilometres to miles?", "the same words, in other parts"),
        ("Which vitamins are in carrots?", "Which vitamins are not in carrots?", "negation"),
        ("How do I grow basil indoors?", "How do I grow basil outdoors?", "words differ: indoor"),
        ("What is the capital of France?", "What is the capital of Spain?", "words differ: france"),
        ("What is the capital of France?", "What was the capital of France?", "of the past"),
        ("Who owns Twitter?", "Who owned Twitter?", "their times differ: owns and owned"),
        ("Who directed the film Alien?", "When was the film Alien directed?", "who, the other"),
        ("List the rules of chess.", "Explain the rules of chess.", "list and explain"),
        ("Translate `a = 1` to Rust.", "Translate `a = 2` to Rust.", "what is quoted differs"),
        ("What do cats think of dogs?", "What do dogs think of cats?", "in other parts"),
        ("What share of birds are owls?", "What share of owls are birds?", "in other parts"),
        ("What is my balance?", "What is a balance?", "person differs: my"),
        ("What is your favourite colour?", "What is its favourite colour?", "person differs"),
        ("Why do they hate us?", "Why do we hate them?", "who acts differs"),
        ("How do you learn?", "How do I learn?", "who acts differs: you"),
        ("Write a business plan.", "What is a business plan?", "asks to write"),
        ("Draft an essay on climate.", "Outline an essay on climate.", "differ"),
        ("How does Uber make money?", "How do I make money with Uber?", "in other parts"),
        ("What is in catnip?", "What is catnip?", "in other parts"),
        ("Write a poem for a nurse.", "Write a poem about a nurse.", "in other parts"),
        ("How do I send money to India?", "How do I send money in India?", "in other parts"),
        ("Do snakes lay eggs?", "Do some snakes lay eggs?", "quantity differs"),
        ("Are all swans white?", "Are most swans white?", "quantity differs: all and most"),
        ("Must I declare a gift?", "Should I declare a gift?", "modality differs"),
        ("Is 39 degrees a high fever?", "Is 39 degrees too high a fever?", "quantity differs"),
        ("a lentil soup recipe", "a vegan recipe for lentil soup", "says more: vegan"),
        ("visa for Vietnam", "visa for Vietnam as a student", "says more: student"),
        ("How is a rich diet made?", "How is a wealthy diet made?", "rich and wealthy"),
        ("What do cats eat in a table", "What do cats eat as bullets", "format differs"),
        ("sort a list in Python, quickly", "sort some array in Java, fast", "programming language"),
        ("the German word for a bus", "what a bus is called in Dutch", "natural language"),
        ("Is Canada bigger than Mexico?", "Is Mexico larger than Canada?", "`than` belongs to"),
        ("wifi works here but not there", "wifi works there but not here", "differ|parts"),
        ("x[1:] in Python?", "x[:1] in Python?", "sign differs|parts"),
        ("best player of all time", "best player in the world", "quantity differs"),
        (
            "How do I move from Rome to Oslo?",
            "How do I move to Rome from Oslo?",
            "another part|other",
        ),
        ("how ripe is a melon", "how unripe is a melon", "differ"),
        ("x " * 1500, "x " * 1501, "too long"),
    ],
)
def test_a_verdict_names_what_sets_two_requests_apart(stored, request_text, why):
    for first, second in ((stored, request_text), (request_text, stored)):
        verdict = compare(first, second)
        assert verdict.likeness not in ("words", "open")
    verdict = compare(stored, request_text)
    assert any(part in verdict.why for part in why.split("|")), verdict.why


@pytest.mark.parametrize(
    ("stored", "request_text"),
    [
        (MILES, "Could you please show me how to convert five miles into km?"),
        ("What is the capital of France?", "whats the capital of france"),
        ("How do I reverse a list in Python?", "In Python, how can I reverse a list?"),
        ("What colour is a flamingo?", "what color is a flamingo please"),
        ("can rabbits and cats live together", "Can cats and rabbits live together?"),
        ("What's 15% of 1,200?", "what is 15 percent of 1200?"),
        ("What is the population of Canada?", "What's Canada's population?"),
        (
            "boiling point of water at 1 atm in Celsius",
            "boiling point of water in celsius at 1 atm",
        ),
        ("Write a haiku about autumn.", "Can you write me a haiku about autumn?"),
    ],
)
def test_the_same_words_are_the_same(stored, request_text):
    assert compare(stored, request_text).likeness == "words"
    assert compare(request_text, stored).likeness == "words"


@pytest.mark.parametrize(
    ("stored", "request_text"),
    [
        ("Why do we need sleep?", "What makes sleep necessary?"),
        ("How does a vaccine work?", "What is the mechanism by which vaccines protect people?"),
        ("Where is the Eiffel tower?", "Location of the Eiffel tower?"),
        ("List the primary colours.", "What are the primary colours?"),
        ("Name the planets.", "List the planets."),
    ],
)
def test_other_words_are_left_open(stored, request_text):
    assert compare(stored, request_text).likeness == "open"


def test_one_other_word_is_at_most_adapted():
    """A near-synonym accepts nothing: `velocity` is not `speed`."""
    verdict = compare("What is the velocity of sound?", "What is the speed of sound?")
    assert (verdict.likeness, verdict.changed) == ("minor", (("velocity", "speed"),))


@pytest.mark.parametrize(
    ("stored", "request_text", "debatable"),
    [
        ("How is asthma cured?", "How is asthma treated?", True),
        ("tips for a Google interview", "Google interview tips, please", True),
        ("visa for Vietnam", "visa for Vietnam as a student", True),
        (MILES, "How do I convert 8 miles to kilometres?", False),
        ("Which fruits are sweet?", "Which fruits are not sweet?", False),
        ("What did Curie discover?", "What did Bohr discover in physics?", False),
        ("sort a list in Python, quickly", "sort some array in Java, fast", False),
    ],
)
def test_a_backend_may_be_asked_where_words_allow_both_answers(stored, request_text, debatable):
    assert compare(stored, request_text).debatable is debatable


def test_pairs_by_strangers_are_never_taken_for_the_same_words():
    lines = (BLIND / "natural.seen.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    others = [row for row in rows if not row["same"]]
    wrong = [row for row in others if compare(row["stored"], row["asked"]).likeness == "words"]
    assert len(others) == 180
    assert wrong == []


_SOME = ["red", "cat", "in", "paris", "5", "not", "who", "sold", "the", "of", "car", "my", "they"]
WORDS = st.lists(st.sampled_from(_SOME), max_size=9)


@given(WORDS, WORDS)
def test_it_does_not_matter_which_came_first(first, second):
    first, second = " ".join(first), " ".join(second)
    assert compare(first, second).likeness == compare(second, first).likeness
    if first:
        assert compare(first, first).likeness == "words"


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_gets_a_verdict(first, second):
    assert compare(first, second).likeness in ("words", "open", "parameters", "minor", "other")


@pytest.mark.parametrize(
    ("stored", "request_"),
    [
        ("what is 3 * (4 + 5)", "what is 3 * 4 + 5"),
        ("what is 5!", "what is 5"),
        ("what is 2^3", "what is 2 3"),
    ],
)
def test_the_signs_that_say_how_a_formula_is_read_make_another_request(stored, request_):
    assert compare(stored, request_).reasons == ("the signs of a formula differ",)
    assert compare(stored, stored.upper()).likeness == "words"
