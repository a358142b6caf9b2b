"""Every program of probability and inference agrees with its judge, which refuses wrong figures."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from sandbox.judging import inference, probability
from sandbox.judging.calculations import EXPECTED, check_calculations
from sandbox.judging.impossible import IMPOSSIBLE
from sandbox.programs import inference as inference_programs
from sandbox.programs import probability as probability_programs
from sandbox.programs.catalogue import PROGRAMS
from sandbox.spec import Analysis, Spec

_NORMAL = {"family": "normal", "parameters": {"mean": 100.0, "sd": 15.0}}
_T = {"family": "t", "parameters": {"df": 14.0}}
_CHI2 = {"family": "chi2", "parameters": {"df": 3.0}}
_F = {"family": "f", "parameters": {"df1": 3.0, "df2": 20.0}}
_BINOMIAL = {"family": "binomial", "parameters": {"n": 20.0, "p": 0.25}}
_LIFE = {"family": "exponential", "parameters": {"mean": 8000.0}}
_DISTRIBUTIONS: tuple[Mapping[str, Any], ...] = (
    _NORMAL, _T, _CHI2, _F, _LIFE, _BINOMIAL,
    {"family": "uniform", "parameters": {"low": 2.0, "high": 60.0}},
    {"family": "lognormal", "parameters": {"mu": 2.0, "sigma": 0.5}},
    {"family": "gamma", "parameters": {"shape": 2.5, "scale": 4.0}},
    {"family": "weibull", "parameters": {"shape": 1.5, "scale": 20.0}},
    {"family": "poisson", "parameters": {"rate": 7.5}},
    {"family": "geometric", "parameters": {"p": 0.2}},
    {"family": "negative_binomial", "parameters": {"r": 3.0, "p": 0.3}},
    {"family": "hypergeometric", "parameters": {"population": 50.0, "marked": 16.0, "drawn": 15.0}},
    {"family": "discrete_uniform", "parameters": {"low": 1.0, "high": 20.0}},
)  # fmt: skip

CASES: list[tuple[str, Mapping[str, Any]]] = [
    *(
        ("distribution_probability", of | event)
        for of in _DISTRIBUTIONS
        for event in (
            {"low": 3.0},
            {"high": 8.0},
            {"low": 3.0, "low_open": True},
            {"low": 3.0, "high": 8.0, "percent": True},
            {"low": 4.0, "high": 9.0, "outside": True, "high_open": True},
            {"high": 5.0, "high_open": True, "out_of": 500.0},
        )
    ),
    *(("distribution_quantile", of | {"below": 0.9}) for of in _DISTRIBUTIONS),
    *(("distribution_quantile", of | {"above": 0.001}) for of in (_NORMAL, _T, _CHI2, _F, _LIFE)),
    *(("distribution_quantile", of | {"middle": 0.95}) for of in (_NORMAL, _T, _CHI2, _F)),
    *(("distribution_moments", of) for of in _DISTRIBUTIONS),
    ("distribution_probability", {**_BINOMIAL, "low": 5.0, "high": 5.0}),
    ("distribution_probability", {**_NORMAL, "low": 160.0}),
    ("z_score", {"value": 130.0, "mean": 100.0, "sd": 15.0}),
    ("parameter_from_probability", {"value": 130.0, "share_below": 0.9, "mean": 100.0}),
    ("parameter_from_probability", {"value": 130.0, "share_below": 0.1, "sd": 12.0}),
]


def figures(method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    names: dict[str, Any] = {"math": math, "np": np}
    exec(PROGRAMS[method], names)
    made: dict[str, Any] = names[method](**parameters)
    return made


def verdict(method: str, parameters: Mapping[str, Any], result: object) -> str:
    """The first reason of the judge to say no; "" if it accepts the result."""
    spec = Spec("calculate", analyses=(Analysis(method, parameters=parameters),))
    return next((c.detail for c in check_calculations(spec, result) if not c.holds), "")


@pytest.mark.parametrize(("method", "parameters"), CASES)
def test_a_program_agrees_with_its_judge(method: str, parameters: Mapping[str, Any]) -> None:
    assert IMPOSSIBLE[method](**parameters) == ""
    assert verdict(method, parameters, figures(method, parameters)) == ""


@pytest.mark.parametrize(("method", "parameters"), CASES[:: max(1, len(CASES) // 60)])
def test_a_figure_that_is_wrong_by_one_percent_is_refused(
    method: str, parameters: Mapping[str, Any]
) -> None:
    right = figures(method, parameters)
    for key, figure in right.items():
        wrong = _changed(figure)
        if wrong is not None:
            assert key in verdict(method, parameters, right | {key: wrong})
        assert "missing" in verdict(
            method, parameters, {k: v for k, v in (right | {"x": 1}).items() if k != key}
        )


def _changed(figure: Any) -> Any:
    if isinstance(figure, bool):
        return not figure
    if isinstance(figure, str):
        return figure + "x"
    if isinstance(figure, int | float):
        return figure * 1.01 if isinstance(figure, float) and figure else figure + 1
    return None


def test_every_method_has_a_program_a_judge_and_a_case() -> None:
    methods = {*probability_programs.PROGRAMS, *inference_programs.PROGRAMS}
    assert methods == {*probability.EXPECTED, *inference.EXPECTED}
    assert methods == {*probability.IMPOSSIBLE, *inference.IMPOSSIBLE}
    assert methods <= {*EXPECTED}
    assert methods == {method for method, _ in CASES}
