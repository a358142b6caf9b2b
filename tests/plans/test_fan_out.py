"""Fan-outs: fields divided, votes, the best answer, fusing, late branches."""

import json

import pytest

from tests.router.scripted import (
    BAD,
    GOOD,
    NEVER,
    ScriptedModel,
    only,
    planned,
    text_of,
)

SHAPE = {"name": "string", "age": "int 18..90"}


async def test_a_fan_out_asks_each_branch_for_its_fields_and_joins_the_records():
    plan = only({"fan_out": [{"ask": "a", "fields": ["age"]}, "b"], "merge": "deep"})
    a, b = (
        ScriptedModel('[{"age": 1}, {"age": 2}]'),
        ScriptedModel('[{"name": "x"}, {"name": "y"}]'),
    )
    async with planned(plan, a=a, b=b) as waggle:
        answer = await waggle.chat("two", shape=SHAPE)
        assert json.loads(text_of(answer)) == [{"age": 1, "name": "x"}, {"age": 2, "name": "y"}]
        assert '{"age":"int 18..90"}' in a.last
        assert '{"name":"string"}' in b.last
        costs = [attempt.cost_usd for attempt in waggle.journal.traces[-1].attempts]
        assert answer.json["usage"]["cost"] == pytest.approx(sum(costs))


async def test_a_branch_without_a_field_to_fill_is_not_asked():
    plan = only({"fan_out": ["a", "b", "c"], "merge": "deep", "quorum": 3})
    models = {
        "a": ScriptedModel('{"x": 1}'),
        "b": ScriptedModel('{"y": 2}'),
        "c": ScriptedModel("{}"),
    }
    async with planned(plan, **models) as waggle:
        answer = await waggle.chat("?", shape={"x": "int", "y": "int"})
        assert json.loads(text_of(answer)) == {"x": 1, "y": 2}
        assert sum(len(model.requests) for model in models.values()) == 2
        assert "x-waggle-partial" not in answer.headers


async def test_a_branch_that_failed_is_reported_and_the_rest_joined():
    plan = only({"fan_out": ["a", "b"], "merge": "deep"})
    async with planned(plan, a=ScriptedModel('{"x": 1}'), b=ScriptedModel(status=500)) as waggle:
        answer = await waggle.chat("?")
        assert json.loads(text_of(answer)) == {"x": 1}
        assert answer.headers["x-waggle-partial"] == "failed"
        assert "branch 2" in answer.json["waggle"]["reason"]


@pytest.mark.parametrize(
    ("says", "weights", "won"),
    [
        (["The answer is 1,000.", "999", "1000.0"], {}, "The answer is 1,000."),
        (["a", "b", "c"], {}, "a"),
        (["yes", "no", "no"], {"a": 5.0}, "yes"),
        (['{"x": 1, "y": 2}', '{"y":2,"x":1}', "neither"], {}, '{"x": 1, "y": 2}'),
        (["B) because", "(b)", "A"], {}, "B) because"),
    ],
)
async def test_a_vote_counts_the_meaning_of_answers_and_not_their_wording(says, weights, won):
    plan = only({"fan_out": ["a", "b", "c"], "merge": "vote", "weights": weights})
    models = dict(zip("abc", map(ScriptedModel, says), strict=True))
    async with planned(plan, **models) as waggle:
        assert text_of(await waggle.chat("?")) == won


async def test_a_vote_weighs_each_backend_by_its_learned_quality():
    plan = only({"fan_out": ["a", "b", "c"], "merge": "vote"})
    async with planned(
        plan, a=ScriptedModel("right"), b=ScriptedModel("wrong"), c=ScriptedModel("wrong")
    ) as waggle:
        assert text_of(await waggle.chat("?")) == "wrong"
        waggle.engine.scores = {"a": 0.95, "b": 0.3, "c": 0.4}
        assert text_of(await waggle.chat("?")) == "right"
        waggle.memory.earlier_scores = {"a": 0.9}
        # The scores come from telemetry; a backend without a score there gets one half.
        await waggle.background.learn()
        assert waggle.engine.scores == {"a": 0.9, "b": 0.5, "c": 0.5}
        assert text_of(await waggle.chat("?")) == "wrong"


async def test_the_best_answer_is_the_answer_that_the_judge_prefers():
    plan = only({"fan_out": ["a", "b"], "merge": "best", "by": "j"})
    judge = ScriptedModel(
        lambda f: GOOD if "<answer>\nfine" in f["messages"][-1]["content"] else BAD
    )
    async with planned(plan, a=ScriptedModel("poor"), b=ScriptedModel("fine"), j=judge) as waggle:
        assert text_of(await waggle.chat("?")) == "fine"
        assert len(judge.requests) == 2


async def test_fusing_shows_all_answers_to_a_backend_and_streams_its_answer():
    plan = only({"fan_out": ["a", "b"], "merge": "fuse", "by": "c"})
    c = ScriptedModel("all of it")
    async with planned(plan, a=ScriptedModel("north"), b=ScriptedModel("south"), c=c) as waggle:
        assert text_of(await waggle.chat("where?")) == "all of it"
        assert "north" in c.last
        assert "south" in c.last
        answer = await waggle.chat("where?", stream=True)
        comments = [line for line in answer.body.decode().split("\n\n") if line.startswith(":")]
        assert any("fan_out.0 a answered" in line for line in comments)
        words = "".join(
            event["choices"][0]["delta"].get("content", "")
            for event in answer.events[:-1]
            if event["choices"]
        )
        assert words.strip() == "all of it"
        assert c.requests[-1]["stream"] is True
        total = sum(attempt.cost_usd for attempt in waggle.journal.traces[-1].attempts)
        assert answer.events[-2]["usage"]["cost"] == pytest.approx(total)


async def test_a_slow_branch_is_left_behind_and_paid_for():
    plan = only({"fan_out": ["a", "b", "c"], "merge": "vote", "deadline_ms": 150, "quorum": 2})
    slow = ScriptedModel("late", seconds=NEVER)
    async with planned(plan, a=ScriptedModel("x"), b=ScriptedModel("x"), c=slow) as waggle:
        assert text_of(await waggle.chat("?")) == "x"
        left = [a for a in waggle.journal.traces[-1].attempts if a.fault == "left_behind"]
        assert [a.backend for a in left] == ["c"]
        assert left[0].cost_usd > 0


async def test_an_answer_without_a_quorum_is_marked():
    plan = only({"fan_out": ["a", "b", "c"], "merge": "vote", "quorum": 2})
    async with planned(
        plan, a=ScriptedModel("x"), b=ScriptedModel(status=500), c=ScriptedModel(status=500)
    ) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "x"
        assert answer.headers["x-waggle-partial"] == "quorum"
