"""Spanish at English's level: base forms, small words, sentences, and what a document states."""

import pytest

from router.documents.chunking import sentences_of
from router.documents.content_words import content_words
from router.documents.front_matter import metadata_of
from router.documents.languages import language_of


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("¿Cuándo abre la biblioteca?", "Las bibliotecas están abiertas"),
        ("bonificación", "bonificaciones"),
        ("¿Dónde me empadrono?", "empadronarse, el empadronamiento"),
        ("los niños pagan menos", "lo que paga un niño"),
        ("renuevan el abono", "renovar los abonos"),
        ("TARJETA SANITARIA", "tarjetas sanitarias"),
    ],
)
def test_forms_of_a_spanish_word_have_one_base_form(first, second):
    shared = set(content_words(first, "es")) & set(content_words(second, "es"))
    assert shared == set(content_words(first, "es"))


@pytest.mark.parametrize(
    ("first", "second"), [("plazo", "placa"), ("puesto", "puerta"), ("estado", "estación")]
)
def test_other_spanish_words_keep_apart(first, second):
    assert content_words(first, "es") != content_words(second, "es")


def test_small_words_say_nothing_in_either_language():
    assert content_words("¿Y cuánto es lo que hay que pagar por ello?", "es") == ["pagar"]
    assert content_words("How did Mbappé's goal count?") == ["mbappe", "goal", "count"]


def test_sentences_end_where_a_spanish_sentence_ends():
    text = (
        "El Sr. García, en la av. Mayor, n.º 3, atiende hasta las 14.30. ¿Hace falta cita? "
        "¡Sí! Álvaro Ruiz la da. Cuesta 2.50 euros (p. ej. Visa)."
    )
    assert sentences_of(text) == [
        "El Sr. García, en la av. Mayor, n.º 3, atiende hasta las 14.30.",
        "¿Hace falta cita?",
        "¡Sí!",
        "Álvaro Ruiz la da.",
        "Cuesta 2.50 euros (p. ej. Visa).",
    ]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("¿Cuánto cuesta?", "es"),
        ("puedo bajar la bolsa un sabado", "es"),
        ("how much is it on saturdays", "en"),
        ("IBI 2025", "es"),  # nothing shows the language: the caller's guess
    ],
)
def test_the_language_of_a_short_question(text, language):
    assert language_of(text, "es") == language


def test_a_document_states_its_metadata():
    text = "---\nTeam: law\ndate: 2025-03-01\ntags: [tax, 7]\nnested: {a: 1}\n---\n# Fees\n"
    assert metadata_of(text) == {"team": "law", "date": "2025-03-01", "tags": ("tax", "7")}
    for odd in ("# Fees\n---\nteam: law\n---\n", "---\n[unclosed\n---\n", "---\n- a\n---\n", ""):
        assert metadata_of(odd) == {}
