"""The context of a request is the same for deciding and for learning."""

import json
import time

import numpy as np
import pytest

from router.api.parse import parse_chat
from router.domain import Decision, Trace
from router.request.complexity import PARTS, complexity
from router.request.context import NAMES, context_of, lens_in, numbers, taught
from router.request.language import language
from router.request.lens import ENOUGH, Lens, fitted, keep, kept, terms
from router.request.reading import reading_of
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
    return fitted([terms(prompt) for prompt in PROMPTS], [None] * len(PROMPTS))


def seen(text, lens=None, **given):
    reading = reading_of({"messages": [{"role": "user", "content": text}]})
    score = complexity(reading, WEIGHTS)
    options = {"sort": score.kind, "tagged": False} | given
    return numbers(reading, score, lens=lens, **options)


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
    assert row["features_version"] == 1
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
    for features, reason in (("2:0", "taught features 2:0"), (taught(7), "sees through lens 7")):
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
    assert views[0].near == views[1].near
    assert views[0].near != other.near
    apart = np.linalg.norm(np.array(views[0].lex) - views[1].lex)
    assert apart < np.linalg.norm(np.array(views[0].lex) - other.lex)


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
    assert lens.view("What is the sum?", vectors[0]).near >= 100
    assert lens.view("What is the sum?").near < 100


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
