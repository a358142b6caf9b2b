"""Questions about dates, times, equations and arithmetic: read wholly or refused by name."""

import datetime as dt
import math
import random
from typing import Any

import numpy as np
import pytest

from sandbox.contradictions import contradiction
from sandbox.judging import algebra, dates
from sandbox.programs.algebra import PROGRAMS as OF_ALGEBRA
from sandbox.programs.dates import PROGRAMS as OF_DATES
from sandbox.request import read
from tests.sandbox.reading import computed


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("How many days are there from 17 February 2025 to 3 November 2025?", {"days": 259}),
        (
            "Stitches were put in on 20 January 2026; follow-up is 45 days later. On what date is "
            "that?",
            {"date": "2026-03-06", "weekday": "Friday"},
        ),
        ("What day of the week was July 4, 1976?", {"weekday": "Sunday"}),
        (
            "Number of weekdays (Mon-Fri) from 3 March 2025 to 28 March 2025, both included?",
            {"days": 20},
        ),
        (
            "Mi turno va de 21:45 a 07:10 y no me pagan media hora de descanso. ¿Cuánto tiempo me "
            "pagan?",
            {"hours": 535 / 60, "minutes": 535.0, "duration": "8:55"},
        ),
        ("Solve for x, y:\n2x + y = 7\nx - 3y = -7", {"x": 2.0, "y": 3.0}),
        ("solve x^2 - 5x + 6 = 0", {"x_1": 2.0, "x_2": 3.0}),
        (
            "Three coffees and two croissants cost 8.10; one coffee and four croissants cost 7.70. "
            "Price of a coffee? Of a croissant?",
            {"coffee": 1.7, "croissant": 1.5},
        ),
        ("determinante de [[2,-1,0],[1,3,2],[4,0,5]]", {"determinant": 27.0}),
        ("(12 + 7) * 3.5 - 2^4", {"value": 50.5}),
        ("is 97 prime?", {"prime": True}),
    ],
)
def test_a_question_is_read_and_checked(text: str, figures: dict[str, Any]):
    result, level = computed(text)
    assert level == "spec"
    assert result == pytest.approx(figures) if "weekday" not in figures else result == figures


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("What date is 10 days after 30 February 2025?", "no 30 February 2025"),
        ("what date is 90 days after 03/04/2025", "day first or a month first"),
        ("Number of working days from 3 March 2025 to 28 March 2025?", "both days are included"),
        ("call me at 555-1234", "call"),
        ("determinant of [[2, 1], [1, 3]], squared", "squared"),
        ("solve 2x + 3 = 11 for x, in words", "words"),
    ],
)
def test_what_is_not_understood_is_named(text: str, reason: str):
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in " ".join(interpretation.reasons)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("solve x + y = 5 and x + y = 6", "contradict or repeat"),
        ("what is 5 divided by 0", "divides by 0"),
        ("inverse of [[1, 2], [2, 4]]", "no inverse"),
    ],
)
def test_what_cannot_be_is_named(text: str, reason: str):
    spec = read(text).spec
    assert spec is not None
    assert reason in contradiction(spec)


def _program(source: str, method: str) -> Any:
    names: dict[str, Any] = {"math": math, "np": np}
    exec(source, names)
    return names[method]


def test_programs_and_judges_of_dates_agree_on_many_days():
    rng = random.Random(3)
    days = [dt.date.fromordinal(rng.randint(500_000, 800_000)).isoformat() for _ in range(300)]
    for first, last in zip(days, reversed(days), strict=True):
        first, last = sorted((first, last))
        for method, given in (
            ("days_between", {"first": first, "last": last, "inclusive": True, "unit": "weeks"}),
            ("weekday_of", {"date": first}),
            ("date_shifted", {"date": first, "sign": -1, "months": 13, "days": 40}),
        ):
            figures = _program(OF_DATES[method], method)(**given)
            assert figures == dates.EXPECTED[method](**given)
    given = {"first": "2024-02-20", "last": "2025-03-02"}
    figures = _program(OF_DATES["working_days"], "working_days")(**given)
    assert figures == dates.EXPECTED["working_days"](**given)


_ROWS = ((2.0, -1.0, 0.5), (1.0, 3.0, 2.0), (4.0, 0.0, 5.0))


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("linear_system", {"matrix": _ROWS, "constants": (1, 2, 3), "names": ("x", "y", "z")}),
        *[("quadratic", {"a": a, "b": b, "c": 2.0, "name": "x"}) for a in (1, -2) for b in (4, 1)],
        *[(method, {"rows": _ROWS}) for method in ("determinant", "inverse", "transpose", "rank")],
        ("trace", {"rows": _ROWS}),
        ("eigenvalues", {"rows": ((2.0, 1.0, 0.0), (1.0, 3.0, 1.0), (0.0, 1.0, 5.0))}),
        ("matrix_product", {"first": _ROWS, "second": _ROWS}),
        ("arithmetic", {"expression": "( 12 + 7 ) * 3.5 - 2 ** 4 / - 3"}),
        ("gcd", {"values": (84, 36, 120)}),
        ("lcm", {"values": (84, 36)}),
        ("prime_factors", {"number": 98_280}),
        ("is_prime", {"number": 97}),
        ("square_root", {"number": 2.0}),
        ("sum_of_range", {"first": 3, "last": 100}),
    ],
)
def test_programs_and_judges_of_algebra_agree(method: str, given: dict[str, Any]):
    figures = _program(OF_ALGEBRA[method], method)(**given)
    expected = algebra.EXPECTED[method](**given)
    assert figures.keys() == expected.keys()
    for key, value in expected.items():
        assert np.allclose(figures[key], value, rtol=1e-9)
