"""The halves of the blind suites that were looked at: no answer is wrong, and most are given."""

from pathlib import Path

import pytest

from experiments.statistics.blind import answers_by_rule, cases_in, counts
from tests.sparing import slow_after

_FOLDER = Path(__file__).parent / "blind"


@pytest.mark.parametrize(
    ("suite", "least"), slow_after(2, [("a", 0.85), ("b.es", 0.75), ("b", 0.85), ("a.es", 0.75)])
)
async def test_no_answer_to_a_stranger_is_wrong(suite: str, least: float):
    graded = await answers_by_rule(cases_in([_FOLDER / f"{suite}.seen.jsonl"]))
    assert [each.case["request"] for each in graded if each.certified_wrong] == []
    figures = counts(graded)
    assert figures["right"] >= least * figures["all"]
