"""Of every method of figures the program and the judge agree; a wrong figure is refused."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from sandbox.spec import Analysis, Change, Spec
from sandbox.supervisor.frames import json_value
from sandbox.synthesis import write_program
from sandbox.verify import verify

X = (12, 15, 9, 20, 18, 11, 23)
Y = (3.5, 4.0, 2.0, 7.5, 6.0, 3.0, 8.5)
Z = (1, 4, 2, 2, 5, 3, 1)
NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eva", "Fay", "Gus")
GROUPS = ("a", "b", "a", "b", "a", "b", "b")
DATA = {"x": X, "y": Y, "z": Z, "name": NAMES, "group": GROUPS}


def of_x(method: str, **parameters: Any) -> Analysis:
    return Analysis(method, ("x",), "", parameters)


def of_x_and_y(method: str, **parameters: Any) -> Analysis:
    return Analysis(method, ("x", "y"), "", parameters)


OF_ONE = [
    "mean", "median", "variance", "sd", "minimum", "maximum", "range", "sum", "count", "sem",
    "cv", "cv_percent", "iqr", "quartiles", "deciles", "geometric_mean", "harmonic_mean",
    "skewness", "kurtosis", "shapiro", "ks_normal", "describe", "root_mean_square", "mad",
    "mean_deviation", "sum_of_squares", "sum_of_squared_deviations", "deviations", "product",
    "cumulative_sum", "differences", "percent_changes", "growth_percent", "sorted", "z_score",
    "mode", "frequencies", "mode_count", "gini", "growth_per_step", "compound_mean_percent",
]  # fmt: skip
OF_TWO = [
    "correlation", "spearman", "kendall", "covariance", "ttest_paired", "wilcoxon", "sign_test",
    "ttest", "mannwhitney", "ks_two", "f_test", "cohens_d", "mean_difference", "anova",
    "kruskal", "levene", "sum_of_products",
]  # fmt: skip
DIRECTED = [
    "correlation", "spearman", "ttest", "ttest_paired", "mannwhitney", "wilcoxon", "sign_test",
]  # fmt: skip
ANALYSES = [
    *map(of_x, OF_ONE),
    *map(of_x_and_y, OF_TWO),
    *[of_x_and_y(method, alternative=way) for way in ("greater", "less") for method in DIRECTED],
    of_x("sd", ddof=0),
    of_x("variance", ddof=0),
    of_x("quantile", q=0.9),
    of_x("ci", level=0.9),
    of_x("margin_of_error", level=0.99),
    of_x("trimmed_mean", cut=0.2),
    of_x("moving_average", window=3),
    of_x("sorted", descending=True),
    of_x("z_score", value=20.0),
    of_x("z_score", ddof=0, value=20.0),
    of_x("percentile_rank", value=15.0),
    of_x("count_where", low=12.0),
    of_x("count_where", low=12.0, low_open=True),
    of_x("percentage_where", low=12.0, high=20.0, high_open=True),
    of_x("proportion_where", high=12.0),
    of_x("greatest_change", falling=False, percent=True),
    of_x("greatest_change", falling=True, percent=False, names="name"),
    of_x("above_mean", names="name"),
    of_x("below_mean"),
    of_x("from_mean", names="name", name="Dan"),
    of_x("change_between", names="name", first="Ben", last="Fay"),
    of_x("outliers", rule="iqr", limit=1.5),
    of_x("outliers", rule="zscore", limit=1.0),
    of_x("weighted_mean", weights="z"),
    of_x("largest", names="name"),
    of_x("smallest", names="name"),
    of_x("second_largest"),
    of_x("second_smallest", names="name"),
    of_x("percent_of_total", names="name"),
    of_x("percent_of_total"),
    of_x("ranking", names="name", descending=True),
    of_x("ranking", names="name", descending=False),
    of_x("ttest_one", mu=14.0),
    of_x("ttest_one", mu=14.0, alternative="greater"),
    of_x("ttest_one", mu=14.0, alternative="less", alpha=0.05),
    of_x("ttest_one", mu=14.0, freedom=True),
    of_x_and_y("ttest_paired", freedom=True),
    of_x_and_y("ttest", freedom=True),
    of_x_and_y("ttest", freedom=True, equal_var=True),
    of_x_and_y("anova", freedom=True, alpha=0.05),
    of_x("chi2_fit"),
    of_x_and_y("ttest", equal_var=True, alpha=0.01),
    of_x_and_y("anova", alpha=0.05),
    of_x_and_y("ci_difference", level=0.95),
    of_x_and_y("ci_difference", level=0.9, equal_var=True),
    of_x_and_y("ci_paired", level=0.95),
    of_x_and_y("chi2_table"),
    of_x_and_y("cronbach_alpha"),
    Analysis("regression", ("y", "x")),
    Analysis("regression", ("y", "x"), "", {"at": 14.0, "interval": 0.95, "residuals": True}),
    Analysis("regression", ("y", "x"), "", {"origin": True, "at": 14.0, "residuals": True}),
    Analysis("regression", ("y", "x"), "", {"degree": 2, "at": 14.0, "residuals": True}),
    Analysis("regression", ("y", "x", "z"), "", {"residuals": True}),
    Analysis("mean", ("x",), "group"),
    Analysis("count_where", ("x",), "group", {"low": 12.0}),
    Analysis("ttest", ("x",), "group"),
    Analysis("cohens_d", ("x",), "group"),
    Analysis("mean", ("x", "y")),
]


def result_of(spec: Spec) -> Any:
    program = write_program(spec, seed=1)
    names: dict[str, Any] = {"PARAMS": dict(program.params)}
    exec(program.source, names)  # our own program, so it is not hostile
    return json_value(names["result"])


def spec_of(*analyses: Analysis, changes: tuple[Change, ...] = ()) -> Spec:
    needed = {n for a in analyses for n in (*a.columns, a.by)}
    needed |= {str(a.parameters.get(key)) for a in analyses for key in ("names", "weights")}
    needed |= {change.column for change in changes}
    data = {name: values for name, values in DATA.items() if name in needed}
    return Spec("analyse", analyses=analyses, data=data, changes=changes)


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda a: f"{a.method} {a.by} {a.parameters}")
def test_the_judge_agrees_with_the_program_and_refuses_each_wrong_figure(analysis: Analysis):
    spec = spec_of(analysis)
    result = result_of(spec)
    verdict = verify(spec, result)
    assert verdict.level == "spec", verdict.failed
    wrong = list(_wrong(result))
    assert wrong
    for other in wrong:
        assert not verify(spec, other).holds, other


def _wrong(result: Any) -> Iterator[Any]:
    """The result with one figure changed by 1%, or one text or truth changed."""
    for path, value in _leaves(result):
        changed = copy.deepcopy(result)
        at = changed
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = _other(value)
        yield changed


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case str():
            return value + "x"
        case int():
            return value + 1
        case _:
            return value * 1.01 if value else 0.01


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _leaves(item, (*path, place))
    else:
        yield path, value


SIDES = ("drop", "keep")
CHANGES = [
    *[Change(f"{side}_{what}", amount=2.0) for side in SIDES for what in ("first", "last")],
    *[Change(f"{side}_{what}", amount=2.0) for side in SIDES for what in ("smallest", "largest")],
    *[Change(f"{side}_{what}") for side in SIDES for what in ("odd", "even")],
    Change("unique"),
    Change("drop_outliers", amount=0.2),
    Change("keep_where", "x", low=12.0, low_open=True),
    Change("drop_where", "x", low=12.0, high=20.0),
    Change("keep_values", "group", values=("a",)),
    Change("drop_values", "name", values=("Ana", "Gus")),
    Change("power", amount=2.0),
    *map(Change, ("log", "log10", "root", "reciprocal", "absolute")),
    Change("multiply", amount=0.3),
    Change("add", amount=10.0),
    Change("cap", amount=16.0),
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: f"{c.kind} {c.column}")
def test_a_change_of_the_data_is_made_twice_and_alike(change: Change):
    spec = spec_of(of_x("mean"), of_x("sd"), changes=(change,))
    result = result_of(spec)
    assert verify(spec, result).level == "spec", verify(spec, result).failed
    if change.kind not in ("unique", "absolute"):
        unchanged = result_of(spec_of(of_x("mean"), of_x("sd")))
        assert not np.allclose(list(result.values()), list(unchanged.values()))
        assert not verify(spec, unchanged).holds
