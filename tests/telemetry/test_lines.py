"""A line that was changed is told from one that was not."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from router.telemetry.lines import decoded, encoded

rows = st.dictionaries(st.sampled_from("abcxyz"), st.none() | st.floats(0, 1) | st.text(max_size=9))


@given(st.lists(rows, min_size=1, max_size=5))
def test_what_was_encoded_is_decoded_in_order(values):
    content = b"".join(encoded({"v": 2, "n": n, **row}) for n, row in enumerate(values, 1))
    lines = list(decoded(content))
    assert [line.number for line in lines] == list(range(1, len(values) + 1))
    assert not any(line.problem for line in lines)
    assert content[lines[-1].at :] == lines[-1].raw


@given(rows, st.data())
def test_any_changed_byte_is_found(row, data):
    line = encoded({"v": 2, "n": 7, **row})
    at = data.draw(st.integers(0, len(line) - 2))
    changed = data.draw(st.integers(0, 255).filter(lambda b: b != line[at] and b != 10))
    broken = line[:at] + bytes([changed]) + line[at + 1 :]
    (found,) = decoded(broken)
    assert found.problem == "checksum"


@given(rows, st.data())
def test_a_line_without_its_end_is_torn(row, data):
    whole, last = encoded({"v": 2, "n": 1}), encoded({"v": 2, "n": 2, **row})
    cut = data.draw(st.integers(1, len(last) - 1))
    lines = list(decoded(whole + last[:cut]))
    assert [line.problem for line in lines] == ["", "torn"]


def test_text_may_hold_what_other_readers_take_for_the_end_of_a_line():
    line = encoded({"v": 2, "n": 1, "prompt": "a\r\nb\u2028c\x85d\x1e"})
    (found,) = decoded(line)
    assert not found.problem
    assert orjson.loads(found.raw)["prompt"] == "a\r\nb\u2028c\x85d\x1e"
