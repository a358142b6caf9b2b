"""The words of a request are read when somebody first asks for them, and once."""

from dataclasses import replace

import pytest

from router.request.reading import fill, late_reading, reading_of

FIELDS = {"messages": [{"role": "user", "content": "Write a function that adds two numbers."}]}


def test_a_late_reading_is_made_at_its_first_use_and_says_the_same():
    late = late_reading(FIELDS)
    assert late.kind == reading_of(FIELDS).kind
    assert late == reading_of(FIELDS)


def test_a_late_reading_can_be_copied_with_a_change_before_it_was_made():
    assert replace(late_reading(FIELDS), tokens=7) == replace(reading_of(FIELDS), tokens=7)


def test_a_late_reading_takes_over_that_of_the_same_request_and_reads_nothing():
    late = late_reading({"messages": [{"role": "user", "content": "other words"}]})
    fill(late, reading_of(FIELDS))
    assert late == reading_of(FIELDS)


def test_a_name_that_no_reading_has_is_an_error():
    with pytest.raises(AttributeError, match="wrods"):
        _ = late_reading(FIELDS).wrods
