"""However a text is torn, what goes out is what the whole text would have become."""

from itertools import pairwise

import orjson
from hypothesis import given
from hypothesis import strategies as st

from router.config.guardrails import Guard
from router.guardrails.held import completion_of, rewritten
from router.guardrails.hits import hits_in, masked, replaced_hits
from router.guardrails.placeholders import Placeholders, restored
from router.guardrails.streams import Restoring, StreamTexts
from router.guardrails.windows import Chained, Windowed

PARTS = st.sampled_from(
    ["[EMAIL_1]", "[EMAIL_12]", "[EMAIL_", "[", "]", "[[", "a", " ", "ann@example.org", "falcon",
     "+49 170 1234567", "DE13889735663255933781", "4237 0473 0836 9147", "é", "x" * 40, "\n"]
)  # fmt: skip
TEXTS = st.lists(PARTS, max_size=14).map("".join)
CUTS = st.lists(st.integers(0, 500), max_size=12)
REDACT = Guard(name="pii", kind="redact", when="after")
WORDS = Guard(name="words", kind="words", when="after", words=("falcon",), action="redact")


def torn(text, cuts):
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


def out_of(rewriter, pieces):
    return "".join([*map(rewriter.take, pieces), rewriter.end()])


@given(TEXTS, CUTS)
def test_placeholders_come_back_however_the_text_is_torn(text, cuts):
    words = {"[EMAIL_1]": "ann@example.org", "[EMAIL_12]": 'o"n'}
    assert out_of(Restoring(words), torn(text, cuts)) == restored(text, words)


@given(TEXTS, CUTS)
def test_guards_in_pieces_change_what_they_change_as_a_whole(text, cuts):
    whole = text
    for guard in (REDACT, WORDS):
        whole = replaced_hits(whole, hits_in(guard, whole), masked)
    chain = Chained(tuple(Windowed(guard, lambda _: None) for guard in (REDACT, WORDS)))
    assert out_of(chain, torn(text, cuts)) == whole


@given(TEXTS)
def test_what_is_redacted_comes_back(text):
    placeholders = Placeholders(lambda: text)
    redacted = replaced_hits(
        text, hits_in(REDACT, text), lambda words, hit: placeholders.redacted(words, hit.label)
    )
    assert restored(redacted, placeholders.words) == text
    assert not set(placeholders.words) & {"[EMAIL_1]"} or "[EMAIL_1]" not in text


@given(st.text(alphabet='ab"\\\n\x00é', min_size=1))
def test_a_placeholder_stands_for_nothing_that_json_must_escape(words):
    placeholders = Placeholders(lambda: "")
    redacted = placeholders.redacted(words, "WORD")
    assert restored(redacted, placeholders.words) == words
    assert not [each for each in placeholders.words.values() if set(each) & set('"\\\n\x00')]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "[EMAIL_1]", "[EM"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["index", "content", "delta", "text", "b"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.lists(st.fixed_dictionaries({"choices": JSON}), max_size=4))
def test_no_chunk_of_an_odd_upstream_breaks_a_stream(chunks):
    events = [b"data: " + orjson.dumps(chunk) for chunk in chunks]
    texts = StreamTexts(lambda: Restoring({"[EMAIL_1]": "a@b.org"}), logprobs=False)
    for event in events:
        texts.event(event)
    texts.rest(events[-1] if events else b"")
    whole = completion_of(events)
    assert rewritten(events, whole, whole) == events
