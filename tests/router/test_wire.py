"""The official OpenAI client works unmodified, and so do Waggle's additions to the protocol."""

import asyncio
import json
import time
import uuid
from contextlib import asynccontextmanager

import openai
import pytest

from router.keys import new_key
from tests.rig import rig
from tests.upstream import Upstream, answer_well, completion, delta

TWO = """
backends:
  a: {{kind: openai, base_url: "{url}", model: up-a, api_key: "${{KEY}}",
       price: {{input: 1, output: 2, cached_input: 0.5}}, retry: {{times: 0}}}}
  b: {{kind: openai, base_url: "{url}", price: {{input: 10, output: 20}}}}
plans:
  fast: {{ask: a, fallback: [b]}}
  premium: {{ask: b}}
objective: {{ladder: {{cuts: [4]}}}}
"""


@asynccontextmanager
async def running(script=answer_well, text=TWO, **more):
    async with Upstream(script).listening() as up, rig(text.format(url=up.url), **more) as r:
        yield r, up


def client(r, **more):
    return openai.AsyncOpenAI(base_url=r.url + "/v1", api_key="x", max_retries=0, **more)


HI = [{"role": "user", "content": "hi"}]


async def test_a_plain_request():
    async with running() as (r, _), client(r) as c:
        response = await c.chat.completions.with_raw_response.create(model="auto", messages=HI)
        answer = response.parse()
    assert answer.choices[0].message.content == "hello"
    assert answer.model == "up-1"
    assert answer.usage.total_tokens == 150
    assert answer.usage.cost == pytest.approx((100 * 1 + 50 * 2) / 1e6)
    headers = {k: v for k, v in response.headers.items() if k.startswith("x-waggle")}
    assert uuid.UUID(headers.pop("x-waggle-request-id")).version == 7
    assert float(headers.pop("x-waggle-overhead-ms")) >= 0
    assert headers == {
        "x-waggle-backend": "a",
        "x-waggle-plan": "fast",
        "x-waggle-strategy": "ladder",
        "x-waggle-propensity": "1",
        "x-waggle-reuse": "novel",
        "x-waggle-experiment": "none",
        "x-waggle-attempts": "1",
        "x-waggle-cost-usd": "0.0002",
    }


async def test_a_stream_reads_to_the_end_without_a_chunk_that_has_no_choices():
    async with running() as (r, up), client(r) as c:
        stream = await c.chat.completions.create(model="auto", messages=HI, stream=True)
        chunks = [chunk async for chunk in stream]
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "one two three"
    assert chunks[-1].usage.cost == pytest.approx(0.0002)
    assert up.seen[0].fields["stream_options"] == {"include_usage": True}


async def test_a_stream_that_asks_for_usage_gets_the_chunk_it_expects():
    async with running() as (r, _), client(r) as c:
        options = {"include_usage": True}
        stream = await c.chat.completions.create(
            model="auto", messages=HI, stream=True, stream_options=options
        )
        last = [chunk async for chunk in stream][-1]
    assert last.choices == []
    assert last.usage.cost == pytest.approx(0.0002)


async def test_a_tool_call_goes_there_and_comes_back():
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}

    async def script(wire):
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        await wire.json(completion() | {"choices": [choice]})

    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    async with running(script) as (r, up), client(r) as c:
        answer = await c.chat.completions.create(
            model="auto", messages=HI, tools=tools, tool_choice="required"
        )
    assert answer.choices[0].message.tool_calls[0].function.arguments == '{"x": 1}'
    assert up.seen[0].fields["tools"] == tools
    assert up.seen[0].fields["tool_choice"] == "required"


async def test_the_synchronous_client_works_too():
    async with running() as (r, _):

        def ask():
            with openai.OpenAI(base_url=r.url + "/v1", api_key="x") as c:
                return c.chat.completions.create(model="auto", messages=HI)

        answer = await asyncio.to_thread(ask)
    assert answer.choices[0].message.content == "hello"


async def test_every_field_known_or_not_arrives_as_it_was_written():
    body = (
        b'{ "model":"auto","seed":123456789012345678901234567890, "temperature": 1.0e-1,'
        b'"future":{"x":[1,2,{"model":"inner"}]}, "n":2,\n "logit_bias":{"50256":-100},'
        b'"messages":[{"role":"user","content":"\\u00e9\\ud83d\\ude00 \\u0000"}] }'
    )
    async with running() as (r, up):
        assert (await r.post("/v1/chat/completions", body)).status == 200
    assert up.seen[0].body == body.replace(b'"auto"', b'"up-a"')


async def test_every_field_of_the_answer_comes_back():
    extra = {"system_fingerprint": "fp", "future": [1.0, {"a": None}], "service_tier": "x"}

    async def script(wire):
        await wire.json(completion(**extra))

    async with running(script) as (r, _):
        answer = (await r.chat()).json
    assert answer.pop("usage") == completion()["usage"] | {"cost": 0.0002}
    assert answer == {k: v for k, v in completion(**extra).items() if k != "usage"}


async def test_cached_tokens_cost_what_they_cost():
    usage = completion()["usage"] | {"prompt_tokens_details": {"cached_tokens": 80}}

    async def script(wire):
        await wire.json(completion(usage=usage))

    async with running(script) as (r, _):
        cost = (await r.chat()).json["usage"]["cost"]
    assert cost == pytest.approx((20 * 1 + 80 * 0.5 + 50 * 2) / 1e6)


async def test_missing_usage_is_estimated_and_marked_so():
    async def script(wire):
        await wire.json({k: v for k, v in completion().items() if k != "usage"})

    async with running(script) as (r, _):
        usage = (await r.chat("x" * 400)).json["usage"]
    assert usage["prompt_tokens"] == 100
    assert usage["cost_estimated"] is True
    assert usage["cost"] > 0


async def test_the_upstream_gets_its_own_key_and_never_the_callers():
    async with running() as (r, up):
        await r.chat(headers={"authorization": "Bearer callers-own"})
    assert up.seen[0].headers["authorization"] == "Bearer sk-upstream-secret"
    assert "callers-own" not in str(up.seen[0].headers)


@pytest.mark.parametrize(
    ("how", "backend"),
    [
        ({"model": "b"}, "b"),
        ({"model": "premium"}, "b"),
        ({"model": "up-a"}, "a"),
        ({"headers": {"X-LLM-Backend": "b"}}, "b"),
    ],
)
async def test_a_caller_may_choose(how, backend):
    async with running() as (r, _):
        answer = await r.chat(**how)
    assert answer.headers["x-waggle-backend"] == backend
    assert answer.headers["x-waggle-strategy"] == "named"


async def test_a_caller_may_choose_in_the_query():
    async with running() as (r, _):
        body = {"model": "auto", "messages": HI}
        answer = await r.post("/v1/chat/completions?backend=b", body)
        wrong = await r.post("/v1/chat/completions?backend=c", body)
    assert answer.headers["x-waggle-backend"] == "b"
    assert (wrong.status, wrong.error["code"]) == (400, "unknown_backend")
    assert "a, b" in wrong.error["message"]


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, openai.BadRequestError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
async def test_an_upstreams_refusal_raises_openais_own_exception(status, raised):
    async def script(wire):
        error = {"message": "no such thing", "type": "t", "param": "p", "code": "c"}
        await wire.json({"error": error}, status, retry_after="7")

    async with running(script) as (r, _), client(r) as c:
        with pytest.raises(raised, match="no such thing") as error:
            await c.chat.completions.create(model="a", messages=HI)
    if status == 429:
        assert int(error.value.response.headers["retry-after"]) >= 7


async def test_an_unknown_model_raises_not_found():
    async with running() as (r, _), client(r) as c:
        with pytest.raises(openai.NotFoundError, match="gpt-9"):
            await c.chat.completions.create(model="gpt-9", messages=HI)


async def test_keys_raise_authentication_and_permission_errors():
    text, key = new_key("k", "", plans=("fast",))
    async with running(keys=[key]) as (r, _):
        async with client(r) as c:
            with pytest.raises(openai.AuthenticationError):
                await c.chat.completions.create(model="auto", messages=HI)
        async with openai.AsyncOpenAI(base_url=r.url + "/v1", api_key=text) as c:
            assert (await c.chat.completions.create(model="auto", messages=HI)).choices
            with pytest.raises(openai.PermissionDeniedError, match="fast"):
                await c.chat.completions.create(model="premium", messages=HI)


async def test_models_are_listed_and_found():
    async with running() as (r, _), client(r) as c:
        assert [m.id async for m in await c.models.list()] == ["auto", "fast", "premium", "a", "b"]
        assert (await c.models.retrieve("fast")).owned_by == "plan"
        with pytest.raises(openai.NotFoundError):
            await c.models.retrieve("nope")


async def test_a_decision_is_explained_in_the_body_only_when_asked_for():
    async with running() as (r, _):
        plain = (await r.chat()).json
        explained = (await r.chat(headers={"x-waggle-explain": "true"})).json
        streamed = (await r.chat(headers={"x-waggle-explain": "true"}, stream=True)).events
    assert "waggle" not in plain
    assert explained["waggle"]["plan"] == "fast"
    assert explained["waggle"]["attempts"][0]["backend"] == "a"
    assert explained["waggle"]["attempts"][0]["cost_usd"] == pytest.approx(0.0002)
    assert streamed[0]["waggle"]["probabilities"] == {"fast": 1.0, "premium": 0.0}
    assert all("waggle" not in chunk for chunk in streamed[1:])


async def test_route_decides_without_answering():
    async with running() as (r, up):
        body = {"model": "auto", "messages": HI}
        route = (await r.post("/v1/route", body)).json
    assert route["eligible"] == ["fast", "premium"]
    assert route["probabilities"] == {"fast": 1.0, "premium": 0.0}
    assert set(route["complexity"]["parts"]) >= {"fields", "nesting", "code", "question"}
    assert "complexity" in route["reason"]
    assert route["kind"] == "text"
    assert up.seen == []
    assert r.journal.traces == []


async def test_a_conversation_stays_with_its_backend_even_when_it_grows_hard():
    hard = "Prove, derive, compare and analyse why, step by step, and design it"
    more = [*HI, {"role": "assistant", "content": "hello"}, {"role": "user", "content": hard}]
    async with running() as (r, _):
        first = await r.chat()
        turn = await r.post("/v1/chat/completions", {"model": "auto", "messages": more})
        fresh = await r.chat(hard)
    assert first.headers["x-waggle-backend"] == "a"
    assert (turn.headers["x-waggle-backend"], turn.headers["x-waggle-strategy"]) == ("a", "sticky")
    assert fresh.headers["x-waggle-backend"] == "b"


@pytest.mark.parametrize(
    "name",
    [
        {"headers": {"x-session-id": "s1"}},
        {"metadata": {"session_id": "s1"}},
        {"conversation": "s1"},
        {"conversation": {"id": "s1"}},
    ],
)
async def test_a_caller_may_name_a_session_in_four_ways(name):
    hard = "Prove, derive, compare and analyse why, step by step, and design it"
    async with running() as (r, _):
        await r.chat("hi", **json.loads(json.dumps(name)))
        turn = await r.chat(hard, **json.loads(json.dumps(name)))
    assert turn.headers["x-waggle-strategy"] == "sticky"


async def test_another_router_knows_a_conversation_after_one_exchange():
    async with running() as (r, up):
        await r.chat(headers={"x-session-id": "s1"})
        async with rig(TWO.format(url=up.url), hive=r.hive) as other:
            await r.background.exchange()
            await other.background.exchange()
            answer = await other.chat(headers={"x-session-id": "s1"})
    assert answer.headers["x-waggle-strategy"] == "sticky"


async def test_each_request_is_written_down_with_exact_propensities():
    async with running() as (r, _):
        answer = await r.chat()
        await r.chat(stream=True)
        [plain, streamed] = r.journal.traces
    assert plain.request.id == answer.headers["x-waggle-request-id"]
    assert sum(plain.decision.probabilities.values()) == pytest.approx(1)
    assert plain.attempts[0].usage.output_tokens == 50
    assert streamed.cost_usd == pytest.approx(0.0002)
    assert 0 < streamed.first_byte_seconds <= streamed.seconds


async def test_overhead_counts_no_time_of_the_upstream_and_duration_does():
    async def slow(wire):
        await asyncio.sleep(0.2)
        await wire.json(completion())

    async with running(slow) as (r, _):
        answer = await r.chat()
        text = (await r.get("/metrics")).body.decode()
    assert 'waggle_requests_total{plan="fast",status="200",router="r1"} 1.0' in text
    tokens = 'gen_ai_client_token_usage_total{gen_ai_token_type="output",gen_ai_request_model="a"'
    assert tokens in text
    duration = "gen_ai_client_operation_duration_seconds_sum"
    [line] = [line for line in text.splitlines() if line.startswith(duration)]
    seconds = float(line.rpartition(" ")[2])
    overhead = float(answer.headers["x-waggle-overhead-ms"]) / 1000
    assert seconds >= overhead + 0.2 - 0.001  # the header is rounded


async def test_metrics_show_every_routers_counters():
    async with running() as (r, up), rig(TWO.format(url=up.url), hive=r.hive, name="r2") as other:
        await other.chat()
        await other.background.exchange()
        text = (await r.get("/metrics")).body.decode()
    assert 'plan="fast",status="200",router="r2"' in text


async def test_health_shows_the_state_of_each_backend():
    async with running() as (r, _):
        assert (await r.get("/health/live")).json["status"] == "live"
        ready = await r.get("/health/ready")
        r.backends.listening.clear()
        not_ready = await r.get("/health/ready")
    assert ready.json["backends"]["a"] == {"state": "up", "replicas": 1}
    assert (not_ready.status, not_ready.json["status"]) == (503, "not ready")


@pytest.mark.parametrize(
    "path", ["/health", "/health/live", "/health/ready", "/v1/models", "/v1/trials", "/metrics"]
)
async def test_head_is_answered_like_get_without_a_body(path):
    async with Upstream().listening() as up, rig(TWO.format(url=up.url)) as r:
        get = await r.get(path)
        async with r.client.head(r.url + path) as head:
            body = await head.read()
        assert (await r.get("/health/live")).status == 200  # the connection is in order
    assert head.status == get.status
    assert head.headers["content-type"] == get.headers["content-type"]
    assert int(head.headers["content-length"]) > 0
    assert body == b""


async def test_ready_says_degraded_and_why_while_it_still_answers():
    async with running() as (r, _):
        r.hive.away = True
        await r.background.exchange()
        r.router.engine.steady = lambda: time.monotonic() + 60
        degraded = await r.get("/health/ready")
        answer = await r.chat()
        r.hive.away = False
        await r.background.exchange()
        ready = await r.get("/health/ready")
    assert (degraded.status, degraded.json["status"]) == (200, "degraded")
    (reason,) = degraded.json["reasons"]
    assert reason.startswith("the hive has not answered for ")
    assert answer.status == 200
    assert ready.json["status"] == "ready"
    assert "reasons" not in ready.json


async def test_a_reconfigured_router_fails_no_request_on_the_way():
    async def slow(wire):
        await asyncio.sleep(0.02)
        await wire.json(completion())

    async with running(slow) as (r, _):
        chats = [asyncio.create_task(r.chat()) for _ in range(20)]
        for price in range(10):
            config = r.engine.config
            a = config.backends["a"].model_copy(
                update={"price": type(config.backends["a"].price)(input=price, output=0)}
            )
            changed = config.model_copy(update={"backends": {**config.backends, "a": a}})
            r.router.reconfigure(changed, [])
            chats.append(asyncio.create_task(r.chat()))
            await asyncio.sleep(0.005)
        answers = [await chat for chat in chats]
        last = await r.chat()
    assert {a.status for a in answers} == {200}
    assert last.json["usage"]["cost"] == pytest.approx(100 * 9 / 1e6)


async def test_an_upstream_that_answers_json_to_a_stream_is_passed_on_as_json():
    async def script(wire):
        await wire.json(completion())

    async with running(script) as (r, _):
        answer = await r.chat(stream=True)
    assert answer.json["choices"][0]["message"]["content"] == "hello"


async def test_a_stream_with_a_finish_reason_may_end_without_done():
    async def script(wire):
        wire.events()
        await wire.event(delta("hi"))
        await wire.event(delta(finish="stop"))
        await wire.chunk(b"")

    async with running(script) as (r, _):
        events = (await r.chat(stream=True)).events
    assert events[-1] == "[DONE]"
    assert events[-2]["usage"]["cost_estimated"] is True
