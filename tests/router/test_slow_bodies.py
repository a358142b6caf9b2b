"""Hostile text at the router: it is answered like any other, and what was not read is told."""

import gc
from asyncio import ensure_future, gather, timeout
from contextlib import suppress
from threading import Event
from time import thread_time

import orjson
import pytest

from router.api.parse import parse_chat
from router.request.json_body import json_of
from router.reuse.memory_query import exact_key, unfit_words
from router.wire.beside import beside
from router.wire.splice import spans
from router.wire.sse import Cutter, Meter
from tests.rig import rig
from tests.sparing import slow_after
from tests.upstream import Upstream, completion
from tests.waiting import until

TEXT = """
backends: {{a: {{kind: openai, base_url: "{url}"}}, s: {{kind: sandbox}}}}
plans: {{p: {{ask: a}}, q: {{code: s}}}}
"""
WISH = "Generate 100 normal values with mean 3 and sd 1"


async def test_a_request_that_was_not_read_is_answered_and_its_row_says_so():
    async with Upstream().listening() as up, rig(TEXT.format(url=up.url)) as r:
        answer = await r.chat(f"{WISH} {'9' * 60_000}")
        route = await r.post("/v1/route", {"model": "auto", "messages": [
            {"role": "user", "content": f"{WISH} {'9' * 500}"}]})  # fmt: skip
    assert answer.status == 200
    assert "not read: it holds a word or a number that is too long" in route.json["reason"]
    assert r.journal.traces[0].decision.plan == "p"


UNITS = ["a@", "+1 ", "now!", "a.", "1.", "now ", "1 ", "A1 "]


@pytest.mark.parametrize("unit", slow_after(3, UNITS))
def test_personal_and_fresh_words_are_looked_for_in_linear_time(unit):
    begun = thread_time()
    unfit_words(unit * (1_000_000 // len(unit)))
    assert thread_time() - begun < 2.0


@pytest.mark.parametrize("at", [0, 65_530, 65_536, 200_000])
def test_an_address_is_personal_wherever_it_stands_in_a_long_text(at):
    words = "x " * 150_000
    assert unfit_words(words) == ""
    assert unfit_words(f"{words[:at]} ada@example.org {words[at:]}") == "it holds personal data"


def test_a_long_event_without_its_end_costs_linear_time():
    meter, cutter = Meter(include_usage=False, prompt_tokens=1, cost_of=lambda _: 0.0), Cutter()
    event = b'data: {"choices":[{"delta":{"content":"' + b"\\n" * 1_000_000
    begun = thread_time()
    for data in (event, b"\n\n"):
        for whole in cutter.cut(data):
            meter.take(whole)
    assert thread_time() - begun < 1.0


@pytest.mark.parametrize("item", [b"[]", b'{"a":{}}', b'{"model":""}'])
def test_a_field_is_found_in_linear_time_behind_a_million_values(item):
    body = b'{"x":[' + b",".join([item] * 300_000) + b'],"model":"a"}'
    begun = thread_time()
    start, end = spans(body, (b'"model"',))[b'"model"']
    assert thread_time() - begun < 2.0
    assert body[start:end] == b'"a"'


def test_the_collector_of_garbage_works_on_after_a_long_body():
    assert len(json_of(b"[" + b",".join([b"[]"] * 100_000) + b"]")) == 100_000
    assert gc.isenabled()
    with pytest.raises(orjson.JSONDecodeError):
        json_of(b"[" * 100_000)
    assert gc.isenabled()


def test_a_huge_event_in_small_pieces_costs_linear_time():
    cutter, piece = Cutter(), b"x" * 1_000
    begun = thread_time()
    assert not any(cutter.cut(piece) for _ in range(8_000))
    assert [len(event) for event in cutter.cut(b"\n\nnext")] == [8_000_000]
    assert thread_time() - begun < 1.0
    assert cutter.rest == b"next"


def test_a_huge_request_has_a_memory_key_of_its_bytes():
    def key(body):
        request = parse_chat(body, {}, request_id="r", key_id="")
        return exact_key(request, scope="", backend="")

    fields = b",".join(b'"%06x":1' % n for n in range(100_000))
    huge = b'{"model":"auto",%b,"messages":[{"role":"user","content":"hi"}]}' % fields
    begun = thread_time()
    assert key(huge) == key(bytes(huge))
    assert key(huge) != key(huge.replace(b'"hi"', b'"no"'))
    assert thread_time() - begun < 3.0


async def test_huge_bodies_keep_only_each_other_waiting():
    go, begun = Event(), Event()

    def wait():
        begun.set()
        return go.wait(60)

    huge = [ensure_future(beside(8_000_000, wait)) for _ in range(20)]
    try:
        await until(begun.is_set)
        assert await beside(100_000, lambda: "answered") == "answered"
        assert not any(task.done() for task in huge)
    finally:
        go.set()
        await gather(*huge)


CALLS = "telemetry: {{answers: true}}\nbackends: {{a: {{kind: openai, base_url: '{url}'}}}}\n"


@pytest.mark.parametrize("plan", ["{ask: a}", "{ask: a, instruct: Be brief.}"])
async def test_a_caller_who_leaves_a_huge_answer_is_written_down_once(plan):
    answer = completion("word " * 2_000_000)

    async def huge(wire):
        await wire.json(answer)

    config = CALLS + "plans: {{p: " + plan.replace("{", "{{").replace("}", "}}") + "}}"
    async with Upstream(huge).listening() as up, rig(config.format(url=up.url)) as r:
        for seconds in (0.02, 0.05, 0.1, 0.2, 0.4):
            with suppress(TimeoutError):
                async with timeout(seconds):
                    await r.chat()
        await r.chat("the last")
        # On a busy machine a caller may leave before the router has read the request.
        await until(lambda: len(r.journal.traces) >= len(up.seen))
    ids = [trace.request.id for trace in r.journal.traces]
    assert 1 <= len(ids) == len(set(ids)) <= 6
