"""One bound on nesting holds for everything that a caller can nest."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.request.nesting import MOST_LEVELS, nests_too_deep
from router.request.wants import shape_in


def nested(levels, kinds="{["):
    """A value that is nested so deep, by objects and lists in turn."""
    opened = [kinds[level % len(kinds)] for level in range(levels)]
    begin = "".join('{"a":' if kind == "{" else "[" for kind in opened)
    return begin + "1" + "".join("}" if kind == "{" else "]" for kind in reversed(opened))


@pytest.mark.parametrize("kinds", ["{", "[", "{["])
def test_the_bound_is_exact(kinds):
    for levels in range(MOST_LEVELS - 2, MOST_LEVELS + 3):
        written = nested(levels, kinds)
        for text in (written, written.encode()):
            assert nests_too_deep(json.loads(written), text) == (levels > MOST_LEVELS)


@given(st.integers(0, 300), st.sampled_from(["{", "[", "{[", "[[{"]), st.integers(0, 300))
def test_the_deepest_place_counts_wherever_it_stands(levels, kinds, wide):
    written = f"[{'[],' * wide}{nested(levels, kinds)},{{}}]"
    value = orjson.loads(written)
    assert nests_too_deep(value, written) == (levels + 1 > MOST_LEVELS)


def test_brackets_in_a_text_are_no_levels():
    written = orjson.dumps(["[" * 5000])
    assert not nests_too_deep(orjson.loads(written), written)


def test_a_prompt_may_quote_what_is_too_deep_for_a_shape():
    assert shape_in(f"What is {nested(900)}?") is None
    assert shape_in('Two of {"a": "int"}') == {"a": "int"}
