"""The functions of programs for figures that one formula of numpy or scipy does not give.

Each takes a column of numbers, or two, or samples; a written program contains those that it calls.
"""

from collections.abc import Mapping

FUNCTIONS: Mapping[str, str] = {
    "trimmed_mean": '''
def trimmed_mean(x, cut):
    """The mean without this share of the values at each end."""
    return stats.trim_mean(x, cut)
''',
    "weighted_mean": """
def weighted_mean(x, weights):
    return np.average(x, weights=weights)
""",
    "mad": '''
def mad(x):
    """The median absolute deviation from the median."""
    return np.median(np.abs(x - np.median(x)))
''',
    "mean_deviation": '''
def mean_deviation(x):
    """The mean absolute deviation from the mean."""
    return np.abs(x - x.mean()).mean()
''',
    "moving_average": '''
def moving_average(x, window):
    """The mean of each `window` values in a row."""
    return np.convolve(x, np.ones(window) / window, mode="valid").tolist()
''',
    "percent_changes": '''
def percent_changes(x):
    """By how many percent each value differs from the one before."""
    return (np.diff(x) / x[:-1] * 100).tolist()
''',
    "greatest_change": '''
def greatest_change(values, names, falling, percent):
    """The greatest rise or fall from a value to the next, and the next one's name or position."""
    x = np.array(values, dtype=float)
    steps = np.diff(x) / x[:-1] * 100 if percent else np.diff(x)
    place = int(np.argmin(steps) if falling else np.argmax(steps))
    at = str(names[place + 1]) if names else place + 2
    return {"percent" if percent else "change": float(steps[place]), "at": at}
''',
    "z_score": '''
def z_score(x, ddof=1, value=None):
    """How many standard deviations a value, or each value, lies above the mean."""
    scores = ((x if value is None else value) - x.mean()) / x.std(ddof=ddof)
    return scores.tolist() if value is None else scores
''',
    "percentile_rank": '''
def percentile_rank(x, value):
    """The percentage of the values below a value, of equal ones half."""
    return 100 * ((x < value).sum() + 0.5 * (x == value).sum()) / len(x)
''',
    "inside": '''
def inside(x, low=-np.inf, high=np.inf, low_open=False, high_open=False):
    """Which values lie between the bounds."""
    return (x > low if low_open else x >= low) & (x < high if high_open else x <= high)
''',
    "named": '''
def named(values, names, best):
    """The name of the largest or smallest value, or the names of several that are equal."""
    values, names = zip(*((v, n) for v, n in zip(values, names) if v is not None))
    most = best(values)
    at = [str(n) for v, n in zip(values, names) if v == most]
    return {"name": at[0] if len(at) == 1 else at, "value": most}
''',
    "ranking": '''
def ranking(values, names, descending):
    """The names from the best value to the worst, with their values."""
    rows = [(v, str(n)) for v, n in zip(values, names) if v is not None]
    rows.sort(key=lambda row: row[0], reverse=descending)
    return [{"name": name, "value": value} for value, name in rows]
''',
    "next_extreme": '''
def next_extreme(values, names, largest):
    """The second largest or smallest value, and its name if the values have names."""
    rows = [(v, n) for v, n in zip(values, names or values) if v is not None]
    value, name = sorted(rows, key=lambda row: row[0], reverse=largest)[1]
    return {"name": str(name), "value": value} if names else value
''',
    "percent_of_total": '''
def percent_of_total(values, names):
    """Each value, or the values of each name, as a percentage of the sum."""
    total = sum(v for v in values if v is not None)
    if not names:
        return [100 * v / total for v in values if v is not None]
    shares = {}
    for value, name in zip(values, names):
        if value is not None:
            shares[str(name)] = shares.get(str(name), 0) + 100 * value / total
    return shares
''',
    "beside_mean": '''
def beside_mean(values, names, above):
    """The values above the mean, or below it, and their names if they have names."""
    rows = [(v, str(n)) for v, n in zip(values, names or values) if v is not None]
    mean = float(np.mean([v for v, _ in rows]))
    beside = [(v, n) for v, n in rows if not math.isclose(v, mean, rel_tol=1e-12)]
    chosen = [(v, n) for v, n in beside if (v > mean) is above]
    figures = {"mean": mean, "count": len(chosen), "percentage": 100 * len(chosen) / len(rows)}
    figures["values"] = [v for v, _ in chosen]
    return {**figures, "names": [n for _, n in chosen]} if names else figures
''',
    "from_mean": '''
def from_mean(values, names, name):
    """How far the value of a name lies above the mean."""
    value = next(v for v, n in zip(values, names) if str(n) == name)
    mean = np.mean([v for v in values if v is not None])
    return {"value": value, "mean": mean, "difference": value - mean}
''',
    "change_between": '''
def change_between(values, names, first, last):
    """The change from the value of a name to that of another, also in percent."""
    begin, end = (next(v for v, n in zip(values, names) if str(n) == name) for name in (first, last))
    return {"from": begin, "to": end, "change": end - begin, "percent": (end / begin - 1) * 100}
''',
    "gini": '''
def gini(x):
    """The Gini coefficient of all values: 0 if all are equal."""
    places = np.arange(1, len(x) + 1)
    return 2 * np.dot(places, np.sort(x)) / (len(x) * x.sum()) - (len(x) + 1) / len(x)
''',
    "f_test": '''
def f_test(samples):
    """Compare two variances by their ratio; two-sided."""
    first, second = samples
    ratio = first.var(ddof=1) / second.var(ddof=1)
    dof = len(first) - 1, len(second) - 1
    p_value = 2 * min(stats.f.cdf(ratio, *dof), stats.f.sf(ratio, *dof))
    return {"statistic": ratio, "p_value": min(1.0, float(p_value))}
''',
    "cohens_d": '''
def cohens_d(samples):
    """The difference of two means in units of the pooled standard deviation."""
    first, second = samples
    n, m = len(first), len(second)
    pooled = ((n - 1) * first.var(ddof=1) + (m - 1) * second.var(ddof=1)) / (n + m - 2)
    return (first.mean() - second.mean()) / np.sqrt(pooled)
''',
    "ci_difference": '''
def ci_difference(samples, level, equal_var=False):
    """The interval of confidence of the difference of two means."""
    first, second = samples
    outcome = stats.ttest_ind(first, second, equal_var=equal_var)
    low, high = outcome.confidence_interval(level)
    return {"low": low, "high": high, "difference": first.mean() - second.mean()}
''',
    "ci_paired": '''
def ci_paired(x, y, level):
    """The interval of confidence of the mean difference of pairs."""
    low, high = stats.ttest_rel(x, y).confidence_interval(level)
    return {"low": low, "high": high, "difference": (x - y).mean()}
''',
    "sign_test": '''
def sign_test(x, y, alternative="two-sided"):
    """Compare pairs by the signs of their differences; equal pairs do not count."""
    more, less = int((x > y).sum()), int((x < y).sum())
    p_value = stats.binomtest(more, more + less, alternative=alternative).pvalue
    return {"statistic": more, "p_value": float(p_value)}
''',
    "cronbach_alpha": '''
def cronbach_alpha(items):
    """How consistent items of a scale are; each item is a column, each person a row."""
    items = np.array(items)
    within, total = items.var(axis=1, ddof=1).sum(), items.sum(axis=0).var(ddof=1)
    return len(items) / (len(items) - 1) * (1 - within / total)
''',
}
