"""OpenAI's official client, unmodified, against `/v1/responses` of a running Waggle: over backends
that speak chat, Anthropic's dialect and Responses itself, over plans and over memory."""

import asyncio
import json
from contextlib import asynccontextmanager

import openai
import pytest
from pydantic import BaseModel

from tests.dialect_servers import AnthropicServer, message, text
from tests.dialects.response_order import check_response, check_stream, events_in
from tests.rig import rig
from tests.upstream import Upstream, answer_well, completion, delta

CONFIG = """
backends:
  chat: {{kind: openai, base_url: "{url}", price: {{input: 1, output: 2}}, retry: {{times: 0}},
          capabilities: [chat, tools, json, images]}}
  claude: {{kind: anthropic, base_url: "{claude}", model: claude-sonnet-4-5, api_key: "${{K}}",
            price: {{input: 1, output: 2}}, retry: {{times: 0}}}}
  native: {{kind: openai, base_url: "{url}", model: gpt-9, dialects: [chat, responses],
            price: {{input: 1, output: 2}}, retry: {{times: 0}}}}
{backends}
plans:
  chat: {{ask: chat}}
  claude: {{ask: claude}}
  native: {{ask: native}}
  stepped: {{cascade: [chat, claude], accept: {{regex: hello}}}}
  set: {{ask: native, set: {{reasoning_effort: low}}}}
{plans}
"""
OWN_BACKENDS = "  own: {kind: generator}\n  sandbox: {kind: sandbox}"
OWN_PLANS = """\
  records: {ask: own}
  compute: {code: sandbox, words: own}
reuse: {mode: exact}"""
LOOK = {"type": "function", "name": "look", "strict": False}
LOOK |= {"parameters": {"type": "object", "properties": {"at": {"type": "string"}}}}
PATCH = {"type": "custom", "name": "patch", "description": "Change files."}
IMAGE = "data:image/png;base64,aGk="


def call(name, arguments):
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def answering(message):
    """A chat server that answers with this message, whole or in pieces."""

    async def script(wire):
        finish = "tool_calls" if "tool_calls" in message else "stop"
        if not wire.fields.get("stream"):
            answer = completion()
            answer["choices"][0] |= {"message": {"role": "assistant"} | message}
            answer["choices"][0]["finish_reason"] = finish
            await wire.json(answer)
            return
        wire.events()
        for name, value in message.items():
            pieces = (
                [[c | {"index": n} for n, c in enumerate(value)]] if name == "tool_calls" else value
            )
            for piece in pieces or ():
                chunk = delta()
                chunk["choices"][0]["delta"] = {name: piece}
                await wire.event(chunk)
        await wire.event(delta(finish=finish))
        await wire.event(delta() | {"choices": [], "usage": completion()["usage"]})
        await wire.event(b"[DONE]")
        await wire.chunk(b"")

    return script


@asynccontextmanager
async def served(script=answer_well, claude=None, *, own=False):
    server = claude or AnthropicServer()
    async with Upstream(script).listening() as up, Upstream(server).listening() as other:
        config = CONFIG.format(
            url=up.url,
            claude=other.url.removesuffix("/v1"),
            backends=OWN_BACKENDS if own else "",
            plans=OWN_PLANS if own else "",
        )
        async with rig(config) as r:
            r.upstream, r.claude = up, server
            client = openai.AsyncOpenAI(base_url=f"{r.url}/v1", api_key="x", max_retries=0)
            async with client as r.openai:
                yield r


async def stream_of(r, **more):
    body = {"model": "chat", "input": "hi", "stream": True} | more
    answer = await r.post("/v1/responses", body)
    assert answer.status == 200, answer.body
    return events_in(answer.body)


async def test_text_comes_back_whole_and_in_pieces():
    async with served() as r:
        whole = await r.openai.responses.create(model="chat", input="hi", instructions="Be brief.")
        stream = await r.openai.responses.create(model="chat", input="hi", stream=True)
        pieces = [event.delta async for event in stream if event.type.endswith("text.delta")]
        async with r.openai.responses.stream(model="chat", input="hi") as gathered:
            final = await gathered.get_final_response()
        sent = r.upstream.seen[0].fields["messages"]
    assert whole.output_text == "hello"
    assert sent == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    assert (whole.usage.total_tokens, whole.usage.cost) == (150, 0.0002)
    assert (pieces, final.output_text) == (["one ", "two ", "three"], "one two three")
    assert final.usage.cost == 0.0002


async def test_the_synchronous_client_gets_the_same():
    async with served() as r:

        def ask():
            with openai.OpenAI(base_url=f"{r.url}/v1", api_key="x", max_retries=0) as client:
                whole = client.responses.create(model="chat", input="hi")
                with client.responses.stream(model="chat", input="hi") as stream:
                    return whole.output_text, stream.get_final_response().output_text

        assert await asyncio.to_thread(ask) == ("hello", "one two three")


class Place(BaseModel):
    city: str


@pytest.mark.parametrize("model", ["chat", "claude"])
async def test_structured_output_is_parsed(model):
    words = '{"city": "Paris"}'
    claude = AnthropicServer(message(text(words)))
    async with served(answering({"content": words}), claude) as r:
        parsed = await r.openai.responses.parse(model=model, input="Where?", text_format=Place)
        async with r.openai.responses.stream(
            model=model, input="Where?", text_format=Place
        ) as stream:
            streamed = await stream.get_final_response()
    assert parsed.output_parsed == streamed.output_parsed == Place(city="Paris")


@pytest.mark.parametrize("model", ["chat", "claude"])
@pytest.mark.parametrize("streams", [False, True])
async def test_a_loop_of_tools_comes_to_its_end(model, streams):
    used = {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": "a"}}
    claude = AnthropicServer(message(used, stop="tool_use"))
    asks = {"content": None, "tool_calls": [call("look", '{"at":"a"}')]}
    async with served(answering(asks), claude) as r:

        async def ask(items):
            if not streams:
                return await r.openai.responses.create(model=model, input=items, tools=[LOOK])
            async with r.openai.responses.stream(model=model, input=items, tools=[LOOK]) as stream:
                return await stream.get_final_response()

        items = [{"role": "user", "content": "go"}]
        first = await ask(items)
        [made] = [item for item in first.output if item.type == "function_call"]
        items += [item.model_dump(exclude_none=True) for item in first.output]
        items.append({"type": "function_call_output", "call_id": made.call_id, "output": "seen"})
        r.upstream.script = answering({"content": "hello"})
        claude.answer = message(text("hello"))
        last = await ask(items)
        sent = r.upstream.seen[-1].fields["messages"] if model == "chat" else claude.bodies[-1]
    assert (made.name, json.loads(made.arguments)) == ("look", {"at": "a"})
    assert last.output_text == "hello"
    if model == "chat":
        assert [entry["role"] for entry in sent] == ["user", "assistant", "tool"]
    else:
        assert sent["messages"][-1]["content"][0]["type"] == "tool_result"


async def test_a_custom_tool_is_called_with_plain_text_and_answered():
    asks = {"tool_calls": [call("patch", '{"input": "*** Begin"}')]}
    async with served(answering(asks)) as r:
        first = await r.openai.responses.create(model="chat", input="go", tools=[PATCH])
        check_stream(await stream_of(r, tools=[PATCH]))
        [made] = first.output
        output = {"type": "custom_tool_call_output", "call_id": made.call_id, "output": "done"}
        items = [{"role": "user", "content": "go"}, made.model_dump(exclude_none=True), output]
        await r.openai.responses.create(model="chat", input=items, tools=[PATCH])
        sent = r.upstream.seen[-1].fields["messages"]
    assert (made.type, made.name, made.input) == ("custom_tool_call", "patch", "*** Begin")
    assert sent[1]["tool_calls"][0]["function"]["arguments"] == '{"input":"*** Begin"}'
    assert sent[2]["content"] == "done"


async def test_images_reach_the_backend():
    content = [{"type": "input_text", "text": "see"}]
    content.append({"type": "input_image", "image_url": IMAGE, "detail": "low"})
    async with served() as r:
        for model in ("chat", "claude"):
            items = [{"role": "user", "content": content}]
            await r.openai.responses.create(model=model, input=items)
        sent = r.upstream.seen[0].fields["messages"][0]["content"]
    assert sent[1] == {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}}
    assert r.claude.bodies[0]["messages"][0]["content"][1]["type"] == "image"


async def test_reasoning_goes_to_the_caller_and_comes_back_with_its_signature():
    thinking = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    used = {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": "a"}}
    claude = AnthropicServer(message(thinking, used, stop="tool_use"))
    more = {"reasoning": {"effort": "low", "summary": "auto"}, "tools": [LOOK], "store": False}
    more |= {"include": ["reasoning.encrypted_content"]}
    async with served(claude=claude) as r:
        first = await r.openai.responses.create(model="claude", input="go", **more)
        events = await stream_of(r, model="claude", **more)
        items = [{"role": "user", "content": "go"}]
        items += [item.model_dump(exclude_none=True) for item in first.output]
        items.append({"type": "function_call_output", "call_id": "call_1", "output": "seen"})
        await r.openai.responses.create(model="claude", input=items, **more)
    assert [item.type for item in first.output] == ["reasoning", "function_call"]
    assert first.output[0].summary[0].text == "hm"
    assert check_stream(events)["output"][0]["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert claude.bodies[-1]["messages"][1]["content"][0] == thinking


@pytest.mark.parametrize("streams", [False, True])
async def test_a_backend_that_speaks_responses_gets_every_byte(streams):
    response = {"id": "resp_9", "object": "response", "status": "completed", "output": []}
    response |= {"usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}}

    async def script(wire):
        assert wire.path == "/v1/responses"
        if not streams:
            await wire.json(response)
            return
        wire.events()
        event = {"type": "response.completed", "response": response}
        await wire.chunk(f"event: response.completed\ndata: {json.dumps(event)}\n\n".encode())
        await wire.chunk(b"")

    body = {"model": "native", "input": "hi", "tools": [{"type": "web_search"}], "stream": streams}
    async with served(script) as r:
        answer = await r.post("/v1/responses", body)
        sent = r.upstream.seen[0].fields
    assert sent == body | {"model": "gpt-9"}
    last = events_in(answer.body)[-1]["response"] if streams else json.loads(answer.body)
    assert (last["id"], last["usage"]["cost"]) == ("resp_9", pytest.approx(2e-5))


async def test_openai_is_not_sent_the_reasoning_that_only_waggle_can_read():
    ours = {"type": "reasoning", "summary": [], "encrypted_content": "waggle1.e30="}
    ours["encrypted_content"] = "waggle1.eyJyZWFzb25pbmdfY29udGVudCI6ImhtIn0="
    items = [{"role": "user", "content": "a"}, ours, {"role": "assistant", "content": "b"}]
    async with served(answering({"content": "x"})) as r:
        await r.post("/v1/responses", {"model": "native", "input": [*items, items[0]]})
        await r.post("/v1/responses", {"model": "set", "input": [*items, items[0]]})
        sent, changed = (wire.fields for wire in r.upstream.seen)
    assert [item.get("role") for item in sent["input"]] == ["user", "assistant", "user"]
    assert changed["reasoning_effort"] == "low"


async def test_a_cascade_a_computed_answer_and_records_come_in_this_dialect():
    async with served(own=True) as r:
        stepped = await r.openai.responses.create(model="stepped", input="hi")
        computed = await r.openai.responses.create(
            model="compute", input="What is the mean of [1, 2, 6]?"
        )
        streamed = await stream_of(r, model="compute", input="What is the mean of [1, 2, 6]?")
        records = await r.openai.responses.create(
            model="records", input='Two customers: {"name": "string"}', extra_body={"seed": 7}
        )
    assert stepped.output_text == "hello"
    assert json.loads(computed.output_text) == {"mean": 3.0}
    final = check_stream(streamed)
    assert json.loads(final["output"][0]["content"][0]["text"]) == {"mean": 3.0}
    assert len(json.loads(records.output_text)) == 2


async def test_what_was_answered_is_remembered_and_store_false_is_not():
    async with served(own=True) as r:
        ask = {"model": "auto", "input": "What is the mean of [1, 2, 6]?"}
        first = await r.post("/v1/responses", ask, x_waggle_plans="compute")
        again = await r.post("/v1/responses", ask, x_waggle_plans="compute")
    check_response(json.loads(first.body))
    check_response(json.loads(again.body))
    assert (
        json.loads(again.body)["output"][0]["content"]
        == json.loads(first.body)["output"][0]["content"]
    )
    assert again.headers["x-waggle-reuse"] == "exact"


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"model": "nobody"}, 404, "does not exist"),
        ({"background": True}, 400, "`background` = true is not offered"),
        ({"input": []}, 400, "at least one item"),
        ({"tools": [{"type": "web_search"}]}, 400, "web_search, which OpenAI's servers run"),
        ({"previous_response_id": "resp_none"}, 400, "'resp_none' not found"),
    ],
)
async def test_an_error_names_the_field_and_the_mend(more, status, words):
    async with served() as r:
        with pytest.raises(openai.APIStatusError) as refused:
            await r.openai.responses.create(**({"model": "chat", "input": "hi"} | more))
    assert refused.value.status_code == status
    assert words in refused.value.message


async def test_what_the_backend_was_not_sent_is_named_in_a_header():
    async with served() as r:
        body = {"model": "chat", "input": "hi", "metadata": {"task": "invoices"}}
        answer = await r.post("/v1/responses", body | {"truncation": "auto"})
        sent = r.upstream.seen[0].fields
        [trace] = r.journal.traces
    assert answer.headers["x-waggle-left-out"] == "metadata"
    assert "metadata" not in sent
    assert (trace.request.task, trace.request.dialect) == ("invoices", "responses")


async def test_a_stream_that_breaks_ends_as_a_failed_response():
    async def breaking(wire):
        wire.events()
        await wire.event(delta("one"))
        wire.close()

    async with served(breaking) as r:
        events = await stream_of(r)
    response = check_stream(events)
    assert (response["status"], events[-2]["type"]) == ("failed", "error")
    assert events[-2]["code"] == "stream_broken"


async def test_an_explanation_is_in_the_response_and_in_the_first_event():
    async with served() as r:
        body = {"model": "chat", "input": "hi"}
        whole = await r.post("/v1/responses", body, x_waggle_explain="true")
        stream = await r.post("/v1/responses", body | {"stream": True}, x_waggle_explain="true")
    assert json.loads(whole.body)["waggle"]["plan"] == "chat"
    events = events_in(stream.body)
    assert events[0].pop("waggle")["plan"] == "chat"
    check_stream(events)
