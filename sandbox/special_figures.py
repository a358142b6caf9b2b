"""Writes the lines of a program for figures that need more than one formula.

The lines read `columns` or call `numbers`, which the rest of the program defines.
"""

from collections.abc import Callable

from sandbox.spec import Analysis


def _regression(analysis: Analysis) -> list[str]:
    target, *given = analysis.columns
    lines = [
        f"y, *given = numbers({target!r}, {', '.join(map(repr, given))})",
        "design = np.column_stack([np.ones(len(y)), *given])",
        "coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)",
        "left = y - design @ coefficients",
        "r2 = 1 - (left**2).sum() / ((y - y.mean()) ** 2).sum()",
    ]
    if len(given) == 1:
        lines += [
            "fit = stats.linregress(given[0], y)",
            'result["regression"] = {"slope": coefficients[1], "intercept": coefficients[0], "r2": r2, "p_value": fit.pvalue, "slope_error": fit.stderr}',
        ]
        if "at" in analysis.parameters:
            at = analysis.parameters["at"]
            lines.append(
                f'result["regression"]["predicted"] = coefficients[0] + coefficients[1] * {at}'
            )
    else:
        lines.append(
            f'result["regression"] = {{"intercept": coefficients[0], "slopes": dict(zip({given!r}, coefficients[1:])), "r2": r2}}'
        )
    return lines


def _chi2_table(analysis: Analysis) -> list[str]:
    return [
        f"table = np.array([columns[name] for name in {list(analysis.columns)!r}])",
        *_CONTINGENCY,
    ]


_CONTINGENCY = [
    "outcome = stats.chi2_contingency(table)",
    'result["chi2"] = {"statistic": outcome.statistic, "p_value": outcome.pvalue, "dof": outcome.dof}',
]


def _chi2_independence(analysis: Analysis) -> list[str]:
    first, second = analysis.columns
    return [
        f"pairs = [(a, b) for a, b in zip(columns[{first!r}], columns[{second!r}]) if a is not None and b is not None]",
        "rows, cells = sorted({a for a, _ in pairs}), sorted({b for _, b in pairs})",
        "table = np.array([[pairs.count((a, b)) for b in cells] for a in rows])",
        *_CONTINGENCY,
    ]


def _chi2_fit(analysis: Analysis) -> list[str]:
    if len(analysis.columns) == 2:
        observed, expected = analysis.columns
        call = "stats.chisquare(observed, expected)"
        taken = [f"observed, expected = numbers({observed!r}, {expected!r})"]
    else:
        call, taken = (
            "stats.chisquare(observed)",
            [f"(observed,) = numbers({analysis.columns[0]!r})"],
        )
    return [
        *taken,
        f"outcome = {call}",
        'result["chi2"] = {"statistic": outcome.statistic, "p_value": outcome.pvalue, "dof": len(observed) - 1}',
    ]


def _missing(analysis: Analysis) -> list[str]:
    if len(analysis.columns) == 1:
        return [f'result["missing"] = sum(v is None for v in columns[{analysis.columns[0]!r}])']
    return [
        f'result["missing"] = {{name: sum(v is None for v in columns[name]) for name in {list(analysis.columns)!r}}}'
    ]


def _frequencies(analysis: Analysis) -> list[str]:
    return [
        "from collections import Counter",
        f"values = [v for v in columns[{analysis.columns[0]!r}] if v is not None]",
        'result["frequencies"] = {str(k): c for k, c in Counter(values).most_common()}',
    ]


def _mode(analysis: Analysis) -> list[str]:
    return [
        "import statistics",
        f"modes = statistics.multimode([v for v in columns[{analysis.columns[0]!r}] if v is not None])",
        'result["mode"] = modes[0] if len(modes) == 1 else sorted(modes)',
    ]


def _outliers(analysis: Analysis) -> list[str]:
    limit = analysis.parameters["limit"]
    lines = [f"(x,) = numbers({analysis.columns[0]!r})"]
    if analysis.parameters["rule"] == "zscore":
        lines.append(f"outside = np.abs(x - x.mean()) > {limit} * x.std()")
    else:
        lines += [
            "q1, q3 = np.percentile(x, [25, 75])",
            f"outside = (x < q1 - {limit} * (q3 - q1)) | (x > q3 + {limit} * (q3 - q1))",
        ]
    return [
        *lines,
        'result["outliers"] = {"count": int(outside.sum()), "values": x[outside].tolist()[:100]}',
    ]


SPECIAL: dict[str, Callable[[Analysis], list[str]]] = {
    "regression": _regression,
    "chi2_table": _chi2_table,
    "chi2_independence": _chi2_independence,
    "chi2_fit": _chi2_fit,
    "missing": _missing,
    "frequencies": _frequencies,
    "mode": _mode,
    "outliers": _outliers,
}
