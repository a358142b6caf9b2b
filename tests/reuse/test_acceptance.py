"""What may accept a pair: guards refuse, and a language without guards has no other acceptors."""

import json
from pathlib import Path

import pytest

from router.reuse.acceptance import acceptors, guarded
from router.reuse.guards import GuardVerdict, compare

BLIND = Path(__file__).parent / "blind"


def _rows(name: str):
    lines = (BLIND / f"{name}.seen.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("likeness", ["words", "open", "minor", "parameters", "other"])
@pytest.mark.parametrize("row", _rows("multilingual")[::4], ids=lambda row: row["id"])
def test_in_a_language_without_guards_only_a_backend_may_accept(row, likeness):
    verdict = GuardVerdict(likeness, ("words differ",))
    assert set(acceptors(row["stored"], row["asked"], verdict)) <= {"asked"}


def test_no_text_by_strangers_in_another_language_is_taken_for_english():
    texts = [row[name] for row in _rows("multilingual") for name in ("stored", "asked")]
    assert [text for text in texts if guarded(text, text)] == []


def test_most_texts_by_strangers_in_english_are_taken_for_english():
    texts = [row[name] for row in _rows("natural") for name in ("stored", "asked")]
    assert sum(guarded(text, text) for text in texts) >= 0.9 * len(texts)


@pytest.mark.parametrize(
    "text",
    [
        "Vad är meningen med livet?",
        "Quelle est la capitale de la France ?",
        "wo liegt der Fehler in this code",
        "Jak ugotować ryż",
        "convertir 40 grados Celsius a Fahrenheit",
        "10 Zoll in Zentimeter",
        "paella, receta",
        "東京の人口は?",
        "",
    ],
)
def test_what_is_not_clearly_english_is_not_guarded(text):
    assert not guarded(text, text)


@pytest.mark.parametrize(
    ("stored", "request_text", "may"),
    [
        ("What is the capital of France?", "whats the capital of france", ("words",)),
        ("Why do we need sleep?", "What makes sleep necessary?", ("verifier", "asked")),
        ("How is asthma cured?", "How is asthma treated?", ("asked",)),
        ("Which fruits are sweet?", "Which fruits are not sweet?", ()),
        ("How do I send 5 euros?", "How do I send 6 euros?", ()),
        ("¿cuánto es el 20% de 350?", "¿cuánto es el 20% de 250?", ()),
        ("Warum ist der Himmel blau?", "Чому небо блакитне?", ()),
    ],
)
def test_each_pair_has_the_acceptors_that_could_say_no(stored, request_text, may):
    assert acceptors(stored, request_text, compare(stored, request_text)) == may
