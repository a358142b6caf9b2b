"""Streams of plans with several steps, and callers who leave."""

import asyncio

import pytest

from tests.router.scripted import (
    NEVER,
    TOOLS,
    ScriptedModel,
    only,
    planned,
)
from tests.waiting import until


async def test_a_stream_carries_its_explanation_in_its_first_words():
    plan = only({"pipeline": ["a", "b"]})
    for head_start in (60.0, 0.0):
        async with planned(plan, a=ScriptedModel("x"), b=ScriptedModel("the end")) as waggle:
            waggle.engine.plan_runs.head_start_seconds = head_start
            answer = await waggle.chat("?", stream=True, headers={"x-waggle-explain": "true"})
            first, *others, _, done = answer.events
            roles = [attempt["role"] for attempt in first["waggle"]["attempts"]]
            assert roles == ["pipeline.0", "pipeline.1"]
            assert not any("waggle" in event for event in others)
            assert done == "[DONE]"


async def test_a_stream_whose_plan_takes_long_names_its_backend_at_its_end():
    plan = only({"pipeline": ["a", "b"]})
    unknown = {"x-waggle-backend", "x-waggle-attempts", "x-waggle-verified", "x-waggle-cost-usd"}
    async with planned(plan, a=ScriptedModel("x"), b=ScriptedModel("the end")) as waggle:
        waggle.engine.plan_runs.head_start_seconds = 0.0
        answer = await waggle.chat("?", stream=True)
        assert not unknown & answer.headers.keys()
        assert answer.headers["x-waggle-plan"] == "p"
        last = answer.events[-2]
        assert last["waggle"] == {"backend": "b", "plan": "p", "attempts": 2}
        assert last["usage"]["cost"] > 0


async def test_a_stream_stays_alive_while_earlier_steps_are_at_work():
    plan = only({"pipeline": ["a", "b"]})
    async with planned(plan, a=ScriptedModel("x"), b=ScriptedModel("the end")) as waggle:
        waggle.engine.plan_runs.head_start_seconds = 0.0
        answer = await waggle.chat("?", stream=True)
        pieces = answer.body.decode().split("\n\n")
        assert pieces[0] == ": waggle is at work"
        assert pieces[1].startswith(": pipeline.0 a answered")
        assert "the " in answer.body.decode()
        assert answer.events[-1] == "[DONE]"
        assert waggle.journal.traces[-1].status == 200


async def test_a_plan_that_fails_after_its_stream_began_ends_the_stream_with_an_error():
    plan = only({"pipeline": ["a", "b"]})
    async with planned(plan, a=ScriptedModel(status=500), b=ScriptedModel()) as waggle:
        waggle.engine.plan_runs.head_start_seconds = 0.0
        answer = await waggle.chat("?", stream=True)
        assert answer.status == 200
        assert answer.events[-1]["error"]["code"] == "no_backend_answered"
        assert waggle.journal.traces[-1].status == 503


async def test_a_whole_answer_is_streamed_with_its_tool_calls():
    plan = only({"cascade": ["a", "b"], "accept": {"regex": '"x": 1'}})
    async with planned(plan, a=ScriptedModel(calls_tools=True), b=ScriptedModel()) as waggle:
        answer = await waggle.chat("?")
        assert answer.json["choices"][0]["message"]["tool_calls"] == TOOLS
        answer = await waggle.chat("?", stream=True)
        first, last = [e for e in answer.events if e != "[DONE]"]
        assert first["choices"][0]["delta"]["tool_calls"] == [{"index": 0, **TOOLS[0]}]
        assert last["choices"][0]["finish_reason"] == "tool_calls"
        assert last["usage"]["cost"] > 0


@pytest.mark.parametrize(
    "step", [{"fan_out": ["a", "b"], "merge": "vote"}, {"committee": {"members": ["a", "b"]}}]
)
async def test_a_caller_who_leaves_ends_every_branch(step):
    a, b = ScriptedModel(seconds=NEVER), ScriptedModel(seconds=NEVER)
    async with planned(only(step), a=a, b=b) as waggle:
        task = asyncio.ensure_future(waggle.chat("?"))
        await until(lambda: a.requests and b.requests)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until(lambda: waggle.journal.traces)
        trace = waggle.journal.traces[-1]
        assert trace.status == 499
        assert {x.fault for x in trace.attempts} == {"left_behind"}


@pytest.mark.parametrize("words", [0, 3])
async def test_a_caller_who_leaves_a_slow_stream_is_written_down(words):
    """The caller leaves while an earlier step is at work, or in the middle of the last step."""
    plan = only({"pipeline": ["a", "b"]})
    a = ScriptedModel("x", seconds=0.0 if words else NEVER)
    b = ScriptedModel("word " * 2000, between=0.05)
    async with planned(plan, a=a, b=b) as waggle:
        waggle.engine.plan_runs.head_start_seconds = 0.0
        body = {"model": "p", "stream": True, "messages": [{"role": "user", "content": "?"}]}
        url = waggle.url + "/v1/chat/completions"
        async with waggle.client.post(url, json=body) as answer:
            assert await answer.content.readline() == b": waggle is at work\n"
            while words:
                words -= (await answer.content.readline()).startswith(b"data: ")
        await until(lambda: waggle.journal.traces)
        assert [trace.status for trace in waggle.journal.traces] == [499]
