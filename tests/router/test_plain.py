"""A prompt written again has the same plain text; other prompts keep what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.request.plain import bare, plain


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("What is the capital of Peru?", "hi there, WHAT IS THE CAPITAL OF PERU"),
        ("What is the capital of Peru?", "Could you please help me with this: what is the capital "
         "of Peru? Thanks in advance!"),
        ("Write a poem.", "ok so, please write a poem, thx"),
        ("¿Cuál es la capital?", "Hola, buenas tardes: cuál es la capital. ¡Muchas gracias!"),
        ("Escribe un poema.", "¿Puedes ayudarme con esto? Escribe un poema, por favor"),
    ],
)  # fmt: skip
def test_a_prompt_written_again_is_the_same_plain_text(text, again):
    assert plain(again).split() == plain(text).split()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Is an oil well so deep?", "is an oil well so deep"),
        ("Thanks", "thanks"),
        ("hi", "hi"),
        ("Sort 1.5, 2.5 and a.b", "sort 1.5 2.5 and a.b"),
        ("Why do people say thanks to waiters?", "why do people say thanks to waiters"),
        ("Solve x = 3; y == 4!", "solve x = 3 y == 4"),
        ("sobre la soja", "sobre la soja"),
    ],
)
def test_what_a_prompt_says_is_left(text, left):
    assert plain(text).split() == left.split()


@given(st.text())
def test_something_is_left_of_every_text(text):
    assert bool(bare(text).strip()) == bool(text.strip())
    assert bare(text) in text
