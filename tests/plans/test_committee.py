"""Committees: members confer in rounds, a chair or their agreement decides, a gate sends back."""

import json

import pytest

from router.config.config import Config
from router.config.load import load
from router.config.plans import Committee
from router.config.problems import ConfigError
from router.plans.compiled import Plans
from router.plans.costs import Size
from router.plans.shown import plan_line
from tests.router.scripted import (
    BAD,
    GOOD,
    NEVER,
    ScriptedModel,
    only,
    planned,
    steps_of,
    text_of,
)


def seats(*names, **more):
    """A plan whose committee has these backends as members."""
    return only({"committee": {"members": [{"ask": name} for name in names], **more}})


def roles_of(waggle):
    return [role for role, _, _ in steps_of(waggle)]


async def test_members_answer_alone_first_and_then_see_the_last_words_of_the_others():
    members = [{"ask": "a", "role": "the optimist"}, {"ask": "b", "role": "the sceptic"}]
    plan = only({"committee": {"members": members, "rounds": 2, "chair": "c"}})
    a, b = ScriptedModel(["sunny", "sunny still"]), ScriptedModel(["rain", "rain still"])
    c = ScriptedModel("both")
    async with planned(plan, a=a, b=b, c=c) as waggle:
        answer = await waggle.chat("what weather?")
        assert text_of(answer) == "both"
        assert "x-waggle-partial" not in answer.headers
        assert steps_of(waggle) == [
            ("committee.0.round1", "a", 0),
            ("committee.1.round1", "b", 0),
            ("committee.0.round2", "a", 1),
            ("committee.1.round2", "b", 2),
            ("committee.chair", "c", 4),
        ]
    first, second = a.requests
    assert "the optimist" in json.dumps(first)
    assert "rain" not in json.dumps(first)
    assert [m["content"] for m in second["messages"]][-2] == "sunny"  # its own last words
    assert "rain" in second["messages"][-1]["content"]
    assert "the sceptic" in second["messages"][-1]["content"]
    assert "the optimist" in json.dumps(second)
    assert "sunny" not in second["messages"][-1]["content"]  # not its own words among the others'
    assert "sunny still" in c.last
    assert "rain still" in c.last


async def test_each_contribution_is_a_row_with_its_cost():
    models = {name: ScriptedModel(name) for name in "abc"}
    async with planned(seats("a", "b", "c", rounds=3), **models) as waggle:
        answer = await waggle.chat("?")
        attempts = waggle.journal.traces[-1].attempts
        assert len(attempts) == 9
        assert all(attempt.cost_usd > 0 for attempt in attempts)
        total = sum(attempt.cost_usd for attempt in attempts)
        assert answer.json["usage"]["cost"] == pytest.approx(total)


@pytest.mark.parametrize(
    ("says", "agreement", "rounds"),
    [
        (["4", "4.0", "The answer is 4"], 1.0, 1),  # all agree at once
        (["4", "4", "5"], 0.6, 1),  # two of three are enough
        (["4", "4", "5"], 0.9, 3),  # they never agree so far
        (["4", ["5", "4"], "4"], 1.0, 2),  # one is convinced
        (["4", "4", "4"], None, 3),  # nothing ends the rounds early
    ],
)
async def test_agreement_ends_the_rounds_early(says, agreement, rounds):
    stop = {} if agreement is None else {"stop": {"agreement": agreement}}
    models = dict(zip("abc", map(ScriptedModel, says), strict=True))
    async with planned(seats("a", "b", "c", rounds=3, **stop), **models) as waggle:
        answer = await waggle.chat("2 + 2?")
        assert text_of(answer).endswith(("4", "4.0"))
        assert [len(model.requests) for model in models.values()] == [rounds] * 3


async def test_without_a_chair_the_answer_is_that_which_most_agree_with():
    models = {"a": ScriptedModel("5"), "b": ScriptedModel("4"), "c": ScriptedModel("4.0")}
    async with planned(seats("a", "b", "c", rounds=1), **models) as waggle:
        assert text_of(await waggle.chat("2 + 2?")) == "4"
        waggle.engine.scores = {"a": 0.95, "b": 0.3, "c": 0.4}  # as votes are weighed
        assert text_of(await waggle.chat("2 + 2?")) == "5"


@pytest.mark.parametrize(
    "lost", [ScriptedModel(status=500), ScriptedModel(""), ScriptedModel("  \n")]
)
async def test_a_member_that_fails_or_says_nothing_is_done_without(lost):
    lost.requests.clear()
    a, b = ScriptedModel("4"), ScriptedModel("4")
    async with planned(seats("a", "b", "c", rounds=2), a=a, b=b, c=lost) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "4"
        assert "x-waggle-partial" not in answer.headers  # most of the members spoke
        assert len(lost.requests) == 2  # asked again in the next round
        assert len(waggle.journal.traces[-1].attempts) == 6


async def test_a_member_that_comes_back_sees_what_the_others_said_meanwhile():
    async def words(plan, **models):
        async with planned(plan, **models) as waggle:
            return text_of(await waggle.chat("?"))

    late = ScriptedModel(["", "5"])
    assert await words(seats("a", "b", rounds=2), a=ScriptedModel("4"), b=late) == "4"
    assert "4" in json.dumps(late.requests[1])


async def test_an_answer_of_a_minority_is_marked():
    lost = {name: ScriptedModel(status=500) for name in "bc"}
    async with planned(seats("a", "b", "c", rounds=2), a=ScriptedModel("4"), **lost) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "4"
        assert answer.headers["x-waggle-partial"] == "quorum"
        assert "1 of 3 members" in answer.json["waggle"]["reason"]
        assert waggle.journal.traces[-1].attempts[0].backend == "a"


async def test_a_committee_in_which_nobody_answers_fails_by_name():
    lost = {name: ScriptedModel(status=500) for name in "ab"}
    async with planned(seats("a", "b", rounds=2), **lost) as waggle:
        answer = await waggle.chat("?")
        assert answer.status == 503
        assert "member 1" in answer.error["message"]
        assert [len(model.requests) for model in lost.values()] == [1, 1]  # nobody to hear


async def test_a_member_with_a_bound_of_its_own_is_left_behind_and_the_others_go_on():
    members = ["a", "b", {"ask": "c", "max_latency_ms": 60}]
    plan = only({"committee": {"members": members, "rounds": 2}})
    slow = ScriptedModel("late", seconds=NEVER)
    async with planned(plan, a=ScriptedModel("4"), b=ScriptedModel("4"), c=slow) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "4"
        faults = [x.fault for x in waggle.journal.traces[-1].attempts if x.backend == "c"]
        assert faults == ["deadline", "deadline"]
        assert len(waggle.journal.traces[-1].attempts) == 6


async def test_the_plans_own_ceiling_ends_the_rounds_and_the_best_words_go_out_marked():
    plan = seats("a", "b", rounds=5)
    plan["p"]["max_cost"] = 0.006  # five rounds would cost more
    async with planned(plan, a=ScriptedModel("4"), b=ScriptedModel("4")) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "4"
        assert answer.headers["x-waggle-partial"] == "cost"
        assert waggle.journal.traces[-1].cost_usd <= 0.006


async def test_a_chair_that_fails_leaves_the_words_that_most_agree_with_marked():
    models = {name: ScriptedModel("4") for name in "ab"}
    chair = ScriptedModel(status=500)
    async with planned(seats("a", "b", rounds=1, chair="c"), **models, c=chair) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "4"
        assert answer.headers["x-waggle-partial"] == "failed"
        assert "chair" in answer.json["waggle"]["reason"]


async def test_the_gates_reasons_go_back_to_the_members_for_one_more_round():
    gate = {"judge": "j", "least": 0.8}
    plan = seats("a", "b", rounds=1, chair="c", gate=gate)
    a, b, c = ScriptedModel(["1", "2"]), ScriptedModel(["1", "2"]), ScriptedModel(["one", "two"])
    judge = ScriptedModel([BAD, GOOD])
    async with planned(plan, a=a, b=b, c=c, j=judge) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "two"
        assert "x-waggle-partial" not in answer.headers
        assert roles_of(waggle) == [
            "committee.0.round1",
            "committee.1.round1",
            "committee.chair",
            "committee.gate.judge",
            "committee.0.round2",
            "committee.1.round2",
            "committee.chair",
            "committee.gate.judge",
        ]
        for member in (a, b, c):
            assert "too vague" in member.last
            assert "one" in member.last


async def test_a_gate_that_refuses_to_the_end_marks_the_answer():
    plan = seats("a", "b", rounds=1, gate={"regex": "^[0-9]+$"}, revise=2)
    a, b = ScriptedModel("four"), ScriptedModel("four")
    async with planned(plan, a=a, b=b) as waggle:
        answer = await waggle.chat("2 + 2?")
        assert text_of(answer) == "four"
        assert answer.headers["x-waggle-partial"] == "gate"
        assert len(a.requests) == len(b.requests) == 3
    as_rung = {
        "cascade": [{"committee": {"members": ["a", "b"], "gate": {"regex": "^[0-9]+$"}}}, "c"],
        "accept": {"regex": "."},
    }
    async with planned(only(as_rung), a=a, b=b, c=ScriptedModel("4")) as waggle:
        assert text_of(await waggle.chat("2 + 2?")) == "4"  # to others, it is a step that failed


async def test_a_gate_without_revision_asks_nobody_again():
    plan = seats("a", "b", rounds=1, gate={"regex": "^[0-9]+$"}, revise=0)
    a = ScriptedModel("four")
    async with planned(plan, a=a, b=ScriptedModel("four")) as waggle:
        assert (await waggle.chat("?")).headers["x-waggle-partial"] == "gate"
        assert len(a.requests) == 1


SHAPE = {"name": "string", "age": "int 18..90"}


async def test_a_validator_as_member_checks_every_answer_and_its_reasons_are_seen():
    members = ["a", "b", {"ask": "v"}]
    plan = only({"committee": {"members": members, "rounds": 2, "stop": {"agreement": 1.0}}})
    bad, good = '{"name": "Bo", "age": 7}', '{"name": "Bo", "age": 40}'
    a, b = ScriptedModel([bad, good]), ScriptedModel([bad, good])
    async with planned(plan, {"v": {"kind": "validator"}}, a=a, b=b) as waggle:
        answer = await waggle.chat("one", shape=SHAPE)
        assert json.loads(text_of(answer)) == {"name": "Bo", "age": 40}
        # Both said the same at once, and it was refused: that is no agreement.
        assert roles_of(waggle) == [
            "committee.0.round1",
            "committee.1.round1",
            "committee.2.round1",
            "committee.0.round2",
            "committee.1.round2",
            "committee.2.round2",
        ]
        assert "age" in a.last
        assert "not valid" in a.last


async def test_what_a_validator_refuses_is_not_chosen_while_something_else_is_there():
    plan = only({"committee": {"members": ["a", "b", "c", "v"], "rounds": 1}})
    bad, good = '{"name": "Bo", "age": 7}', '{"name": "Al", "age": 40}'
    models = {"a": ScriptedModel(bad), "b": ScriptedModel(bad), "c": ScriptedModel(good)}
    async with planned(plan, {"v": {"kind": "validator"}}, **models) as waggle:
        answer = await waggle.chat("one", shape=SHAPE)
        assert json.loads(text_of(answer)) == json.loads(good)
        assert "x-waggle-partial" not in answer.headers
        for model in models.values():
            model.says = bad
        answer = await waggle.chat("one", shape=SHAPE)
        assert json.loads(text_of(answer)) == json.loads(bad)
        assert answer.headers["x-waggle-partial"] == "invalid"


@pytest.mark.parametrize("chair", [None, "c"])
async def test_words_without_records_go_out_marked_where_a_validator_is_a_member(chair):
    parts = {"members": ["a", "b", "v"], "rounds": 1, **({"chair": chair} if chair else {})}
    prose = {name: ScriptedModel("She is thirty.") for name in "abc"}
    async with planned(only({"committee": parts}), {"v": {"kind": "validator"}}, **prose) as waggle:
        answer = await waggle.chat("one", shape=SHAPE)
        assert answer.headers["x-waggle-partial"] == "invalid"
        assert "no records in the draft" in answer.json["waggle"]["reason"]


async def test_a_validator_checks_what_members_said_and_not_the_records_of_the_caller():
    plan = only({"committee": {"members": ["a", "b", "v"], "rounds": 1}})
    bad, given = ScriptedModel('{"name": "Bo", "age": 7}'), [{"name": "Al", "age": 40}]
    async with planned(plan, {"v": {"kind": "validator"}}, a=bad, b=bad) as waggle:
        answer = await waggle.chat("one", shape=SHAPE, records=given)
        assert answer.headers["x-waggle-partial"] == "invalid"


async def test_words_that_the_validator_could_not_check_go_out_marked():
    plan = only({"committee": {"members": ["a", "b", {"ask": "v", "max_cost": 0.0}], "rounds": 1}})
    good = ScriptedModel('{"name": "Bo", "age": 40}')
    validator = {"v": {"kind": "validator", "price": {"input": 1, "output": 1}}}
    async with planned(plan, validator, a=good, b=good) as waggle:
        answer = await waggle.chat("one", shape=SHAPE)
        assert answer.headers["x-waggle-partial"] == "unchecked"
        assert "ceiling" in answer.json["waggle"]["reason"]


async def test_members_compose_with_other_plans_and_committees_with_other_patterns():
    plans = {
        "inner": {"cascade": ["a", "b"], "accept": {"regex": "sure"}},
        "p": {"pipeline": [{"committee": {"members": ["inner", "c"], "rounds": 1}}, "d"]},
    }
    models = {name: ScriptedModel(name) for name in "abcd"}
    async with planned(plans, **models) as waggle:
        assert text_of(await waggle.chat("?", model="p")) == "d"
        assert set(roles_of(waggle)) == {
            "pipeline.0.committee.0.round1.cascade.0",
            "pipeline.0.committee.0.round1.cascade.1",
            "pipeline.0.committee.1.round1",
            "pipeline.1",
        }


async def test_the_chair_streams_and_a_gated_committee_streams_its_checked_answer():
    plans = {
        "open": {"committee": {"members": ["a", "b"], "rounds": 1, "chair": "c"}},
        "gated": {
            "committee": {
                "members": ["a", "b"],
                "rounds": 1,
                "chair": "c",
                "gate": {"regex": "both"},
            }
        },
        "chairless": {"committee": {"members": ["a", "b"], "rounds": 1}},
    }
    c = ScriptedModel("both of them")
    async with planned(plans, a=ScriptedModel("x"), b=ScriptedModel("x"), c=c) as waggle:
        for name, streamed, words in (
            ("open", True, "both of them"),
            ("gated", False, "both of them"),
            ("chairless", False, "x"),
        ):
            answer = await waggle.chat("?", model=name, stream=True)
            pieces = [e["choices"][0]["delta"] for e in answer.events[:-1] if e["choices"]]
            assert "".join(p.get("content") or "" for p in pieces).strip() == words
            if name != "chairless":
                assert bool(c.requests[-1].get("stream")) is streamed
            total = sum(attempt.cost_usd for attempt in waggle.journal.traces[-1].attempts)
            assert answer.events[-2]["usage"]["cost"] == pytest.approx(total)


async def test_members_that_call_tools_are_not_merged():
    a, b = ScriptedModel(calls_tools=True), ScriptedModel(calls_tools=True)
    async with planned(seats("a", "b", rounds=3, chair="c"), a=a, b=b, c=ScriptedModel()) as waggle:
        answer = await waggle.chat("?")
        assert answer.json["choices"][0]["message"]["tool_calls"]
        assert len(waggle.journal.traces[-1].attempts) == 2


# -- what the file may say -------------------------------------------------------------------------


BACKENDS = {
    "a": {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"},
    "b": {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"},
    "v": {"kind": "validator"},
    "s": {"kind": "sandbox"},
}


def mistakes_in(folder, plan):
    path = folder / "waggle.yaml"
    path.write_text(json.dumps({"backends": BACKENDS, "plans": {"p": plan}}))
    with pytest.raises(ConfigError) as error:
        load(path, {})
    return {problem.key: problem for problem in error.value.problems}


@pytest.mark.parametrize(
    ("committee", "key", "says"),
    [
        ({}, "", "members"),
        ({"members": ["a"]}, "", "at least 2"),
        ({"members": ["a", "b"], "design": "a"}, "", "exactly one"),
        ({"members": ["a", "nobody"]}, "members.1", "called that"),
        ({"members": ["a", {"ask": "nobody"}]}, "members.1.ask", "called that"),
        ({"members": ["a", {"code": "b"}]}, "members.1.code", "kind sandbox"),
        ({"members": ["a", "s", "b"]}, "members.1", "`code:`"),
        ({"members": ["a", "b"], "chair": "nobody"}, "chair", "called that"),
        ({"design": "nobody"}, "design", "called that"),
        ({"design": "v"}, "design", "only a model"),
        ({"members": ["a", "v"]}, "members", "validators"),
        ({"members": ["a", "b"], "chair": "v"}, "chair", "only a model"),
        ({"members": ["a", {"asks": "b"}]}, "members.1", "`ask`"),
        ({"members": ["a", {"ask": "b", "rol": "x"}]}, "members.1.rol", "role"),
        ({"members": ["a", "b"], "rounds": 0}, "rounds", "greater than"),
        ({"members": ["a", "b"], "rounds": 99}, "rounds", "less than"),
        ({"members": ["a", "b"], "stop": {"agreement": 2}}, "stop.agreement", "less than"),
        ({"members": ["a", "b"], "stop": {}}, "stop.agreement", "must be there"),
        ({"members": ["a", "b"], "revise": 1}, "", "gate"),
        ({"members": ["a", "b"], "gate": {"validator": "a"}}, "gate.validator", "validator"),
        ({"members": ["a", {"ask": "b", "set": {"top": 1}}]}, "members.1.set.top", "parameter"),
    ],
)
def test_a_mistake_in_a_committee_is_named_with_its_mend(tmp_path, committee, key, says):
    problems = mistakes_in(tmp_path, {"committee": committee})
    place = ".".join(("plans.p.committee", *filter(None, [key])))
    assert place in problems, problems
    assert says in str(problems[place])
    assert problems[place].mend


def test_a_plan_that_leads_back_to_itself_over_a_committee_is_refused(tmp_path):
    problems = mistakes_in(tmp_path, {"committee": {"members": ["a", "p"]}})
    assert "leads back to itself" in problems["plans.p"].rule


def test_a_committee_is_priced_from_its_shortest_to_its_longest_way():
    config = Config.model_validate(
        {
            "backends": {
                "a": {**BACKENDS["a"], "price": {"input": 1, "output": 1}},
                "b": {**BACKENDS["b"], "price": {"input": 10, "output": 10}},
                "v": BACKENDS["v"],
            },
            "plans": {
                "p": {
                    "committee": {
                        "members": ["a", {"ask": "a", "role": "x"}],
                        "rounds": 3,
                        "chair": "b",
                        "stop": {"agreement": 1},
                        "gate": {"validator": "v"},
                        "revise": 2,
                    }
                }
            },
        }
    )
    cost = Plans(config)["p"].cost(Size(1_000_000, 0))
    assert cost.least_usd == pytest.approx(2 * 1 + 10)
    assert cost.most_usd == pytest.approx(2 * 5 * 1 + 3 * 10)
    assert (cost.least_calls, cost.most_calls) == (2 + 1 + 1, 2 * 5 + 3 + 3)


def test_a_validator_is_priced_by_every_answer_that_it_checks():
    backend = {**BACKENDS["a"], "price": {"input": 1, "output": 1}}
    config = Config.model_validate(
        {
            "backends": {"a": backend, "v": {**BACKENDS["v"], "price": {"input": 2, "output": 2}}},
            "plans": {"p": {"committee": {"members": ["a", "v", "a", "a"], "rounds": 2}}},
        }
    )
    cost = Plans(config)["p"].cost(Size(1_000_000, 0))
    assert (cost.least_usd, cost.least_calls) == (2 * 3 * 1 + 2 * 2, 2 * 3 + 2)
    assert (cost.most_usd, cost.most_calls) == (2 * 3 * 1 + 2 * 3 * 2, 2 * 3 + 2 * 3)


async def test_a_committee_of_which_only_one_member_could_answer_is_ineligible():
    members = ["a", {"code": "s"}, "v"]
    plan = only({"committee": {"members": members}}) | {"q": {"ask": "a"}}
    more = {"v": {"kind": "validator"}, "s": {"kind": "sandbox"}}
    a = ScriptedModel('{"name": "Bo", "age": 40}')
    async with planned(plan, more, a=a) as waggle:
        answer = await waggle.chat("one", shape=SHAPE)  # no program computes it
        assert answer.headers["x-waggle-plan"] == "q"
        assert "computes" in waggle.journal.traces[-1].decision.ineligible["p"]


def test_the_tree_of_waggle_check_names_who_confers():
    plan = Committee.model_validate(
        {
            "committee": {
                "members": [{"ask": "a", "role": "the sceptic"}, "b"],
                "rounds": 3,
                "chair": "c",
                "gate": {"regex": "x"},
                "stop": {"agreement": 0.9},
            }
        }
    )
    assert plan_line(plan) == (
        "committee of at most 3 rounds, until they agree 0.9; c writes the answer; gate: it "
        "matches x, sent back once at most"
    )
    assert plan_line(plan.committee.members[0]) == "ask a; as the sceptic"
