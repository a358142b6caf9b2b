"""Checks that the figures of given data are all there, none added, and equal to ours.

Ours are worked out here by code that shares nothing with the program's author. A method, or a
parameter of it, that nobody here knows fails: such a figure could not be refused.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.judging.check import StatisticalCheck
from sandbox.judging.comparison import Estimate, Tolerance, first_differences, leaves, too_many
from sandbox.judging.figures import counts, tables
from sandbox.judging.figures.changes import with_changes
from sandbox.judging.figures.descriptive import OF_ONE
from sandbox.judging.figures.directed import DIRECTED_OF_ONE, DIRECTED_OF_SAMPLES, DIRECTED_OF_TWO
from sandbox.judging.figures.more import MORE_OF_ONE, sum_of_products
from sandbox.judging.figures.named import OF_VALUES_AND_NAMES
from sandbox.judging.figures.normality import NORMALITY
from sandbox.judging.figures.relations import OF_TWO
from sandbox.judging.figures.samples import EXACTLY_TWO, OF_SAMPLES, degrees_of_freedom
from sandbox.spec import Analysis, Spec

_KEYS = {
    **{"ci": "confidence_interval", "ttest_one": "ttest", "ks_normal": "ks", "ks_two": "ks"},
    **{"count_where": "count", "percentage_where": "percentage", "proportion_where": "proportion"},
    **{"ci_difference": "confidence_interval", "ci_paired": "confidence_interval"},
}
_MOST_TRIED = 5_000  # values that are worked out once more before the program runs
_CHI2 = ("chi2_table", "chi2_independence", "chi2_fit")
_SQUARED = frozenset({"variance", "covariance"})
_WITHOUT_UNITS = frozenset(
    {
        *(
            "skewness",
            "kurtosis",
            "cv",
            "shapiro",
            "ks_normal",
            "ttest_one",
            "ttest",
            "ttest_paired",
        ),
        *("anova", "levene", "kruskal", "mannwhitney", "wilcoxon", "ks_two", "f_test", "cohens_d"),
        *("correlation", "spearman", "kendall", "sign_test", "fisher", "cronbach_alpha", *_CHI2),
    }
)
# Figures of which the author's own digits are fewer: approximations, and sums that lose digits.
_RELATIVE = {"shapiro": 1e-6, "ks_normal": 1e-5, "anova": 1e-6, "levene": 1e-6, "regression": 1e-6}
_OF_ONE: Mapping[str, Callable[..., Any]] = {
    **OF_ONE,
    **NORMALITY,
    **MORE_OF_ONE,
    **DIRECTED_OF_ONE,
}
_OF_TWO: Mapping[str, Callable[..., Any]] = {
    **OF_TWO,
    **DIRECTED_OF_TWO,
    "sum_of_products": sum_of_products,
}
_OF_SAMPLES: Mapping[str, Callable[..., Any]] = {**OF_SAMPLES, **DIRECTED_OF_SAMPLES}
_PAIRS_OF_SAMPLES = EXACTLY_TWO | {"f_test", "cohens_d", "mean_difference", "ci_difference"}
_OF_VALUES: Mapping[str, Callable[..., Any]] = {
    "frequencies": counts.frequencies,
    "mode": counts.mode,
    "missing": counts.missing,
}


def check_figures(spec: Spec, result: Any) -> list[StatisticalCheck]:
    """One check for each analysis, after those that no result of any request may fail."""
    if not isinstance(result, dict) or not result:
        detail = f"the result is a {type(result).__name__}, not figures"
        return [StatisticalCheck("shape", False, detail)]
    if too_many(result):
        return [StatisticalCheck("figures", False, "more than 100000 figures")]
    checks = [_check_finite(result)]
    for name, value in leaves(result):
        if name == "p_value" and not -1e-9 <= value <= 1 + 1e-9:
            checks.append(StatisticalCheck("p_value", False, f"{value:g} is not a probability"))
    try:
        spec = with_changes(spec)
    except (ValueError, ArithmeticError, KeyError) as error:
        return [*checks, StatisticalCheck("changes", False, f"the data cannot change so: {error}")]
    keys = [_key(analysis) for analysis in spec.analyses]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        detail = f"two figures would have the name {', '.join(sorted(twice))}"
        return [*checks, StatisticalCheck("figures", False, detail)]
    for key, analysis in zip(keys, spec.analyses, strict=True):
        checks.append(_check(spec, analysis, key, result))
    others = [str(name) for name in result if name not in keys]
    if others:
        detail = f"{', '.join(others[:5])} was not asked for"
        checks.append(StatisticalCheck("figures", False, detail))
    return checks


def problem_of_data(spec: Spec) -> str:
    """Why figures of this data cannot be worked out, such as a correlation of equal values."""
    try:
        spec = with_changes(spec)
    except (ValueError, ArithmeticError) as error:
        return f"the data cannot be changed so: {error}"
    for analysis in spec.analyses:
        for name in analysis.columns:
            if not [value for value in spec.data[name] if value is not None]:
                return f"{name} has no values" + (" left" if spec.changes else "")
        if sum(len(spec.data[name]) for name in analysis.columns) > _MOST_TRIED:
            continue
        try:
            _expected(spec, analysis)
        except ZeroDivisionError:
            return f"{_key(analysis)}: the values are too few, or all equal"
        except (ValueError, ArithmeticError) as error:
            return f"{_key(analysis)}: {error}"
    return ""


def _check_finite(result: Any) -> StatisticalCheck:
    count, finite = 0, True
    for _, value in leaves(result):
        count, finite = count + 1, finite and math.isfinite(value)
    detail = f"{count} figures" if finite else "some are not finite"
    return StatisticalCheck("figures", finite, detail)


def _key(analysis: Analysis) -> str:
    """The name of the analysis's figures in a result."""
    if analysis.method == "quantile":
        return f"quantile_{analysis.parameters.get('q', 0.5):g}"
    return "chi2" if analysis.method in _CHI2 else _KEYS.get(analysis.method, analysis.method)


def _check(spec: Spec, analysis: Analysis, key: str, result: Mapping[str, Any]) -> StatisticalCheck:
    try:
        expected = _expected(spec, analysis)
    except (TypeError, ValueError, ArithmeticError, KeyError, IndexError) as error:
        detail = f"it cannot be worked out again: {error}"
        return StatisticalCheck(analysis.method, False, detail)
    if key not in result:
        return StatisticalCheck(analysis.method, False, f"{key} is missing")
    tolerance = Tolerance(
        _RELATIVE.get(analysis.method, 1e-8), _noise(spec, analysis), spec.decimals
    )
    wrong = first_differences(result[key], expected, tolerance, key)
    detail = wrong or f"{_shown(expected)}, worked out again"
    return StatisticalCheck(analysis.method, not wrong, detail)


def _shown(expected: Any) -> str:
    numbers = [
        f"{name} {value:.6g}".strip() for name, value in itertools.islice(leaves(expected), 4)
    ]
    return ", ".join(numbers) or "equal"


def _noise(spec: Spec, analysis: Analysis) -> float:
    """What rounding errors may leave of a figure that is 0, in the figure's units."""
    given = (value for name in analysis.columns for value in spec.data[name])
    values = [value for value in given if isinstance(value, int | float)] or [1.0]
    largest = max(abs(value) for value in values)
    if analysis.method in _SQUARED:
        return 1e-13 * largest * largest
    if analysis.method in _WITHOUT_UNITS:
        return 1e-13 * max(1.0, largest / ((max(values) - min(values)) or 1.0))
    return 1e-13 * largest if analysis.method in _OF_ONE else 1e-12 * max(1.0, largest)


def _expected(spec: Spec, analysis: Analysis) -> Any:
    """The figures of one analysis, in the form that the result must have."""
    given = dict(analysis.parameters)
    alpha = given.pop("alpha", None)
    freedom = given.pop("freedom", False)
    expected = _without_level(spec, analysis, dict(given))
    if freedom:
        expected = {**expected, **_degrees(spec, analysis, equal_var=given.get("equal_var", False))}
    if alpha is None:
        return expected
    p = expected["p_value"]
    p = p.value if isinstance(p, Estimate) else p
    return {**expected, "significant": p < alpha, "level": alpha}


def _degrees(spec: Spec, analysis: Analysis, *, equal_var: bool) -> dict[str, float]:
    method = analysis.method
    if method in ("ttest", "anova"):
        return degrees_of_freedom(method, _samples(spec, analysis), equal_var=equal_var)
    return degrees_of_freedom(method, _complete(spec, analysis.columns))


def _without_level(spec: Spec, analysis: Analysis, given: dict[str, Any]) -> Any:
    """The figures of one analysis, before they are compared with a level of significance."""
    method = analysis.method
    if method in _OF_SAMPLES:
        samples = _samples(spec, analysis)
        if len(samples) < 2 or (method in _PAIRS_OF_SAMPLES and len(samples) != 2):
            raise ValueError(f"{len(samples)} samples cannot be compared")
        return _OF_SAMPLES[method](samples, **given)
    if method in _OF_ONE:
        return _of_each(spec, analysis, lambda x: _OF_ONE[method](_floats(x), **given))
    if method in _OF_VALUES:
        return _of_each(spec, analysis, lambda x: _OF_VALUES[method](x, **given))
    if analysis.by:
        raise ValueError(f"no {method} by {analysis.by} is worked out here")
    if method in _OF_TWO:
        return _of_pairs(spec, analysis.columns, lambda x, y: _OF_TWO[method](x, y, **given))
    if method == "regression":
        y, *others = _complete(spec, analysis.columns)
        return tables.line(y, dict(zip(analysis.columns[1:], others, strict=True)), given)
    return _of_rows(spec, method, analysis.columns, given)


def _of_rows(spec: Spec, method: str, columns: Sequence[str], given: dict[str, Any]) -> Any:
    """Figures for which rows belong together, and tests of counts."""
    if method in tables.OF_NAMES:
        names = given.pop("names", None)
        named = spec.data[names] if names else None
        return tables.of_names(method, spec.data[columns[0]], named, **given)
    if method in OF_VALUES_AND_NAMES:
        names = given.pop("names", None)
        named = spec.data[names] if names else None
        return OF_VALUES_AND_NAMES[method](spec.data[columns[0]], named, **given)
    if method == "weighted_mean":
        return tables.weighted_mean(*_complete(spec, (columns[0], given["weights"])))
    if method == "cronbach_alpha":
        return tables.cronbach_alpha(_complete(spec, columns))
    yates = given.pop("yates", True)
    if given:
        raise ValueError(f"{method} takes no {', '.join(given)}")
    if method == "fisher":
        return tables.fisher([_floats(spec.data[name]) for name in columns])
    independence = counts.independence if yates else tables.independence_without_yates
    return _chi2(spec, method, columns, independence)


def _chi2(
    spec: Spec, method: str, columns: Sequence[str], independence: Callable[..., dict[str, float]]
) -> dict[str, float]:
    if method == "chi2_table":
        return independence([_floats(spec.data[name]) for name in columns])
    if method == "chi2_independence":
        first, second = (spec.data[name] for name in columns)
        return independence(counts.cross_table(first, second))
    if method == "chi2_fit":
        return counts.fit(*_complete(spec, columns))
    raise ValueError("no judge works this out again")


def _of_each(spec: Spec, analysis: Analysis, figure: Callable[[Sequence[Any]], Any]) -> Any:
    """The figure of each column, of each of its groups; a single column needs no name."""
    figures = {}
    for name in analysis.columns:
        if analysis.by:
            groups = _groups(spec, name, analysis.by).items()
            figures[name] = {group: figure(values) for group, values in groups}
        elif analysis.method == "missing":
            figures[name] = figure(spec.data[name])
        else:
            figures[name] = figure([value for value in spec.data[name] if value is not None])
    return figures if len(figures) > 1 else next(iter(figures.values()))


def _of_pairs(spec: Spec, columns: Sequence[str], figure: Callable[..., Any]) -> Any:
    if len(columns) == 2:
        return figure(*_complete(spec, columns))
    return {
        f"{first}, {second}": figure(*_complete(spec, (first, second)))
        for first, second in itertools.combinations(columns, 2)
    }


def _samples(spec: Spec, analysis: Analysis) -> list[list[float]]:
    if not analysis.by:
        return [_complete(spec, (name,))[0] for name in analysis.columns]
    (name,) = analysis.columns
    groups = _groups(spec, name, analysis.by)
    ordered = sorted(groups.items(), key=lambda item: _sortable(item[0]))
    return [_floats(values) for _, values in ordered]


def _sortable(group: str) -> tuple[float, str]:
    """Groups of numbers come in the order of the numbers, as they do for the program."""
    try:
        return float(group), group
    except ValueError:
        return 0.0, group


def _groups(spec: Spec, name: str, by: str) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for value, group in zip(spec.data[name], spec.data[by], strict=True):
        if value is not None and group is not None:
            groups.setdefault(str(group), []).append(value)
    return groups


def _complete(spec: Spec, columns: Sequence[str]) -> list[list[float]]:
    """The columns without the rows in which one of them lacks a value."""
    rows = [r for r in zip(*(spec.data[name] for name in columns), strict=True) if None not in r]
    return [_floats(column) for column in zip(*rows, strict=True)]


def _floats(values: Sequence[Any]) -> list[float]:
    return [float(value) for value in values]
