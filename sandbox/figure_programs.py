"""Writes programs that compute figures and tests from given data."""

from typing import Any

from sandbox.change_programs import change_lines
from sandbox.programs.figures import FUNCTIONS
from sandbox.spec import Analysis, Spec
from sandbox.special_figures import SPECIAL

_HEAD = """\
{imports}

columns = PARAMS["columns"]


def numbers(*names):
    \"\"\"These columns, without the rows in which a value is missing.\"\"\"
    rows = [row for row in zip(*(columns[name] for name in names)) if None not in row]
    return [np.array(column, dtype=float) for column in zip(*rows)]


def groups(name, by):
    by_group = {{}}
    for value, group in zip(columns[name], columns[by]):
        if value is not None and group is not None:
            by_group.setdefault(group, []).append(value)
    return {{group: np.array(values, dtype=float) for group, values in sorted(by_group.items())}}


"""

# The keys of figures in a result, where they are not the method's name.
KEYS: dict[str, str] = {
    **{"ci": "confidence_interval", "ttest_one": "ttest", "ks_normal": "ks", "ks_two": "ks"},
    **{"count_where": "count", "percentage_where": "percentage", "proportion_where": "proportion"},
    **{"ci_difference": "confidence_interval", "ci_paired": "confidence_interval"},
    **{"chi2_table": "chi2", "chi2_independence": "chi2", "chi2_fit": "chi2"},
}

# Formulas of figures over `x`, a column of numbers without missing values.
_OF_ONE: dict[str, str] = {
    "mean": "x.mean()",
    "median": "np.median(x)",
    "variance": "x.var(ddof={ddof})",
    "sd": "x.std(ddof={ddof})",
    "minimum": "x.min()",
    "maximum": "x.max()",
    "range": "np.ptp(x)",
    "sum": "x.sum()",
    "count": "len(x)",
    "sem": "x.std(ddof=1) / np.sqrt(len(x))",
    "cv": "x.std(ddof={ddof}) / x.mean()",
    "cv_percent": "100 * x.std(ddof={ddof}) / x.mean()",
    "iqr": "np.subtract(*np.percentile(x, [75, 25]))",
    "quantile": "np.quantile(x, {q})",
    "quartiles": 'dict(zip(["q1", "q2", "q3"], np.percentile(x, [25, 50, 75])))',
    "geometric_mean": "np.exp(np.log(x).mean())",
    "harmonic_mean": "len(x) / (1 / x).sum()",
    "skewness": "stats.skew(x)",
    "kurtosis": "stats.kurtosis(x)",
    "shapiro": "test(stats.shapiro(x))",
    "ks_normal": 'test(stats.kstest(x, "norm", args=(x.mean(), x.std(ddof=1))))',
    "ttest_one": "test(stats.ttest_1samp(x, {mu}{alternative}){freedom})",
    "ci": 'dict(zip(["low", "high"], stats.t.interval({level}, len(x) - 1, x.mean(), stats.sem(x))), mean=x.mean())',
    "margin_of_error": "stats.t.interval({level}, len(x) - 1, 0, stats.sem(x))[1]",
    "root_mean_square": "np.sqrt((x**2).mean())",
    "trimmed_mean": "trimmed_mean(x, {cut})",
    "mad": "mad(x)",
    "mean_deviation": "mean_deviation(x)",
    "sum_of_squares": "(x**2).sum()",
    "sum_of_squared_deviations": "((x - x.mean()) ** 2).sum()",
    "deviations": "(x - x.mean()).tolist()",
    "product": "np.prod(x)",
    "cumulative_sum": "np.cumsum(x).tolist()",
    "moving_average": "moving_average(x, {window})",
    "differences": "np.diff(x).tolist()",
    "percent_changes": "percent_changes(x)",
    "growth_percent": "(x[-1] / x[0] - 1) * 100",
    "deciles": 'dict(zip((f"d{{i}}" for i in range(1, 10)), np.percentile(x, range(10, 100, 10))))',
    "sorted": "np.sort(x)[:: {step}].tolist()",
    "z_score": "z_score(x, {ddof}, {value})",
    "percentile_rank": "percentile_rank(x, {value})",
    "count_where": "int(inside(x{bounds}).sum())",
    "percentage_where": "100 * inside(x{bounds}).mean()",
    "proportion_where": "inside(x{bounds}).mean()",
    "gini": "gini(x)",
    "growth_per_step": "((x[-1] / x[0]) ** (1 / (len(x) - 1)) - 1) * 100",
    "compound_mean_percent": "(np.prod(1 + x / 100) ** (1 / len(x)) - 1) * 100",
    "mode_count": "int(np.unique(x, return_counts=True)[1].max())",
    "describe": 'dict(count=len(x), mean=x.mean(), sd=x.std(ddof=1), min=x.min(), q1=np.percentile(x, 25), median=np.median(x), q3=np.percentile(x, 75), max=x.max())',
}  # fmt: skip
_OF_TWO: dict[str, str] = {
    "correlation": "test(stats.pearsonr(x, y{alternative}), 'r')",
    "spearman": "test(stats.spearmanr(x, y{alternative}), 'rho')",
    "kendall": "test(stats.kendalltau(x, y{alternative}), 'tau')",
    "covariance": "np.cov(x, y)[0, 1]",
    "ttest_paired": "test(stats.ttest_rel(x, y{alternative}){freedom})",
    "wilcoxon": "test(stats.wilcoxon(x, y{alternative}))",
    "sum_of_products": "np.dot(x, y)",
    "sign_test": "sign_test(x, y{alternative})",
    "ci_paired": "ci_paired(x, y, {level})",
}
_OF_SAMPLES: dict[str, str] = {
    "ttest": "test(stats.ttest_ind(*samples, equal_var={equal_var}{alternative}){freedom})",
    "anova": "test(stats.f_oneway(*samples))",
    "kruskal": "test(stats.kruskal(*samples))",
    "mannwhitney": "test(stats.mannwhitneyu(*samples{alternative}))",
    "levene": "test(stats.levene(*samples))",
    "ks_two": "test(stats.ks_2samp(*samples))",
    "f_test": "f_test(samples)",
    "cohens_d": "cohens_d(samples)",
    "mean_difference": "samples[0].mean() - samples[1].mean()",
    "ci_difference": "ci_difference(samples, {level}, {equal_var})",
}
METHODS = (*_OF_ONE, *_OF_TWO, *_OF_SAMPLES, *SPECIAL)
_TEST = '''\
def test(outcome, name="statistic", freedom=False):
    """The statistic and the p-value of a test, by name; with its degrees of freedom, if wanted."""
    figures = {name: float(outcome.statistic), "p_value": float(outcome.pvalue)}
    return {**figures, "dof": float(outcome.df)} if freedom else figures


'''


_SIGNIFICANT = '''\
def at_level(figures, alpha):
    """The figures of a test, and whether its p-value lies below a level."""
    return {**figures, "significant": bool(figures["p_value"] < alpha), "level": alpha}


'''


def figures_program(spec: Spec) -> str:
    changes = change_lines(spec.changes, rows=spec.has_rows) if spec.changes else []
    parts = [line for analysis in spec.analyses for line in _part(analysis)]
    body = "\n".join([*changes, "result = {}", *parts, *_rounding(spec.decimals)])
    functions = [text for name, text in FUNCTIONS.items() if f"{name}(" in body]
    functions = [text.strip("\n") + "\n\n\n" for text in functions]
    written = "".join(functions) + body
    imports = [*(["import math", ""] if "math." in written else []), "import numpy as np"]
    imports += ["from scipy import stats"] if "stats." in written else []
    tests = (_TEST if "test(stats" in body else "") + (_SIGNIFICANT if "at_level(" in body else "")
    return _HEAD.format(imports="\n".join(imports)) + tests + written + "\n"


def _part(analysis: Analysis) -> list[str]:
    lines = _figure(analysis)
    alpha = analysis.parameters.get("alpha")
    if alpha is None:
        return lines
    key = _key(analysis)
    return [*lines, f"result[{key!r}] = at_level(result[{key!r}], {alpha})"]


def _figure(analysis: Analysis) -> list[str]:
    special = SPECIAL.get(analysis.method)
    if special is not None:
        return special(analysis)
    given = analysis.parameters
    bounds = {key: given[key] for key in ("low", "high", "low_open", "high_open") if key in given}
    values: dict[str, Any] = {
        "ddof": 1,
        "q": 0.5,
        "mu": 0.0,
        "level": 0.95,
        "equal_var": False,
        "value": None,
    }
    values |= {"step": -1 if given.get("descending") else 1}
    values |= {"bounds": "".join(f", {key}={value!r}" for key, value in bounds.items())}
    values |= dict(given)
    way = f", alternative={given['alternative']!r}" if "alternative" in given else ""
    values["alternative"] = way
    values["freedom"] = ", freedom=True" if given.get("freedom") else ""
    if analysis.method in _OF_ONE:
        formula = _OF_ONE[analysis.method].format(**values)
        return _of_one(analysis, _key(analysis), formula)
    if analysis.method in _OF_TWO:
        return _of_two(analysis, _OF_TWO[analysis.method].format(**values))
    return _of_samples(analysis, _OF_SAMPLES[analysis.method].format(**values))


def _key(analysis: Analysis) -> str:
    """The key of a figure in the result. A quantile's key contains its probability."""
    if analysis.method == "quantile":
        return f"quantile_{analysis.parameters['q']:g}"
    return KEYS.get(analysis.method, analysis.method)


def _of_one(analysis: Analysis, key: str, formula: str) -> list[str]:
    if analysis.by:
        lines = []
        for name in analysis.columns:
            by_group = (
                f"{{group: {formula} for group, x in groups({name!r}, {analysis.by!r}).items()}}"
            )
            where = (
                f"result[{key!r}]"
                if len(analysis.columns) == 1
                else f"result.setdefault({key!r}, {{}})[{name!r}]"
            )
            lines.append(f"{where} = {by_group}")
        return lines
    if len(analysis.columns) == 1:
        return [f"(x,) = numbers({analysis.columns[0]!r})", f"result[{key!r}] = {formula}"]
    return [
        f"result[{key!r}] = {{}}",
        f"for name in {list(analysis.columns)!r}:",
        "    (x,) = numbers(name)",
        f"    result[{key!r}][name] = {formula}",
    ]


def _of_two(analysis: Analysis, formula: str) -> list[str]:
    if len(analysis.columns) == 2:
        first, second = analysis.columns
        return [
            f"x, y = numbers({first!r}, {second!r})",
            f"result[{_key(analysis)!r}] = {formula}",
        ]
    return [
        f"result[{analysis.method!r}] = {{}}",
        f"names = {list(analysis.columns)!r}",
        "for i, first in enumerate(names):",
        "    for second in names[i + 1 :]:",
        "        x, y = numbers(first, second)",
        f'        result[{analysis.method!r}][f"{{first}}, {{second}}"] = {formula}',
    ]


def _of_samples(analysis: Analysis, formula: str) -> list[str]:
    if analysis.by:
        samples = f"samples = list(groups({analysis.columns[0]!r}, {analysis.by!r}).values())"
    else:
        samples = f"samples = [numbers(name)[0] for name in {list(analysis.columns)!r}]"
    lines = [samples, f"result[{_key(analysis)!r}] = {formula}"]
    if analysis.method == "anova" and analysis.parameters.get("freedom"):
        within = "sum(map(len, samples)) - len(samples)"
        lines.append(f'result["anova"].update(dof_between=len(samples) - 1, dof_within={within})')
    return lines


def _rounding(places: int | None) -> list[str]:
    if places is None:
        return []
    return [
        "",
        "",
        "def rounded(value):",
        "    if isinstance(value, dict):",
        "        return {key: rounded(item) for key, item in value.items()}",
        "    if isinstance(value, (list, tuple)):",
        "        return [rounded(item) for item in value]",
        f"    return round(float(value), {places}) if isinstance(value, (float, np.floating)) else value",
        "",
        "",
        "result = rounded(result)",
    ]
