"""Committees that a model designs: once for each kind of request, kept, and released."""

import asyncio
import json
import os

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.config.config import Config
from router.config.load import load
from router.plans.compiled import Plans
from router.plans.costs import Size
from router.plans.designs import MOST_KEPT, UNUSED_SECONDS, Designs, records_of
from tests.router.scripted import ScriptedModel, planned, steps_of, text_of
from tests.router.test_patterns import PatternLearner

DESIGN = json.dumps(
    {
        "members": [
            {"ask": "a", "role": "the optimist"},
            {"ask": "a", "role": "the sceptic"},
            {"ask": "nobody", "role": "invented"},
        ],
        "rounds": 9,
    }
)
PLANS = {"p": {"committee": {"design": "d", "rounds": 2, "chair": "c"}}}


def models(reply=DESIGN):
    return {"a": ScriptedModel("x"), "c": ScriptedModel("chaired"), "d": ScriptedModel(reply)}


async def test_a_design_is_asked_for_once_a_kind_of_request():
    cast = models()
    async with planned(PLANS, **cast) as waggle:
        assert text_of(await waggle.chat("Where is Rome?")) == "chaired"
        assert steps_of(waggle) == [
            ("committee.design", "d", 0),
            ("committee.0.round1", "a", 0),
            ("committee.1.round1", "a", 0),
            ("committee.0.round2", "a", 2),
            ("committee.1.round2", "a", 3),
            ("committee.chair", "c", 5),
        ]
        assert "Where is Rome?" in cast["d"].last
        assert "the sceptic" in json.dumps(cast["a"].requests)
        await waggle.chat("Where is Paris?")
        assert len(cast["d"].requests) == 1
        await waggle.chat("anything", headers={"x-waggle-task": "billing"})
        assert len(cast["d"].requests) == 2
        assert "billing" in cast["d"].last


async def test_a_design_is_asked_for_once_a_pattern():
    cast = models()
    async with planned(PLANS, learner=PatternLearner(), **cast) as waggle:
        await waggle.chat("Where is Rome?")
        await waggle.background.follow()
        for designs, asks in (
            (1, "Where is Paris?"),
            (2, "vendor and total of invoice 4711"),
            (2, "the vendor of this invoice, and its total"),
            (3, "which time zone has my flight"),
        ):
            await waggle.chat(asks)
            assert len(cast["d"].requests) == designs


@pytest.mark.parametrize(
    "reply",
    [
        "no idea",
        '{"members": []}',
        '{"members": [{"ask": "a"}]}',
        '{"members": [{"ask": ["a"]}, {"ask": {}}, 7, null]}',
    ],
)
async def test_without_a_readable_design_every_model_sits_in_and_the_designer_rests(reply):
    now = [1_000_000_000.0]
    async with planned(PLANS, wall=lambda: now[0], **models(reply)) as waggle:
        for passed, asks_again in ((0, True), (10, False), (3600, True)):
            now[0] += passed
            assert text_of(await waggle.chat("?")) == "chaired"
            roles = [role for role, _, _ in steps_of(waggle)]
            assert ("committee.design" in roles) is asks_again
            first = {backend for role, backend, _ in steps_of(waggle) if role.endswith("round1")}
            assert first == {"a", "c", "d"}


def plan_of(**committee):
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    dollars = {"input": 1, "output": 1}
    config = Config.model_validate(
        {
            "backends": {
                "a": {**backend, "price": dollars},
                "b": {**backend, "price": {"input": 10, "output": 10}},
                "g": {"kind": "generator"},
            },
            "plans": {"p": {"committee": {"design": "a", **committee}}},
        }
    )
    return Plans(config)["p"]


async def reply():
    return json.dumps({"members": [{"ask": "a"}, {"ask": "b", "role": "x"}], "rounds": 1})


async def never():
    raise AssertionError("a kept design is not asked for again")


async def test_a_design_survives_a_restart_and_keeps_its_record(tmp_path):
    tree = plan_of().tree
    design = await Designs(tmp_path, lambda: 5.0).design(tree, "code", reply)
    again = await Designs(tmp_path, lambda: 99.0).design(tree, "code", never)
    assert again == design
    (record,) = records_of(tree, tmp_path)
    assert record == {
        "pattern": "code",
        "by": "a",
        "made_at": 5.0,
        "members": [{"ask": "a", "role": ""}, {"ask": "b", "role": "x"}],
        "rounds": 1,
        "used_at": 99.0,
    }


async def test_requests_that_come_meanwhile_wait_for_the_same_design():
    calls = []

    async def slow_reply():
        calls.append(1)
        await asyncio.sleep(0)
        return await reply()

    tree, designs = plan_of().tree, Designs(None)
    made = await asyncio.gather(*(designs.design(tree, "code", slow_reply) for _ in range(5)))
    assert len(calls) == 1
    assert all(design == made[0] for design in made)


async def test_the_first_record_stays_where_two_routers_ask_in_the_same_second(tmp_path):
    tree, slow, quick = plan_of().tree, Designs(tmp_path), Designs(tmp_path)
    waiting, release = asyncio.Event(), asyncio.Event()

    async def slow_reply():
        waiting.set()
        await release.wait()
        return (await reply()).replace("x", "y")

    later = asyncio.ensure_future(slow.design(tree, "code", slow_reply))
    await waiting.wait()
    first = await quick.design(tree, "code", reply)
    release.set()
    assert await later == first
    assert await slow.design(tree, "code", never) == first


async def test_a_designer_whose_caller_left_is_asked_by_the_next():
    tree, designs, waiting = plan_of().tree, Designs(None), asyncio.Event()

    async def never_replies():
        waiting.set()
        await asyncio.Event().wait()
        return ""

    first = asyncio.ensure_future(designs.design(tree, "code", never_replies))
    await waiting.wait()
    second = asyncio.ensure_future(designs.design(tree, "code", reply))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).by == "a"


async def test_check_shows_the_designs_so_far(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = """
server: {data: DATA}
backends:
  a: {kind: openai, base_url: "http://127.0.0.1:1/v1"}
  b: {kind: openai, base_url: "http://127.0.0.1:1/v1"}
plans: {p: {committee: {design: a}}}
"""
    (tmp_path / "waggle.yaml").write_text(text.replace("DATA", str(tmp_path / "var")))
    config = load(tmp_path / "waggle.yaml", {})
    designs = Designs(config.committees_folder, lambda: 86_400.0)
    await designs.design(Plans(config)["p"].tree, "code", reply)
    output = CliRunner().invoke(app, ["check"], env={"COLUMNS": "200"}).output
    assert "a chooses 2 to 5 members, once a kind, of a, b" in output
    assert "for code: a, b as x; rounds: 1; used last on 1970-01-02" in output


async def test_a_plan_with_other_settings_asks_anew(tmp_path):
    designs = Designs(tmp_path, lambda: 5.0)
    await designs.design(plan_of().tree, "code", reply)
    with pytest.raises(AssertionError, match="not asked for again"):
        await designs.design(plan_of(rounds=3).tree, "code", never)


async def test_a_record_that_is_removed_is_asked_for_again(tmp_path):
    tree, designs = plan_of().tree, Designs(tmp_path, lambda: 5.0)
    await designs.design(tree, "code", reply)
    for path in tmp_path.glob("*.json"):
        path.unlink()
    with pytest.raises(AssertionError, match="not asked for again"):
        await designs.design(tree, "code", never)


async def one_unused_and_one_used(tmp_path):
    """The plan, the clock and two designs, of which nobody used `old` for almost long enough."""
    tree, now = plan_of().tree, [1000.0]
    designs = Designs(tmp_path, lambda: now[0])
    await designs.design(tree, "old", reply)
    await designs.design(tree, "busy", reply)
    now[0] += UNUSED_SECONDS - 10
    await designs.design(tree, "busy", never)
    return tree, now, designs


async def test_a_design_that_nobody_uses_is_released(tmp_path):
    tree, now, designs = await one_unused_and_one_used(tmp_path)
    now[0] += 20
    await designs.design(tree, "new", reply)
    assert {record["pattern"] for record in records_of(tree, tmp_path)} == {"busy", "new"}


async def test_unused_designs_are_released_without_a_new_design(tmp_path):
    tree, now, designs = await one_unused_and_one_used(tmp_path)
    now[0] += 4000
    await designs.design(tree, "busy", never)
    assert {record["pattern"] for record in records_of(tree, tmp_path)} == {"busy"}
    now[0] += UNUSED_SECONDS + 10
    with pytest.raises(AssertionError, match="not asked for again"):
        await designs.design(tree, "busy", never)


async def test_the_design_that_was_unused_longest_goes_when_there_are_too_many(tmp_path):
    tree = plan_of().tree
    designs = Designs(tmp_path, lambda: 1000.0 + MOST_KEPT)
    for n in range(MOST_KEPT):
        await designs.design(tree, f"kind {n}", reply)
        newest = max(tmp_path.glob("*.json"), key=os.path.getctime)
        os.utime(newest, (1000.0 + n, 1000.0 + n))
    await designs.design(tree, "one more", reply)
    patterns = {record["pattern"] for record in records_of(tree, tmp_path)}
    assert len(patterns) == MOST_KEPT
    assert "one more" in patterns
    assert "kind 0" not in patterns


def test_a_designed_committee_is_priced_by_its_dearest_possible_members():
    cost = plan_of(rounds=2).cost(Size(1_000_000, 0))
    assert cost.least_calls == 2  # two members, one round, a design that is kept
    assert cost.most_calls == 1 + 5 * 2
    assert cost.least_usd == pytest.approx(2 * 1)
    assert cost.most_usd == pytest.approx(1 + 5 * 2 * 10)
    assert set(plan_of().backends) == {"a", "b"}  # no generator confers
