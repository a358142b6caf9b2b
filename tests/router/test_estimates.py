"""What a call is expected to use, and what it can use at most."""

import orjson
import pytest

from router.api.parse import parse_chat
from router.config.config import Config
from router.domain import Attempt, Decision, Trace, Usage
from router.engine.estimates import Estimates

CONFIG = Config.model_validate(
    {
        "backends": {
            "a": {
                "kind": "openai",
                "base_url": "http://a/v1",
                "price": {"input": 0, "output": 1_000_000},
            },
            "b": {
                "kind": "openai",
                "base_url": "http://b/v1",
                "price": {"input": 0, "output": 2_000_000},
            },
        },
        "plans": {"p": {"ask": "a"}},
    }
)


def request_of(content="hi", **fields):
    messages = [{"role": "user", "content": content}]
    body = orjson.dumps({"model": "auto", "messages": messages} | fields)
    return parse_chat(body, {}, request_id="r", key_id="k")


def claim(request, estimates=None, chain=("a",)):
    return (estimates or Estimates()).claim(CONFIG, chain, request, request.body)


def after(request, count, tokens):
    """Estimates that have seen so many answers of so many tokens."""
    estimates = Estimates()
    usage = Usage(20, tokens)
    attempt = Attempt("a", 200, "", "answered", 1.0, usage=usage)
    decision = Decision("p", 1.0, "fixed", {"p": 1.0})
    for _ in range(count):
        estimates.learn(Trace(request, decision, 0.0, attempts=(attempt,)))
    return estimates


@pytest.mark.parametrize(
    ("fields", "most_usd"),
    [
        ({"max_tokens": 50}, 50),
        ({"max_tokens": 50, "n": 3}, 150),
        ({"max_tokens": 50, "best_of": "3"}, 150),
        ({"max_tokens": 50.0, "best_of": 3.0}, 150),
        ({"max_completion_tokens": 1, "max_tokens": 50}, 50),
        ({"max_tokens": 1, "max_completion_tokens": 50}, 50),
        ({}, 16_384),
        ({"max_tokens": -5}, 16_384),
        ({"max_tokens": True}, 16_384),
        ({"max_tokens": None}, 16_384),
    ],
)
def test_the_most_of_a_call_is_read_as_any_backend_may_read_it(fields, most_usd):
    assert claim(request_of(**fields)).most.usd == most_usd


def test_the_dearest_backend_of_a_chain_bounds_the_call():
    dear = claim(request_of(max_tokens=50), chain=("a", "b"))
    assert dear.most.usd == 100


def test_what_is_likely_is_learned():
    request = request_of(max_tokens=500)
    assert claim(request).likely.usd == 0
    assert claim(request, after(request, 1, 200)).likely.usd == 200
    assert claim(request_of(max_tokens=50), after(request, 1, 200)).likely.usd == 50


def test_short_answers_open_no_door_for_long_ones_where_dollars_count():
    request = request_of()
    learned = claim(request, after(request, 100, 10))
    assert learned.most.usd == 16_384
    assert learned.most.tokens < 100


def test_the_data_of_an_image_is_not_counted_as_text():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}}
    request = request_of([{"type": "text", "text": "what is it?"}, image], max_tokens=10)
    assert 1500 < claim(request).likely.tokens < 2000


def test_a_count_that_was_estimated_teaches_nothing():
    request = request_of()
    attempt = Attempt("a", 200, "", "", 1.0, usage=Usage(5, 900, estimated=True))
    estimates = Estimates()
    decision = Decision("p", 1.0, "fixed", {"p": 1.0})
    trace = Trace(request, decision, 0.0, attempts=(attempt,))
    estimates.learn(trace)
    assert claim(request, estimates) == claim(request)


@pytest.mark.parametrize("kind", [["text"], {}, None, 7, [[]]])
def test_a_part_whose_type_is_no_text_counts_by_its_bytes(kind):
    request = request_of([{"type": kind, "text": "x"}])
    assert claim(request, after(request, 1, 10)).most.tokens > 0
