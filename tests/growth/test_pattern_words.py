"""Which words may name a pattern: those that several used, and nobody's name or number."""

from router.growth.naming import most_telling, name_of
from router.growth.pattern_book import KnownPattern
from router.request.patterns import Pattern, bucket
from router.routing.pattern_words import ENOUGH, PatternWords

ORDERS = [f"please check the order of {item}" for item in ("ham", "tea", "oil", "rye", "nuts")]


def taken(*texts, pattern="p1"):
    words = PatternWords()
    for text in texts:
        words.see(pattern, text)
    return {word for _, word in words.take()}


def test_a_word_leaves_the_router_once_five_different_requests_used_it():
    assert taken(*ORDERS[: ENOUGH - 1]) == set()
    assert taken(*ORDERS) == {"check", "order"}


def test_the_same_request_again_is_no_other_request():
    assert taken(*ORDERS[:1] * 20) == set()
    assert taken(*[text.upper() for text in ORDERS[:2]], *ORDERS[:2] * 9) == set()


def test_requests_of_different_patterns_do_not_add_up():
    words = PatternWords()
    for at, text in enumerate(ORDERS):
        words.see(f"p{at % 2}", text)
    assert words.take() == []


def test_no_number_no_address_and_no_name_is_told():
    texts = [
        f"{text} for Miller, miller@corp.example, ref k9secret, at https://corp.example/plan"
        for text in ORDERS
    ]
    assert taken(*texts) == {"check", "order", "ref"}


def test_a_name_that_somebody_wrote_small_is_not_told():
    small = [f"{text} from denver" for text in ORDERS]
    assert "denver" in taken(*small)
    assert "denver" not in taken(*small, "is it late in Denver now")


def test_each_word_is_told_once_and_again_if_it_was_lost():
    words = PatternWords()
    for text in ORDERS:
        words.see("p1", text)
    first = words.take()
    assert first
    assert words.take() == []
    words.restore(first)
    assert sorted(words.take()) == sorted(first)


def test_a_name_is_the_most_telling_words():
    centre = {bucket("order"): 0.8, bucket("check"): 0.6}
    history = KnownPattern(Pattern("p1", "p1", centre, 0.3), 0.0, 0.0, words=("check",))
    words = most_telling(history, ["order", "orders", "weather"])
    assert words == ("order", "check")
    assert name_of("p1", words) == "order check"
    assert name_of("p1", ()) == "p1"
