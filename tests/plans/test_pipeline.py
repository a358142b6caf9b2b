"""Pipelines, and gates between their steps."""

import json

import pytest

from router.config.load import load
from router.config.problems import ConfigError
from router.telemetry.rows import request_row
from tests.router.scripted import ScriptedModel, only, planned, steps_of, text_of

SHAPE = {"name": "string", "age": "int 18..90"}


async def test_a_pipeline_gives_each_answer_to_the_next_step():
    plan = only({"pipeline": ["a", {"ask": "b", "instruct": "Translate it."}]})
    a, b = ScriptedModel("first"), ScriptedModel("second")
    async with planned(plan, a=a, b=b) as waggle:
        assert text_of(await waggle.chat("do it")) == "second"
        dialogue = [(m["role"], m["content"]) for m in b.requests[0]["messages"]]
        assert dialogue[0] == ("user", "do it")
        assert dialogue[1] == ("assistant", "first")
        assert dialogue[2] == ("user", "Translate it.")
        assert steps_of(waggle) == [("pipeline.0", "a", 0), ("pipeline.1", "b", 1)]


async def test_a_pipeline_that_breaks_answers_with_its_last_draft_marked_as_partial():
    plan = only({"pipeline": ["a", "b"]})
    async with planned(plan, a=ScriptedModel("draft"), b=ScriptedModel(status=500)) as waggle:
        answer = await waggle.chat("do it")
        assert answer.status == 200
        assert text_of(answer) == "draft"
        assert answer.headers["x-waggle-partial"] == "failed"
        assert answer.json["waggle"]["partial"] == "failed"
        assert "step 2 of 2" in answer.json["waggle"]["reason"]
        assert request_row(waggle.journal.traces[-1])["partial"] == "failed"


async def test_a_step_is_left_out_where_its_rule_does_not_hold():
    plan = only({"pipeline": ["a", {"ask": "b", "when": "total > 100"}]})
    says = ['{"total": 99}', '[{"total": 1}, {"total": 101}]', '{"note": "x"}', '{"total": "much"}']
    a, b = ScriptedModel(says), ScriptedModel("checked")
    async with planned(plan, a=a, b=b) as waggle:
        answers = [text_of(await waggle.chat("do it")) for _ in says]
        # A rule that cannot be applied leaves no step out.
        assert answers == ['{"total": 99}', "checked", '{"note": "x"}', "checked"]


async def test_every_third_request_has_the_step():
    plan = only({"pipeline": ["a", {"ask": "b", "every": 3}]})
    async with planned(plan, a=ScriptedModel("draft"), b=ScriptedModel("checked")) as waggle:
        answers = [text_of(await waggle.chat("do it")) for _ in range(6)]
        assert answers == ["draft", "draft", "checked"] * 2


@pytest.mark.parametrize(
    "plan",
    [
        {"pipeline": [{"ask": "a", "when": "x > 1"}, "b"]},
        {"cascade": [{"ask": "a", "every": 2}, "b"], "accept": {"regex": "x"}},
        {"ask": "a", "every": 2},
    ],
)
def test_only_a_later_step_of_a_pipeline_is_left_out(tmp_path, plan):
    backends = {"a": {"kind": "generator"}, "b": {"kind": "generator"}}
    path = tmp_path / "waggle.yaml"
    path.write_text(json.dumps({"backends": backends, "plans": {"p": plan}}))
    with pytest.raises(ConfigError, match="step of a pipeline after its first"):
        load(path, {})


async def test_a_gate_sends_a_failing_answer_back_with_the_reasons():
    gate = {"rules": ["age >= 18"], "repair": 2}
    plan = only({"pipeline": [{"ask": "a", "gate": gate}, "b"]})
    a = ScriptedModel(['{"age": 3}', '{"age": 4}', '{"age": 21}'])
    async with planned(plan, a=a, b=ScriptedModel("done")) as waggle:
        assert text_of(await waggle.chat("do it")) == "done"
        assert len(a.requests) == 3
        assert "age >= 18 does not hold" in a.last
        assert steps_of(waggle)[1] == ("pipeline.0.repair", "a", 1)
        a.says, a.requests = '{"age": 3}', []
        answer = await waggle.chat("do it")
        assert answer.headers["x-waggle-partial"] == "gate"
        assert text_of(answer) == '{"age": 3}'


async def test_a_gate_repairs_an_answer_that_has_only_one_reading():
    plan = only({"ask": "a", "gate": {"schema": True}})
    a = ScriptedModel('Here you are: {"name": "Ann", "Age": "42",}')
    async with planned(plan, a=a) as waggle:
        answer = await waggle.chat("one", shape=SHAPE)
        assert json.loads(text_of(answer)) == {"name": "Ann", "age": 42}
        assert len(a.requests) == 1


async def test_a_gate_checks_a_long_answer_and_refuses_broken_json():
    gate = {"schema": {"type": "array", "items": {"required": ["x"]}}, "repair": 0}
    a = ScriptedModel(json.dumps([{"x": n} for n in range(5000)]))
    async with planned(only({"ask": "a", "gate": gate}), a=a) as waggle:
        assert "x-waggle-partial" not in (await waggle.chat("?")).headers
        a.says = '[{"x": ' + "1" * 600_000
        answer = await waggle.chat("?")
        assert answer.headers["x-waggle-partial"] == "gate"
        assert "no JSON that can be read" in answer.json["waggle"]["reason"]


async def test_the_caller_reads_the_refusal_of_the_first_backend():
    plan = only({"pipeline": ["a", "b"]})
    async with planned(plan, a=ScriptedModel(status=400), b=ScriptedModel()) as waggle:
        answer = await waggle.chat("?")
        assert answer.status == 400
        assert answer.error["message"] == "no"
