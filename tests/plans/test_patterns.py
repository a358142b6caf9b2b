"""Every pattern in telemetry, patterns within patterns, and plans of embedded backends."""

import json

import pytest

from router.telemetry.rows import request_row
from tests.router.scripted import GOOD, ScriptedModel, only, planned, steps_of, text_of

EVERY = {
    "ask": {"ask": "a", "instruct": "Be brief."},
    "cascade": {"cascade": ["a", "b"], "accept": {"judge": "j"}},
    "pipeline": {"pipeline": ["a", "b"]},
    "deep": {"fan_out": ["a", "b"], "merge": "deep"},
    "vote": {"fan_out": ["a", "b"], "merge": "vote"},
    "best": {"fan_out": ["a", "b"], "merge": "best", "by": "j"},
    "fuse": {"fan_out": ["a", "b"], "merge": "fuse", "by": "b"},
    "refine": {"refine": {"draft": "a", "critic": "j"}},
    "review": {"review": {"draft": "a", "reviewer": "j"}},
    "hedge": {"hedge": ["a", "b"]},
    "committee": {"committee": {"members": ["a", "b"], "chair": "b", "gate": {"judge": "j"}}},
    "designed": {"committee": {"design": "b"}},
    "gate": {"ask": "a", "gate": {"judge": "j"}},
}


@pytest.mark.parametrize("stream", [False, True])
async def test_every_pattern_answers_and_writes_each_step_to_telemetry(stream):
    models = {
        "a": ScriptedModel('{"x": 1}'),
        "b": ScriptedModel('{"y": 2}'),
        "j": ScriptedModel(GOOD),
    }
    async with planned(EVERY, **models) as waggle:
        for name in EVERY:
            answer = await waggle.chat("?", model=name, stream=stream)
            assert answer.status == 200
            row = request_row(waggle.journal.traces[-1])
            assert row["plan"] == name
            steps = row["attempts"]
            assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
            for step in steps:
                assert step["role"]
                assert step.get("parent", 0) < step["step"]
                assert step["gen_ai_usage_input_tokens"] > 0
                assert step["cost_usd"] > 0
                assert step["latency_ms"] > 0
            assert row["cost_usd"] == pytest.approx(sum(step["cost_usd"] for step in steps))
            last = answer.events[-2] if stream else answer.json
            assert last["usage"]["cost"] == pytest.approx(row["cost_usd"])


async def test_patterns_contain_patterns_and_plans_by_name_at_any_depth():
    plans = {
        "inner": {"fan_out": ["a", "b", "a"], "merge": "vote"},
        "p": {"pipeline": [{"hedge": ["inner", "b"]}, {"review": {"draft": "c", "reviewer": "r"}}]},
    }
    models = {
        "a": ScriptedModel("x"),
        "b": ScriptedModel("y"),
        "c": ScriptedModel("z"),
        "r": ScriptedModel('{"score": 1}'),
    }
    async with planned(plans, **models) as waggle:
        assert text_of(await waggle.chat("?", model="p")) == "z"
        assert {role for role, _, _ in steps_of(waggle)} == {
            "pipeline.0.hedge.0.fan_out.0",
            "pipeline.0.hedge.0.fan_out.1",
            "pipeline.0.hedge.0.fan_out.2",
            "pipeline.1.review.draft",
            "pipeline.1.review.reviewer",
        }


EMBEDDED = {
    "generator": {"kind": "generator"},
    "enricher": {"kind": "enricher"},
    "validator": {"kind": "validator", "repair": True, "rules": ["price <= msrp"]},
}
PIPELINE = {"pipeline": [{"ask": "generator", "fields": "anchors"}, "enricher", "validator"]}


async def test_a_plan_that_cannot_answer_this_kind_of_request_is_refused_with_its_reason():
    async with planned(only(PIPELINE), EMBEDDED) as waggle:
        answer = await waggle.chat("What is the capital of France?", model="p")
        assert answer.status == 400
        assert answer.error["code"] == "plan_cannot_answer"
        assert "JSON shape" in answer.error["message"]


async def test_generate_enrich_validate_runs_without_a_model():
    shape = {
        **{"name": "string", "email": "email", "city": "string", "country": "string"},
        **{"phone": "phone", "birth_date": "date", "age": "int 18..90"},
        **{"price": "number", "msrp": "number 10..900"},
    }
    async with planned(only(PIPELINE), EMBEDDED) as waggle:
        answer = await waggle.chat("50 customers", shape=shape, seed=7)
        records = json.loads(text_of(answer))
        assert len(records) == 50
        assert all(list(record) == list(shape) for record in records)
        assert all(record["price"] <= record["msrp"] for record in records)
        assert steps_of(waggle) == [
            ("pipeline.0", "generator", 0),
            ("pipeline.1", "enricher", 1),
            ("pipeline.2", "validator", 2),
        ]
        again = await waggle.chat("50 customers", shape=shape, seed=7)
        assert text_of(again) == text_of(answer)


async def test_invalid_records_are_returned_marked_with_each_issue():
    more = {**EMBEDDED, "validator": {"kind": "validator", "rules": ["age > 200"]}}
    async with planned(only(PIPELINE), more) as waggle:
        answer = await waggle.chat("2 people", shape={"name": "string", "age": "int 18..90"})
        assert answer.status == 200
        assert answer.headers["x-waggle-partial"] == "failed"
        assert "age > 200 does not hold" in answer.json["waggle"]["reason"]
        row = request_row(waggle.journal.traces[-1])
        assert "age > 200" not in json.dumps(row)
