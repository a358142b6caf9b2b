"""The rows and events that the endpoint writes, about answered requests and refused requests."""

import pytest

from router.keys import new_key
from router.telemetry.rows import refusal_row, request_row
from tests.rig import rig
from tests.upstream import Upstream, answer_well, completion

YAML = """
telemetry: {{prompts: {words}, answers: {words}}}
backends:
  a: {{kind: openai, base_url: "{url}", price: {{input: 1, output: 2}}, retry: {{times: 0}},
       breaker: {{failures: 2, cooldown: 0.05}}}}
  b: {{kind: openai, base_url: "{url}", price: {{input: 10, output: 20}}}}
plans:
  cheap: {{ask: a, fallback: [b]}}
  dear: {{ask: b}}
objective: {{ladder: {{cuts: [9.5]}}}}
"""


def yaml(url: str, *, words: bool = False) -> str:
    return YAML.format(url=url, words=str(words).lower())


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_is_written_down_before_its_caller_has_all_of_it(stream):
    async with Upstream().listening() as up, rig(yaml(up.url)) as waggle:
        answer = await waggle.chat("hello", stream=stream, stream_options={"include_usage": True})
        assert answer.status == 200
        (trace,) = waggle.journal.traces
        row = request_row(trace)
        assert row["request_id"] == answer.headers["x-waggle-request-id"]
        assert row["gen_ai_usage_output_tokens"] == 50
        assert row["cost_usd"] == pytest.approx((100 * 1 + 50 * 2) / 1e6)
        # The premium plan would have used the same tokens, at ten times the price.
        assert row["premium_plan"] == "dear"
        assert row["premium_cost_usd"] == pytest.approx(10 * row["cost_usd"])
        assert row["gen_ai_provider_name"] == "openai"
        assert ("ttft_ms" in row) is stream
        assert row["answer_bytes"] > 0
        assert "answer" not in row
        assert "prompt" not in row


@pytest.mark.parametrize("stream", [False, True])
async def test_words_are_stored_if_the_configuration_wants_them(stream):
    async with Upstream().listening() as up, rig(yaml(up.url, words=True)) as waggle:
        await waggle.chat("what is it?", stream=stream)
        (trace,) = waggle.journal.traces
        row = request_row(trace)
        assert row["prompt"] == "what is it?"
        assert row["answer"] == ("one two three" if stream else "hello")


async def test_arguments_of_tools_are_words_too():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}

    async def with_tool(wire):
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        await wire.json(completion() | {"choices": [choice]})

    async with Upstream(with_tool).listening() as up, rig(yaml(up.url, words=True)) as waggle:
        await waggle.chat("x")
        assert request_row(waggle.journal.traces[0])["answer"] == '{"x": 1}'


async def test_a_refused_request_is_a_row_without_its_words():
    text, key = new_key("k", "2026-01-01")
    async with Upstream().listening() as up, rig(yaml(up.url), keys=[key]) as waggle:
        ours = {"authorization": f"Bearer {text}"}
        await waggle.post("/v1/chat/completions", {"model": "x", "messages": "secret"}, **ours)
        await waggle.post("/v1/chat/completions", {"model": "auto", "messages": []})
        await waggle.chat("hi", model="no-such-model", headers=ours)
        await waggle.get("/v1/models")  # writes no row, as it asks for no answer
        rows = [refusal_row(refusal) for refusal in waggle.journal.refusals]
        assert [row["status"] for row in rows] == [400, 401, 404]
        assert [row.get("key_id") for row in rows] == [key.id, None, key.id]
        assert rows[2]["error_type"] == "model_not_found"
        assert "secret" not in str(rows)


async def test_a_breaker_that_opens_and_closes_is_an_event():
    async def fail(wire):
        await wire.json({"error": {"message": "no"}}, status=500)

    async with Upstream(fail).listening() as up, rig(yaml(up.url)) as waggle:
        for wanted, script in (("open", fail), ("closed", answer_well)):
            up.script = script
            seen: list[str] = []
            while seen[-1:] != [wanted]:
                await waggle.chat("hi", model="a")
                seen = [e.state for e in waggle.journal.events if e.subject == "a"]
        # Each change writes one event; the requests in between write none.
        assert seen == ["open", "closed"]


async def test_a_replica_gained_or_lost_is_an_event():
    async with Upstream().listening() as up, rig(yaml(up.url)) as waggle:
        await waggle.background.exchange()
        waggle.backends.listening["a"] = [*waggle.backends.listening["a"], "127.0.0.1:1"]
        await waggle.background.exchange()
        await waggle.background.exchange()
        events = [(e.kind, e.subject, e.state, e.detail) for e in waggle.journal.events]
        assert events == [
            ("topology", "a", "found", {"replicas": 1}),
            ("topology", "b", "found", {"replicas": 1}),
            ("topology", "a", "grew", {"replicas": 2, "before": 1}),
        ]


async def test_each_policy_is_recorded_and_its_decisions_name_it():
    async with Upstream().listening() as up, rig(yaml(up.url)) as waggle:
        await waggle.chat("hi")
        (policy,) = waggle.journal.policies
        assert waggle.journal.traces[0].decision.policy_version == policy.version
        waggle.engine.reconfigure(waggle.engine.config)
        assert waggle.journal.policies[1].version == policy.version
        ladder = waggle.engine.config.objective.ladder.model_copy(update={"cuts": (1.0,)})
        objective = waggle.engine.config.objective.model_copy(update={"ladder": ladder})
        waggle.engine.reconfigure(waggle.engine.config.model_copy(update={"objective": objective}))
        assert waggle.journal.policies[2].version != policy.version


@pytest.mark.parametrize(
    ("text", "more", "kind"),
    [
        ("What is the capital of France?", {}, "question"),
        ("Prove that it is optimal", {}, "reasoning"),
        ("def f(x): fix this python", {}, "code"),
        ('{"name": "string"}', {}, "json"),
        ("Hello there", {}, "text"),
        ("x", {"tools": [{"type": "function"}]}, "tools"),
        ("x", {"metadata": {"task": "sum-up"}}, "sum-up"),
    ],
)
async def test_a_request_has_a_kind(text, more, kind):
    async with Upstream().listening() as up, rig(yaml(up.url)) as waggle:
        await waggle.chat(text, model="b", **more)
        assert waggle.journal.traces[0].decision.kind == kind


async def test_a_callers_name_for_a_kind_is_used_as_it_is_or_refused():
    async with Upstream().listening() as up, rig(yaml(up.url)) as waggle:
        await waggle.chat("hi", headers={"x_waggle_task": "triage.v2"})
        assert waggle.journal.traces[0].decision.kind == "triage.v2"
        for bad in ("two words", "x" * 65, "-x"):
            answer = await waggle.chat("hi", headers={"x_waggle_task": bad})
            assert answer.status == 400
            assert "1 to 64 letters" in answer.error["message"]


async def test_an_impossible_token_count_is_replaced_by_an_estimate():
    async def wild(wire):
        await wire.json(completion(usage={"prompt_tokens": 10**30, "completion_tokens": 1}))

    async with Upstream(wild).listening() as up, rig(yaml(up.url)) as waggle:
        answer = await waggle.chat("hi")
        assert answer.status == 200
        assert answer.json["usage"]["cost_estimated"] is True
        row = request_row(waggle.journal.traces[0])
        assert row["tokens_estimated"] is True
        assert row["gen_ai_usage_input_tokens"] < 100
