"""Each pattern of plans, from its YAML to its rows in telemetry."""

import asyncio
import json

import pytest

from router.telemetry.rows import request_row
from tests.router.scripted import NEVER, TOOLS, ScriptedModel, planned, steps_of, text_of
from tests.waiting import until

AN_HOUR_MS = 3_600_000
GOOD, BAD = '{"score": 0.9, "problems": ""}', '{"score": 0.2, "problems": "too vague"}'
SHAPE = {"name": "string", "age": "int 18..90"}


def only(plan):
    return {"p": plan}


# -- cascade -----------------------------------------------------------------------------------


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
        assert (
            answer.json["choices"][0]["logprobs"] is None
        )  # the plan asked for them, not the caller
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


# -- pipeline, gates ----------------------------------------------------------------------------


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


# -- fan out ------------------------------------------------------------------------------------


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


# -- refine, review, hedge ----------------------------------------------------------------------


async def test_refining_goes_on_until_the_critic_is_content():
    plan = only({"refine": {"draft": "a", "critic": "c", "fixer": "b", "until": 0.8, "max": 3}})
    critic = ScriptedModel([BAD, GOOD])
    b = ScriptedModel("better")
    async with planned(plan, a=ScriptedModel("draft"), b=b, c=critic) as waggle:
        assert text_of(await waggle.chat("?")) == "better"
        assert "too vague" in b.last
        assert steps_of(waggle) == [
            ("refine.draft", "a", 0),
            ("refine.critic", "c", 1),
            ("refine.fixer", "b", 2),
            ("refine.critic", "c", 3),
        ]


async def test_refining_without_success_ends_with_the_premium_backend():
    refine = {"draft": "a", "critic": "c", "until": 0.8, "max": 2, "finally": "d"}
    a, critic, d = ScriptedModel("draft"), ScriptedModel(BAD), ScriptedModel("premium")
    async with planned(only({"refine": refine}), a=a, c=critic, d=d) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "premium"
        assert len(a.requests) == 3
        assert "x-waggle-partial" not in answer.headers


async def test_refining_without_success_answers_with_its_best_round_marked_as_partial():
    scores = [f'{{"score": {score}, "problems": "p"}}' for score in (0.3, 0.6, 0.1)]
    plan = only({"refine": {"draft": "a", "critic": "c", "until": 0.8, "max": 2}})
    async with planned(plan, a=ScriptedModel(["1", "2", "3"]), c=ScriptedModel(scores)) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "2"
        assert answer.headers["x-waggle-partial"] == "critic"


async def test_a_review_sends_back_an_answer_that_contradicts_the_conversation():
    plan = only({"review": {"draft": "a", "reviewer": "r", "max": 1}})
    a = ScriptedModel(["it is red", "it is blue"])
    reviewer = ScriptedModel(['{"score": 0, "problems": "blue was agreed"}', '{"score": 1}'])
    async with planned(plan, a=a, r=reviewer) as waggle:
        assert text_of(await waggle.chat("which colour?")) == "it is blue"
        assert "blue was agreed" in a.last
        assert "which colour?" in reviewer.last
        reviewer.says = '{"score": 0, "problems": "still red"}'
        answer = await waggle.chat("which colour?")
        assert answer.headers["x-waggle-partial"] == "review"


async def test_a_hedge_asks_the_second_when_the_first_is_slow():
    plan = only({"hedge": ["a", "b"], "after_ms": 50})
    a, b = ScriptedModel("slow", seconds=NEVER), ScriptedModel("quick")
    async with planned(plan, a=a, b=b) as waggle:
        for stream in (False, True):
            answer = await waggle.chat("?", stream=stream)
            assert answer.status == 200
            assert b"quick" in answer.body
            trace = waggle.journal.traces[-1]
            assert trace.backend == "b"
            assert sorted((x.backend, x.fault) for x in trace.attempts) == [
                ("a", "left_behind"),
                ("b", ""),
            ]


async def test_a_hedge_asks_the_second_only_when_the_first_is_late_and_at_once_when_it_failed():
    plan = only({"hedge": ["a", "b"], "after_ms": AN_HOUR_MS})
    a, b = ScriptedModel("quick"), ScriptedModel("second")
    async with planned(plan, a=a, b=b) as waggle:
        assert text_of(await waggle.chat("?")) == "quick"
        assert b.requests == []
        a.status = 500
        assert text_of(await waggle.chat("?")) == "second"


async def test_a_hedge_learns_how_long_a_backend_takes():
    plan = only({"hedge": ["a", "b"], "after_ms": AN_HOUR_MS})
    a, b = ScriptedModel("quick"), ScriptedModel("second")
    async with planned(plan, a=a, b=b) as waggle:
        for _ in range(25):
            await waggle.chat("?")
        a.seconds = NEVER
        assert text_of(await waggle.chat("?")) == "second"


# -- depth, names, ceilings, streams --------------------------------------------------------------


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


async def test_a_ceiling_on_cost_stops_before_the_step_that_would_exceed_it():
    plan = only({"cascade": ["a", "b"], "accept": {"regex": "^ok$"}})
    a, b = ScriptedModel("not quite"), ScriptedModel("ok")
    async with planned(plan, a=a, b=b) as waggle:
        answer = await waggle.chat("?", headers={"x-waggle-max-cost": "0.001"})
        assert text_of(answer) == "not quite"
        assert answer.headers["x-waggle-partial"] == "cost"
        assert b.requests == []
        assert text_of(await waggle.chat("?", headers={"x-waggle-max-cost": "1"})) == "ok"
        answer = await waggle.chat("?", model="b", headers={"x-waggle-max-cost": "0.0001"})
        assert answer.status == 422
        assert answer.error["code"] == "over_max_cost"
        answer = await waggle.chat("?", headers={"x-waggle-max-cost": "0.0001"})
        assert answer.status == 400
        assert "expected to cost" in answer.error["message"]


async def test_calls_under_way_count_toward_the_ceiling():
    plan = only({"fan_out": ["a", "b", "b", "b"], "merge": "vote"})
    b = ScriptedModel("x")
    async with planned(plan, a=ScriptedModel("x"), b=b) as waggle:
        # A call of b is expected to cost 0.003, so that three calls at once exceed the ceiling.
        answer = await waggle.chat("?", headers={"x-waggle-max-cost": "0.0075"}, model="p")
        assert text_of(answer) == "x"
        assert len(b.requests) == 2


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


async def test_a_plan_that_cannot_answer_this_kind_of_request_is_refused_with_its_reason():
    async with planned(only(PIPELINE), OURS) as waggle:
        answer = await waggle.chat("What is the capital of France?", model="p")
        assert answer.status == 400
        assert answer.error["code"] == "plan_cannot_answer"
        assert "JSON shape" in answer.error["message"]


async def test_a_plan_has_ceilings_of_its_own():
    plan = only({"cascade": ["a", "b"], "accept": {"regex": "^ok$"}, "max_cost": 0.001})
    async with planned(plan, a=ScriptedModel("no"), b=ScriptedModel("ok")) as waggle:
        assert (await waggle.chat("?")).headers["x-waggle-partial"] == "cost"


async def test_a_ceiling_on_time_ends_a_step_that_takes_too_long():
    plans = {"p": {"pipeline": ["a", "b"]}, "q": {"ask": "b"}}
    now = [0.0]

    def draft(_):
        now[0] = 299.9  # The draft takes nearly all of the time.
        return "draft"

    late = ScriptedModel("late", seconds=NEVER)
    async with planned(plans, a=ScriptedModel(draft), b=late) as waggle:
        waggle.engine.plan_runs.clock = lambda: now[0]
        answer = await waggle.chat("?", model="p", headers={"x-waggle-max-latency-ms": "300000"})
        assert text_of(answer) == "draft"
        assert answer.headers["x-waggle-partial"] == "latency"
        assert [a.fault for a in waggle.journal.traces[-1].attempts] == ["", "deadline"]
        answer = await waggle.chat("?", model="q", headers={"x-waggle-max-latency-ms": "300"})
        assert answer.status == 504
        assert answer.error["code"] == "over_max_latency"
        assert [a.fault for a in waggle.journal.traces[-1].attempts] == ["deadline"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-waggle-max-cost", "cheap"),
        ("x-waggle-max-cost", "-1"),
        ("x-waggle-max-cost", "nan"),
        ("x-waggle-max-latency-ms", "0"),
        ("x-waggle-max-latency-ms", "inf"),
    ],
)
async def test_a_ceiling_that_is_no_positive_number_is_refused_with_its_name(header, value):
    async with planned(only({"ask": "a"}), a=ScriptedModel()) as waggle:
        answer = await waggle.chat("?", headers={header: value})
        assert answer.status == 400
        assert header in answer.error["message"]
        assert value in answer.error["message"]


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


async def test_a_caller_who_leaves_ends_every_branch():
    plan = only({"fan_out": ["a", "b"], "merge": "vote"})
    a, b = ScriptedModel(seconds=NEVER), ScriptedModel(seconds=NEVER)
    async with planned(plan, a=a, b=b) as waggle:
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


async def test_the_caller_reads_the_refusal_of_the_first_backend():
    plan = only({"pipeline": ["a", "b"]})
    async with planned(plan, a=ScriptedModel(status=400), b=ScriptedModel()) as waggle:
        answer = await waggle.chat("?")
        assert answer.status == 400
        assert answer.error["message"] == "no"


# -- embedded backends ----------------------------------------------------------------------------


OURS = {
    "generator": {"kind": "generator"},
    "enricher": {"kind": "enricher"},
    "validator": {"kind": "validator", "repair": True, "rules": ["price <= msrp"]},
}
PIPELINE = {"pipeline": [{"ask": "generator", "fields": "anchors"}, "enricher", "validator"]}


async def test_generate_enrich_validate_runs_without_a_model():
    shape = {
        **{"name": "string", "email": "email", "city": "string", "country": "string"},
        **{"phone": "phone", "birth_date": "date", "age": "int 18..90"},
        **{"price": "number", "msrp": "number 10..900"},
    }
    async with planned(only(PIPELINE), OURS) as waggle:
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
    more = {**OURS, "validator": {"kind": "validator", "rules": ["age > 200"]}}
    async with planned(only(PIPELINE), more) as waggle:
        answer = await waggle.chat("2 people", shape={"name": "string", "age": "int 18..90"})
        assert answer.status == 200
        assert answer.headers["x-waggle-partial"] == "failed"
        assert "age > 200 does not hold" in answer.json["waggle"]["reason"]
        row = request_row(waggle.journal.traces[-1])
        assert "age > 200" not in json.dumps(row)


async def test_a_gate_checks_a_long_answer_and_refuses_broken_json():
    gate = {"schema": {"type": "array", "items": {"required": ["x"]}}, "repair": 0}
    a = ScriptedModel(json.dumps([{"x": n} for n in range(5000)]))
    async with planned(only({"ask": "a", "gate": gate}), a=a) as waggle:
        assert "x-waggle-partial" not in (await waggle.chat("?")).headers
        a.says = '[{"x": ' + "1" * 600_000
        answer = await waggle.chat("?")
        assert answer.headers["x-waggle-partial"] == "gate"
        assert "no JSON that can be read" in answer.json["waggle"]["reason"]
