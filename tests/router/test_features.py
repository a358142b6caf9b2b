import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.config.objective import LadderSettings
from router.request.complexity import PARTS, complexity
from router.request.reading import reading_of
from router.request.text import last_user_text
from router.request.wants import needs, shape_in, shape_of

WEIGHTS = LadderSettings().all_weights


def body(text, **more):
    return {"messages": [{"role": "user", "content": text}], **more}


def score(text, **more):
    return complexity(reading_of(body(text, **more)), WEIGHTS).score


@pytest.mark.parametrize(
    ("easier", "harder"),
    [
        ("What is the capital of France?", "Prove why the algorithm is optimal, step by step."),
        ('{"name": "string"}', '{"a": {"b": {"c": {"d": [{"e": "int", "f": "int"}]}}}}'),
        ("Hello", "```python\ndef f(x):\n    pass\n```\nRefactor this, debug the traceback"),
        ("Hello", "Hello. " * 2000),
        ("A user", "A user: must be unique, at least 3, at most 9, valid, required, only if x"),
    ],
)
def test_what_looks_harder_scores_higher(easier, harder):
    assert score(easier) + 1 < score(harder)


@given(st.text(), st.recursive(st.text(), lambda x: st.dictionaries(st.text(), x)))
def test_a_score_lies_between_0_and_10_and_names_all_its_parts(text, shape):
    result = complexity(reading_of(body(text, shape=shape)), WEIGHTS)
    assert 0 <= result.score <= 10
    assert set(result.parts) == set(PARTS)


def test_a_weight_of_zero_takes_its_part_out():
    hard = body("Prove, compare, analyse, derive and design it, step by step")
    assert (
        complexity(reading_of(hard), WEIGHTS | {"question": 0.0}).score
        < 1
        < complexity(reading_of(hard), WEIGHTS).score
    )


def test_a_shape_is_found_where_it_stands():
    shape = {"name": "string"}
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert shape_of(body("x", shape=shape)) == shape
    marked = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
    assert shape_of(body("x", response_format=wanted)) == marked
    assert shape_of(body('5 users like {"name": "string"} please')) == shape
    assert shape_of(body("no shape {here}")) is None


@pytest.mark.parametrize("text", ["", "{", "}{", "[1, 2]", "{}", "a { b } c", "[]"])
def test_text_without_a_shape_has_none(text):
    assert shape_in(text) is None


def test_depth_is_the_callers_and_breaks_nothing():
    deep = {"x": 1}
    for _ in range(900):
        deep = {"x": deep}
    assert complexity(reading_of(body("", shape=deep)), WEIGHTS).score > 0


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"tools": [{"type": "function"}]}, {"tools"}),
        ({"response_format": {"type": "json_object"}}, {"json"}),
        ({"tools": []}, set()),
        ({}, set()),
    ],
)
def test_what_a_request_needs_is_read_off_its_fields(fields, wanted):
    assert needs(body("x", **fields)) == wanted


def test_an_image_needs_a_backend_that_sees():
    content = [{"type": "image_url", "image_url": {"url": "data:"}}, {"type": "text", "text": "?"}]
    fields = {"messages": [{"role": "user", "content": content}]}
    assert needs(fields) == {"images"}
    assert last_user_text(fields) == "?"
