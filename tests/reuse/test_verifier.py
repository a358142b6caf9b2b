"""The pair verifier: what it accepts, what it never sees, and that its file is what was trained."""

import json
from pathlib import Path

import numpy as np
import pytest

from router.reuse import verifier as module
from router.reuse.guards import compare
from router.reuse.recollection import Candidate, accepted, may_verify
from router.reuse.verifier import verifier_of
from tests.reuse.soak import solution

BLIND = Path(__file__).parent / "blind"
STORED = Path(module.__file__).with_name("verifier.npz")


@pytest.fixture(scope="module")
def verifier(encoders):
    return verifier_of(str(encoders))


def test_its_parameters_are_a_small_file():
    assert STORED.stat().st_size <= 300_000
    assert {values.dtype for values in np.load(STORED).values()} <= {
        np.dtype(kind) for kind in ("int8", "float16", "float32")
    }


def test_it_accepts_pairs_by_strangers_that_ask_the_same_and_hardly_any_other(verifier):
    lines = (BLIND / "natural.seen.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    left_open = [r for r in rows if compare(r["stored"], r["asked"]).likeness == "open"]
    taken = [
        r for r in left_open if verifier.accepts(verifier.probability(r["stored"], r["asked"]))
    ]
    assert len([r for r in taken if r["same"]]) >= 40
    assert len([r for r in taken if not r["same"]]) <= 2


def test_the_order_of_a_pair_does_not_matter(verifier):
    pair = ("why is the sky blue", "What makes the sky look blue?")
    assert verifier.probability(*pair) == pytest.approx(verifier.probability(*pair[::-1]))


def test_a_request_that_is_too_long_is_not_accepted(verifier):
    assert verifier.probability("why is the sky blue", "why is the sky " + "very " * 80) == 0.0


@pytest.mark.parametrize(
    ("stored", "request_text"),
    [
        ("¿Por qué el cielo es azul?", "¿Cuál es la razón de que el cielo sea azul?"),
        ("Warum ist der Himmel blau?", "Wieso ist der Himmel blau?"),
        ("Чому небо блакитне?", "Чому небо є блакитним?"),
        ("天空为什么是蓝色的?", "为什么天空是蓝的?"),
        ("Why is the sky blue?", "¿Por qué el cielo es azul?"),
    ],
)
def test_in_a_language_without_guards_neither_words_nor_verifier_accept(stored, request_text):
    candidate = Candidate(0.99, solution(stored), compare(stored, request_text))
    assert accepted(candidate, request_text).by == ""
    assert not may_verify(candidate, request_text)
