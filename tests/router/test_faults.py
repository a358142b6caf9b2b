"""Faults of upstreams, clients and replicas, over real sockets, and how the router answers them."""

import asyncio
import contextlib
import json
import time

import aiohttp
import openai
import pytest

from router.keys import new_key
from router.wire.frames import WHOLE, with_body
from tests.rig import rig
from tests.telemetry.stored import Stored
from tests.upstream import Upstream, answer_well, completion, delta
from tests.waiting import until

PAIR = """
backends:
  a: {{kind: openai, base_url: "{a}", retry: {{times: 1, backoff: 0.01}},
       timeouts: {{connect: 60, first: 60, between: 60, total: 60}},
       breaker: {{failures: {failures}, cooldown: 60}}, max_response_bytes: 1000000}}
  b: {{kind: openai, base_url: "{b}"}}
plans:
  fast: {{ask: a, fallback: [b]}}
"""
ALONE = PAIR.replace(", fallback: [b]", "")
NOBODY = "http://127.0.0.1:9/v1"  # nothing listens on the discard port


@contextlib.asynccontextmanager
async def pair(script, text=PAIR, *, other=answer_well, failures=100, **more):
    for patient, hasty in SHORTER.get(script, ()):
        assert patient in text
        text = text.replace(patient, hasty)
    async with Upstream(script).listening() as a, Upstream(other).listening() as b:
        async with rig(text.format(a=a.url, b=b.url, failures=failures), **more) as r:
            yield r, a, b


async def hangs(wire):
    await asyncio.sleep(30)


async def half_a_json(wire):
    await wire.json(json.dumps(completion()).encode()[:100])


async def half_a_body(wire):
    wire.head(content_type="application/json", content_length="5000")
    wire.raw(b'{"id": "x", "cho')
    wire.close()


async def closes_at_once(wire):
    wire.close()


async def not_http(wire):
    wire.raw(b"SSH-2.0-OpenSSH\r\n\r\n")


async def a_hundred_megabytes(wire):
    wire.head(content_type="application/json", content_length=str(100 * 2**20))
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            wire.raw(b" " * 2**20)
            await wire.writer.drain()


async def not_an_answer(wire):
    await wire.json([1, 2, 3])


async def an_error_with_200(wire):
    await wire.json({"error": {"message": "overloaded"}})


def status(code, **headers):
    async def script(wire):
        await wire.json({"error": {"message": f"upstream says {code}"}}, code, **headers)

    return script


BAD_DAYS = [
    (hangs, "timeout"),
    (half_a_json, "malformed"),
    (half_a_body, "protocol"),
    (closes_at_once, "connect"),
    (not_http, "protocol"),
    (a_hundred_megabytes, "too_large"),
    (not_an_answer, "malformed"),
    (an_error_with_200, "malformed"),
    (status(500), "upstream"),
    (status(503), "upstream"),
    (status(429), "upstream"),
    (status(401), "upstream"),
    (status(402), "upstream"),
    (status(403), "upstream"),
    (status(404), "upstream"),
    (status(302), "upstream"),
]
named = [script.__qualname__.split(".")[0] + f"-{i}" for i, (script, _) in enumerate(BAD_DAYS)]


@pytest.mark.parametrize(("script", "fault"), BAD_DAYS, ids=named)
async def test_the_next_backend_answers_and_the_trace_says_why(script, fault):
    async with pair(script) as (r, _, _):
        answer = await r.chat()
        [trace] = r.journal.traces
    assert (answer.status, answer.headers["x-waggle-backend"]) == (200, "b")
    assert trace.attempts[0].fault == fault
    assert trace.attempts[0].detail
    assert int(answer.headers["x-waggle-attempts"]) == len(trace.attempts)


@pytest.mark.parametrize(("script", "fault"), BAD_DAYS, ids=named)
async def test_without_another_backend_the_error_lists_each_attempt(script, fault):
    async with pair(script, ALONE) as (r, _, _):
        answer = await r.chat()
    assert answer.status == (429 if script is BAD_DAYS[10][0] else 503)
    assert f"a: {fault}" in answer.error["message"]
    assert int(answer.headers["retry-after"]) >= 1
    assert "sk-upstream-secret" not in answer.body.decode()


async def breaks_midway(wire):
    wire.events()
    await wire.event(delta("one "))
    await asyncio.sleep(0.05)
    wire.close()


async def hangs_midway(wire):
    wire.events()
    await wire.event(delta("one "))
    await asyncio.sleep(30)


async def events_then_silence(wire):
    wire.events()
    await asyncio.sleep(30)


async def ends_without_a_reason(wire):
    wire.events()
    await wire.event(delta("one "))
    await wire.chunk(b"")


async def half_a_chunk(wire):
    wire.events()
    await wire.event(delta("one "))
    wire.raw(b"ffff\r\ndata: {")
    wire.close()


async def an_error_midway(wire):
    wire.events()
    await wire.event(delta("one "))
    await wire.event({"error": {"message": "out of memory"}})
    await wire.chunk(b"")


# Timeouts that must run out: with all other upstreams none may, however busy the machine is.
NO_FIRST_WORD = (("first: 60", "first: 0.3"), ("total: 60", "total: 0.6"))
SHORTER = {
    hangs: NO_FIRST_WORD,
    events_then_silence: NO_FIRST_WORD,
    hangs_midway: (("between: 60", "between: 0.3"),),
}


@pytest.mark.parametrize(
    "script", [breaks_midway, hangs_midway, ends_without_a_reason, half_a_chunk, an_error_midway]
)
async def test_a_stream_that_breaks_midway_ends_with_an_error_event(script):
    async with pair(script) as (r, _, _):
        answer = await r.chat(stream=True)
        async with openai.AsyncOpenAI(base_url=r.url + "/v1", api_key="x") as c:
            message = {"role": "user", "content": "hi"}
            stream = await c.chat.completions.create(model="auto", messages=[message], stream=True)
            with pytest.raises(openai.APIError, match="broke"):
                async for _ in stream:
                    pass
        trace = r.journal.traces[0]
    assert answer.events[0]["choices"][0]["delta"]["content"] == "one "
    assert answer.events[-1]["error"]["code"] == "stream_broken"
    assert trace.status == 502


async def an_error_first(wire):
    wire.events()
    await wire.event({"error": {"message": "no capacity"}})
    await wire.chunk(b"")


async def nothing_at_all(wire):
    wire.events()
    await wire.chunk(b"")


@pytest.mark.parametrize(
    "script", [hangs, events_then_silence, an_error_first, nothing_at_all, closes_at_once]
)
async def test_a_stream_that_fails_before_its_first_word_goes_to_the_next_backend(script):
    async with pair(script) as (r, _, _):
        answer = await r.chat(stream=True)
    assert answer.headers["x-waggle-backend"] == "b"
    assert answer.events[-1] == "[DONE]"
    assert "error" not in answer.body.decode()


async def test_an_upstream_that_does_not_listen_is_a_connect_fault():
    async with rig(ALONE.format(a=NOBODY, b=NOBODY, failures=100)) as r:
        answer = await r.chat()
    assert answer.status == 503
    assert "a: connect" in answer.error["message"]
    assert "127.0.0.1:9" in answer.error["message"]


async def test_a_caller_sees_nothing_of_our_credentials_when_the_upstream_refuses_them():
    async with pair(status(401), ALONE) as (r, _, _):
        answer = await r.chat()
    assert "api_key" in answer.error["message"]
    assert "upstream says" not in answer.error["message"]


async def test_a_400_comes_back_untouched_and_counts_against_no_backend():
    async with pair(status(400), failures=1) as (r, a, b):
        answers = [await r.chat() for _ in range(5)]
        state = r.backends.hosts["a"].breaker.state(time.monotonic())
    assert {x.status for x in answers} == {400}
    assert answers[0].error["message"] == "upstream says 400"
    assert (len(a.seen), len(b.seen), state) == (5, 0, "closed")


async def test_a_retry_waits_as_long_as_it_was_asked_to():
    times = []

    async def script(wire):
        times.append(time.monotonic())
        if len(times) == 1:
            await wire.json({"error": "busy"}, 429, retry_after="1")
        else:
            await answer_well(wire)

    async with pair(script, ALONE) as (r, _, _):
        answer = await r.chat()
    assert answer.status == 200
    assert times[1] - times[0] >= 1


async def test_a_lone_backend_cools_down_and_recovers_with_one_probe():
    well, ahead = asyncio.Event(), [0.0]

    async def script(wire):
        await (answer_well if well.is_set() else status(500))(wire)

    def steady():
        return time.monotonic() + ahead[0]

    async with pair(script, ALONE, failures=2, steady=steady) as (r, a, _):
        first = await r.chat()
        called = len(a.seen)
        rests = [await r.chat() for _ in range(5)]
        assert len(a.seen) == called
        well.set()
        ahead[0] = 60
        after = await asyncio.gather(*(r.chat() for _ in range(3)))
        later = await r.chat()
    assert first.status == 503
    assert {x.status for x in rests} == {503}
    assert "breaker_open" in rests[0].error["message"]
    assert 200 in {x.status for x in after}
    assert later.status == 200


async def test_each_backend_has_its_own_breaker():
    async with pair(status(500), failures=1) as (r, _, b):
        answers = [await r.chat() for _ in range(4)]
        ready = (await r.get("/health/ready")).json
    assert {x.status for x in answers} == {200}
    assert len(b.seen) == 4
    assert ready["backends"]["a"]["state"] == "resting"
    assert ready["backends"]["b"]["state"] == "up"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_goes_away_cancels_the_call_upstream(stream):
    begun, answered, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def script(wire):
        begun.set()
        with contextlib.suppress(ConnectionError):
            if stream:
                wire.events()
                while True:
                    await wire.event(delta("x"))
                    await asyncio.sleep(0.02)
            await wire.reader.read()
        ended.set()
        raise ConnectionError

    text = "backends: {{a: {{kind: openai, base_url: '{a}'}}}}\nplans: {{p: {{ask: a}}}}\n"
    async with Upstream(script).listening() as up, rig(text.format(a=up.url)) as r:
        body = {"model": "auto", "stream": stream, "messages": [{"role": "user", "content": "x"}]}

        async def call():
            async with r.client.post(f"{r.url}/v1/chat/completions", json=body) as answer:
                answered.set()
                await answer.read()

        calling = asyncio.create_task(call())
        await asyncio.wait_for((answered if stream else begun).wait(), 60)
        calling.cancel()
        await asyncio.wait_for(ended.wait(), 60)
        await until(lambda: r.journal.traces and r.backends.hosts["a"].running == 0)
    assert r.backends.hosts["a"].running == 0
    assert r.journal.traces[0].status == 499


async def test_a_caller_who_leaves_before_the_body_is_whole_is_not_refused():
    async with rig(ALONE.format(a=NOBODY, b=NOBODY, failures=9)) as r:
        _, writer = await asyncio.open_connection(*r.url.removeprefix("http://").split(":"))
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n"
        head += "content-type: application/json\r\n\r\n"
        writer.write(head.encode() + b'{"model": ')
        await writer.drain()
        await until(lambda: r.router.app.running == 1)
        writer.close()
        await until(lambda: r.router.app.running == 0)
        metrics = (await r.get("/metrics")).body.decode()
    assert 'waggle_requests_total{plan="",status="499"' in metrics
    assert r.journal.refusals == []


async def test_an_analyst_who_leaves_ends_the_query_and_nothing_fails(tmp_path, caplog):
    Stored(tmp_path / "telemetry").seal()
    text = ALONE.format(a=NOBODY, b=NOBODY, failures=9)
    text += f"server: {{data: '{tmp_path}'}}\ntelemetry: {{sql_seconds: 300}}\n"
    async with rig(text) as r:
        sql = "select sum(sin(a)) from range(1000000000000) t(a)"
        query = asyncio.create_task(r.post("/v1/sql", {"sql": sql}))
        await until(lambda: r.router.app.running == 1)
        await asyncio.sleep(0.1)
        query.cancel()
        await until(lambda: r.router.app.running == 0)
    assert caplog.text == ""


async def test_two_hundred_at_once_against_a_bound_of_fifty():
    async def script(wire):
        await asyncio.sleep(0.2)
        await wire.json(completion())

    text = """
backends: {{a: {{kind: openai, base_url: "{a}", concurrency: 50, queue: 100, retry: {{times: 0}}}}}}
plans: {{p: {{ask: a}}}}
"""
    async with Upstream(script).listening() as up, rig(text.format(a=up.url)) as r:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as r.client:
            answers = await asyncio.gather(*(r.chat() for _ in range(200)))
    by_status = {code: [a for a in answers if a.status == code] for code in (200, 429)}
    assert (len(by_status[200]), len(by_status[429])) == (150, 50)
    assert up.most == 50
    refusal = by_status[429][0]
    assert int(refusal.headers["retry-after"]) >= 1
    assert refusal.error["type"] == "rate_limit_error"
    assert "queue_full" in refusal.error["message"]


async def test_a_replica_that_dies_before_answering_is_replaced_without_an_error():
    async with pair(answer_well, ALONE) as (r, _, _):
        good = r.backends.listening["a"]
        r.backends.listening["a"] = ["127.0.0.1:9"]
        chat = asyncio.create_task(r.chat())
        await asyncio.sleep(0.3)
        assert not chat.done()
        r.backends.listening["a"] = good
        answer = await chat
    assert answer.status == 200


async def test_a_lost_replica_is_left_out_while_another_answers():
    async with pair(answer_well, ALONE) as (r, _, _):
        r.backends.listening["a"] = ["127.0.0.1:9", *r.backends.listening["a"]]
        answers = [await r.chat() for _ in range(20)]
    assert {a.status for a in answers} == {200}


# An answer of nine bytes, of which the first has come.
BEGUN = with_body(WHOLE, 1, b'[200,"","application/json",0.1,{}]', b"{}123456")[0]
BEGUN = BEGUN.replace(b"\x08\x00\x00\x00", b"\x09\x00\x00\x00")


@contextlib.asynccontextmanager
async def _dying_replicas(count, heads):
    """Replicas that end when they have read a call, some with the beginning of an answer."""

    async def die(reader, writer):
        await reader.readuntil(b'"messages"')
        calls.append(writer.get_extra_info("sockname")[1])
        writer.write(heads)
        writer.close()

    calls: list[int] = []
    async with contextlib.AsyncExitStack() as stack:
        servers = [await asyncio.start_server(die, "127.0.0.1", 0) for _ in range(count)]
        for server in servers:
            await stack.enter_async_context(server)
        ports = [server.sockets[0].getsockname()[1] for server in servers]
        yield [f"127.0.0.1:{port}" for port in ports], calls


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("heads", [b"", BEGUN, BEGUN[:20]], ids=["no", "begun", "torn"])
async def test_a_call_that_ends_replicas_ends_no_more_than_two(heads, stream):
    text = ALONE.replace("retry: {{times: 0}}", "retry: {{times: 3}}")
    async with pair(answer_well, text) as (r, _, _), _dying_replicas(6, heads) as (ports, calls):
        r.backends.listening["a"] = ports
        answer = await r.chat(stream=stream)
    assert answer.status == 503
    assert "two replicas were lost while they worked on this call" in answer.error["message"]
    assert len(calls) == 2
    assert len(set(calls)) == 2


async def test_a_call_whose_replica_dies_is_answered_by_another_one():
    async with pair(answer_well, ALONE) as (r, _, _), _dying_replicas(1, b"") as (ports, calls):
        r.backends.listening["a"] = [*ports, "127.0.0.1:9", *r.backends.listening["a"]]
        answer = await r.chat()
    assert answer.status == 200
    assert len(calls) == 1


@pytest.mark.parametrize("routers", [1, 2])
async def test_a_router_lets_its_share_of_a_limit_through_while_the_hive_is_away(routers):
    text, key = new_key("k", "", limits={"requests_per_minute": 3 * routers})
    async with Upstream().listening() as a:
        config = ALONE.format(a=a.url, b=a.url, failures=9)
        config += f"server: {{replicas: {routers}}}"
        async with rig(config, keys=[key]) as r:
            r.hive.away = True
            answers = [await r.chat(headers={"authorization": f"Bearer {text}"}) for _ in range(5)]
            await r.background.exchange()
    assert [x.status for x in answers] == [200, 200, 200, 429, 429]
