"""A short request that asks for endless work is refused before the work begins, and says why."""

import asyncio
import json
import resource
import tracemalloc

import orjson
import pytest

from router.backends.enricher_backend import EnricherBackend
from router.backends.generator_backend import GeneratorBackend, record_count
from router.backends.request_fields import MOST_VALUES, check_values
from router.backends.validator_backend import ValidatorBackend
from router.config.backends import EnricherSettings, GeneratorSettings, ValidatorSettings
from router.domain import CHAT, Call, Fault
from router.records.effort import Abandoned, Effort, Overspent, spend
from router.records.json_text import NoJson, json_in
from router.records.regexes import BadPattern, matches
from router.records.shape_fields import anchors_of, field_names, only
from router.records.shapes import parse
from router.records.size import size_of
from tests.waiting import until

VALIDATOR = ValidatorSettings(kind="validator", repair=True, most_steps=1_000_000)
BACKENDS = {
    "generator": lambda: GeneratorBackend(GeneratorSettings(kind="generator")),
    "enricher": lambda: EnricherBackend(EnricherSettings(kind="enricher")),
    "validator": lambda: ValidatorBackend(VALIDATOR),
}


def nested(inner, *counts):
    for count in counts:
        inner = [inner, count]
    return inner


def array(inner, least, **more):
    return {"type": "array", "items": inner, "minItems": least, **more}


def has(inner):
    return {"type": "object", "properties": {"a": inner}}


def call(fields, prompt="x"):
    request = {"model": "auto", "messages": [{"role": "user", "content": prompt}], **fields}
    return Call(CHAT, json.dumps(request).encode(), bool(fields.get("stream")), "r1")


async def answered(kind, fields, prompt="x"):
    backend = BACKENDS[kind]()
    try:
        async with backend.send(call(fields, prompt)) as reply:
            return orjson.loads(b"".join([piece async for piece in reply.body]))
    finally:
        await backend.close()


def content(answer):
    return json.loads(answer["choices"][0]["message"]["content"])


DEEP = {"type": "string"}
for _ in range(60):
    DEEP = array(DEEP, 1)

TOO_MUCH = [
    ({"shape": [{"a": "int"}, 10**9]}, "the count in [shape, count] = 1000000000"),
    ({"shape": [{"a": "int"}, -1]}, "= -1 must be an integer from 0 to 10000"),
    ({"shape": [{"a": "int"}, 2.5]}, "= 2.5 must be an integer from 0 to 10000"),
    ({"shape": [{"a": "int"}, True]}, "= True must be an integer from 0 to 10000"),
    ({"shape": [{"a": "int"}, 1e300]}, "= 1e+300 must be an integer from 0 to 10000"),
    ({"shape": [{"a": "int", "$count": 10**9}]}, "$count = 1000000000"),
    ({"shape": nested({"a": "int"}, 1000, 1000, 1000)}, "about 2,001,001,001 values"),
    ({"shape": [2] * 40 and nested("int", *[2] * 39)}, "values, and one answer has at most"),
    ({"shape": {"a": nested("text", 1000, 990)}}, "MB of text, and one answer has at most 32 MB"),
    ({"shape": {"k" * 10_000: "int"}, "count": 10_000}, "MB of text"),
    ({"shape": {"a": "x|" + "y" * 10_000}, "count": 10_000}, "MB of text"),
    ({"shape": {f"f{n}": "int" for n in range(2_000)}, "count": 10_000}, "about 20,010,000 values"),
    ({"shape": {"a": "int"}, "count": 10**12}, "count = 1000000000000 must be an integer"),
    ({"shape": {"a": "int"}, "count": "10"}, "count = '10' must be an integer"),
    ({"shape": {"a": "int 0.." + "9" * 350}}, "int = inf must be a number"),
    ({"shape": {"a": "int 0.2..0.8"}}, "no integer lies between 0.2 and 0.8"),
    ({"shape": -(2**62)}, "must be a JSON object or array"),
    ({"shape": 10**9}, "must be a JSON object or array"),
    (array({"type": "integer"}, 10**9), "minItems = 1000000000"),
    (array({"type": "integer"}, 2**63), "minItems = 9223372036854775808"),
    (array({"type": "integer"}, 1e18), "minItems = 1e+18"),
    (array({"type": "integer"}, "5"), "minItems = '5' must be an integer"),
    (array({"type": "integer"}, -1), "minItems = -1"),
    (array({"type": "integer"}, True), "minItems = True"),
    (array({"type": "integer"}, 5, maxItems=2), "minItems = 5 is above maxItems = 2"),
    (
        array(array({"type": "number"}, 10**4), 10**4),
        "values, and one answer has at most 1,000,000",
    ),
    (array(array(array({"type": "boolean"}, 1000), 1000), 1000), "about 1,001,001,001 values"),
    (array({"type": "boolean"}, 3, uniqueItems=True), "there are only 2 different items"),
    (array({"enum": [1, 2]}, 9_999, uniqueItems=True), "there are only 2 different items"),
    (
        array({"type": "integer", "minimum": 1, "maximum": 4}, 5, uniqueItems=True),
        "there are only 4 different items",
    ),
    (has({"type": "string", "minLength": 10**9}), "minLength = 1000000000"),
    (has({"type": "string", "minLength": 5, "maxLength": 2}), "minLength = 5 is above maxLength"),
    (has({"type": "string", "minLength": "9"}), "minLength = '9'"),
    (array({"type": "string", "minLength": 10**6}, 1000), "about 954 MB of text"),
    (has({"type": "string", "pattern": "^((a{1000}){1000}){1000}$"}), "repeats its parts"),
    (has({"type": "string", "pattern": "a{1000000}"}), "repeats its parts 1,000,000 times"),
    (has({"type": "string", "pattern": "(" * 3}), "is not a regular expression"),
    (has({"type": "integer", "minimum": 5, "maximum": 2}), "minimum = 5 is above maximum = 2"),
    (has({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}), "no integer lies"),
    (has({"type": "integer", "minimum": 1e300}), "no integer lies between 1e+300"),
    (has({"type": "number", "minimum": 1e308}), "minimum = 1e+308 must be a number"),
    (has({"type": "number", "minimum": "3"}), "minimum = '3' must be a number"),
    (has({"type": "number", "maximum": True}), "maximum = True must be a number"),
    (has({"type": "number", "multipleOf": 0}), "multipleOf = 0 must be"),
    (has({"type": "number", "multipleOf": 1e-300}), "multipleOf = 1e-300 must be"),
    (has({"type": "object", "minProperties": 10**8}), "minProperties = 100000000"),
    (has({"type": ["string"] * 50}), "type lists 50 types"),
    ({"type": "string", "minLength": 10**9}, "minLength = 1000000000"),
    ({"type": "string", "pattern": "^((a{1000}){1000}){1000}$"}, "repeats its parts"),
    ({"type": "array", "contains": {"const": 1}, "minContains": 10**9}, "minContains = 1000000000"),
    ({"type": "object", "minProperties": 10**8}, "the schema names 0 properties"),
    ({"$ref": "#"}, "perhaps because a $ref leads back to itself"),
    ({"$ref": "#/" + "x" * 2_000}, "a reference has at most 1,000 characters"),
    (
        {"type": "object", "properties": {key: {"$ref": "#"} for key in "abcdefgh"}},
        "deeper than 40 or larger than 20000 nodes",
    ),
    ({"$schema": "x", "allOf": [{f"k{n}": n for n in range(300)}] * 300}, "larger than 20000"),
    (DEEP, "deeper than 40"),
]


def as_fields(stated):
    if "shape" in stated:
        return stated
    schema = {"name": "a", "schema": stated}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


@pytest.mark.parametrize(("stated", "reason"), TOO_MUCH, ids=lambda value: repr(value)[:50])
async def test_a_shape_that_is_too_large_or_odd_is_refused_before_any_work(stated, reason):
    tracemalloc.start()
    try:
        with pytest.raises(Fault) as fault:
            await answered("generator", as_fields(stated))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert fault.value.kind == "bad_request"
    assert reason in fault.value.detail
    assert len(fault.value.detail) < 400
    assert peak < 64 << 20


@pytest.mark.parametrize(
    ("stated", "good"),
    [
        ({"shape": {"a": "int 5..5"}}, lambda d: d == {"a": 5}),
        ({"shape": ["Jane", 3]}, lambda d: len(d) == 3),
        ({"shape": {"columns": 10**10, "count": 5}}, lambda d: set(d) == {"columns", "count"}),
        ({"type": "string", "minLength": 3}, lambda d: isinstance(d, str)),
        ({"type": "integer", "minimum": 7, "maximum": 7}, lambda d: d == 7),
        (array({"type": "integer"}, 3.0, maxItems=3.0), lambda d: len(d) == 3),
        (array({"type": "boolean"}, 1, maxItems=9, uniqueItems=True), lambda d: 1 <= len(d) <= 2),
        (has({"type": "string", "maxLength": 10**12}), lambda d: isinstance(d["a"], str)),
        (has({"type": "string", "minLength": 5_000}), lambda d: len(d["a"]) >= 5_000),
        (has({"type": "string", "minLength": None}), lambda d: isinstance(d["a"], str)),
        (has({"type": "string", "pattern": "^.{1,65535}$"}), lambda d: isinstance(d["a"], str)),
        (
            has({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e-9}),
            lambda d: 0 < d["a"] < 1e-9,
        ),
        (
            has({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}),
            lambda d: isinstance(d["a"], int),
        ),
        (has({"type": "number", "minimum": 1, "exclusiveMinimum": True}), lambda d: d["a"] >= 1),
        ({"$schema": "x", "allOf": [has({"type": "integer"})] * 30}, lambda d: "a" in d),
    ],
    ids=lambda value: "" if callable(value) else repr(value)[:50],
)
async def test_an_honest_bound_is_kept(stated, good):
    assert good(content(await answered("generator", as_fields(stated))))


def test_ten_thousand_records_of_twenty_fields_fit_one_answer():
    record = size_of(parse({f"description_{n}": "string" for n in range(20)}).node)
    settings = GeneratorSettings(kind="generator")
    assert record.times(10_000).values <= settings.most_values
    assert record.times(10_000).characters <= settings.most_text_mb << 20


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        ("1,000 records", 1000),
        ("ten thousand users", 10_000),
        ("10^3 rows", 1000),
        ("1e3 rows", 1000),
        ("a hundred customers", 100),
        ("10^12 records", None),
        ("1000000000000 records", None),
        ("five billion customers", None),
        ("10 million rows", None),
        ("2**99 items", None),
        ("9" * 5_000 + " records", None),
    ],
)
def test_a_count_in_words_is_read_whole_or_refused(prompt, count):
    fields = {"messages": [{"role": "user", "content": prompt}]}
    if count is not None:
        assert record_count(fields) == count
        return
    with pytest.raises(Fault, match="10000 records fit one answer"):
        record_count(fields)


ENRICHED = [
    (
        {"records": [{}] * 10_000, "shape": {f"f{n}": 1 for n in range(500)}},
        "about 1,000,500 values",
    ),
    (
        {"records": [{"i": [{}] * 9_000}], "shape": {"i": [{f"f{n}": 1 for n in range(200)}]}},
        "about 1,800,000 values",
    ),
    ({"records": [{"hired": "9999-12-31"}], "shape": {"birth_date": "date"}}, "the year of hired"),
    ({"records": [{"birth_year": 10**9}], "shape": {"birth_date": "date"}}, "year of birth_year"),
    ({"records": [{"created": "0001-01-01"}], "shape": {"updated": "date"}}, "year of created"),
    (
        {"records": [{"price": 1e-300, "amount": 1e300}], "shape": {"quantity": "int"}},
        "holds a value that cannot be worked with",
    ),
    ({"records": [{}] * 10_001, "shape": {"a": "int"}}, "10001 records are given"),
    ({"records": [[[]] * 10] * 100, "shape": {"a": "int"}}, "must be JSON objects"),
]


@pytest.mark.parametrize(("fields", "reason"), ENRICHED, ids=lambda value: repr(value)[:50])
async def test_records_that_cannot_be_filled_within_bounds_are_refused(fields, reason):
    with pytest.raises(Fault) as fault:
        await answered("enricher", fields)
    assert fault.value.kind == "bad_request"
    assert reason in fault.value.detail


@pytest.mark.parametrize(
    "fields",
    [
        {
            "records": [{"amount": 100}],
            "shape": {"quantity": "int 1..1000000000", "price": "price"},
        },
        {
            "records": [{"hired": "2020-01-01"}],
            "shape": {"birth_date": "date", "age": "int 1..99999"},
        },
        {"records": [{}], "shape": {"age": "int 5000..9000", "birth_date": "date"}},
        {"records": [{"city": "x" * 100_000}], "shape": {"country": "string", "phone": "string"}},
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_a_wide_range_takes_no_more_memory_than_a_narrow_one(fields):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert content(await answered("enricher", fields))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 << 10


LOOP = "every(items, every(items, every(items, every(items, it < 5))))"
SLOW = "(x|x)*$"
VALIDATED = [
    ({"records": [{"items": [1] * 300}], "rules": [LOOP]}, "This request is too large"),
    ({"records": [{"a": 5}], "rules": ["round(a, 0 - 1000000000) == 0"]}, None),
    ({"records": [{"a": 1}], "rules": ["a > 0"] * 10**5}, "100000 rules are given"),
    (
        {"records": [{"a": "x" * 40_000 + "y"}], "shape": has({"pattern": SLOW})},
        "takes more than 0.2 s",
    ),
    ({"records": [{"a": "x"}], "shape": has({"pattern": "(x{1000}){1000}"})}, "repeats its parts"),
    ({"records": [{"a": 1}], "shape": has({"multipleOf": 1e-300})}, "multipleOf = 1e-300"),
    ({"records": [{"a": 1}], "shape": has({"minimum": "3"})}, "minimum = '3'"),
    ({"records": [{"a": 1}], "shape": has({"type": "no"})}, "this is not a JSON Schema"),
    ({"records": [{"a": 1}], "shape": has(DEEP)}, None),
    ({"records": [{"a": 1}], "shape": {"$ref": "#"}}, None),
    (
        {"records": [{"a": 1}], "shape": {"type": "object", "items": [{}] * 20_001}},
        "more than 20,000 parts",
    ),
    (
        {"records": ["y" * 10**6], "shape": {"$schema": "x", "anyOf": [{"type": "null"}] * 9_000}},
        "This request is too large",
    ),
    ({"records": [{"a": [1] * 200_000}], "shape": has(array({"type": "string"}, 1))}, None),
    ({"records": [{"a": [{}] * 50_000}], "shape": has(array({}, 1, uniqueItems=True))}, None),
]


@pytest.mark.parametrize(("fields", "reason"), VALIDATED, ids=lambda value: repr(value)[:60])
async def test_a_check_ends_within_its_bounds(fields, reason):
    """Without a reason, the check ends with a report or records."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if reason is None:
        assert "validation" in await answered("validator", fields)
    else:
        with pytest.raises(Fault) as fault:
            await answered("validator", fields)
        assert fault.value.kind == "bad_request"
        assert reason in fault.value.detail
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 << 10


LONG_WORK = {
    "generator": {"shape": {f"f{n}": "string" for n in range(60)}, "count": 10_000},
    "enricher": {"records": [{}] * 9_000, "shape": {f"f{n}": "string" for n in range(60)}},
    "validator": {
        "records": [{"items": [1] * 30} for _ in range(9_000)],
        "rules": ["every(items, every(items, it > 0))"],
    },
}


async def test_a_bound_below_that_of_quick_work_is_kept():
    backend = ValidatorBackend(ValidatorSettings(kind="validator", most_steps=1_000))
    fields = {"records": [{"items": [1] * 300}], "rules": [LOOP]}
    with pytest.raises(Fault, match="more than 1,000 steps"):
        async with backend.send(call(fields)):
            pass
    await backend.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", LONG_WORK)
async def test_when_the_caller_leaves_the_work_ends_and_small_calls_went_on(kind, stream):
    backend = BACKENDS[kind]()
    small = {"shape": {"a": "int"}, "records": [{"a": 1}]}

    async def ask(fields):
        async with backend.send(call(fields)) as reply:
            return [piece async for piece in reply.body]

    long = asyncio.ensure_future(ask(LONG_WORK[kind] | {"stream": stream}))
    for _ in range(5):
        assert await ask(small)  # these are answered while the long work goes on
    assert not long.done()
    long.cancel()
    await asyncio.gather(long, return_exceptions=True)
    # Both slow threads are free again: the work of the caller who left has ended.
    free = [backend._work._slow.submit(int) for _ in range(2)]
    await until(lambda: all(future.done() for future in free))
    await backend.close()


def test_a_step_ends_work_that_nobody_waits_for_or_that_is_too_much():
    effort = Effort(10)
    spend(1_000)  # outside of `counted`, nothing is bounded
    with effort.counted():
        spend(10)
        with pytest.raises(Overspent, match="10 steps"):
            spend()
    left = Effort(10)
    left.abandoned = True
    with left.counted(), pytest.raises(Abandoned):
        spend()


@pytest.mark.parametrize("text", ["['" * 100_000, "[" + 'a "b" c, ' * 40_000, '{"a":' * 90_000])
def test_json_that_is_slow_to_mend_is_given_up(text):
    with pytest.raises(NoJson):
        json_in(text)


@pytest.mark.parametrize(
    "text", ['{"a": 1,}', "[1, 2", "{'a': 'b'}", "[" + '{"a": "b", c: 1},' * 2_000]
)
def test_json_with_small_mistakes_is_still_mended(text):
    assert json_in(text)


@pytest.mark.parametrize("text", [b"[" + b"[]," * MOST_VALUES, b'[{"a":1},' * MOST_VALUES])
def test_a_text_of_too_many_values_is_refused_before_it_is_parsed(text):
    with pytest.raises(Fault, match="JSON values, and 1,000,000 fit one request"):
        check_values(text, "the request")


def test_commas_in_a_text_are_no_values():
    check_values(orjson.dumps({"csv": "1," * 3 * MOST_VALUES, "quote": '\\",["'}), "the request")


@pytest.mark.parametrize(
    "pattern", ["a{1000000}", "((a{99}){99}){99}", "x{ 0099999 }", "a" * 9_999]
)
def test_a_pattern_that_needs_much_memory_is_refused(pattern):
    with pytest.raises(BadPattern):
        matches(pattern, "text")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?#[)((a{99}){99}){99}(?#])", "repeats its parts 970,299 times"),
        ("(?x)#[\n((a{99}){99}){99}#]", "sets the flag x or V1"),
        ("(?x)((a{99}){99}) {99}", "sets the flag x or V1"),
        ("(?i-s)(?sx:a)", "sets the flag x or V1"),
        ("(?V1)((a{99}){99}[[a])]){99}", "sets the flag x or V1"),
    ],
)
def test_no_comment_or_flag_hides_the_repeats_of_a_pattern(pattern, reason):
    with pytest.raises(BadPattern, match=reason):
        matches(pattern, "text")


@pytest.mark.parametrize(
    "pattern", ["(?i)A(?#[)", r"\(?x", "[(?x]", "(?P<x>a)", "(?<xV1>a)", "(?=x|a)", "a(?#b){1,3}"]
)
def test_a_pattern_that_only_looks_like_a_flag_is_searched(pattern):
    assert matches(pattern, "a(x")


@pytest.mark.parametrize(
    "odd",
    [
        -(2**63), 5, "text", [], [[]], [5], {"type": "array", "items": 5}, None, True,
        {"$schema": "x", "properties": 5}, {"$schema": "x", "properties": {"a": 1}, "required": 5},
        {"$schema": "x", "properties": {"a": 1}, "required": [{}, []]}, {"$ref": "#"},
    ],
    ids=repr,
)  # fmt: skip
def test_the_fields_of_what_is_no_shape_are_none_and_raise_nothing(odd):
    assert set(field_names(odd)) <= {"a"}
    assert set(anchors_of(odd)) <= {"a"}
    only(odd, ["a"])
