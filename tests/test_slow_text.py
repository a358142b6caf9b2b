"""No pattern over text takes more than linear time for texts made to be slow for it."""

import re

import pytest

from experiments.attack.seeds import Seed, seeds
from experiments.attack.slow_text import SURE, chosen, findings, searching, slow_patterns


@pytest.mark.parametrize("every", [96, pytest.param(8, marks=pytest.mark.slow)])
def test_no_pattern_takes_more_than_linear_time(every):
    # One of so many texts for each pattern; `python -m experiments.attack.slow_text` tries all, by
    # a stricter bar: what it does not list does not fail here, on any machine.
    assert [str(finding) for finding in slow_patterns(every=every, bar=SURE)] == []


@pytest.mark.parametrize("pattern", [r"\s*x", r"(?:\s*\s*)*x\s*\s*\s*y", r"start of a text (a+)+b"])
def test_a_pattern_is_slow_however_long_its_time_is(pattern: str):
    slow = re.compile(pattern)
    assert any(findings(searching("x", slow), "x", seeds(slow), bar=SURE)), pattern


@pytest.mark.parametrize(
    "pattern", [r"\s{0,3}x", r"\w+", r"(?:a|b)*+c?", r"\bmean of (\w+) and \d+"]
)
def test_a_linear_pattern_is_not_slow(pattern: str):
    plain = re.compile(pattern)
    assert not list(findings(searching("x", plain), "x", seeds(plain))), pattern


def test_a_reader_that_takes_long_in_linear_time_is_not_slow():
    def reader(text: str) -> int:
        return sum(1 for _ in text for _ in range(5_000))

    assert not list(findings(reader, "x", [Seed("", "a")]))


def test_a_change_of_a_pattern_leaves_the_choice_among_its_other_texts():
    texts = [Seed("", unit) for unit in "abcdefghijklmnopqrstuvwx"]
    before = chosen("room.module:12.sub #3", texts, every=8)
    after = chosen("room.module:14.sub #9", [Seed("", "0"), *texts], every=8)
    assert len(before) == 3
    assert set(before) <= {*after} | {max(before, key=before.index)}
    assert len(chosen("room.module:12.sub #3", texts[:5], every=8)) == 1
