"""Plans over Claude and Gemini in a running Waggle: settings, judges, cascades, fallbacks."""

import json
from contextlib import AsyncExitStack, asynccontextmanager

from tests.dialect_servers import AnthropicServer, GeminiServer, message, text
from tests.rig import rig
from tests.upstream import Upstream, answer_well


@asynccontextmanager
async def hive(plans, claude=None, gemini=None, model="claude-sonnet-4-5"):
    """A Waggle with a Claude, a Gemini and an OpenAI, each scripted."""
    claude, gemini = claude or AnthropicServer(), gemini or GeminiServer()
    async with AsyncExitStack() as stack:
        urls = [
            (await stack.enter_async_context(Upstream(script).listening())).url.removesuffix("/v1")
            for script in (claude, gemini, answer_well)
        ]
        backends = {
            "claude": {"kind": "anthropic", "base_url": urls[0], "model": model},
            "gemini": {"kind": "gemini", "base_url": urls[1], "model": "gemini-2.5-flash"},
            "gpt": {"kind": "openai", "base_url": f"{urls[2]}/v1"},
        }
        for backend in backends.values():
            backend |= {"price": {"input": 1, "output": 1}, "retry": {"times": 0}}
        waggle = await stack.enter_async_context(
            rig(json.dumps({"backends": backends, "plans": plans}))
        )
        waggle.claude, waggle.gemini = claude, gemini
        yield waggle


async def test_a_request_goes_past_a_backend_that_cannot_express_it_to_one_that_can():
    async with hive({"p": {"ask": "claude", "fallback": ["gpt"]}}) as waggle:
        answer = await waggle.chat("hi", logit_bias={"5": 1})
        assert answer.status == 200
        attempts = waggle.journal.traces[-1].attempts
        assert [attempt.backend for attempt in attempts if attempt.status] == ["gpt"]
        assert waggle.claude.bodies == []


async def test_a_plan_whose_settings_do_not_go_with_the_request_is_not_eligible():
    plans = {"think": {"ask": "claude", "set": {"reasoning_effort": "low"}}}
    async with hive(plans) as waggle:
        refused = await waggle.chat("hi", model="think", temperature=0.3)
        assert refused.status == 400
        assert "`temperature` = 0.3 cannot go with a model that thinks" in refused.error["message"]
        assert (await waggle.chat("hi", model="think")).status == 200
    assert waggle.claude.bodies[0]["thinking"] == {"type": "enabled", "budget_tokens": 2048}


async def test_a_plan_may_take_a_field_out_that_its_model_does_not_have():
    plans = {"p": {"ask": "claude", "set": {"temperature": None}}}
    async with hive(plans, model="claude-opus-5") as waggle:
        assert (await waggle.chat("hi", model="p", temperature=0.3)).status == 200
        assert (await waggle.chat("hi", model="claude", temperature=0.3)).status == 400
    assert "temperature" not in waggle.claude.bodies[0]


async def test_a_newest_claude_judges_without_a_temperature():
    judge = AnthropicServer(message(text('{"score": 0.9, "problems": ""}')))
    plans = {"p": {"cascade": ["gemini", "gpt"], "accept": {"judge": "claude"}}}
    async with hive(plans, judge, model="claude-opus-5") as waggle:
        answer = await waggle.chat("hi", model="p")
        assert answer.text == "one two three"
        roles = [attempt.backend for attempt in waggle.journal.traces[-1].attempts]
    assert roles == ["gemini", "claude"]


async def test_a_cascade_is_sure_by_the_logprobs_of_gemini():
    whole = GeminiServer().answer
    chosen = [{"token": "one", "logProbability": -0.01}]
    sure = whole["candidates"][0] | {"logprobsResult": {"chosenCandidates": chosen}}
    gemini = GeminiServer(whole | {"candidates": [sure]})
    plans = {"p": {"cascade": ["gemini", "gpt"], "accept": {"probability": 0.9}}}
    async with hive(plans, gemini=gemini) as waggle:
        assert (await waggle.chat("hi", model="p")).status == 200
        assert [a.backend for a in waggle.journal.traces[-1].attempts] == ["gemini"]
    assert gemini.bodies[0]["generationConfig"]["responseLogprobs"] is True


async def test_a_pipeline_of_all_three_dialects_streams_its_last_step():
    plans = {"p": {"pipeline": ["gpt", "claude", "gemini"]}}
    async with hive(plans) as waggle:
        answer = await waggle.chat("hi", model="p", stream=True)
        pieces = [c["choices"][0]["delta"].get("content", "") for c in answer.events[:-1]]
        assert "".join(pieces) == "one two three"
        roles = [entry["role"] for entry in waggle.gemini.bodies[0]["contents"]]
    assert roles == ["user", "model", "user"]
