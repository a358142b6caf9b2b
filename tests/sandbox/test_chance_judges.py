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

_GROUPS = {"mean1": 75.2, "sd1": 8.1, "n1": 30.0, "mean2": 71.4, "sd2": 9.6, "n2": 28.0}
_RATES = {"successes1": 480.0, "n1": 12000.0, "successes2": 552.0, "n2": 12000.0}

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
    (
        "distribution_probability",
        {"family": "poisson", "parameters": {"rate": 12.0, "exposure": 0.25}, "low": 2.0},
    ),
    ("distribution_probability", {**_NORMAL, "low": 160.0}),
    *(("permutations", {"n": n, "k": k}) for n, k in ((10.0, 3.0), (5.0, 5.0), (52.0, 5.0))),
    *(("combinations", {"n": n, "k": k}) for n, k in ((49.0, 6.0), (5.0, 0.0), (300.0, 150.0))),
    *(("factorial", {"n": n}) for n in (0.0, 7.0, 60.0)),
    ("sequences", {"n": 26.0, "k": 4.0}),
    ("multisets", {"n": 5.0, "k": 3.0}),
    *(
        ("orderings", {"n": n} | how)
        for n in (5.0, 9.0)
        for how in (
            {},
            {"circle": True},
            {"circle": True, "mirrored": True},
            {"together": 3.0},
            {"together": 2.0, "circle": True},
            {"apart": 2.0},
            {"apart": 2.0, "circle": True},
        )
    ),
    ("handshakes", {"people": 12.0}),
    ("letter_arrangements", {"word": "MISSISSIPPI"}),
    ("letter_arrangements", {"word": "STATISTICS", "vowels_together": True}),
    ("choices_from_groups", {"sizes": [12.0, 6.0], "chosen": [5.0, 2.0]}),
    *(
        ("committees", {"group": 7.0, "others": 6.0, "members": 5.0} | bound)
        for bound in ({"low": 2.0}, {"high": 3.0}, {"low": 1.0, "high": 4.0})
    ),
    ("codes", {"alphabets": [26.0, 10.0], "lengths": [3.0, 3.0]}),
    ("codes", {"alphabets": [26.0, 10.0], "lengths": [3.0, 4.0], "unique": True}),
    ("meals", {"choices": [4.0, 6.0, 3.0]}),
    ("dice_one_of", {"sides": [6.0, 6.0], "values": [7.0, 11.0]}),
    ("dice_one_of", {"sides": [20.0], "values": [2.0, 3.0, 5.0, 7.0], "percent": True}),
    *(
        ("dice_sum", {"sides": sides} | event)
        for sides in ([6.0, 6.0], [6.0, 8.0, 20.0], [6.0] * 10)
        for event in ({"low": 9.0}, {"low": 7.0, "high": 7.0}, {"high": 15.0, "percent": True})
    ),
    *(
        ("dice_pattern", {"dice": 3.0, "sides": 6.0, "pattern": pattern})
        for pattern in ("all_same", "all_different", "some_same")
    ),
    ("dice_sums", {"sides": [6.0, 6.0]}),
    ("dice_expectation", {"sides": [6.0, 8.0]}),
    ("run_of_successes", {"n": 50.0, "p": 0.72, "length": 10.0}),
    ("run_of_successes", {"n": 10.0, "p": 0.5, "length": 10.0, "percent": True}),
    ("birthdays", {"people": 28.0, "percent": True}),
    ("birthdays", {"people": 400.0}),
    ("birthday_of_one", {"people": 30.0}),
    ("birthday_group", {"probability": 0.5}),
    *(
        ("poker_hand", {"hand": hand})
        for hand in (
            "royal_flush",
            "straight_flush",
            "four_of_a_kind",
            "full_house",
            "flush",
            "straight",
            "three_of_a_kind",
            "two_pair",
            "one_pair",
            "same_suit",
        )
    ),
    ("urn", {"counts": [5.0, 3.0], "wanted": [2.0, 1.0]}),
    ("urn", {"counts": [5.0, 3.0, 4.0], "wanted": [2.0, 1.0, 1.0], "replacement": True}),
    ("urn_same_colour", {"counts": [5.0, 3.0, 4.0], "drawn": 2.0}),
    ("urn_same_colour", {"counts": [5.0, 3.0], "drawn": 2.0, "replacement": True}),
    ("urn_same_colour", {"counts": [5.0, 3.0], "drawn": 2.0, "different": True}),
    ("bayes", {"prior": 0.02, "hit": 0.95, "false_alarm": 0.1}),
    ("bayes", {"prior": 0.02, "hit": 0.95, "false_alarm": 0.1, "negative": True}),
    ("bayes", {"prior": 0.2, "hit": 0.9, "false_alarm": 0.1, "negative": True, "healthy": True}),
    ("total_probability", {"shares": [0.6, 0.4], "rates": [0.02, 0.05]}),
    ("source_given_event", {"shares": [0.6, 0.4], "rates": [0.02, 0.05], "source": 1}),
    *(
        ("independent_events", {"probabilities": [0.9, 0.8, 0.7], "event": event})
        for event in ("all", "none", "any", "one")
    ),
    ("trials_needed", {"p": 0.05, "confidence": 0.9}),
    ("trials_needed", {"p": 0.5, "confidence": 0.875}),
    ("coupon_collector", {"kinds": 6.0}),
    ("expected_prize", {"prizes": [1000.0, 50.0], "probabilities": [0.001, 0.02], "cost": 5.0}),
    ("expected_count", {"n": 250.0, "p": 0.03}),
    ("simulated_pi", {"points": 1_000_000.0, "seed": 0.0}),
    ("simulated_dice", {"rolls": 10_000.0, "sides": [6.0, 6.0], "seed": 0.0, "statistic": "mean"}),
    (
        "simulated_dice",
        {"rolls": 10_000.0, "sides": [6.0, 6.0], "seed": 0.0, "statistic": "share", "low": 7.0},
    ),
    ("simulated_flips", {"experiments": 10_000.0, "flips": 10.0, "p": 0.5, "seed": 0.0, "low": 8}),
    ("simulated_birthdays", {"experiments": 10_000.0, "people": 23.0, "seed": 0.0}),
    *(
        ("mean_test", {"mean": 104.0, "sd": 12.0, "n": 36.0, "null": 100.0} | how)
        for how in ({}, {"known_sd": True}, {"tail": "greater"}, {"tail": "less", "alpha": 0.01})
    ),
    *(
        ("means_test", _GROUPS | how)
        for how in ({}, {"method": "pooled"}, {"method": "z"}, {"tail": "greater"})
    ),
    *(("means_interval", _GROUPS | how) for how in ({}, {"method": "pooled"}, {"method": "z"})),
    ("proportion_test", {"successes": 60.0, "n": 100.0, "null": 0.5}),
    ("proportion_test", {"successes": 60.0, "n": 100.0, "null": 0.5, "tail": "greater"}),
    ("proportions_test", _RATES),
    ("proportions_test", _RATES | {"tail": "greater", "alpha": 0.01}),
    ("proportions_interval", _RATES),
    ("chi_square_2x2", _RATES),
    ("chi_square_2x2", _RATES | {"yates": True}),
    ("mean_interval", {"mean": 50.0, "sd": 8.0, "n": 25.0}),
    ("mean_interval", {"mean": 50.0, "sd": 8.0, "n": 25.0, "known_sd": True, "confidence": 0.99}),
    ("proportion_interval", {"successes": 45.0, "n": 120.0}),
    ("proportion_interval", {"successes": 45.0, "n": 120.0, "method": "wilson"}),
    ("margin_of_error", {"p": 0.5, "n": 1000.0}),
    ("mean_margin", {"sd": 8.0, "n": 25.0}),
    ("standard_error", {"sd": 8.0, "n": 25.0}),
    ("proportion_error", {"p": 0.3, "n": 250.0}),
    ("sample_size_proportion", {"margin": 0.03}),
    ("sample_size_proportion", {"margin": 0.04, "confidence": 0.99, "population": 2000.0}),
    ("sample_size_mean", {"margin": 2.0, "sd": 15.0}),
    ("sample_size_proportions", {"p1": 0.08, "p2": 0.1}),
    ("sample_size_proportions", {"p1": 0.08, "p2": 0.1, "power": 0.9, "tail": "one"}),
    ("sample_size_means", {"difference": 5.0, "sd": 10.0}),
    ("sample_size_means", {"difference": 1.0, "sd": 10.0, "power": 0.9, "tail": "one"}),
    ("power_of_means", {"difference": 5.0, "sd": 10.0, "n": 30.0}),
    ("power_of_means", {"difference": 9.0, "sd": 10.0, "n": 5.0, "tail": "one"}),
    ("power_of_proportions", {"p1": 0.08, "p2": 0.1, "n": 2000.0}),
    ("risk_measures", {"events1": 12.0, "n1": 100.0, "events2": 27.0, "n2": 100.0}),
    ("cohen_d", {"mean1": 10.0, "sd1": 2.0, "mean2": 8.0, "sd2": 3.0}),
    ("cohen_d", {"mean1": 10.0, "sd1": 2.0, "mean2": 8.0, "sd2": 3.0, "n1": 20.0, "n2": 40.0}),
    ("kappa", {"both_yes": 40.0, "both_no": 30.0, "first_only": 10.0, "second_only": 20.0}),
    ("variances_test", {"sd1": 5.0, "n1": 20.0, "sd2": 3.0, "n2": 25.0}),
    ("correlation_test", {"r": 0.45, "n": 30.0}),
    ("correlation_interval", {"r": 0.45, "n": 30.0}),
    ("statistic_p_value", {"family": "t", "statistic": 2.5, "df": 20.0}),
    ("statistic_p_value", {"family": "normal", "statistic": -2.1}),
    ("statistic_p_value", {"family": "chi2", "statistic": 7.2, "df": 2.0, "tail": "greater"}),
    ("statistic_p_value", {"family": "f", "statistic": 4.1, "df": 3, "df2": 20, "tail": "greater"}),
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
            refused = verdict(method, parameters, right | {key: wrong})
            assert key in refused or method.startswith("simulated")
        assert "missing" in verdict(
            method, parameters, {k: v for k, v in (right | {"x": 1}).items() if k != key}
        )


def _changed(figure: Any) -> Any:
    if isinstance(figure, bool):
        return not figure
    if isinstance(figure, list):
        return [_changed(item) for item in figure]
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
