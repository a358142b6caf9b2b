"""The pattern of a request: its own words, the pattern that it resembles, and its row."""

import pytest

from router.request.context import NAMES, meaning_of
from router.request.lens import MEANING
from router.request.marks import marks
from router.request.patterns import MOST_TERMS, Pattern, Patterns, bucket, own_terms, own_words
from router.request.reading import reading_of
from router.routing.following import Following
from router.routing.messages import Published
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.upstream import Upstream


def terms(*contents):
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(contents)]
    return own_terms(reading_of({"messages": messages}))


def pattern(id_, *words, meaning=(), least=0.5):
    centre = {bucket(word): len(words) ** -0.5 for word in words}
    return Pattern(id_, " ".join(words), centre, least, meaning, least_meant=0.6)


PATTERNS = Patterns(
    1, (pattern("p1", "invoice", "vendor", "total"), pattern("p7", "time", "zone", "flight"))
)


def test_the_same_request_has_the_same_words_however_politely_it_is_written():
    plain, polite = "convert the Invoice total", "Hi there! Convert the invoice, total: thank you!"
    assert terms(plain) == terms(polite) == tuple(map(bucket, ("convert", "invoice", "total")))


def test_forms_of_a_word_are_one_word():
    assert terms("invoices invoiced") == terms("invoice")


@pytest.mark.parametrize("text", ["", "?!", "1234 77%", "to be or", "w" * 40])
def test_a_request_without_words_of_its_own_has_no_terms_and_no_pattern(text):
    assert terms(text) == ()
    assert PATTERNS.of(terms(text)) == ""


def test_a_word_with_a_digit_or_an_accent_is_read_without_it():
    assert own_words("pedido 617941 código") == ["pedido", "codigo"]


@pytest.mark.parametrize(
    ("text", "same", "other"),
    [
        ("shift from 9:15", "shift from 18:40", "shift from noon"),
        ("convert 12.5", "convert 0,7", "convert 12"),
        ("pay $5", "pay 8€", "pay 5"),
        ("explain foo(); bar = 1", "explain foo = 2;", "explain foo"),
        ('sort "late and broken"', "sort „late, broken“", "sort late, broken"),
    ],
)
def test_sorts_of_numbers_and_signs_count_beside_words_and_their_values_do_not(text, same, other):
    assert marks(text) == marks(same) != marks(other)
    assert set(terms(text)) > marks(text)


def word(number):
    return "".join(chr(97 + int(digit)) for digit in f"{number:04}")


def test_a_long_message_keeps_its_beginning_its_end_and_some_of_the_conversation():
    long = " ".join(map(word, range(60)))
    counted = terms("tell about pandas", "fine", long)
    assert len(counted) <= MOST_TERMS
    assert {bucket(word(0)), bucket(word(59)), bucket("pandas")} <= set(counted)
    assert bucket(word(40)) not in counted


def test_a_request_belongs_to_the_pattern_that_it_resembles_enough():
    assert PATTERNS.of(terms("vendor and total of this invoice")) == "p1"
    assert PATTERNS.of(terms("my flight: which time zone?")) == "p7"
    assert PATTERNS.of(terms("total eclipse of the heart in my favourite song lyrics")) == ""
    assert Patterns(0).of(terms("invoice")) == ""


def test_rare_words_count_more():
    common = dict.fromkeys(map(bucket, ("quick", "question", "today")), 0.1)
    asking = terms("quick question today invoice")
    assert PATTERNS.of(asking) == ""
    assert Patterns(2, PATTERNS.patterns, common).of(asking) == "p1"


def test_meaning_finds_a_pattern_that_words_do_not():
    near = (1.0, *(0.0,) * (MEANING - 1))
    far = (-1.0, *(0.0,) * (MEANING - 1))
    meant = Patterns(1, (pattern("p2", "invoice", "vendor", meaning=near),), lens=3)
    asking = terms("which vendor sent the bill")
    assert meant.of(asking) == ""
    assert meant.of(asking, near) == "p2"
    assert meant.of(terms("vendor, invoice"), far) == ""


def test_meaning_counts_from_the_middle_of_the_language():
    near = (1.0, *(0.0,) * (MEANING - 1))
    abroad = (0.0, 5.0, *(0.0,) * (MEANING - 2))
    seen = tuple(a + b for a, b in zip(near, abroad, strict=True))
    meant = Patterns(
        1, (pattern("p2", "invoice", "vendor", meaning=near),), lens=3, middles={"es": abroad}
    )
    asking = terms("vendor pregunta algo")
    assert meant.of(asking, seen, "en") == ""
    assert meant.of(asking, seen, "es") == "p2"


def test_a_row_without_a_sentence_vector_has_no_meaning():
    row = [None] * len(NAMES)
    assert meaning_of(row) is None
    at = NAMES.index("vec.0")
    row[at : at + MEANING] = [0.5] * MEANING
    assert meaning_of(row) == [0.5] * MEANING


def test_a_router_takes_newer_patterns_and_says_which_it_has():
    following = Following()
    assert following.take_request().patterns == 0
    following.hear(Published("", None, patterns=Patterns(4)), now=1.0)
    following.hear(Published("", None), now=2.0)
    assert following.take_request().patterns == 4


class PatternLearner:
    """A fake learner that publishes patterns and no policy."""

    async def news(self, request):
        return Published("", None, patterns=None if request.patterns else PATTERNS)


YAML = """
backends: {{a: {{kind: openai, base_url: "{url}", model: up-1}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: a}}}}
objective: {{strategy: fixed, plan: cheap}}
"""


def watched(upstream):
    return rig(YAML.format(url=upstream.url), learner=PatternLearner())


async def test_a_row_says_which_pattern_a_request_has_and_the_buckets_of_its_words():
    async with Upstream().listening() as upstream, watched(upstream) as waggle:
        await waggle.chat("vendor and total of invoice 4711")
        await waggle.background.follow()
        for _ in range(2):
            answer = await waggle.chat("vendor and total of invoice 4711", **EXPLAINED)
            await waggle.background.follow()
        await waggle.chat("sing a song")
        before, *_, after, other = map(request_row, waggle.journal.traces)
        assert answer.json["waggle"]["pattern"] == after["pattern"] == "p1"
        assert after["terms"] == list(terms("vendor total invoice 1234"))
        assert before["terms"] == after["terms"]
        assert "pattern" not in before
        assert "pattern" not in other


EXPLAINED = {"headers": {"x_waggle_explain": "true"}}
