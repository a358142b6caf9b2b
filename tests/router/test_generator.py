"""The generator answers a request with mock records, in OpenAI's format."""

import asyncio
import json
import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from router.backends.generator_backend import GeneratorBackend, record_count
from router.config.backends import GeneratorSettings
from router.domain import CHAT, Call, Fault
from router.records.shapes import parse

BACKEND = GeneratorBackend(GeneratorSettings(kind="generator"))


async def answer(fields, stream=False):
    call = Call(CHAT, json.dumps(fields).encode(), stream, "r1")
    async with BACKEND.send(call) as reply:
        return b"".join([piece async for piece in reply.body])


def made(shape, prompt="x", **fields):
    request = {"messages": [{"role": "user", "content": prompt}], "shape": shape, **fields}
    whole = json.loads(asyncio.run(answer(request)))
    return json.loads(whole["choices"][0]["message"]["content"])


def test_each_word_of_the_grammar_makes_its_kind_of_value():
    shape = {
        "name": "string", "age": "int", "height": "number", "ok": "bool", "id": "uuid",
        "born": "date", "seen": "ISO-8601", "level": "low|mid|high", "n": 3, "x": 1.5, "flag": True,
        "nothing": None, "years": "int 18..65", "share": "number 0..1", "maybe": "int|null",
    }  # fmt: skip
    record = made(shape, seed=1)
    assert set(record) == set(shape)
    kinds = {"name": str, "age": int, "height": float, "ok": bool, "n": int, "x": float}
    for field, kind in kinds.items():
        assert isinstance(record[field], kind), field
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", record["id"])
    date.fromisoformat(record["born"])
    datetime.fromisoformat(record["seen"])
    assert record["level"] in ("low", "mid", "high")
    assert 18 <= record["years"] <= 65
    assert 0 <= record["share"] <= 1
    assert record["nothing"] is None
    assert record["maybe"] is None or isinstance(record["maybe"], int)


def test_a_field_called_email_gets_an_address():
    record = made({"email": "string", "userEmail": "string", "product_name": "string"}, seed=2)
    assert "@" in record["email"]
    assert "@" in record["userEmail"]


def test_the_count_of_a_shape_whose_only_field_is_a_list_is_its_length():
    assert len(made({"users": [{"name": "string"}]}, count=7)["users"]) == 7
    assert len(made({"users": ["string"], "page": 1}, count=7)) == 7


def test_nested_objects_and_arrays_keep_their_shape():
    record = made({"orders": [{"items": [{"sku": "string"}, 3], "total": "number"}]}, seed=3)
    assert 1 <= len(record["orders"]) <= 5
    assert all(len(order["items"]) == 3 for order in record["orders"])


def test_count_makes_that_many_records_and_ids_count_up():
    records = made({"id": "int", "name": "string"}, count=25)
    assert [record["id"] for record in records] == list(range(1, 26))


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        ("Generate 20 users", 20),
        ("three customers please", 3),
        ("12 very happy employees", 12),
        ("give me a user", None),
        ("in 2020 we had users", None),
    ],
)
def test_a_count_in_words_is_understood(prompt, count):
    assert record_count({"messages": [{"role": "user", "content": prompt}]}) == count


@pytest.mark.parametrize(("kind", "count"), [("object", None), ("array", 3)])
def test_a_schema_for_one_object_gets_one_object_whatever_the_words_say(kind, count):
    schema = {"type": kind, "properties": {"name": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    words = [{"role": "user", "content": "Make three users"}]
    assert record_count({"messages": words, "response_format": wanted}) == count


@given(st.integers(0, 2**31))
def test_one_seed_gives_one_answer(seed):
    shape = {"name": "string", "tags": ["a|b|c"], "at": "datetime"}
    assert made(shape, seed=seed, count=2) == made(shape, seed=seed, count=2)


def test_without_a_seed_every_answer_is_new():
    assert made({"id": "uuid"}) != made({"id": "uuid"})


def test_cache_bounds_how_many_different_answers_there_are():
    shape = {"$cache": 3, "id": "uuid"}
    answers = {made(shape)["id"] for _ in range(40)}
    assert 1 < len(answers) <= 3
    assert made(shape, variant=1) == made(shape, variant=4)
    assert made(shape, variant=1) != made(shape, variant=2)


SCHEMA = {
    "type": "object",
    "required": ["id", "name", "role", "scores", "home"],
    "properties": {
        "id": {"type": "integer", "minimum": 10, "maximum": 20},
        "name": {"type": "string", "minLength": 3, "maxLength": 12},
        "role": {"enum": ["admin", "user"]},
        "scores": {
            "type": "array",
            "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            "minItems": 2,
            "maxItems": 4,
        },
        "home": {"$ref": "#/$defs/place"},
        "born": {"type": "string", "format": "date"},
        "mail": {"type": "string", "format": "email"},
        "next": {"anyOf": [{"type": "null"}, {"type": "string", "format": "uuid"}]},
        "kind": {"const": "bee"},
        "age": {"type": ["integer", "null"]},
    },
    "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@given(st.integers(0, 10_000))
def test_an_answer_to_a_json_schema_is_valid_by_that_schema(seed):
    record = made(SCHEMA, seed=seed)
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(record)


def test_a_stream_carries_the_same_content_as_the_whole():
    fields = {"shape": {"a": "int"}, "count": 5, "seed": 9, "messages": []}
    events = asyncio.run(answer(fields, stream=True)).decode().split("\n\n")
    chunks = [json.loads(e[6:]) for e in events if e.startswith("data: {")]
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert json.loads(text) == made({"a": "int"}, count=5, seed=9)
    assert chunks[-1]["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "needs a JSON shape"),
        ({"shape": "string"}, "must be a JSON object or array"),
        ({"shape": {}}, "must be a JSON object or array"),
        ({"shape": {"a": "int"}, "count": -1}, "count = -1 must be an integer from 0 to 10000"),
        ({"shape": {"a": "int"}, "count": "5"}, "count = '5'"),
        ({"shape": {"a": "int"}, "seed": 1.5}, "seed = 1.5"),
        ({"shape": {"$cache": 0, "a": "int"}}, r"\$cache = 0"),
        ({"shape": {"type": "object", "properties": {"a": {"$ref": "#/x"}}}}, "points to nothing"),
        ({"shape": {"a": [{"$count": 10**9}]}}, r"\$count"),
    ],
)
def test_a_request_without_a_usable_shape_is_refused_with_the_reason(fields, reason):
    with pytest.raises(Fault, match=reason) as fault:
        asyncio.run(answer({"messages": [], **fields}))
    assert fault.value.kind == "bad_request"


def test_a_schema_that_contains_itself_is_refused_not_followed_for_ever():
    loop = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    with pytest.raises(Fault, match="deeper than 40"):
        parse(loop)


def test_a_shape_that_is_too_deep_is_refused():
    deep = {"x": "int"}
    for _ in range(60):
        deep = {"x": deep}
    with pytest.raises(Fault, match="deeper than 40"):
        parse(deep)


leaves = st.sampled_from(["string", "int", "a|b", "date", "int 1..3", "?", "", 1, 1.5, True, None])
shapes = st.recursive(
    leaves, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(), x, max_size=4)
).filter(lambda shape: isinstance(shape, dict | list) and shape)


@given(shapes)
def test_any_shape_at_all_is_answered_or_refused(shape):
    try:
        made(shape, seed=1)
    except Fault as fault:
        assert fault.kind == "bad_request"
