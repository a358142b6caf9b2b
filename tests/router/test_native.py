"""A request in its caller's own dialect passes a backend of that dialect with every byte it had."""

import json
from collections.abc import AsyncIterator

import orjson
import pytest

from router.api.ask import AskEndpoint
from router.api.dialects.dialect import OpenAIErrors
from router.api.parse import chat_request, parse_body
from router.api.routes import Route, Routes
from router.domain import Native
from router.telemetry.rows import request_row
from tests.dialect_servers import USAGE, anthropic_error, events_of, message, text
from tests.rig import rig
from tests.upstream import Upstream, answer_well, completion

CONFIG = """
backends:
  claude: {{kind: anthropic, base_url: "{url}", model: "claude-9", api_key: "${{K}}",
            price: {{input: 1, output: 2}}, retry: {{times: 0}}}}
  gpt: {{kind: openai, base_url: "{url}/v1", model: "gpt-9", dialects: [chat, responses],
         price: {{input: 1, output: 2}}, retry: {{times: 0}}}}
  plain: {{kind: openai, base_url: "{url}/v1", model: "plain-1", price: {{input: 1, output: 2}}}}
plans:
  claude: {{ask: claude}}
  gpt: {{ask: gpt}}
  plain: {{ask: plain}}
  either: {{ask: claude, fallback: [plain]}}
  tempered: {{ask: claude, set: {{max_tokens: 7}}}}
"""
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "error": None,
    "model": "gpt-9",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "hello", "annotations": []}],
        }
    ],
    "usage": {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 15,
    },
}


class Door(OpenAIErrors):
    """A door whose requests are strings: what the inner form needs, and nothing more."""

    def __init__(self, name, *, needs=()):
        self.name, self.needs = name, needs

    def parse(self, body, headers, *, request_id, key_id):
        given = parse_body(body)
        fields = {
            "model": given["model"],
            "messages": [{"role": "user", "content": given["input"], "thinking_blocks": []}],
            "stream": given.get("stream", False),
            **given.get("inner", {}),
        }
        native = Native(self.name, f"/{self.name}", body, {"anthropic-beta": "b1"}, self.needs)
        return chat_request(
            fields,
            orjson.dumps(fields),
            headers,
            request_id=request_id,
            key_id=key_id,
            native=native,
            left_out=("metadata",),
        )

    def whole(self, request, completion):
        return orjson.dumps({"translated": orjson.loads(completion)["choices"][0]["message"]})

    async def events(self, request, chunks: AsyncIterator[bytes]):
        async for piece in chunks:
            yield piece.replace(b"data: ", b"translated: ")


async def script(wire):
    """A server of all three dialects."""
    streams = wire.fields.get("stream")
    if wire.path == "/v1/messages":
        answer = message(text("hi "), text("there"))
        events = [(event["type"], event) for event in events_of(answer)]
    elif wire.path == "/v1/responses":
        answer = RESPONSE
        events = [
            ("response.created", {"type": "response.created", "response": {"error": None}}),
            (
                "response.output_text.delta",
                {"type": "response.output_text.delta", "delta": "hello"},
            ),
            ("response.completed", {"type": "response.completed", "response": RESPONSE}),
        ]
    elif streams:
        await answer_well(wire)
        return
    else:
        await wire.json(completion())
        return
    if not streams:
        await wire.json(answer)
        return
    wire.events()
    for name, event in events:
        await wire.chunk(f"event: {name}\ndata: {json.dumps(event)}\n\n".encode())
    await wire.chunk(b"")


def add_doors(r, **more):
    doors = [Door("messages", **more), Door("responses", **more)]
    asks = [AskEndpoint(r.engine, r.router.admission, door) for door in doors]
    routes = [
        Route(f"/{door.name}", {"POST": ask.post}) for door, ask in zip(doors, asks, strict=True)
    ]
    r.router.app.routes = Routes([*r.router.app.routes.all, *routes])


@pytest.fixture
async def served():
    async with Upstream(script).listening() as upstream:
        url = upstream.url.removesuffix("/v1")
        async with rig(CONFIG.format(url=url)) as r:
            add_doors(r)
            yield r, upstream


def row_of(r):
    return request_row(r.journal.traces[-1])


async def test_the_bytes_of_a_request_and_its_answer_stay_as_they_came(served):
    r, upstream = served
    body = b'{ "model" : "claude", "input": "hi",  "thinking": {"type":"enabled"}, "n": 1.50 }'
    headers = {"content-type": "application/json"}
    async with r.client.post(r.url + "/messages", data=body, headers=headers) as answer:
        content = await answer.read()
    [wire] = upstream.seen
    assert wire.body == body.replace(b'"claude"', b'"claude-9"')
    assert wire.headers["anthropic-beta"] == "b1"
    assert content == json.dumps(message(text("hi "), text("there"))).encode()
    assert "x-waggle-left-out" not in answer.headers
    row = row_of(r)
    assert (row["dialect"], row["backend"], row["status"]) == ("messages", "claude", 200)
    assert row["gen_ai_usage_input_tokens"] == 20 + 30 + 50
    assert row["gen_ai_usage_cache_read_input_tokens"] == 50
    assert float(answer.headers["x-waggle-cost-usd"]) == pytest.approx(row["cost_usd"])


async def test_the_events_of_a_stream_stay_as_they_came(served):
    r, _ = served
    body = {"model": "claude", "input": "hi", "stream": True}
    answer = await r.post("/messages", body)
    events = events_of(message(text("hi "), text("there")))
    written = [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events]
    assert answer.body == "".join(written).encode()
    row = row_of(r)
    assert row["gen_ai_usage_output_tokens"] == USAGE["output_tokens"]
    assert row["stream"] is True


async def test_what_passes_through_need_not_be_translatable(served):
    r, _ = served
    inner = {"logprobs": True}  # Anthropic has none, and refuses the wish in chat's form
    answer = await r.post("/messages", {"model": "claude", "input": "hi", "inner": inner})
    assert answer.status == 200
    assert (await r.chat("hi", model="claude", logprobs=True)).status == 400


@pytest.mark.parametrize("stream", [False, True])
async def test_the_usage_of_responses_gains_its_cost_and_nothing_else_changes(served, stream):
    r, upstream = served
    answer = await r.post("/responses", {"model": "gpt", "input": "hi", "stream": stream})
    assert upstream.seen[-1].path == "/v1/responses"
    assert "stream_options" not in upstream.seen[-1].fields
    if stream:
        last = answer.body.decode().strip().split("\n\n")[-1]
        assert last.startswith("event: response.completed\ndata: ")
        response = json.loads(last.partition("data: ")[2])["response"]
    else:
        response = json.loads(answer.body)
    cost = response["usage"].pop("cost")
    assert cost == pytest.approx((6 + 4 + 5 * 2) / 1e6)
    assert response == RESPONSE
    assert row_of(r)["cost_usd"] == pytest.approx(cost)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_response_that_nobody_keeps_goes_out_as_it_came(served, stream):
    r, _ = served
    body = {"model": "gpt", "input": "hi", "stream": stream, "store": False}
    answer = await r.post("/v1/responses", body)
    begun, _, rest = json.dumps(RESPONSE).partition('"usage": {')
    assert f'{begun}"usage": {{'.encode() in answer.body
    assert rest.encode() in answer.body


async def test_a_backend_of_another_dialect_gets_the_chat_form_without_extensions(served):
    r, upstream = served
    answer = await r.post("/messages", {"model": "plain", "input": "hi"})
    assert upstream.seen[-1].path == "/v1/chat/completions"
    assert upstream.seen[-1].fields["messages"] == [{"role": "user", "content": "hi"}]
    assert json.loads(answer.body)["translated"]["content"] == "hello"
    assert answer.headers["x-waggle-left-out"] == "metadata"


async def test_a_plan_that_sets_parameters_sends_what_it_sets(served):
    r, upstream = served
    await r.post("/messages", {"model": "tempered", "input": "hi"})
    assert upstream.seen[-1].fields["max_tokens"] == 7
    assert "input" not in upstream.seen[-1].fields


async def test_a_fallback_of_another_dialect_answers_in_the_callers(served):
    r, upstream = served

    async def failing(wire):
        if wire.path == "/v1/messages":
            await wire.json(anthropic_error("overloaded_error", "Overloaded"), status=529)
        else:
            await script(wire)

    upstream.script = failing
    answer = await r.post("/messages", {"model": "either", "input": "hi"})
    assert json.loads(answer.body)["translated"]["content"] == "hello"
    assert row_of(r)["backend"] == "plain"


async def test_a_refusal_keeps_its_form_and_its_words(served):
    r, upstream = served
    refusal = anthropic_error("invalid_request_error", "max_tokens: too large")

    async def refusing(wire):
        await wire.json(refusal, status=400)

    upstream.script = refusing
    answer = await r.post("/messages", {"model": "claude", "input": "hi"})
    assert (answer.status, json.loads(answer.body)) == (400, refusal)


@pytest.mark.parametrize("path", ["messages", "responses"])
async def test_a_stream_without_its_last_event_is_broken_and_says_so(served, path):
    r, upstream = served

    async def torn(wire):
        wire.events()
        started = events_of(message(text("hi")))[0] if path == "messages" else {"type": "x"}
        await wire.chunk(f"data: {json.dumps(started)}\n\n".encode())
        await wire.chunk(b"")

    upstream.script = torn
    model = "claude" if path == "messages" else "gpt"
    answer = await r.post(f"/{path}", {"model": model, "input": "hi", "stream": True})
    last = answer.body.decode().strip().split("\n\n")[-1]
    assert last.startswith("event: error\ndata: ")
    assert json.loads(last.partition("data: ")[2])["type"] == "error"
    assert row_of(r)["error_type"] == "stream_broken"


async def test_what_chat_cannot_say_goes_only_to_a_backend_that_speaks_the_dialect():
    async with Upstream(script).listening() as upstream:
        url = upstream.url.removesuffix("/v1")
        async with rig(CONFIG.format(url=url)) as r:
            add_doors(r, needs=("tools[0].type",))
            answer = await r.post("/responses", {"model": "gpt", "input": "hi"})
            refused = await r.post("/responses", {"model": "plain", "input": "hi"})
            tempered = await r.post("/messages", {"model": "tempered", "input": "hi"})
            chosen = await r.post("/responses", {"model": "auto", "input": "hi"})
    assert answer.status == 200
    assert refused.status == 400
    assert "does not speak responses, which tools[0].type needs" in refused.error["message"]
    assert "asks one backend, and changes nothing" in tempered.error["message"]
    assert (chosen.status, chosen.headers["x-waggle-backend"]) == (200, "gpt")
