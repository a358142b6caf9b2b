"""Requests that are never answered from memory, and answers that are never kept."""

import pytest

from router.keys import new_key
from router.reuse.memory_query import personal_words
from tests.reuse.service import (
    AGAIN,
    QUESTION,
    ScriptedTexts,
    earn_trust,
    models,
    rig,
    settled,
)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Germany?",
        "Which city is not the capital of France?",
        "What was the capital of France?",
        "What is the population of France?",
        "What is the capital of France? Answer as JSON.",
    ],
)
async def test_a_request_with_another_meaning_is_never_answered_from_memory(data, question):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        await waggle.chat(QUESTION)
        await settled(waggle)
        reply = await waggle.chat(question)
        assert reply.headers["x-waggle-reuse"] == "novel"
        assert len(model.requests) == 2


@pytest.mark.parametrize(
    ("text", "personal"),
    [
        ("Sorry, I am typing this from my phone. What is the capital of France?", False),
        ("Why does my phone get hot?", False),
        ("My phone is 5551234: does it look right?", True),
        ("Call my phone: 5551234", True),
        ("Write my e-mail address backwards", True),
        ("my phone number, please, as words", True),
    ],
)
def test_a_telephone_is_no_personal_data_and_its_number_is(text, personal):
    assert personal_words(text) == ("it holds personal data" if personal else "")


SETTING = {"messages": [{"role": "user", "content": QUESTION}], "model": "auto"}


@pytest.mark.parametrize(
    "other",
    [
        {"messages": [{"role": "system", "content": "Be rude."}, *SETTING["messages"]]},
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"},
                      *SETTING["messages"]]},
        {"max_tokens": 5},
        {"temperature": 0},
        {"temperature": 0.9},
        {"seed": 4},
        {"response_format": {"type": "json_object"}},
        {"model": "ask"},
        {"n": 2},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        {"stop": ["x"]},
    ],
)  # fmt: skip
async def test_everything_but_the_last_message_must_be_equal(data, other):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        await waggle.post("/v1/chat/completions", SETTING)
        await settled(waggle)
        reply = await waggle.post("/v1/chat/completions", SETTING | other)
        assert reply.headers["x-waggle-reuse"] == "novel"
        same = await waggle.post("/v1/chat/completions", SETTING | {"user": "x"})
        assert same.headers["x-waggle-reuse"] == "exact"


@pytest.mark.parametrize(
    ("headers", "tiers"),
    [
        ({"x-waggle-reuse": "off"}, ("novel", "novel")),
        ({"x-waggle-reuse": "exact"}, ("exact", "novel")),
        ({"x-waggle-reuse": "similar"}, ("exact", "reuse")),
        ({"cache-control": "no-cache"}, ("novel", "novel")),
    ],
)
async def test_a_request_says_how_far_memory_may_go(data, headers, tiers):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        earn_trust(waggle)
        await waggle.chat(QUESTION)
        await settled(waggle)
        replies = [await waggle.chat(text, headers=headers) for text in (QUESTION, AGAIN)]
        assert tuple(reply.headers["x-waggle-reuse"] for reply in replies) == tiers
        assert len(model.requests) == 1 + tiers.count("novel")


@pytest.mark.parametrize(
    "more",
    [
        {"headers": {"cache-control": "no-store"}},
        {"store": False},
        {"headers": {"x-waggle-ttl": "0"}},
        {"headers": {"cache-control": "max-age=0"}},
    ],
)
async def test_an_answer_that_must_not_be_kept_is_not(data, more):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        await waggle.chat(QUESTION, **more)
        await settled(waggle)
        assert (await waggle.chat(QUESTION)).headers["x-waggle-reuse"] == "novel"


@pytest.mark.parametrize(
    "text",
    [
        "What is the weather in Paris?",
        "Who is the current president of France?",
        "What happened today?",
        "My name is Ada Lovelace. What is a good birthday gift for me?",
        "Is ada@example.org a valid address?",
        "Call 555-123-4567 for what?",
    ],
)
async def test_an_answer_for_now_or_for_one_person_is_neither_kept_nor_reused(data, text):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        for _ in range(2):
            reply = await waggle.chat(text)
            assert reply.headers["x-waggle-reuse"] == "novel"
            await settled(waggle)
        assert sum(waggle.engine.recall.memory.store.counts().values()) == 0


async def test_solutions_never_cross_keys_unless_they_share(data):
    made = [new_key(name, "", shares=group) for name, group in
            (("a", ""), ("b", ""), ("c", "team"), ("d", "team"))]  # fmt: skip
    keys = [key for _, key in made]
    bearer = [{"authorization": f"Bearer {text}"} for text, _ in made]
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all"), keys=keys) as waggle,
    ):
        earn_trust(waggle)
        tiers = []
        for headers in bearer:
            for text in (QUESTION, AGAIN):
                reply = await waggle.chat(text, headers=headers)
                tiers.append(reply.headers["x-waggle-reuse"])
                await settled(waggle)
        own, shared = ["novel", "reuse"], ["exact", "reuse"]
        assert tiers == own + own + own + shared


async def test_a_plan_that_a_key_may_not_use_gives_it_no_remembered_answers(data):
    (first_token, first), (second_token, second) = (
        new_key("a", "", shares="t"),
        new_key("b", "", shares="t", plans=("generate",)),
    )
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all"), keys=[first, second]) as waggle,
    ):
        await waggle.chat(QUESTION, headers={"authorization": f"Bearer {first_token}"})
        await settled(waggle)
        reply = await waggle.chat(QUESTION, headers={"authorization": f"Bearer {second_token}"})
        assert reply.headers.get("x-waggle-reuse") != "exact"
        assert b"Paris" not in reply.body


async def test_a_bad_header_is_refused_by_name(data):
    async with ScriptedTexts().listening() as model, rig(models(data, model.url)) as waggle:
        reply = await waggle.chat(QUESTION, headers={"x-waggle-reuse": "always"})
        assert reply.status == 400
        assert "one of off, exact, similar, not 'always'" in reply.error["message"]
        reply = await waggle.chat(QUESTION, headers={"x-waggle-ttl": "soon"})
        assert "`x-waggle-ttl` must be seconds, 0 or more, not 'soon'" in reply.error["message"]
        assert model.requests == []
