"""Whether two programs agree: the same figures under the same names, within their sampling errors.

Fixed figures agree to a millionth. Simulated figures agree within their errors over the seeds, if
they are exact enough to tell a mistake. Columns agree if nothing tells their distributions, their
order, their duplicates and their correlations apart. Not promised: that both are right, which two
programs with the same mistake are not.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from sandbox.free.steadiness import Measured

Column = npt.NDArray[np.float64]

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
_ALPHA = 0.002  # the share of right pairs that all tests of a pair part
_COARSEST = 0.06  # the largest deviation of a simulated figure, as a share of the figure
_SMALLEST = 2e-4  # a deviation below this is exact enough for any figure
_FEW_LABELS = 60  # a column with more labels holds names or numbers of its own
_LEAST_EXPECTED = 5.0
_MOST_TESTED = 20_000  # values of a column
_MOST_PAIRS = 10


def disagreements(
    first: Mapping[str, Measured], second: Mapping[str, Measured], *, rounds: bool
) -> list[str]:
    """How two programs differ, in words. `rounds`: the request asks for rounded figures."""
    if set(first) != set(second):
        names = sorted((first.get(name) or second[name]).name for name in set(first) ^ set(second))
        return [f"only one of two programs gives {', '.join(names[:5])}"]
    alpha = _ALPHA / max(len(first), 1)
    faults = []
    for name, figure in first.items():
        fault = _difference(figure, second[name], alpha, rounds=rounds)
        if fault:
            faults.append(f"{figure.name}: {fault}")
    return faults or list(_between_columns(first, second))


def _difference(first: Measured, second: Measured, alpha: float, *, rounds: bool) -> str:
    if isinstance(first.value, list) or isinstance(second.value, list):
        return _in_columns(first, second, alpha)
    if not _is_number(first.value) or not _is_number(second.value):
        same = _word(first.value) == _word(second.value)
        return "" if same else f"{first.value!r} against {second.value!r}"
    if first.kind == second.kind == "fixed":
        return _in_numbers(first.value, second.value, rounds=rounds)
    for figure in (first, second):
        if figure.kind == "simulated" and not _exact_enough(figure):
            return (
                f"a simulated figure varies by {figure.deviation:.3g} around {figure.mean:.4g}, "
                "too much to tell a mistake"
            )
    return _within_errors(first, second, alpha)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(value: Any) -> str:
    """A text or a truth value as it is compared."""
    word = " ".join(str(value).casefold().split())
    return {"true": "yes", "false": "no", "sí": "yes", "si": "yes"}.get(word, word)


def _in_numbers(first: float, second: float, *, rounds: bool) -> str:
    if math.isclose(first, second, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE):
        return ""
    if rounds and _is_rounding(first, second):
        return ""
    return f"{first:.8g} against {second:.8g}"


def _is_rounding(first: float, second: float) -> bool:
    """Whether one number is the other one, rounded to at least two significant digits."""
    for short, long in ((first, second), (second, first)):
        for decimals in range(7):
            significant = abs(short) * 10**decimals >= 10
            if (
                significant
                and short == round(long, decimals)
                and abs(short - long) < 0.01 * abs(long)
            ):
                return True
    return False


def _exact_enough(figure: Measured) -> bool:
    return figure.deviation <= max(_COARSEST * abs(figure.mean), _SMALLEST)


def _within_errors(first: Measured, second: Measured, alpha: float) -> str:
    centres = [f.mean if f.kind == "simulated" else float(f.value) for f in (first, second)]
    variances = [f.error**2 for f in (first, second)]
    error = math.sqrt(sum(variances))
    # Welch's degrees of freedom, of the figures that vary.
    parts = [(v, f.seeds - 1) for v, f in zip(variances, (first, second), strict=True) if v > 0]
    freedom = sum(variances) ** 2 / sum(v**2 / n for v, n in parts)
    most = float(special.stdtrit(freedom, 1 - alpha / 2)) * error
    if abs(centres[0] - centres[1]) <= most:
        return ""
    return f"{centres[0]:.5g} against {centres[1]:.5g}, with an error of {error:.2g}"


def _in_columns(first: Measured, second: Measured, alpha: float) -> str:
    if not isinstance(first.value, list) or not isinstance(second.value, list):
        return "a column against a figure"
    if len(first.value) != len(second.value):
        return f"{len(first.value)} values against {len(second.value)}"
    if first.value == second.value:
        return ""
    if first.kind == second.kind == "fixed" and len(first.value) < 2 * _FEW_LABELS:
        return _in_fixed_lists(first.value, second.value)
    if _kind_of(first.value) != _kind_of(second.value):
        return f"{_kind_of(first.value)} against {_kind_of(second.value)}"
    for name, measure, kinds in _MEASURES:
        left, right = measure(first.value), measure(second.value)
        if _kind_of(first.value) in kinds and left != right:
            return f"{name}: {left} against {right}"
    return _in_distributions(list(first.pooled), list(second.pooled), alpha)


def _in_fixed_lists(first: Sequence[Any], second: Sequence[Any]) -> str:
    """Two lists that no seed changes: they agree value by value."""
    for index, (left, right) in enumerate(zip(first, second, strict=True)):
        if _is_number(left) and _is_number(right):
            fault = _in_numbers(left, right, rounds=False)
        else:
            fault = "" if _word(left) == _word(right) else f"{left!r} against {right!r}"
        if fault:
            return f"[{index}] {fault}"
    return ""


def _kind_of(values: Sequence[Any]) -> str:
    given = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in given):
        return "truths"
    if all(_is_number(value) for value in given):
        whole = all(float(value).is_integer() for value in given)
        return "whole numbers" if whole else "numbers"
    return "texts"


def _order_of(values: Sequence[Any]) -> str:
    given = [value for value in values if value is not None]
    try:
        if len(set(map(str, given))) < 2:
            return "constant"
        if given == sorted(given):
            return "ascending"
        return "descending" if given == sorted(given, reverse=True) else "none"
    except TypeError:
        return "none"


def _repeats(values: Sequence[Any]) -> bool:
    return len(set(map(str, values))) < len(values)


def _form_of(values: Sequence[Any]) -> str:
    """The form that all texts of a column share, such as `AA-9999`, or nothing."""
    texts = [value for value in values if isinstance(value, str)]
    forms = {
        "".join("9" if s.isdigit() else "a" if s.isalpha() else s for s in text[:40])
        for text in texts[:2000]
    }
    return forms.pop() if len(forms) == 1 else ""


# What two columns of these kinds of values must have in common. Ids may come in any order, and two
# samples of numbers may be rounded to other places.
_MEASURES = (
    ("order", _order_of, ("numbers", "whole numbers")),
    ("repeated values", _repeats, ("texts", "whole numbers")),
    ("form", _form_of, ("texts",)),
)


def _in_distributions(first: list[Any], second: list[Any], alpha: float) -> str:
    missing = [sum(value is None for value in values) for values in (first, second)]
    if missing[0] or missing[1]:
        lengths = (len(first), len(second))
        table = [[missing[n], lengths[n] - missing[n]] for n in (0, 1)]
        if _tests().fisher_exact(table).pvalue < alpha:
            return f"{missing[0]} missing values against {missing[1]}"
    left = [value for value in first if value is not None][:_MOST_TESTED]
    right = [value for value in second if value is not None][:_MOST_TESTED]
    if not left or not right:
        return ""
    turns = [_lag(values) for values in (left, right)]
    if abs(turns[0] - turns[1]) > _z(alpha / 3) * math.sqrt(1 / len(left) + 1 / len(right)):
        return f"neighbours correlate by {turns[0]:.2f} against {turns[1]:.2f}"
    step = _step(max(turns))
    left, right = left[::step], right[::step]
    if not _is_number(left[0]) or len(set(left) | set(right)) <= _FEW_LABELS:
        return _in_labels(left, right, alpha)
    p = float(_tests().ks_2samp(left, right).pvalue)
    if p < alpha / 3:
        return f"other distributions (KS p = {p:.2g})"
    spread = float(_tests().levene(left, right).pvalue)
    if spread < alpha / 3:
        return f"other spreads (Levene p = {spread:.2g})"
    return ""


def _step(lag: float) -> int:
    """Where neighbours correlate, only every n-th value is tested: the tests want independence."""
    return math.ceil((1 + lag) / (1 - lag)) if 0.1 < lag < 0.95 else 1


def _in_labels(first: Sequence[Any], second: Sequence[Any], alpha: float) -> str:
    labels = sorted({str(value) for value in (*first, *second)})
    if len(labels) > _FEW_LABELS:
        return ""
    counts = np.array([[[str(v) for v in vs].count(label) for label in labels]
                       for vs in (first, second)])  # fmt: skip
    rare = counts.sum(axis=0) < 2 * _LEAST_EXPECTED
    table = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return ""
    p = float(_tests().chi2_contingency(table).pvalue)
    return f"other shares (chi-square p = {p:.2g})" if p < alpha else ""


def _lag(values: Sequence[Any]) -> float:
    column = _numbers(values)
    if column is None or len(column) < 3 or np.std(column[:-1]) == 0 or np.std(column[1:]) == 0:
        return 0.0
    return float(np.corrcoef(column[:-1], column[1:])[0, 1])


def _z(alpha: float) -> float:
    return float(special.ndtri(1 - alpha / 2))


def _between_columns(
    first: Mapping[str, Measured], second: Mapping[str, Measured]
) -> Iterator[str]:
    """Pairs of columns whose correlations differ between the programs."""
    names = [name for name, figure in first.items() if figure.kind == "column"]
    pairs = list(combinations(names, 2))[:_MOST_PAIRS]
    for left, right in pairs:
        columns = [
            _numbers(side[name].pooled) for side in (first, second) for name in (left, right)
        ]
        if any(column is None for column in columns):
            continue
        a, b, c, d = (column for column in columns if column is not None)
        if len(a) != len(b) or len(c) != len(d) or min(len(a), len(c)) < 10:
            continue
        r, s = _fisher(a, b), _fisher(c, d)
        error = math.sqrt(1 / (len(a) - 3) + 1 / (len(c) - 3))
        # Values need not be normal, so the bound is wider than theirs.
        if abs(r - s) > 1.5 * _z(_ALPHA / len(pairs)) * error:
            yield (
                f"{first[left].name} and {first[right].name} correlate by "
                f"{math.tanh(r):.2f} against {math.tanh(s):.2f}"
            )


def _tests() -> Any:
    """scipy's tests. They load when columns are first compared: with them, a service that compares
    none would be larger by 35 MB, and half a second later."""
    from scipy import stats

    return stats


def _numbers(values: Sequence[Any]) -> Column | None:
    """A column as numbers: labels become their places in the order of all labels."""
    if any(value is None for value in values):
        return None
    if all(_is_number(value) for value in values):
        return np.asarray(values, dtype=np.float64)
    labels = sorted(set(map(str, values)))
    if len(labels) > _FEW_LABELS:
        return None
    places = {label: place for place, label in enumerate(labels)}
    return np.asarray([places[str(value)] for value in values], dtype=np.float64)


def _fisher(first: Column, second: Column) -> float:
    if np.std(first) == 0 or np.std(second) == 0:
        return 0.0
    r = float(np.corrcoef(_tests().rankdata(first), _tests().rankdata(second))[0, 1])
    return math.atanh(max(min(r, 0.9999), -0.9999))
