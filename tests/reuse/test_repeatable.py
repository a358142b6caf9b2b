"""What may be repeated is the backend's to say, and a check of form proves no answer."""

import asyncio
import json
import math
import random

import pytest
import yaml

from router.backends.generator_backend import GeneratorBackend
from router.config.backends import (
    EncoderSettings,
    EnricherSettings,
    GeneratorSettings,
    LocalSettings,
    OpenAISettings,
    SandboxSettings,
    SpecialistSettings,
    ValidatorSettings,
)
from router.domain import CHAT, Call, Signal
from tests.reuse.service import ScriptedTexts, bare, content, models, rate, rig, settled
from tests.sparing import slow_after

SHAPE = {"id": "uuid", "name": "string"}
DRAWN = "Generate 30 users with normal age distribution"
QUESTION = "Which word rhymes with hive?"
MODEL = OpenAISettings(kind="openai", base_url="http://localhost/v1")


def asking(text: str, **more):
    return {"messages": [{"role": "user", "content": text}], **more}


@pytest.mark.parametrize(
    ("settings", "fields", "repeats"),
    [
        (GeneratorSettings(kind="generator"), asking("x", shape=SHAPE), False),
        (GeneratorSettings(kind="generator"), asking("x", shape=SHAPE, seed=0), True),
        (GeneratorSettings(kind="generator"), asking("x", shape=SHAPE, variant=0), True),
        (GeneratorSettings(kind="generator"), asking("x", shape={"$cache": 4} | SHAPE), False),
        (EnricherSettings(kind="enricher"), asking("x", shape=SHAPE), False),
        (EnricherSettings(kind="enricher"), asking("x", shape=SHAPE, seed=1), True),
        (SandboxSettings(kind="sandbox"), asking(DRAWN), False),
        (SandboxSettings(kind="sandbox"), asking(DRAWN, seed=1), True),
        (SandboxSettings(kind="sandbox"), asking(DRAWN + " with seed 3"), True),
        (SandboxSettings(kind="sandbox"), asking("What is the mean of [1, 2, 6]?"), True),
        (ValidatorSettings(kind="validator"), asking("x", shape=SHAPE), True),
        (SpecialistSettings(kind="specialist", folder="x"), asking("x"), True),
        (EncoderSettings(kind="encoder"), {"input": "x"}, True),
        (LocalSettings(kind="local", models={"m": "x"}), asking("x", temperature=0.9), False),
        (MODEL, asking("x"), True),
        (MODEL, asking("x", temperature=0), True),
        (MODEL, asking("x", temperature=0.2), True),
        (MODEL, asking("x", temperature=0.21), False),
        (MODEL, asking("x", temperature=0.9, seed=4), True),
        (MODEL.model_copy(update={"repeat_temperature": 1.0}), asking("x", temperature=0.9), True),
    ],
)
def test_each_kind_of_backend_says_what_may_be_repeated(settings, fields, repeats):
    assert settings.repeatable(fields) is repeats


def test_a_caller_may_ask_for_a_remembered_answer_of_a_model_and_for_no_invented_record():
    assert MODEL.repeatable(asking("x", temperature=0.9), caller_agrees=True)
    assert not GeneratorSettings(kind="generator").repeatable(
        asking("x", shape=SHAPE), caller_agrees=True
    )


@pytest.mark.parametrize("model", ["generate", "records", "auto"])
async def test_records_asked_for_many_times_are_new_each_time(data, model):
    settings = yaml.safe_load(bare(data, keep="all"))
    settings["backends"] |= {"enricher": {"kind": "enricher"}, "validator": {"kind": "validator"}}
    anchors = {"ask": "generator", "fields": "anchors"}
    settings["plans"]["records"] = {"pipeline": [anchors, "enricher", "validator"]}
    async with rig(yaml.safe_dump(settings)) as waggle:
        ids = set()
        for _ in range(6):
            reply = await waggle.chat("10 users", model=model, shape=SHAPE)
            assert reply.headers["x-waggle-reuse"] == "novel"
            ids |= {record["id"] for record in json.loads(content(reply))}
            await settled(waggle)
        assert len(ids) == 60
        assert waggle.engine.recall.memory.store.counts() == {}


async def test_records_with_a_seed_are_remembered(data):
    async with rig(bare(data, keep="all")) as waggle:
        answers = []
        for tier in ("novel", "exact"):
            reply = await waggle.chat("10 users", model="generate", shape=SHAPE, seed=4)
            assert reply.headers["x-waggle-reuse"] == tier
            answers.append(content(reply))
            await settled(waggle)
        assert answers[0] == answers[1]


async def test_drawn_data_is_drawn_anew_by_the_remembered_program(data):
    async with rig(bare(data)) as waggle:
        answers = []
        for tier in ("novel", "reuse", "reuse"):
            reply = await waggle.chat(DRAWN)
            assert reply.headers["x-waggle-reuse"] == tier
            answers.append(content(reply))
            await settled(waggle)
        assert len(set(answers)) == 3
        seeded = [await waggle.chat(DRAWN, seed=5)]
        await settled(waggle)
        seeded.append(await waggle.chat(DRAWN, seed=5))
        assert content(seeded[0]) == content(seeded[1])


async def test_a_sampled_answer_is_repeated_only_for_a_caller_who_asks(data):
    async with (
        ScriptedTexts("Five.", "Alive.", "Dive.").listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):

        async def ask(**headers):
            reply = await waggle.chat(QUESTION, temperature=0.9, headers=headers)
            await settled(waggle)
            return reply.headers["x-waggle-reuse"], content(reply)

        assert await ask() == ("novel", "Five.")
        assert await ask() == ("novel", "Alive.")
        assert await ask(**{"x-waggle-reuse": "exact"}) == ("novel", "Dive.")
        assert await ask(**{"x-waggle-reuse": "exact"}) == ("exact", "Dive.")
        assert (await ask())[0] == "novel"  # what another caller asked for binds nobody


async def test_a_schema_that_holds_proves_no_answer(data):
    wanted = {
        "type": "json_schema",
        "json_schema": {
            "name": "n",
            "schema": {"type": "object", "properties": {"rhyme": {"type": "string"}}},
        },
    }
    async with (
        ScriptedTexts('{"rhyme": "cow"}').listening() as model,
        rig(models(data, model.url)) as waggle,
    ):
        reply = await waggle.chat(QUESTION, model="ask", response_format=wanted)
        await waggle.engine.assessor.idle()
        await settled(waggle)
        scores = {s.metric: s.score for s in waggle.journal.signals}
        assert scores == {"json": 1.0, "schema": 1.0}
        store = waggle.engine.recall.memory.store
        (row,) = store.everything()
        assert (row.state, row.successes) == ("unproven", 0)
        again = await waggle.chat(QUESTION, model="ask", response_format=wanted)
        assert again.headers["x-waggle-reuse"] == "novel"
        await rate(waggle, reply)
        assert store.get(row.id).state == "proven"


@pytest.mark.parametrize(
    ("source", "metric", "state"),
    [
        ("check", "json", "unproven"),
        ("check", "tests", "proven"),
        ("app", "score", "proven"),
        *slow_after(
            0,
            [
                *(("check", metric, "unproven") for metric in ("schema", "regex", "rules")),
                ("check", "specialist", "unproven"),
                ("judge", "judge", "proven"),
            ],
        ),
    ],
)
async def test_only_what_could_have_called_the_answer_wrong_proves_it(data, source, metric, state):
    async with (
        ScriptedTexts("Five.").listening() as model,
        rig(models(data, model.url)) as waggle,
    ):
        await waggle.chat(QUESTION)
        await settled(waggle)
        about = waggle.journal.traces[-1].about
        waggle.engine.say([Signal("s1", about.ts_micros / 1e6, about, source, metric, score=1.0)])
        await settled(waggle)
        await settled(waggle)
        assert waggle.engine.recall.memory.store.counts() == {state: 1}


async def test_a_schema_that_is_broken_puts_the_answer_away(data):
    wanted = {"type": "json_object"}
    async with (
        ScriptedTexts("cow").listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        await waggle.chat(QUESTION, model="ask", response_format=wanted)
        await settled(waggle)
        await waggle.engine.assessor.idle()
        await settled(waggle)
        assert waggle.engine.recall.memory.store.counts() == {"quarantined": 1}


async def test_cache_keeps_so_many_answers_and_draws_among_them_evenly(data):
    shape = {"$cache": 4, "id": "uuid"}
    async with rig(bare(data, keep="all")) as waggle:
        asks = (waggle.chat("x", model="generate", shape=shape) for _ in range(12))
        ids = [json.loads(content(reply))["id"] for reply in await asyncio.gather(*asks)]
        assert 1 < len(set(ids)) <= 4
        number = {v: await waggle.chat("x", model="generate", shape=shape, variant=v)
                  for v in range(8)}  # fmt: skip
        named = [json.loads(content(reply))["id"] for reply in number.values()]
        assert named[:4] == named[4:]
        assert len(set(named)) == 4
        assert set(ids) <= set(named)


async def test_cache_draws_within_three_sigma_and_every_replica_has_the_same_variants():
    asks, variants = 400, 4
    body = json.dumps(asking("x", shape={"$cache": variants, "id": "uuid"})).encode()
    seen = []
    for seed in (1, 2):  # two replicas, each with a chance of its own
        chance = random.Random(seed)
        backend = GeneratorBackend(GeneratorSettings(kind="generator"), uniform=chance.random)
        counts: dict[str, int] = {}
        for _ in range(asks):
            async with backend.send(Call(CHAT, body, False, "r")) as reply:
                answer = json.loads(b"".join([piece async for piece in reply.body]))
            text = answer["choices"][0]["message"]["content"]
            counts[text] = counts.get(text, 0) + 1
        await backend.close()
        sigma = math.sqrt(asks * (1 / variants) * (1 - 1 / variants))
        assert all(abs(count - asks / variants) < 3 * sigma for count in counts.values())
        seen.append(set(counts))
    assert seen[0] == seen[1]
    assert len(seen[0]) == variants
