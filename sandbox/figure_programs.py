"""Writes programs that compute figures and tests from given data."""

from sandbox.spec import Analysis, Spec
from sandbox.special_figures import SPECIAL

_HEAD = """\
import numpy as np
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
    "cv": "x.std(ddof=1) / x.mean()",
    "iqr": "np.subtract(*np.percentile(x, [75, 25]))",
    "quantile": "np.quantile(x, {q})",
    "quartiles": 'dict(zip(["q1", "q2", "q3"], np.percentile(x, [25, 50, 75])))',
    "geometric_mean": "np.exp(np.log(x).mean())",
    "harmonic_mean": "len(x) / (1 / x).sum()",
    "skewness": "stats.skew(x)",
    "kurtosis": "stats.kurtosis(x)",
    "shapiro": "test(stats.shapiro(x))",
    "ks_normal": 'test(stats.kstest(x, "norm", args=(x.mean(), x.std(ddof=1))))',
    "ttest_one": "test(stats.ttest_1samp(x, {mu}))",
    "ci": 'dict(zip(["low", "high"], stats.t.interval({level}, len(x) - 1, x.mean(), stats.sem(x))), mean=x.mean())',
    "describe": 'dict(count=len(x), mean=x.mean(), sd=x.std(ddof=1), min=x.min(), q1=np.percentile(x, 25), median=np.median(x), q3=np.percentile(x, 75), max=x.max())',
}  # fmt: skip
_OF_TWO: dict[str, str] = {
    "correlation": "test(stats.pearsonr(x, y), 'r')",
    "spearman": "test(stats.spearmanr(x, y), 'rho')",
    "kendall": "test(stats.kendalltau(x, y), 'tau')",
    "covariance": "np.cov(x, y)[0, 1]",
    "ttest_paired": "test(stats.ttest_rel(x, y))",
    "wilcoxon": "test(stats.wilcoxon(x, y))",
}
_OF_SAMPLES: dict[str, str] = {
    "ttest": "test(stats.ttest_ind(*samples, equal_var={equal_var}))",
    "anova": "test(stats.f_oneway(*samples))",
    "kruskal": "test(stats.kruskal(*samples))",
    "mannwhitney": "test(stats.mannwhitneyu(*samples))",
    "levene": "test(stats.levene(*samples))",
    "ks_two": "test(stats.ks_2samp(*samples))",
}
_TEST = '''\
def test(outcome, name="statistic"):
    """The statistic and the p-value of a test, by name."""
    return {name: float(outcome.statistic), "p_value": float(outcome.pvalue)}


'''


def figures_program(spec: Spec) -> str:
    parts = [line for analysis in spec.analyses for line in _part(analysis)]
    body = "\n".join(["result = {}", *parts, *_rounding(spec.decimals)])
    needs_stats = "stats." in body
    head = _HEAD.format(imports="from scipy import stats\n" if needs_stats else "")
    return head + (_TEST if "test(" in body else "") + body + "\n"


def _part(analysis: Analysis) -> list[str]:
    special = SPECIAL.get(analysis.method)
    if special is not None:
        return special(analysis)
    values = {"ddof": 1, "q": 0.5, "mu": 0.0, "level": 0.95, "equal_var": False} | dict(
        analysis.parameters
    )
    if analysis.method in _OF_ONE:
        formula = _OF_ONE[analysis.method].format(**values)
        return _of_one(analysis, _key(analysis), formula)
    if analysis.method in _OF_TWO:
        return _of_two(analysis, _OF_TWO[analysis.method])
    return _of_samples(analysis, _OF_SAMPLES[analysis.method].format(**values))


def _key(analysis: Analysis) -> str:
    """The key of a figure in the result. A quantile's key contains its probability."""
    if analysis.method == "quantile":
        return f"quantile_{analysis.parameters['q']:g}"
    return {"ci": "confidence_interval", "ttest_one": "ttest", "ks_normal": "ks"}.get(
        analysis.method, analysis.method
    )


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
            f"result[{analysis.method!r}] = {formula}",
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
    key = "ks" if analysis.method == "ks_two" else analysis.method
    return [samples, f"result[{key!r}] = {formula}"]


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
