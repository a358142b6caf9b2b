"""Calculations through a whole router: read, run in the sandbox, and judged outside."""

import json

import pytest

from tests.compute.computing import YAML, content
from tests.rig import rig


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("How many km in 26.2 miles?", {"kilometer": 42.1648128}),
        ("percent change from 80 to 92", {"percent_change": 15.0}),
        ("days between March 3 2024 and June 1 2024", {"days": 90}),
        ("Roll 3 dice, probability the sum is 10", {"probability": 0.125}),
        ("determinant of [[2, 1], [1, 3]]", {"determinant": 5.0}),
        ("What is the mean of 12, 15 and 20 euros?", {"mean": 47 / 3}),
    ],
)
async def test_a_calculation_is_answered_and_checked(text: str, figures: dict[str, float]):
    async with rig(YAML) as waggle:
        answer = await waggle.chat(text)
        assert answer.headers["x-waggle-verified"] == "spec"
        assert json.loads(content(answer)) == pytest.approx(figures)
