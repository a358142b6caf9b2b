"""The lines of a journal: a changed or cut line is recognised."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from router.telemetry.lines import decoded, encoded

rows = st.dictionaries(
    st.sampled_from("abcxyz"), st.none() | st.floats(0, 1) | st.text(max_size=9), min_size=1
)


@given(st.lists(rows, min_size=1, max_size=5))
def test_what_was_encoded_is_decoded_in_order(values):
    content = b"".join(encoded(n, row) for n, row in enumerate(values, 1))
    lines = decoded(content)
    assert lines.numbers == list(range(1, len(values) + 1))
    assert (lines.bad, lines.torn) == ([], False)
    read = [orjson.loads(line) for line in lines.good]
    assert [(row["v"], row["n"]) for row in read] == [(1, n) for n in lines.numbers]
    assert [{k: row[k] for k in row.keys() - {"crc", "v", "n"}} for row in read] == values


@given(rows, st.data())
def test_any_changed_byte_is_found_and_spoils_no_other_line(row, data):
    first, line, last = (encoded(n, row) for n in (6, 7, 8))
    at = data.draw(st.integers(0, len(line) - 2))
    changed = data.draw(st.integers(0, 255).filter(lambda b: b not in (line[at], 10)))
    broken = line[:at] + bytes([changed]) + line[at + 1 :]
    lines = decoded(first + broken + last)
    assert lines.numbers == [6, 8]
    assert lines.bad == [(len(first), broken)]


@given(rows, st.data())
def test_a_line_without_its_end_is_torn(row, data):
    whole, last = encoded(1, row), encoded(2, row)
    cut = data.draw(st.integers(1, len(last) - 1))
    lines = decoded(whole + last[:cut])
    assert (lines.numbers, lines.bad, lines.torn) == ([1], [], True)


def test_text_may_hold_characters_that_other_readers_take_for_the_end_of_a_line():
    text = "a\r\nb\u2028c\x85d\x1e"
    lines = decoded(encoded(1, {"prompt": text}))
    assert lines.bad == []
    assert orjson.loads(lines.good[0])["prompt"] == text
