"""Reuse as callers see it: an example with every tier, checks, ratings and adaptation."""

import json

import pytest

from router.keys import new_key
from router.telemetry.rows import request_row
from tests.reuse.service import (
    AGAIN,
    QUESTION,
    ScriptedTexts,
    bare,
    content,
    earn_trust,
    models,
    rate,
    rig,
    settled,
)
from tests.upstream import Upstream
from tests.waiting import until

STORY = [
    ("Generate 1000 users with normal age distribution", "novel", 1000, "age"),
    ("Generate 500 employees with normal age distribution", "reuse", 500, "age"),
    ("Generate 2000 customers with normal salary distribution", "adapt", 2000, "salary"),
    ("Generate users with bimodal age distribution", "pattern", 1000, "age"),
]


async def test_the_published_story_on_a_bare_machine(data):
    async with rig(bare(data)) as waggle:
        for text, tier, count, field in STORY:
            reply = await waggle.chat(text)
            assert reply.headers["x-waggle-reuse"] == tier, text
            records = json.loads(content(reply))
            assert len(records) == count
            assert set(records[0]) == {field}
            assert reply.headers["x-waggle-verified"] == "spec"
            await settled(waggle)
        rows = [request_row(trace) for trace in waggle.journal.traces]
        assert [row["reuse_tier"] for row in rows] == [tier for _, tier, _, _ in STORY]
        assert all(row["solution"] == 1 for row in rows[1:])
        other = await waggle.chat("Generate 1000 users with uniform age distribution")
        assert other.headers["x-waggle-reuse"] == "pattern"


async def test_a_program_is_edited_by_rule_and_no_model_is_asked(data):
    async with (
        ScriptedTexts("```python\nresult = 1\n```").listening() as model,
        rig(models(data, model.url, authors=True)) as waggle,
    ):
        first = await waggle.chat(STORY[0][0], headers={"x-waggle-explain": "true"})
        assert first.json["waggle"]["computed"]["author"] == "synthesis"
        await settled(waggle)
        reply = await waggle.chat(STORY[1][0], headers={"x-waggle-explain": "true"})
        assert reply.headers["x-waggle-reuse"] == "reuse"
        assert float(reply.headers["x-waggle-cost-usd"]) == 0
        assert reply.json["waggle"]["computed"]["author"] == "memory"
        assert reply.json["waggle"]["computed"]["verification"]["checks"]
        assert len(json.loads(content(reply))) == 500
        assert not model.requests


def _files_with(folder, word: bytes) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and "encoders" not in path.parts]
    return [path.name for path in files if word in path.read_bytes()]


async def test_words_are_on_disk_only_once_somebody_has_proved_the_answer(data):
    async with (
        ScriptedTexts("It is Xanadu.").listening() as model,
        rig(models(data, model.url)) as waggle,
    ):
        reply = await waggle.chat("What is the capital of Zembla?")
        await settled(waggle)
        store = waggle.engine.recall.memory.store
        (row,) = store.everything()
        assert (row.state, row.request, row.answer) == ("unproven", "", "")
        assert row.exact
        assert row.vector
        assert not _files_with(data, b"Zembla")
        assert not _files_with(data, b"Xanadu")
        await rate(waggle, reply)
        await until(lambda: store.counts() == {"proven": 1})
        assert _files_with(data, b"Zembla")
        assert store.forget(request_ids=[reply.headers["x-waggle-request-id"]]) == 1
        assert not _files_with(data, b"Zembla")
        assert not _files_with(data, b"Xanadu")


async def test_only_a_well_rated_answer_is_given_again(data):
    async with ScriptedTexts().listening() as model, rig(models(data, model.url)) as waggle:
        first = await waggle.chat(QUESTION)
        await settled(waggle)
        again = await waggle.chat(QUESTION)
        assert (again.headers["x-waggle-reuse"], len(model.requests)) == ("novel", 2)
        await rate(waggle, first)
        exact = await waggle.chat(QUESTION)
        assert exact.headers["x-waggle-reuse"] == "exact"
        assert exact.headers["x-waggle-backend"] == "memory"
        assert exact.headers["x-waggle-plan"] == "ask"
        assert exact.json["usage"]["cost"] == 0
        assert exact.json["model"] == "up-1"
        assert content(exact) == "Paris."
        other = await waggle.chat(AGAIN)
        assert other.headers["x-waggle-reuse"] == "novel"  # other words have no trust yet
        earn_trust(waggle)
        other = await waggle.chat(AGAIN)
        assert other.headers["x-waggle-reuse"] == "reuse"
        assert len(model.requests) == 3


async def test_an_answer_reported_wrong_is_put_away_with_its_descendants(data):
    async with rig(bare(data)) as waggle:
        replies = []
        for text, _, _, _ in STORY[:3]:
            replies.append(await waggle.chat(text))
            await settled(waggle)
        store = waggle.engine.recall.memory.store
        assert store.get(2).parent == 1
        await rate(waggle, replies[1], 0.0)  # the first solution's program made this answer
        assert [store.get(n).state for n in (1, 2)] == ["quarantined", "quarantined"]
        again = await waggle.chat(STORY[0][0])
        assert again.headers["x-waggle-reuse"] == "novel"


async def test_a_remembered_answer_streams_as_any_other(data):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        await waggle.chat(QUESTION)
        await settled(waggle)
        options = {"include_usage": True}
        reply = await waggle.chat(QUESTION, stream=True, stream_options=options)
        assert reply.headers["x-waggle-reuse"] == "exact"
        *events, end = reply.events
        assert end == "[DONE]"
        words = "".join(c["delta"].get("content", "") for e in events for c in e["choices"])
        assert words == "Paris."
        assert events[-1]["usage"]["cost"] == 0
        assert len(model.requests) == 1


async def test_a_streamed_answer_is_remembered_once_it_ended_well(data):
    async def script(wire) -> None:
        wire.events()
        for chunk in ({"content": "Par"}, {"content": "is."}):
            await wire.event({"model": "m", "choices": [{"index": 0, "delta": chunk}]})
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        await wire.event({"choices": [end]})
        await wire.event(b"[DONE]")
        await wire.chunk(b"")

    async with (
        Upstream(script).listening() as up,
        rig(models(data, up.url, keep="all")) as waggle,
    ):
        await waggle.chat(QUESTION, stream=True)
        await settled(waggle)
        reply = await waggle.chat(QUESTION)
        assert (reply.headers["x-waggle-reuse"], content(reply)) == ("exact", "Paris.")


async def test_a_sampled_share_is_made_anew_and_judged_beside_the_remembered_answer(data):
    async with (
        ScriptedTexts("Yes, it is Paris.", "No, it is Lyon.").listening() as model,
        rig(models(data, model.url, keep="all", checked=1.0, budget=0.005)) as waggle,
    ):
        earn_trust(waggle)
        await waggle.chat(QUESTION)
        await settled(waggle)
        reply = await waggle.chat(AGAIN, headers={"x-waggle-explain": "true"})
        assert (reply.headers["x-waggle-reuse"], content(reply)) == ("novel", "No, it is Lyon.")
        assert reply.json["waggle"]["reuse"]["checked"] is True
        await settled(waggle)
        row = request_row(waggle.journal.traces[-1])
        assert (row["reuse_checked"], row["reuse_propensity"]) == (True, 1.0)
        (event,) = [e for e in waggle.journal.events if e.kind == "reuse"]
        assert (event.state, event.detail["by"]) == ("wrong", "opposite words")
        calibration = waggle.engine.recall.memory.calibration
        assert not calibration.standing(row["reuse_bucket"]).serves


async def test_a_backend_adapts_a_close_answer_that_it_is_shown(data):
    async with (
        ScriptedTexts("That is 8.05 km.", "That is 12.87 km.").listening() as model,
        rig(models(data, model.url, keep="all", adapter="model")) as waggle,
    ):
        await waggle.chat("Convert 5 miles to kilometres.")
        await settled(waggle)
        reply = await waggle.chat("Convert 8 miles to kilometres.")
        assert reply.headers["x-waggle-reuse"] == "adapt"
        assert content(reply) == "That is 12.87 km."
        assert "That is 8.05 km." in json.dumps(model.requests[1]["messages"])
        await settled(waggle)
        child = waggle.engine.recall.memory.store.get(2)
        assert (child.parent, child.change) == (1, "a backend adapted it")


@pytest.mark.parametrize(
    ("plans", "headers"),
    [
        (("generate",), {}),
        ((), {"x-waggle-plans": "ask"}),
        ((), {"x-waggle-max-cost": "0.5"}),
        ((), {"x-waggle-max-latency-ms": "60000"}),
    ],
)
async def test_the_adapter_is_not_asked_against_a_keys_plans_or_a_requests_bounds(
    data, plans, headers
):
    (first_token, first), (second_token, second) = (
        new_key("a", "", shares="t"),
        new_key("b", "", shares="t", plans=plans),
    )
    async with (
        ScriptedTexts("That is 8.05 km.", "That is 12.87 km.").listening() as model,
        rig(models(data, model.url, keep="all", adapter="model"), keys=[first, second]) as waggle,
    ):
        bearer = {"authorization": f"Bearer {first_token}"}
        await waggle.chat("Convert 5 miles to kilometres.", headers=bearer)
        await settled(waggle)
        bearer = {"authorization": f"Bearer {second_token}"}
        reply = await waggle.chat("Convert 8 miles to kilometres.", headers=bearer | headers)
        assert reply.headers.get("x-waggle-reuse") != "adapt"
        assert "8.05" not in json.dumps([request["messages"] for request in model.requests])


async def test_remembered_answers_teach_no_plan(data):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        await waggle.chat(QUESTION)
        await settled(waggle)
        await waggle.chat(QUESTION)
        row = request_row(waggle.journal.traces[-1])
        assert (row["strategy"], row["plan"], row["cost_usd"]) == ("reuse", "ask", 0)
        assert row["premium_cost_usd"] > 0
        assert "attempts" not in row
        assert QUESTION not in json.dumps(row)


async def test_a_memory_that_cannot_be_opened_costs_no_request(data):
    folder = data / "solutions"
    folder.mkdir()
    (folder / "solutions.sqlite").write_bytes(b"this is no database" * 100)
    async with ScriptedTexts().listening() as model, rig(models(data, model.url)) as waggle:
        assert "move it away" in waggle.engine.recall.memory.trouble
        reply = await waggle.chat(QUESTION)
        assert (reply.status, reply.headers["x-waggle-reuse"]) == (200, "novel")
