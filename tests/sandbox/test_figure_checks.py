"""Every figure of given data is worked out again, and what no computation gives is refused."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sandbox.judging.figures.kolmogorov import ks_above, ks_two
from sandbox.judging.figures.normality import shapiro
from sandbox.judging.figures.ranks import mannwhitney, wilcoxon
from sandbox.request import read
from sandbox.spec import Analysis, Spec
from sandbox.synthesis import write_program
from sandbox.verify import verify
from tests.sandbox.impossible import IMPOSSIBLE


@pytest.mark.parametrize(("text", "result"), IMPOSSIBLE)
def test_what_no_computation_gives_is_refused(text: str, result: object):
    spec = read(text).spec
    assert spec is not None
    assert not verify(spec, result).holds
    assert verify(spec, _computed(spec)).level == "spec"


_rng = np.random.default_rng(3)
DATA = {
    "a": tuple(_rng.normal(35, 12, 40).round(2).tolist()),
    "b": (None, *_rng.exponential(20, 39).round(1).tolist()),
    "c": tuple(_rng.integers(1, 9, 40).tolist()),
    "d": tuple(_rng.integers(20, 30, 40).tolist()),
    "group": tuple("xyxz"[i] for i in _rng.integers(0, 4, 40)),
    "half": tuple("pq"[i] for i in _rng.integers(0, 2, 40)),
    "year": tuple(_rng.choice([2023, 2024], 40).tolist()),
}
_OF_ONE = (
    *("mean", "median", "variance", "sd", "minimum", "maximum", "range", "sum", "count", "sem"),
    *("cv", "iqr", "quartiles", "geometric_mean", "harmonic_mean", "skewness", "kurtosis"),
    *("shapiro", "ks_normal", "describe", "ci", "ttest_one", "quantile"),
)
_GIVEN: dict[str, dict[str, Any]] = {"quantile": {"q": 0.9}, "ttest_one": {"mu": 30.0}}
ANALYSES = [
    *(Analysis(method, ("a",), "", _GIVEN.get(method, {})) for method in _OF_ONE),
    *(Analysis(method, ("a", "b"), "", _GIVEN.get(method, {})) for method in _OF_ONE),
    *(Analysis(method, ("c",), "group", _GIVEN.get(method, {})) for method in _OF_ONE),
    Analysis("mean", ("b",), "year"),
    Analysis("sd", ("a",), "", {"ddof": 0}),
    Analysis("ci", ("a",), "", {"level": 0.99}),
    *(
        Analysis(method, columns)
        for method in ("correlation", "spearman", "kendall", "covariance", "wilcoxon")
        for columns in (("a", "b"), ("a", "c", "d"))
    ),
    Analysis("ttest_paired", ("a", "b")),
    *(Analysis(m, ("a", "b")) for m in ("ttest", "mannwhitney", "ks_two", "levene")),
    *(Analysis(m, ("a",), "half") for m in ("ttest", "mannwhitney", "ks_two", "anova")),
    *(Analysis(m, ("a",), "group") for m in ("anova", "kruskal", "levene")),
    Analysis("anova", ("a", "b", "c")),
    Analysis("ttest", ("a", "b"), "", {"equal_var": True}),
    Analysis("regression", ("a", "b"), "", {"at": 3.5}),
    Analysis("regression", ("a", "b", "c")),
    Analysis("chi2_independence", ("group", "half")),
    Analysis("chi2_independence", ("year", "half")),
    Analysis("chi2_table", ("c", "d")),
    Analysis("chi2_fit", ("c",)),
    Analysis("missing", ("a", "b")),
    Analysis("missing", ("b",)),
    Analysis("frequencies", ("year",)),
    Analysis("mode", ("c",)),
    Analysis("outliers", ("b",), "", {"rule": "iqr", "limit": 1.5}),
    Analysis("outliers", ("a",), "", {"rule": "zscore", "limit": 1.5}),
]


def _spec(analysis: Analysis, decimals: int | None = None) -> Spec:
    return Spec(kind="analyse", analyses=(analysis,), data=DATA, decimals=decimals)


def _computed(spec: Spec) -> Any:
    """What our own program gives, as the sandbox would send it."""
    program = write_program(spec, seed=1)
    names: dict[str, Any] = {"PARAMS": dict(program.params)}
    exec(program.source, names)
    return _plain(names["result"])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _altered(result: Any) -> Iterator[tuple[str, Any]]:
    """The result with one figure moved, taken away or added, in turn."""
    for path, value in _paths(result):
        *above, last = path
        for name, replacement in (("moved", _moved(value)), ("text", "0.5")):
            other = copy.deepcopy(result)
            _at(other, above)[last] = replacement
            yield f"{path} {name}", other
        if isinstance(_at(result, above), dict):
            other = copy.deepcopy(result)
            del _at(other, above)[last]
            yield f"{path} away", other
            other = copy.deepcopy(result)
            _at(other, above)["more"] = 0.0
            yield f"{above} more", other


def _moved(value: Any) -> Any:
    return value + 1 if isinstance(value, int) else value * (1 + 2e-5) + 2e-5


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            yield from _paths(item, (*path, name))
    else:
        yield path, value


def _at(value: Any, path: list[Any]) -> Any:
    for name in path:
        value = value[name]
    return value


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda a: f"{a.method} {a.columns} {a.by}")
def test_every_method_is_worked_out_again_and_no_other_figure_passes(analysis: Analysis):
    spec = _spec(analysis)
    right = _computed(spec)
    verdict = verify(spec, right)
    assert verdict.level == "spec", verdict.failed
    for change, wrong in _altered(right):
        assert not verify(spec, wrong).holds, change


@pytest.mark.parametrize("decimals", [0, 1, 3])
def test_the_stated_rounding_is_required(decimals: int):
    for method in ("mean", "describe", "correlation", "shapiro", "ci"):
        columns = ("a", "b") if method == "correlation" else ("a",)
        spec = _spec(Analysis(method, columns), decimals)
        assert verify(spec, _computed(spec)).holds, method
        assert not verify(spec, _computed(_spec(Analysis(method, columns)))).holds, method


@pytest.mark.parametrize(
    ("analysis", "says"),
    [
        (Analysis("winsorized_mean", ("a",)), "no judge works this out again"),
        (Analysis("mean", ("a",), "", {"trim": 0.1}), "unexpected keyword argument 'trim'"),
        (Analysis("ttest", ("a", "b"), "", {"trim": 0.1}), "unexpected keyword"),
        (Analysis("ttest", ("a", "b", "c")), "3 samples cannot be compared"),
        (Analysis("correlation", ("a", "b"), "group"), "no correlation by group"),
        (Analysis("chi2_table", ("c", "d"), "", {"exact": True}), "takes no exact"),
        (Analysis("regression", ("a", "c", "c2")), "the columns determine each other"),
    ],
)
def test_a_method_or_parameter_that_no_judge_knows_fails(analysis: Analysis, says: str):
    data = DATA | {"c2": tuple(2 * value for value in DATA["c"])}
    result = {analysis.method: {"statistic": 1.0, "p_value": 0.5}}
    verdict = verify(Spec(kind="analyse", analyses=(analysis,), data=data), result)
    assert says in "; ".join(check.detail for check in verdict.failed)


def test_large_values_excuse_no_wrong_p_value():
    data = {"a": tuple(1e6 + i for i in range(9)), "b": tuple(1e6 + 9 + i for i in range(9))}
    spec = Spec(kind="analyse", analyses=(Analysis("ttest", ("a", "b")),), data=data)
    right = _computed(spec)
    assert verify(spec, right).holds
    wrong = {"ttest": right["ttest"] | {"p_value": 2 * right["ttest"]["p_value"]}}
    assert right["ttest"]["p_value"] < 1e-5
    assert not verify(spec, wrong).holds


def test_two_figures_of_one_name_fail_because_one_replaces_the_other():
    spec = Spec(
        kind="analyse",
        analyses=(Analysis("mean", ("a",)), Analysis("mean", ("b",))),
        data=DATA,
    )
    (failed,) = verify(spec, _computed(spec)).failed
    assert failed.detail == "two figures would have the name mean"


def test_exact_tests_agree_with_tables_that_others_published():
    """Values of Kolmogorov's distance (Massey 1951), Wilcoxon's and Mann and Whitney's tables."""
    assert ks_above(0.409, 10) == pytest.approx(0.05, abs=3e-4)
    assert ks_above(0.294, 20) == pytest.approx(0.05, abs=3e-4)
    assert ks_two([[1, 2, 3], [4, 5, 6]])["p_value"] == pytest.approx(2 / 20)
    assert mannwhitney([[1, 2, 3], [4, 5, 6]]) == {"statistic": 0.0, "p_value": 2 / 20}
    assert wilcoxon([1, 2, 3, 4, 5, 6], [0] * 6)["p_value"] == pytest.approx(2 / 64)


def test_shapiro_agrees_with_the_example_of_its_authors():
    """The weights of eleven men (Shapiro and Wilk 1965): W = 0.79, p below 0.01."""
    outcome = shapiro([148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236])
    assert outcome["statistic"] == pytest.approx(0.79, abs=0.005)
    assert outcome["p_value"] < 0.01
