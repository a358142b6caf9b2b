"""What an app gets from Claude and Gemini through a running Waggle, whole and as a stream."""

import json

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.dialect_servers import (
    AnthropicServer,
    GeminiServer,
    gemini_answer,
    message,
    text,
)
from tests.dialects.serving import KEY, serving

SERVERS = {"anthropic": AnthropicServer, "gemini": GeminiServer}
KINDS = pytest.mark.parametrize("kind", list(SERVERS))
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("weather", "clock")]


def joined(answer):
    """The message that the chunks of a stream make together, with its finish reason and usage."""
    whole, calls, finish, usage = {}, {}, None, None
    for chunk in answer.events[:-1]:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            finish = choice["finish_reason"] or finish
            delta = choice["delta"]
            for call in delta.pop("tool_calls", []):
                merged = calls.setdefault(call.pop("index"), {"function": {"arguments": ""}})
                merged["function"]["arguments"] += call["function"].pop("arguments", "")
                merged["function"] |= call.pop("function")
                merged |= call
            for name, value in delta.items():
                if isinstance(value, str) and name != "role":
                    whole[name] = whole.get(name, "") + value
                elif isinstance(value, list):
                    whole[name] = whole.get(name, []) + value
                else:
                    whole[name] = value
    if calls:
        whole["tool_calls"] = [calls[n] for n in sorted(calls)]
    return whole, finish, usage


async def both(waggle, **request):
    """The message, the finish reason and the usage: of a whole answer, and of a stream."""
    answer = await waggle.chat("hi", **request)
    assert answer.status == 200, answer.body
    ChatCompletion.model_validate(answer.json)
    choice = answer.json["choices"][0]
    plain = {n: v for n, v in choice["message"].items() if v is not None}
    streamed = await waggle.chat(
        "hi", stream=True, stream_options={"include_usage": True}, **request
    )
    assert streamed.status == 200, streamed.body
    for chunk in streamed.events[:-1]:
        ChatCompletionChunk.model_validate(chunk)  # as OpenAI's own client has it
    return (plain, choice["finish_reason"], answer.json["usage"]), joined(streamed)


def same(whole, streamed):
    """Hold that a stream says what the whole answer says, and return the whole answer."""
    assert streamed[1:] == whole[1:]
    spoken = {n: v for n, v in streamed[0].items() if v not in ("", None) or n in whole[0]}
    assert spoken | {"content": spoken.get("content") or ""} == whole[0] | {
        "content": whole[0].get("content") or ""
    }
    return whole


@KINDS
async def test_words_and_all_counts_of_tokens_arrive(kind):
    async with serving(kind, SERVERS[kind](key=KEY)) as waggle:
        spoken, finish, usage = same(*await both(waggle))
    assert (spoken["content"], finish) == ("one two three", "stop")
    details = {"cached_tokens": 50, "cache_write_tokens": 30 if kind == "anthropic" else 0}
    assert usage["prompt_tokens"] == 100
    assert usage["prompt_tokens_details"] == details
    assert (usage["completion_tokens"], usage["total_tokens"]) == (12, 112)
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 5}


CALLS = {
    "anthropic": message(
        {"type": "thinking", "thinking": "Two tools.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eHg="},
        text("I look."),
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "toolu_2", "name": "clock", "input": {}},
        stop="tool_use",
    ),
    "gemini": gemini_answer(
        {"text": "Two tools.", "thought": True},
        {"text": "I look."},
        {
            "functionCall": {"name": "weather", "args": {"city": "Oslo"}, "id": "toolu_1"},
            "thoughtSignature": "c2ln",
        },
        {"functionCall": {"name": "clock", "args": {}, "id": "toolu_2"}},
    ),
}


@KINDS
async def test_calls_of_several_tools_arrive_with_the_thoughts_before_them(kind):
    async with serving(kind, SERVERS[kind](CALLS[kind])) as waggle:
        spoken, finish, _ = same(*await both(waggle, tools=TOOLS))
    assert (spoken["content"], finish) == ("I look.", "tool_calls")
    assert spoken["reasoning_content"] == "Two tools."
    calls = [
        (c["id"], c["function"]["name"], c["function"]["arguments"]) for c in spoken["tool_calls"]
    ]
    assert [call[:2] for call in calls] == [("toolu_1", "weather"), ("toolu_2", "clock")]
    assert [json.loads(call[2]) for call in calls] == [{"city": "Oslo"}, {}]


@KINDS
async def test_an_answer_sent_back_as_it_came_carries_its_signatures(kind):
    server = SERVERS[kind](CALLS[kind])
    async with serving(kind, server) as waggle:
        (spoken, _, _), (streamed, _, _) = await both(waggle, tools=TOOLS)
        for sent in (spoken, streamed):
            results = [
                {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
                for call in sent["tool_calls"]
            ]
            messages = [{"role": "user", "content": "hi"}, sent, *results]
            body = {"model": "p", "messages": messages, "tools": TOOLS}
            answer = await waggle.post("/v1/chat/completions", body)
            assert answer.status == 200, answer.body
    for body in server.bodies[-2:]:
        if kind == "anthropic":
            assert body["messages"][1]["content"] == CALLS[kind]["content"]
        else:
            parts = CALLS[kind]["candidates"][0]["content"]["parts"]
            assert body["contents"][1]["parts"] == parts[1:]


@pytest.mark.parametrize("stop", ["max_tokens", "refusal", "stop_sequence"])
async def test_why_claude_stopped_arrives_in_the_words_of_openai(stop):
    details = {"type": "refusal", "category": "cyber", "explanation": "Against the policy."}
    more = {"stop_details": details} if stop == "refusal" else {}
    async with serving(
        "anthropic", AnthropicServer(message(text("x"), stop=stop, **more))
    ) as waggle:
        spoken, finish, _ = same(*await both(waggle))
    assert finish == {"max_tokens": "length", "refusal": "content_filter"}.get(stop, "stop")
    assert spoken.get("refusal") == ("Against the policy." if stop == "refusal" else None)


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "SAFETY", "RECITATION", "PROHIBITED_CONTENT"])
async def test_why_gemini_stopped_arrives_in_the_words_of_openai(reason):
    async with serving(
        "gemini", GeminiServer(gemini_answer({"text": "x"}, finish=reason))
    ) as waggle:
        spoken, finish, _ = same(*await both(waggle))
    assert finish == ("length" if reason == "MAX_TOKENS" else "content_filter")
    assert (reason in spoken.get("refusal", "")) == (reason != "MAX_TOKENS")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_prompt_that_gemini_blocks_is_a_filtered_answer(stream):
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 9},
    }

    async def script(wire):
        if not stream:
            await wire.json(blocked)
            return
        wire.events()
        await wire.event(blocked)
        await wire.chunk(b"")

    async with serving("gemini", script) as waggle:
        answer = await waggle.chat("hi", stream=stream)
    if stream:
        spoken, finish, _ = joined(answer)
    else:
        spoken, finish = (
            answer.json["choices"][0]["message"],
            answer.json["choices"][0]["finish_reason"],
        )
    assert finish == "content_filter"
    assert "SAFETY" in spoken["refusal"]


async def test_a_schema_for_a_model_without_schemas_comes_back_as_content():
    call = {"type": "tool_use", "id": "t", "name": "answer_in_json", "input": {"city": "Oslo"}}
    wanted = {"type": "json_schema", "json_schema": {"name": "c", "schema": {"type": "object"}}}
    server = AnthropicServer(message(call, stop="tool_use"))
    async with serving("anthropic", server, model="claude-3-5-haiku-latest") as waggle:
        spoken, finish, _ = same(*await both(waggle, response_format=wanted))
    assert json.loads(spoken["content"]) == {"city": "Oslo"}
    assert ("tool_calls" in spoken, finish) == (False, "stop")


async def test_several_answers_and_logprobs_of_gemini_arrive():
    whole = gemini_answer({"text": "a"})
    chosen = [{"token": "a", "logProbability": -0.1}]
    tops = [{"candidates": [*chosen, {"token": "b", "logProbability": -3.0}]}]
    first = whole["candidates"][0] | {
        "logprobsResult": {"chosenCandidates": chosen, "topCandidates": tops}
    }
    second = first | {"index": 1, "content": {"parts": [{"text": "b"}]}}

    async def script(wire):
        await wire.json(whole | {"candidates": [first, second]})

    async with serving("gemini", script) as waggle:
        answer = await waggle.chat("hi", n=2, logprobs=True, top_logprobs=2)
    assert [c["message"]["content"] for c in answer.json["choices"]] == ["a", "b"]
    token = answer.json["choices"][0]["logprobs"]["content"][0]
    assert (token["token"], token["logprob"]) == ("a", -0.1)
    assert [top["token"] for top in token["top_logprobs"]] == ["a", "b"]


async def test_a_prompt_is_cached_where_the_operator_says_so():
    server = AnthropicServer()
    async with serving("anthropic", server, cache="1h") as waggle:
        await waggle.chat("hi")
    assert server.bodies[0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


@KINDS
async def test_a_field_without_translation_sends_the_request_to_a_plan_that_can(kind):
    async with serving(kind, SERVERS[kind]()) as waggle:
        answer = await waggle.chat("hi", logit_bias={"1": 5})
        assert answer.status == 400
        assert "`logit_bias` has no counterpart" in answer.json["error"]["message"]
        assert waggle.upstream.seen == []
