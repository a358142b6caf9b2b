"""Anthropic's client gets computed and remembered answers as any other client does."""

import anthropic
import pytest

from tests.reuse.service import QUESTION, ScriptedTexts, bare, models, rig, settled

CALCULATION = "What is the mean of [1, 2, 6]?"


async def ask(waggle, words, *, stream):
    """The text, the headers and the final message."""
    request = {
        "model": "auto",
        "max_tokens": 500,
        "messages": [{"role": "user", "content": words}],
    }
    async with anthropic.AsyncAnthropic(base_url=waggle.url, api_key="none") as client:
        if stream:
            async with client.messages.stream(**request) as events:
                message = await events.get_final_message()
                return message.content[0].text, events.response.headers, message
        reply = await client.messages.with_raw_response.create(**request)
        message = await reply.parse()
        return message.content[0].text, reply.headers, message


@pytest.mark.parametrize("stream", [False, True])
async def test_a_computed_answer_is_a_message(data, stream):
    async with rig(bare(data)) as waggle:
        text, headers, message = await ask(waggle, CALCULATION, stream=stream)
    assert "3" in text
    assert headers["x-waggle-plan"] == "compute"
    assert message.stop_reason == "end_turn"
    if not stream:
        assert headers["x-waggle-verified"] == "spec"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_remembered_answer_is_a_message_whichever_dialect_asked_first(data, stream):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        await ask(waggle, QUESTION, stream=False)
        await settled(waggle)
        text, headers, message = await ask(waggle, QUESTION, stream=stream)
        assert (text, headers["x-waggle-reuse"]) == ("Paris.", "exact")
        assert message.usage.output_tokens > 0
        assert len(model.requests) == 1
        other = await waggle.chat(QUESTION, max_tokens=500)
        assert other.headers["x-waggle-reuse"] == "exact"
