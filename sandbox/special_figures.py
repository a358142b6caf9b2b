"""Writes the lines of a program for figures that need more than one formula.

The lines read `columns` or call `numbers`, which the rest of the program defines.
"""

from collections.abc import Callable

from sandbox.spec import Analysis


def _regression(analysis: Analysis) -> list[str]:
    target, *given = analysis.columns
    wanted = analysis.parameters
    powers = "given[0], given[0] ** 2" if wanted.get("degree") == 2 else "*given"
    ones = "" if wanted.get("origin") else "np.ones(len(y)), "
    total = "(y**2).sum()" if wanted.get("origin") else "((y - y.mean()) ** 2).sum()"
    lines = [
        f"y, *given = numbers({target!r}, {', '.join(map(repr, given))})",
        f"design = np.column_stack([{ones}{powers}])",
        "coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)",
        "left = y - design @ coefficients",
        f"r2 = 1 - (left**2).sum() / {total}",
    ]
    if wanted.get("origin"):
        lines.append('result["regression"] = {"slope": coefficients[0], "r2": r2}')
    elif wanted.get("degree") == 2:
        lines.append(
            'result["regression"] = {"intercept": coefficients[0], "slope": coefficients[1], "quadratic": coefficients[2], "r2": r2}'
        )
    elif len(given) == 1:
        lines += [
            "fit = stats.linregress(given[0], y)",
            'result["regression"] = {"slope": coefficients[1], "intercept": coefficients[0], "r2": r2, "p_value": fit.pvalue, "slope_error": fit.stderr}',
        ]
    else:
        lines.append(
            f'result["regression"] = {{"intercept": coefficients[0], "slopes": dict(zip({given!r}, coefficients[1:])), "r2": r2}}'
        )
    return lines + _more_of_regression(analysis)


def _more_of_regression(analysis: Analysis) -> list[str]:
    """The lines for what is wanted beside the coefficients."""
    wanted, lines = analysis.parameters, []
    if "at" in wanted:
        at = wanted["at"]
        row = [at] if wanted.get("origin") else [1, at]
        row += [at**2] if wanted.get("degree") == 2 else []
        lines.append(f'result["regression"]["predicted"] = np.dot({row}, coefficients)')
    if wanted.get("residuals"):
        lines.append('result["regression"]["residuals"] = left.tolist()')
    if "interval" in wanted:
        lines += [
            f"reach = stats.t.ppf((1 + {wanted['interval']}) / 2, len(y) - 2) * fit.stderr",
            'result["regression"]["slope_low"] = fit.slope - reach',
            'result["regression"]["slope_high"] = fit.slope + reach',
        ]
    return lines


def _chi2_table(analysis: Analysis) -> list[str]:
    return [
        f"table = np.array([columns[name] for name in {list(analysis.columns)!r}])",
        *_contingency(analysis),
    ]


def _contingency(analysis: Analysis) -> list[str]:
    way = ", correction=False" if analysis.parameters.get("yates") is False else ""
    return [f"outcome = stats.chi2_contingency(table{way})", *_OUTCOME]


def _fisher(analysis: Analysis) -> list[str]:
    return [
        f"outcome = stats.fisher_exact([columns[name] for name in {list(analysis.columns)!r}])",
        'result["fisher"] = {"odds_ratio": outcome.statistic, "p_value": outcome.pvalue}',
    ]


_OUTCOME = [
    'result["chi2"] = {"statistic": outcome.statistic, "p_value": outcome.pvalue, "dof": outcome.dof}',
]


def _chi2_independence(analysis: Analysis) -> list[str]:
    first, second = analysis.columns
    return [
        f"pairs = [(a, b) for a, b in zip(columns[{first!r}], columns[{second!r}]) if a is not None and b is not None]",
        "rows, cells = sorted({a for a, _ in pairs}), sorted({b for _, b in pairs})",
        "table = np.array([[pairs.count((a, b)) for b in cells] for a in rows])",
        *_contingency(analysis),
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


def _of_names(call: str) -> Callable[[Analysis], list[str]]:
    """The lines of a figure that takes values and, where they have names, the names."""

    def lines(analysis: Analysis) -> list[str]:
        names = analysis.parameters.get("names")
        listed = f"columns[{names!r}]" if names else None
        others = {key: value for key, value in analysis.parameters.items() if key != "names"}
        made = call.format(x=f"columns[{analysis.columns[0]!r}]", names=listed, **others)
        return [f"result[{analysis.method!r}] = {made}"]

    return lines


def _weighted_mean(analysis: Analysis) -> list[str]:
    return [
        f"x, weights = numbers({analysis.columns[0]!r}, {analysis.parameters['weights']!r})",
        'result["weighted_mean"] = weighted_mean(x, weights)',
    ]


def _cronbach(analysis: Analysis) -> list[str]:
    return [
        f"items = numbers({', '.join(map(repr, analysis.columns))})",
        'result["cronbach_alpha"] = cronbach_alpha(items)',
    ]


SPECIAL: dict[str, Callable[[Analysis], list[str]]] = {
    "regression": _regression,
    "fisher": _fisher,
    "greatest_change": _of_names("greatest_change({x}, {names}, {falling}, {percent})"),
    "above_mean": _of_names("beside_mean({x}, {names}, True)"),
    "below_mean": _of_names("beside_mean({x}, {names}, False)"),
    "from_mean": _of_names("from_mean({x}, {names}, {name!r})"),
    "change_between": _of_names("change_between({x}, {names}, {first!r}, {last!r})"),
    "weighted_mean": _weighted_mean,
    "cronbach_alpha": _cronbach,
    "largest": _of_names("named({x}, {names}, max)"),
    "smallest": _of_names("named({x}, {names}, min)"),
    "second_largest": _of_names("next_extreme({x}, {names}, True)"),
    "second_smallest": _of_names("next_extreme({x}, {names}, False)"),
    "percent_of_total": _of_names("percent_of_total({x}, {names})"),
    "ranking": _of_names("ranking({x}, {names}, {descending})"),
    "chi2_table": _chi2_table,
    "chi2_independence": _chi2_independence,
    "chi2_fit": _chi2_fit,
    "missing": _missing,
    "frequencies": _frequencies,
    "mode": _mode,
    "outliers": _outliers,
}
