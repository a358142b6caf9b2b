"""Equations with brackets and fractions, sums of matrices, logarithms, ratios: read or refused."""

import math
from typing import Any

import numpy as np
import pytest

from sandbox.judging import algebra
from sandbox.judging.comparison import Tolerance, first_differences
from sandbox.programs.algebra import PROGRAMS
from sandbox.request import read
from tests.sandbox.reading import computed


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("Solve for x: 2(x - 3) = 10", {"x": 8}),
        ("solve 3(2x - 1) - 4(x + 2) = 5", {"x": 8}),
        ("solve (x + 1)/2 = (x - 3)/4", {"x": -5}),
        ("resuelve 0,5(x + 4) = 3,25", {"x": 2.5}),
        ("x/8 = 15/24, find x", {"x": 5}),
        (
            "The sum of two numbers is 30 and their difference is 6. What are the numbers?",
            {"larger": 18},
        ),
        ("divide 120 in the ratio 2:3", {"parts": [48, 72]}),
        ("reparte 120 en proporción 2:3", {"parts": [48, 72]}),
        ("suma de las matrices [[1,2],[3,4]] y [[5,6],[7,8]]", {"sum": [[6, 8], [10, 12]]}),
        ("producto escalar de (1, 2, 3) y (4, -5, 6)", {"dot_product": 12}),
        ("log base 10 of 1000", {"log10": 3}),
        ("resto de dividir 100 entre 7", {"remainder": 2}),
        ("raíz cúbica de 27", {"cube_root": 3}),
    ],
)
def test_a_question_is_read_and_checked(text: str, figures: dict[str, Any]):
    result, level = computed(text)
    assert level == "spec"
    assert not first_differences({key: result[key] for key in figures}, figures, Tolerance())


@pytest.mark.parametrize(
    "text",
    [
        "The sum of two numbers is 30 and their difference is 6. What is their product?",
        "solve 1/x = 4",
        "solve 2(x-3)(x+1) = 10",
        "dot product of [1, 2, 3] and [4, 5, 6] divided by 2",
        "add [[1,2],[3,4]] and [[5,6],[7,8]] and transpose it",
        "divide 120 in the ratio 2:3, how much more does the larger get?",
        "17 mod 5 plus 1",
        "log base 3 of 9",
        "people with 160-170 IQ points",
        "9/3 (6*4/8)",
    ],
)
def test_what_asks_something_else_is_refused(text: str):
    assert read(text).spec is None


def test_the_judge_puts_the_solution_into_the_equations_as_they_were_written():
    with pytest.raises(ValueError, match="does not fulfil"):
        algebra.EXPECTED["linear_system"](
            matrix=((2.0,),), constants=(10.0,), names=("x",), equations=("2 ( x - 3 ) = 10",)
        )


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("dot_product", {"first": (1.5, 2, 3), "second": (4, -5, 6)}),
        ("matrix_sum", {"first": ((1, 2), (3, 4)), "second": ((0.5, 6), (7, 8))}),
        ("ratio_parts", {"total": 120.0, "parts": (2.0, 3.0, 5.0)}),
        *[("cube_root", {"number": x}) for x in (27.0, -8.0, 0.0)],
        *[
            (f"log_{name}", {"number": x})
            for name in ("ten", "two", "natural")
            for x in (0.001, 20.0, 64.0)
        ],
        ("remainder", {"number": 100.0, "by": 7.0}),
    ],
)
def test_program_and_judge_agree(method: str, given: dict[str, Any]):
    names: dict[str, Any] = {"math": math, "np": np}
    exec(PROGRAMS[method], names)
    assert not first_differences(
        names[method](**given), algebra.EXPECTED[method](**given), Tolerance()
    )
