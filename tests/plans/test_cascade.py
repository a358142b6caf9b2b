"""Cascades: the plan accepts an answer, or calls the next rung."""

import pytest

from tests.router.scripted import BAD, GOOD, ScriptedModel, only, planned, steps_of, text_of


@pytest.mark.parametrize(
    ("accept", "models", "answered"),
    [
        ({"probability": 0.8}, {"a": ScriptedModel("sure", probability=0.95)}, "sure"),
        ({"probability": 0.8}, {"a": ScriptedModel("unsure", probability=0.4)}, "dear"),
        ({"probability": 0.8}, {"a": ScriptedModel("gives no logprobs")}, "dear"),
        ({"entropy": 1.0}, {"a": ScriptedModel("sure", probability=0.95)}, "sure"),
        ({"entropy": 1.0}, {"a": ScriptedModel("unsure", probability=0.3)}, "dear"),
        ({"judge": "j"}, {"a": ScriptedModel("fine"), "j": ScriptedModel(GOOD)}, "fine"),
        ({"judge": "j"}, {"a": ScriptedModel("poor"), "j": ScriptedModel(BAD)}, "dear"),
        (
            {"judge": "j"},
            {"a": ScriptedModel("unjudged"), "j": ScriptedModel("I cannot say")},
            "dear",
        ),
        ({"regex": "^[0-9]+$"}, {"a": ScriptedModel("42")}, "42"),
        ({"regex": "^[0-9]+$"}, {"a": ScriptedModel("forty-two")}, "dear"),
        ({"rules": ["age >= 18"]}, {"a": ScriptedModel('{"age": 20}')}, '{"age": 20}'),
        ({"rules": ["age >= 18"]}, {"a": ScriptedModel('{"age": 17}')}, "dear"),
        (
            {"schema": {"type": "object", "required": ["x"]}},
            {"a": ScriptedModel('{"y": 1}')},
            "dear",
        ),
    ],
)
async def test_a_cascade_stops_at_the_first_answer_that_is_accepted(accept, models, answered):
    models = {**models, "b": ScriptedModel("dear")}
    plan = only({"cascade": ["a", "b"], "accept": accept})
    async with planned(plan, **models) as waggle:
        answer = await waggle.chat("?")
        assert answer.status == 200
        assert text_of(answer) == answered
        assert answer.headers["x-waggle-backend"] == ("b" if answered == "dear" else "a")
        assert "x-waggle-partial" not in answer.headers
        assert len(models["b"].requests) == (answered == "dear")
        # The plan asked for log probabilities; the caller did not.
        assert answer.json["choices"][0]["logprobs"] is None
        costs = [attempt.cost_usd for attempt in waggle.journal.traces[-1].attempts]
        assert answer.json["usage"]["cost"] == pytest.approx(sum(costs))
        assert all(costs)


async def test_a_cascade_may_stop_when_the_next_backend_agrees():
    plan = only({"cascade": ["a", "b", "c"], "accept": {"agreement": 0.8}})
    a, b, c = (
        ScriptedModel("The answer is 42."),
        ScriptedModel("42"),
        ScriptedModel("something else"),
    )
    async with planned(plan, a=a, b=b, c=c) as waggle:
        assert text_of(await waggle.chat("?")) == "42"
        assert steps_of(waggle) == [("cascade.0", "a", 0), ("cascade.1", "b", 1)]
        b.says = "41"
        assert text_of(await waggle.chat("?")) == "something else"


async def test_a_cascade_skips_a_rung_that_fails_and_a_validator_may_accept_an_answer():
    validator = {"v": {"kind": "validator", "rules": ["age >= 18"]}}
    plan = only({"cascade": ["a", "b", "c"], "accept": {"validator": "v"}})
    a, b, c = ScriptedModel(status=500), ScriptedModel('{"age": 3}'), ScriptedModel('{"age": 30}')
    async with planned(plan, validator, a=a, b=b, c=c) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == '{"age": 30}'
        assert [s[:2] for s in steps_of(waggle)] == [
            ("cascade.0", "a"),
            ("cascade.1", "b"),
            ("accept.validator", "v"),
            ("cascade.2", "c"),
        ]
