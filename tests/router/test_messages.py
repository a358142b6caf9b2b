"""The official client of Anthropic, unmodified, against a running Waggle: over chat backends,
Anthropic's own API, a cascade, memory and computing."""

import asyncio
import base64
import json
from contextlib import AsyncExitStack, asynccontextmanager

import anthropic
import pytest
from anthropic.types import MessageTokensCount

from router.config.server import KeyLimits
from router.keys import new_key
from tests.dialect_servers import VERSIONS, AnthropicServer, anthropic_error, message, text
from tests.dialects.message_events import checked, events_in
from tests.rig import rig
from tests.upstream import Upstream, answer_well, completion, delta

CONFIG = """
backends:
  chat: {{kind: openai, base_url: "{chat}", price: {{input: 1, output: 2}}, retry: {{times: 0}},
         capabilities: [chat, tools, json, images]}}
  claude: {{kind: anthropic, base_url: "{claude}", model: claude-sonnet-4-5, api_key: "${{K}}",
            price: {{input: 1, output: 2}}, retry: {{times: 0}}}}
plans:
  over-chat: {{ask: chat}}
  over-claude: {{ask: claude}}
  translated: {{ask: claude, set: {{max_tokens: 9000}}}}
  cascaded: {{cascade: [chat, claude], accept: {{regex: "three"}}}}
  escalated: {{cascade: [chat, claude], accept: {{regex: "four"}}}}
"""
CONFIG = CONFIG.replace("server: {{reuse: {{}}}}\n", "").replace(
    "  sandbox: {{kind: sandbox}}\n", ""
)
HI = [{"role": "user", "content": "hi"}]
WEATHER = {
    "name": "weather",
    "description": "The weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
PLANS = ["over-chat", "over-claude", "translated", "cascaded", "escalated"]
PNG = base64.b64encode(b"\x89PNG").decode()
USE = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Oslo"}}


async def chat_server(wire):
    """Calls the tool, if there is one, and thinks aloud where it is asked to."""
    fields = wire.fields
    if not fields.get("tools") or fields["messages"][-1]["role"] == "tool":
        if fields.get("reasoning_effort") is None and "think" not in str(fields["messages"]):
            await answer_well(wire)
            return
        spoken = {"reasoning_content": "Hm.", "content": "one two three"}
    else:
        call = {"id": "call_1", "type": "function", "index": 0}
        function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
        spoken = {"tool_calls": [call | {"function": function}]}
    finish = "tool_calls" if "tool_calls" in spoken else "stop"
    if not fields.get("stream"):
        answer = completion()
        answer["choices"][0] |= {"finish_reason": finish}
        answer["choices"][0]["message"] = {"role": "assistant", "content": None} | spoken
        await wire.json(answer)
        return
    wire.events()
    for name, value in spoken.items():
        chunk = delta()
        chunk["choices"][0]["delta"] = {name: value}
        await wire.event(chunk)
    await wire.event(delta(finish=finish))
    await wire.event(b"[DONE]")
    await wire.chunk(b"")


@asynccontextmanager
async def served(keys=(), config=CONFIG):
    claude = AnthropicServer()
    async with (
        Upstream(chat_server).listening() as openai,
        Upstream(claude).listening() as own,
    ):
        text_of = config.format(chat=openai.url, claude=own.url.removesuffix("/v1"))
        async with rig(text_of, keys=keys) as waggle:
            waggle.openai, waggle.own, waggle.claude = openai, own, claude
            async with AsyncExitStack() as waggle.clients:
                yield waggle


def client_of(waggle, **more):
    settings = {"api_key": "none", "max_retries": 0} | more
    client = anthropic.AsyncAnthropic(base_url=waggle.url, **settings)
    waggle.clients.push_async_callback(client.close)
    return client


def question(model, **more):
    return {"model": model, "max_tokens": 4000, "messages": HI} | more


@pytest.mark.parametrize("model", PLANS)
async def test_messages_and_streams_say_the_same(model):
    async with served() as waggle:
        client = client_of(waggle)
        whole = await client.messages.create(**question(model, system="Be brief."))
        async with client.messages.stream(**question(model)) as stream:
            pieces = [piece async for piece in stream.text_stream]
            final = await stream.get_final_message()
    assert whole.content[0].text == ("hello" if model == "over-chat" else whole.content[0].text)
    assert "".join(pieces) == final.content[0].text == "one two three"
    assert (whole.stop_reason, final.stop_reason) == ("end_turn", "end_turn")
    assert final.usage.output_tokens > 0
    assert whole.usage.input_tokens > 0


@pytest.mark.parametrize("model", PLANS)
async def test_the_events_of_a_stream_have_the_published_order(model):
    async with served() as waggle:
        answer = await waggle.post("/v1/messages", question(model, stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert checked(events_in(answer.body))["content"] == [text("one two three")]


def test_the_synchronous_client_works_too():
    async def run():
        async with served() as waggle:
            return await asyncio.to_thread(_ask_synchronously, waggle.url)

    words, streamed, count = asyncio.run(run())
    assert (words, streamed, count) == ("hello", "one two three", 4711)


def _ask_synchronously(url):
    with anthropic.Anthropic(base_url=url, auth_token="none", max_retries=0) as client:
        words = client.messages.create(**question("over-chat")).content[0].text
        with client.messages.stream(**question("over-chat")) as stream:
            streamed = stream.get_final_text()
        counted = client.messages.count_tokens(model="over-claude", messages=HI)
    return words, streamed, counted.input_tokens


@pytest.mark.parametrize("model", ["over-chat", "over-claude", "translated"])
async def test_a_loop_of_tools_runs_to_its_end(model):
    async with served() as waggle:
        waggle.claude.answer = message(text("I look."), USE, stop="tool_use")
        client = client_of(waggle)
        async with client.messages.stream(**question(model, tools=[WEATHER])) as stream:
            called = await stream.get_final_message()
        use = called.content[-1]
        assert (called.stop_reason, use.name, use.input) == (
            "tool_use",
            "weather",
            {"city": "Oslo"},
        )
        waggle.claude.answer = message(text("Cold."))
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "4 °C"}
        turns = [
            *HI,
            {"role": "assistant", "content": [block.to_dict() for block in called.content]},
            {"role": "user", "content": [result]},
        ]
        last = await client.messages.create(**question(model, tools=[WEATHER], messages=turns))
    assert last.stop_reason == "end_turn"
    if model == "over-chat":
        assert waggle.openai.seen[-1].fields["messages"][-1] == {
            "role": "tool",
            "tool_call_id": "call_1",
            "content": "4 °C",
        }


async def test_images_and_documents_reach_a_chat_backend():
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    document = {"type": "text", "media_type": "text/plain", "data": "Bees dance."}
    blocks = [
        {"type": "image", "source": source},
        {"type": "document", "source": document, "title": "Bees"},
        {"type": "text", "text": "What is it?"},
    ]
    async with served() as waggle:
        turns = [{"role": "user", "content": blocks}]
        await client_of(waggle).messages.create(**question("over-chat", messages=turns))
        [user] = waggle.openai.seen[-1].fields["messages"]
    assert [part["type"] for part in user["content"]] == ["image_url", "text", "text"]
    assert user["content"][0]["image_url"]["url"] == f"data:image/png;base64,{PNG}"
    assert user["content"][1]["text"] == '<document title="Bees">\nBees dance.\n</document>'


@pytest.mark.parametrize("model", ["over-chat", "over-claude", "translated"])
async def test_thoughts_are_shown_and_go_back_only_to_who_signed_them(model):
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    thinking = {"type": "adaptive"}
    turns = [{"role": "user", "content": "think"}]
    async with served() as waggle:
        waggle.claude.answer = message(thought, text("one two three"))
        client = client_of(waggle)
        first = question(model, messages=turns, thinking=thinking)
        async with client.messages.stream(**first) as stream:
            answer = await stream.get_final_message()
        own = model == "over-chat"
        assert answer.content[0].to_dict() == thought | ({"signature": "waggle"} if own else {})
        spoken = {"role": "assistant", "content": [block.to_dict() for block in answer.content]}
        again = [*turns, spoken, {"role": "user", "content": "think again"}]
        await client.messages.create(**question("over-claude", messages=again, thinking=thinking))
        sent = waggle.own.seen[-1].fields["messages"][1]["content"]
    assert [block["type"] for block in sent] == (["text"] if own else ["thinking", "text"])


async def test_tokens_are_counted_by_who_can():
    async with served() as waggle:
        client = client_of(waggle).messages
        counts = {
            model: await client.with_raw_response.count_tokens(model=model, messages=HI)
            for model in ("over-chat", "over-claude", "auto", "cascaded")
        }
        by = {model: reply.headers["x-waggle-counted-by"] for model, reply in counts.items()}
        own = await counts["over-claude"].parse()
        estimate = await counts["over-chat"].parse()
        assert waggle.journal.traces == []
    assert by["over-claude"] == "claude"
    assert by["over-chat"] == by["cascaded"] == "estimate"
    assert own == MessageTokensCount(input_tokens=4711)
    assert 1 <= estimate.input_tokens <= 20


async def test_an_estimate_grows_with_tools_and_pictures():
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    picture = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    async with served() as waggle:
        count = client_of(waggle).messages.count_tokens
        plain = (await count(model="over-chat", messages=HI)).input_tokens
        tools = (await count(model="over-chat", messages=HI, tools=[WEATHER])).input_tokens
        seen = (await count(model="over-chat", messages=picture)).input_tokens
    assert plain < tools < seen


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"model": "nobody"}, anthropic.NotFoundError, "`nobody` does not exist"),
        ({"messages": []}, anthropic.BadRequestError, "at least one message"),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            anthropic.BadRequestError,
            "'web_search_20250305'",
        ),
        ({"max_tokens": -1}, anthropic.BadRequestError, "`max_tokens`"),
        (
            {"extra_headers": {"anthropic-version": "2020-01-01"}},
            anthropic.BadRequestError,
            "must be 2026-10-21 or 2023-06-01",
        ),
        (
            {"extra_headers": {"x-waggle-max-cost": "free"}},
            anthropic.BadRequestError,
            "x-waggle-max-cost",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_of_ours_is_the_clients_own(more, error, words, stream):
    async with served() as waggle:
        client = client_of(waggle)
        with pytest.raises(error, match="error") as failure:
            await client.messages.create(**question("over-chat", stream=stream) | more)
    assert words in failure.value.body["error"]["message"]
    assert failure.value.request_id == failure.value.body["request_id"]


async def test_a_server_tool_goes_to_a_backend_that_speaks_the_dialect():
    search = {"type": "web_search_20250305", "name": "web_search"}
    async with served() as waggle:
        reply = await client_of(waggle).messages.with_raw_response.create(
            **question("auto", tools=[search])
        )
        assert waggle.own.seen[-1].fields["tools"] == [search]
    assert reply.headers["x-waggle-backend"] == "claude"


async def test_who_has_no_key_is_told_so_and_either_header_carries_it():
    written, key = new_key("app", "2026-01-01T00:00:00+00:00", scopes=("app",))
    async with served(keys=[key]) as waggle:
        with pytest.raises(anthropic.AuthenticationError) as failure:
            await client_of(waggle, api_key="wg-wrong").messages.create(**question("over-chat"))
        assert failure.value.body["error"]["type"] == "authentication_error"
        for named in ({"api_key": written}, {"api_key": None, "auth_token": written}):
            client = client_of(waggle, **named)
            assert (await client.messages.create(**question("over-chat"))).content
            assert [model.id async for model in client.models.list(limit=2)][:2] == [
                "auto",
                "over-chat",
            ]
        bare = {"x-api-key": written}
        answer = await waggle.post("/v1/messages", question("over-chat"), **bare)
        assert answer.status == 200


async def test_a_limit_is_an_error_that_the_client_knows():
    limits = KeyLimits(requests_per_minute=1)
    written, key = new_key("app", "2026-01-01T00:00:00+00:00", scopes=("app",), limits=limits)
    async with served(keys=[key]) as waggle:
        client = client_of(waggle, api_key=written)
        await client.messages.create(**question("over-chat"))
        with pytest.raises(anthropic.RateLimitError) as failure:
            await client.messages.create(**question("over-chat"))
    assert failure.value.body["error"]["type"] == "rate_limit_error"
    assert int(failure.value.response.headers["retry-after"]) > 0


async def test_a_refusal_of_anthropics_api_arrives_as_it_came():
    refusal = anthropic_error("invalid_request_error", "max_tokens: too large")

    async def refusing(wire):
        await wire.json(refusal, 400)

    async with served() as waggle:
        waggle.own.script = refusing
        with pytest.raises(anthropic.BadRequestError) as failure:
            await client_of(waggle).messages.create(**question("over-claude"))
    assert failure.value.body == refusal


@pytest.mark.parametrize("model", ["over-chat", "over-claude"])
async def test_a_stream_that_breaks_ends_with_an_error_that_the_client_raises(model):
    async def torn(wire):
        wire.events()
        if wire.path.endswith("/messages"):
            begun = {"type": "message_start", "message": message() | {"stop_reason": None}}
            await wire.chunk(f"event: message_start\ndata: {json.dumps(begun)}\n\n".encode())
        else:
            await wire.event(delta("one "))
        await wire.chunk(b"")

    async with served() as waggle:
        waggle.openai.script = waggle.own.script = torn
        with pytest.raises(anthropic.APIStatusError) as failure:
            async with client_of(waggle).messages.stream(**question(model)) as stream:
                await stream.get_final_message()
        answer = await waggle.post("/v1/messages", question(model, stream=True))
    assert failure.value.body["error"]["type"] == "api_error"
    assert events_in(answer.body)[-1]["type"] == "error"


async def test_the_callers_version_and_betas_reach_anthropics_api():
    async with served() as waggle:
        client = client_of(waggle)
        await client.messages.create(
            **question("over-claude"), extra_headers={"anthropic-beta": "b1,b2"}
        )
        headers = waggle.own.seen[-1].headers
    assert (headers["anthropic-beta"], headers["anthropic-version"]) == ("b1,b2", VERSIONS[0])


async def test_a_models_page_is_anthropics():
    async with served() as waggle:
        page = await client_of(waggle).models.list(limit=3)
        names = [model.id async for model in page]
        single = await client_of(waggle).models.retrieve("over-chat")
        with pytest.raises(anthropic.NotFoundError):
            await client_of(waggle).models.retrieve("nobody")
        plain = await waggle.get("/v1/models")
    assert (page.has_more, page.first_id, len(page.data)) == (True, "auto", 3)
    assert names == [model["id"] for model in plain.json["data"]]
    assert (single.id, single.type, single.lifecycle) == ("over-chat", "model", "active")


async def test_what_was_left_out_is_named_only_where_it_was_left_out():
    more = {"metadata": {"user_id": "u1"}, "cache_control": {"type": "ephemeral"}}
    async with served() as waggle:
        client = client_of(waggle).messages.with_raw_response
        chat = await client.create(**question("over-chat"), **more)
        own = await client.create(**question("over-claude"), **more)
        assert "metadata" not in waggle.openai.seen[-1].fields
        assert waggle.own.seen[-1].fields["metadata"] == {"user_id": "u1"}
    assert chat.headers["x-waggle-left-out"] == "metadata.user_id, cache_control"
    assert "x-waggle-left-out" not in own.headers


@pytest.mark.parametrize("model", PLANS)
async def test_an_explained_stream_keeps_the_names_of_its_events(model):
    async with served() as waggle:
        body = question(model, stream=True)
        answer = await waggle.post("/v1/messages", body, **{"x-waggle-explain": "true"})
    events = events_in(answer.body)
    assert checked(events)["content"] == [text("one two three")]
    assert events[0]["waggle"]["plan"] == model
