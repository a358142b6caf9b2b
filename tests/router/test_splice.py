"""Splicing changes the named field and no other byte, in any JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.request.outline import spans_of
from router.wire.splice import inserted, object_at, replaced, replaced_only, spans

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(), values, max_size=6)
layouts = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])


def written(value, layout):
    return json.dumps(value, **layout).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("find", [spans, spans_of])
@given(fields=objects, layout=layouts, ending=st.sampled_from([b"", b"]", b', {"a": 1}]']))
def test_spans_find_every_value_of_the_outer_object(find, fields, layout, ending):
    raw = written(fields, layout)
    keys = [written(key, layout) for key in fields]
    places = find(raw + ending, [*keys, b'"no key of these"'])
    assert {json.loads(key): json.loads(raw[slice(*at)]) for key, at in places.items()} == fields


@given(objects, values)
def test_a_field_of_a_long_object_is_found_as_in_a_short_one(fields, value):
    raw = written({"model": "first", "x": [fields] * 3, "text": '\\"' * 300_000}, {})
    raw = raw[:-1] + b', "y": ' + written([fields, {"model": 1}], {"indent": 1}) + b', "model":"a"}'
    changed = replaced(raw, {b'"model"': written(value, {})})
    assert changed == raw[: -len(b'"a"}')] + written(value, {}) + b"}"


@given(objects, values, layouts)
def test_replacing_a_field_changes_that_field_and_nothing_else(fields, value, layout):
    raw = written(fields | {"model": "theirs"}, layout)
    changed = replaced(raw, {b'"model"': json.dumps(value).encode()})
    assert json.loads(changed) == fields | {"model": value}


@given(objects, layouts)
def test_the_quick_way_agrees_with_the_thorough_one(fields, layout):
    raw = written(fields | {"model": "theirs"}, layout)
    new = {b'"model"': b'"ours"'}
    assert replaced_only(raw, b'"model"', b'"ours"') == replaced(raw, new)


@given(objects)
def test_a_missing_field_is_put_in_front(fields):
    fields.pop("waggle", None)
    raw = json.dumps(fields).encode()
    changed = replaced(raw, {b'"waggle"': b"1"})
    assert json.loads(changed) == {"waggle": 1} | fields
    assert changed.endswith(raw[1:])


def test_numbers_duplicates_and_white_space_stay_as_they_were_written():
    raw = b'{ "seed": 123456789012345678901234567890, "t": 1.0e+2,\n"x":1,"x":2, "model" : "a" }'
    kept = raw.replace(b'"a"', b'"b"')
    assert replaced(raw, {b'"model"': b'"b"'}) == kept
    assert replaced_only(raw, b'"model"', b'"b"') == kept


def test_a_field_of_the_same_name_deeper_in_is_left_alone():
    raw = b'{"metadata": {"model": "inner"}, "text": "\\"model\\": 1", "model": "outer"}'
    assert b'"inner"' in replaced(raw, {b'"model"': b'"new"'})
    assert json.loads(replaced_only(raw, b'"model"', b'"new"'))["model"] == "new"


@pytest.mark.parametrize("raw", [b'{"usage": {"a": 1}}', b'{"x": {"usage": 3}, "usage":{"a":2}}'])
def test_an_object_is_found_where_it_opens(raw):
    assert raw[object_at(raw, b'"usage"') :].startswith(b'{"a"')


def test_an_empty_object_takes_members_without_a_comma():
    assert inserted(b"{ }", 0, b'"a":1') == b'{"a":1 }'


@given(st.text('{}[],:"\\a ', max_size=30))
def test_text_that_is_no_json_has_some_fields_or_none(text):
    assert spans_of(b"{" + text.encode(), (b'"a"', b'""')).keys() <= {b'"a"', b'""'}
