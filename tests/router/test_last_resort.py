"""A last resort answers what no other plan can, and nothing else; refusals are short."""

import json
from pathlib import Path

import pytest
import yaml

from router.config.config import Config
from router.config.load import EMBEDDED, load
from router.plans.compiled import Plans
from tests.rig import rig
from tests.sparing import slow_after

FRANCE = "What is the capital of France?"
PLACE = {
    "type": "json_schema",
    "json_schema": {
        "name": "place",
        "schema": {
            "type": "object",
            "properties": {"capital": {"type": "string"}},
            "required": ["capital"],
        },
    },
}
DEFAULT = (
    Path(EMBEDDED)
    .read_text()
    .replace("kind: sandbox", "kind: sandbox\n    ready: []")
    .replace("mode: similar", "mode: 'off'")
)


@pytest.fixture(scope="module")
def plans():
    return Plans(load(EMBEDDED))


async def chat(waggle, text, **more):
    answer = await waggle.chat(text, **({"max_tokens": 24} | more))
    return answer, answer.headers.get("x-waggle-plan"), answer.headers.get("x-waggle-strategy")


async def test_a_bare_machine_answers_questions_by_a_real_model_and_says_which():
    async with rig(DEFAULT) as waggle:
        answer, plan, strategy = await chat(waggle, FRANCE)
        assert (plan, strategy) == ("small", "last_resort")
        assert answer.json["choices"][0]["message"]["content"] == "The capital of France is Paris."
        assert answer.json["model"] == "SmolLM2-135M-Instruct"
        decision = waggle.journal.traces[-1].decision
        assert decision.reason == "no other plan can answer it; this one asks SmolLM2-135M-Instruct"
        _, plan, _ = await chat(waggle, "Why do bees dance?")
        assert plan == "small"


@pytest.mark.parametrize(
    ("text", "more", "plan"),
    slow_after(6, [
        ("three users", {"response_format": PLACE}, "generate"),
        ("What is the mean of 1, 2 and 6?", {}, "compute"),
        ("compute the frobnication of 3 and 4", {}, "compute"),  # refused, by name
        (FRANCE, {"response_format": PLACE}, "small"),  # a generator would invent a capital
        ("What is a false nine?", {}, "small"),  # without documents: nine is no figure here
        ("hi", {}, "small"),
        ('Three users: {"name": "string", "age": "int 18..90"}', {}, "generate"),
        (FRANCE, {"shape": {"capital": "string"}}, "generate"),
        ("300 numbers x, normally distributed with mean 0 and sd 1", {}, "compute"),
        ("write a 4 line poem for my grandma, she turns 80", {}, "small"),
        ("Eine Einladung zu meinem 50. Geburtstag um 19 Uhr, bitte.", {}, "small"),
        ("What is the status of order 17?", {}, "small"),  # a number that ends a name
        ("¿Cuál es el estado del pedido 17?", {}, "small"),
        ("What's new in Windows 11?", {}, "small"),
        ("What is the frobnication of side 5?", {}, "small"),
        ("What is the frobnication of 5?", {}, "compute"),  # an amount
    ]),
)  # fmt: skip
async def test_records_and_figures_stay_where_they_are(text, more, plan):
    async with rig(DEFAULT) as waggle:
        body = {"model": "auto", "messages": [{"role": "user", "content": text}]} | more
        answer = await waggle.post("/v1/route", body)
        assert answer.json["plan"] == plan
        assert (answer.json["strategy"] == "last_resort") == (plan == "small")


async def test_a_question_with_a_schema_gets_a_true_answer_of_that_form():
    async with rig(DEFAULT) as waggle:
        answer, plan, _ = await chat(waggle, FRANCE, response_format=PLACE, max_tokens=40)
        assert plan == "small"
        assert json.loads(answer.json["choices"][0]["message"]["content"]) == {"capital": "Paris"}


def test_a_last_resort_is_never_premium_and_stands_on_no_ladder(plans):
    assert plans.last_resorts == {"small"}
    assert plans.premium != "small"
    assert "small" not in plans.asking


def test_a_last_resort_alone_is_a_plan_like_any_other():
    text = """
backends: {it: {kind: llama, model: packaged:smollm2, last_resort: true}}
plans: {p: {ask: it}}
"""
    alone = Plans(Config.model_validate(yaml.safe_load(text)))
    assert (alone.premium, alone.asking) == ("p", ("p",))


PICTURE = [
    {"type": "text", "text": "Describe"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"messages": [{"role": "user", "content": PICTURE}]}, "needs images"),
        ({"messages": [{"role": "user", "content": "x"}], "tools": TOOLS}, "needs tools"),
        (
            {"messages": [{"role": "user", "content": "word " * 20_000}]},
            "small: smollm2 about 25000 tokens do not fit its window of 4096",
        ),
    ],
)
async def test_what_remains_refused_is_refused_in_a_sentence_or_two(body, reason):
    async with rig(DEFAULT) as waggle:
        answer = await waggle.post("/v1/chat/completions", {"model": "auto"} | body)
        assert (answer.status, answer.error["code"]) == (400, "no_plan_can_answer")
        assert reason in answer.error["message"]
        assert len(answer.error["message"]) <= 240
