"""A huge body is parsed in pieces: the value and the error are those of the body as a whole."""

from time import thread_time

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router.request.json_body import json_of
from tests.router.test_splice import layouts, values, written
from tests.sparing import draws, slow_after

KEYS = b",".join(b'"%06x":1' % n for n in range(130_000))
ROWS = b",".join([b'{"a": 1, "b": "}],{\\""}'] * 60_000)


def same(body):
    assert len(body) > 2**20
    assert outcome(json_of, body) == outcome(orjson.loads, body)


def outcome(read, body):
    """The value, or the error, which names the place."""
    try:
        return repr(read(body))
    except orjson.JSONDecodeError as error:
        return str(error)


@draws(30)
@given(st.lists(values, min_size=1, max_size=4), layouts)
@example([float("inf")], {})
def test_any_value_is_the_same_in_pieces(some, layout):
    row = written(some, layout)
    count = 2**20 // len(row) // 4 + 1
    rows = b"[" + b" ,".join([row] * count) + b"]"
    same(b'{"a":' + rows + b',"b": {"c":' + rows + b',"d" : [' + rows + b"," + rows + b"]}, \n"
         + b'"a":' + rows + b"}")  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"{" + KEYS + b"}",
        b' {"shape" : {' + KEYS + b'} , "x": "' + b"a" * 300_000 + b'" } ',
        b'{"data":[' + ROWS + b"]}",
        b'{"\\u0061":[' + ROWS + b'],"a":2,"b":3,"b":' + b"[" * 50 + ROWS + b"]" * 50 + b"}",
        b"[" + b" " * 2**20 + b"]",
        b'"' + b"a" * 2**20 + b'"',
    ],
)
def test_huge_bodies_of_every_structure_are_the_same_in_pieces(body):
    same(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{" + KEYS + b",}",
        b"{" + KEYS + b"," + KEYS,
        b"{" + KEYS + b"]",
        b"{" + KEYS + b"}}",
        b"{" + KEYS + b"},{" + KEYS + b"}",
        b"[" + ROWS + b",," + ROWS + b"]",
        b"[" + ROWS + b"," + b" " * 300_000 + b"," + ROWS + b"]",
        b"[" + ROWS + b"]x",
        b'{"a" [' + ROWS + b"]}",
        b"{[" + ROWS + b"]}",
        b'["' + ROWS,
        b"[\xff," + ROWS + b"]",
        b"[" * 2**20,
        b" " * 2**21,
    ],
)
def test_what_is_no_json_is_refused_with_the_error_of_the_whole(body):
    body += b" " * 2**20
    with pytest.raises(orjson.JSONDecodeError) as whole:
        orjson.loads(body)
    with pytest.raises(orjson.JSONDecodeError) as pieces:
        json_of(body)
    assert str(pieces.value) == str(whole.value)


@pytest.mark.parametrize("item", slow_after(2, [b'{"a":{}}', b"[[]]", b"[]", b"{}", b"1", b'""']))
def test_eight_megabytes_of_any_structure_are_parsed_in_linear_time(item):
    body = b'{"x":[' + b",".join([item] * (2**23 // (len(item) + 1) - 9)) + b"]}"
    begun = thread_time()
    assert len(json_of(body)["x"]) == 2**23 // (len(item) + 1) - 9
    assert thread_time() - begun < 3.0
