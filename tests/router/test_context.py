"""The context of a request is the same for deciding and for learning."""

import json
import time

import numpy as np
import pytest

from router.api.parse import parse_chat
from router.domain import Decision, Trace
from router.request.complexity import PARTS, complexity
from router.request.context import (
    NAMES,
    NAMES_1,
    NAMES_2,
    context_of,
    kind_of,
    lens_in,
    numbers,
    readable,
    taught,
)
from router.request.language import language
from router.request.lens import ENOUGH, Lens, fitted, keep, kept
from router.request.reading import reading_of
from router.request.terms import BUCKETS, terms
from router.routing.following import Following
from router.routing.messages import Published
from router.telemetry.rows import request_row

WEIGHTS = dict.fromkeys(PARTS, 0.5)
PROMPTS = [
    f"{verb} {thing} number {n}{end}"
    for n in range(ENOUGH // 20)
    for verb, end in (("What is", "?"), ("Write", "."), ("def", ":"), ("prove that", ""))
    for thing in ("the sum", "a haiku", "sort(xs)", "the theorem", "my invoice")
]


@pytest.fixture(scope="module")
def lens():
    words = [terms(prompt) for prompt in PROMPTS]
    return fitted(words, [None] * len(PROMPTS), [reading(prompt).kinds for prompt in PROMPTS])


def reading(text):
    return reading_of({"messages": [{"role": "user", "content": text}]})


def seen(text, lens=None, **given):
    return numbers(
        reading(text), complexity(reading(text), WEIGHTS), lens=lens, **({"tagged": False} | given)
    )


@pytest.mark.parametrize(
    "text",
    ["hi", "Prove that √2 is irrational!", "Qu'est-ce que c'est ?\n" * 40, "猫は何ですか", ""],
)
@pytest.mark.parametrize("task", ["", "crm"])
def test_a_row_makes_the_very_context_that_was_decided_by(text, task, lens):
    row = seen(text, lens, tagged=bool(task))
    decided = context_of(row, task, lens=lens.number)
    decision = Decision("p", 1.0, "bandit", {"p": 1.0}, numbers=row, kind=task or "text")
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "x"}]}'
    request = parse_chat(body, {}, request_id="x", key_id="")
    row = json.loads(json.dumps(request_row(Trace(request, decision, started_at=1.0))))
    assert row["features_version"] == 3
    assert context_of(row["features"], row["kind"], lens=lens.number) == decided


def test_what_another_lens_saw_is_not_taken_for_what_this_one_sees(lens):
    row = seen("What is the sum?", lens)
    with_lens = context_of(row, "", lens=lens.number)
    other = context_of(row, "", lens=lens.number + 1)
    assert any(name.startswith("near=") for name in with_lens)
    assert not any(name.startswith(("near=", "far=", "lex.")) for name in other)


def test_a_policy_that_was_taught_other_features_is_refused(lens):
    class FeaturedPolicy:
        def __init__(self, features):
            self.features = features

    following = Following(lens=lens)
    for features, reason in (("1:0", "taught features 1:0"), (taught(7), "sees through lens 7")):
        following.hear(Published("v", FeaturedPolicy(features)), now=1.0)
        assert following.bandit is None
        assert reason in following.refused
    following.hear(Published("v1", FeaturedPolicy(taught(lens.number))), now=1.0)
    assert (following.version, following.refused) == ("v1", "")
    following.hear(Published("v2", FeaturedPolicy(taught(9))), now=2.0)
    assert following.version == "v1"  # the last policy that the router could read
    assert lens_in(taught(lens.number)) == lens.number


def test_prompts_that_look_alike_are_neighbours(lens):
    views = [lens.view(text) for text in ("What is the sum number 3?", "What is the sum number 9?")]
    other = lens.view("def sort(xs) number 3:")
    assert views[0].near[0][0] == views[1].near[0][0]
    assert views[0].near[0][0] != other.near[0][0]
    apart = np.linalg.norm(np.array(views[0].lex) - views[1].lex)
    assert apart < np.linalg.norm(np.array(views[0].lex) - other.lex)


@pytest.mark.parametrize(
    "again",
    [
        *("WHAT IS THE SUM NUMBER 3", "what is the sum, number 3", "Hi! What is the sum number 3?"),
        *("Please, what is the sum number 3?", "¿What is the súm number 3?"),
    ],
)
def test_a_prompt_written_again_has_the_same_context_but_for_its_length(lens, again):
    first = context_of(seen("What is the sum number 3?", lens), "", lens=lens.number)
    other = context_of(seen(again, lens), "", lens=lens.number)
    written = {
        name: value for name, value in other.items() if abs(value - first.get(name, 0)) > 0.3
    }
    assert written == {}
    assert kind_of(seen(again, lens)) == "question"


def test_a_prompt_belongs_to_a_few_neighbourhoods_and_to_kinds_in_part(lens):
    context = context_of(seen("What is the sum, and why?", lens), "", lens=lens.number)
    for group in ("near=", "far=", "kind="):
        shares = [value for name, value in context.items() if name.startswith(group)]
        assert sum(shares) == pytest.approx(1, abs=0.005)
        assert len(shares) <= 6
        assert shares[0] == max(shares)


def test_shares_of_neighbourhoods_do_not_jump(lens):
    chance = np.random.default_rng(4)
    for _ in range(50):
        start, end = chance.normal(size=(2, 16)).astype("float32")
        before: dict[int, float] = {}
        for step in range(400):
            point = start + (end - start) * np.float32(step / 400)
            shares = dict(lens.near.view(point, 4)[0])
            moved = [shares.get(n, 0) - before.get(n, 0) for n in {*shares, *before}]
            assert not before or max(map(abs, moved)) < 0.2
            before = shares


def test_what_is_usual_nearby_decides_a_kind_where_words_say_little(lens):
    odd = "The theorem, number 4"  # its neighbours are questions, proofs and code
    assert kind_of(seen("prove that the theorem number 4", lens)) == "reasoning"
    assert lens.view(odd).kinds is not None
    unlike = lens.view("Добрый день " * 50)
    assert sum(unlike.kinds or ()) <= 1.001


def test_rows_of_the_first_version_are_read_as_far_as_they_go(lens):
    row = seen("What is the sum?", lens)
    first = row[: len(NAMES_1)]
    assert readable(1, first)
    assert readable(2, row[: len(NAMES_2)])
    assert readable(3, row)
    assert not readable(1, row)
    assert not readable(4, row)
    context = context_of(first, "", lens=lens.number)
    assert context["kind=question"] == 1.0
    assert [name for name in context if name.startswith("near=")] == [f"near={int(first[18])}"]
    assert context["part.chars"] == context_of(row, "", lens=lens.number)["part.chars"]


def test_a_lens_is_kept_whole_or_not_used(lens, tmp_path):
    assert kept(tmp_path) is None
    path = keep(lens, tmp_path)
    assert kept(tmp_path).number == lens.number
    path.write_bytes(path.read_bytes()[:-100])
    assert kept(tmp_path) is None
    with pytest.raises(ValueError, match="no lens"):
        Lens.read(b"nothing")


def test_a_view_with_a_vector_has_a_neighbourhood_of_vectors():
    chance = np.random.default_rng(1)
    vectors = [chance.normal(size=24).tolist() for _ in PROMPTS]
    lens = fitted([terms(prompt) for prompt in PROMPTS], vectors)
    assert all(number >= 100 for number, _ in lens.view("What is the sum?", vectors[0]).near)
    assert all(number < 100 for number, _ in lens.view("What is the sum?").near)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("What is the capital of France?", "en"),
        ("def f(x): return x + 1", "en"),
        ("Was ist die Hauptstadt von Frankreich und wie viele leben dort?", "de"),
        ("Quelle est la capitale de la France et pour qui ?", "fr"),
        ("¿Cuál es la capital de los Estados y por qué?", "es"),
        ("Столица Франции?", "cyrillic"),
        ("フランスの首都はどこですか", "kana"),
        ("法国的首都是哪里", "cjk"),
        ("", "en"),
    ],
)
def test_languages_are_told_apart(text, spoken):
    assert language(text) == spoken


def test_no_prompt_takes_forever(lens):
    begun = time.process_time()
    seen("(" * 500_000 + "é" * 500_000, lens)
    assert time.process_time() - begun < 5


def test_numbers_have_the_names_that_analysts_read():
    assert len(seen("hi")) == len(NAMES)
    assert dict(zip(NAMES, seen("Is it?"), strict=True))["asks"] == 1.0


@pytest.mark.parametrize(
    "text", ["", "hello", "Why are bridges built? " * 30, "¿Qué 12 + 3?\n" * 9]
)
def test_the_directions_of_a_prompt_are_those_of_its_words_weighed(lens, text):
    counted = terms(text)
    value = np.zeros(BUCKETS, dtype=np.float32)
    for bucket, count in counted.items():
        value[bucket] = np.log1p(np.float32(count)) * lens.weights[bucket]
    value /= np.linalg.norm(value) or 1.0
    directions = lens.words @ value - lens.words_middle
    assert lens.view(text).lex == pytest.approx(directions.tolist(), abs=0.00051)


def test_what_was_looked_at_before_changes_nothing(lens):
    texts = ["Hello, tell me 3 things.", "tell me 3 things.", "x" * 9000, ""]
    alone = {text: lens.view("".join(list(text))) for text in texts}
    for text in (*texts, *reversed(texts), *texts):
        assert lens.view(text) == alone[text]
