"""The programs of inference from summaries: tests, intervals, sample sizes, power, effects."""

from collections.abc import Mapping

_P_OF_Z = """
    tails = {"two": 2 * stats.norm.sf(abs(z)), "greater": stats.norm.sf(z),
             "less": stats.norm.cdf(z)}
    p = float(tails[tail])
"""

PROGRAMS: Mapping[str, str] = {
    "mean_test": """
def mean_test(mean, sd, n, null, known_sd=False, tail="two", alpha=0.05):
    from scipy import stats

    statistic = (mean - null) / (sd / math.sqrt(n))
    of = stats.norm() if known_sd else stats.t(n - 1)
    tails = {"two": 2 * of.sf(abs(statistic)), "greater": of.sf(statistic),
             "less": of.cdf(statistic)}
    p = float(tails[tail])
    found = {"z" if known_sd else "t": float(statistic), "p_value": p, "significant": p < alpha}
    return found if known_sd else found | {"df": n - 1}
""",
    "means_test": """
def means_test(mean1, sd1, n1, mean2, sd2, n2, method="welch", tail="two", alpha=0.05):
    from scipy import stats

    if method == "z":
        error = math.sqrt(sd1**2 / n1 + sd2**2 / n2)
        z = (mean1 - mean2) / error
        tails = {"two": 2 * stats.norm.sf(abs(z)), "greater": stats.norm.sf(z),
                 "less": stats.norm.cdf(z)}
        p = float(tails[tail])
        return {"z": z, "p_value": p, "difference": mean1 - mean2, "significant": p < alpha}
    sides = {"two": "two-sided", "greater": "greater", "less": "less"}
    made = stats.ttest_ind_from_stats(
        mean1, sd1, n1, mean2, sd2, n2, equal_var=method == "pooled", alternative=sides[tail]
    )
    if method == "pooled":
        df = n1 + n2 - 2
    else:
        a, b = sd1**2 / n1, sd2**2 / n2
        df = (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1))
    p = float(made.pvalue)
    return {"t": float(made.statistic), "df": df, "p_value": p, "difference": mean1 - mean2,
            "significant": p < alpha}
""",
    "proportion_test": f"""
def proportion_test(successes, n, null, tail="two", alpha=0.05):
    from scipy import stats

    share = successes / n
    z = (share - null) / math.sqrt(null * (1 - null) / n)
{_P_OF_Z}
    return {{"z": z, "p_value": p, "proportion": share, "significant": p < alpha}}
""",
    "proportions_test": f"""
def proportions_test(successes1, n1, successes2, n2, tail="two", alpha=0.05):
    from scipy import stats

    first, second = successes1 / n1, successes2 / n2
    pooled = (successes1 + successes2) / (n1 + n2)
    z = (second - first) / math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
{_P_OF_Z}
    uplift = {{"uplift_percentage": 100 * (second / first - 1)}} if first else {{}}
    return {{"rate_1": first, "rate_2": second, "difference": second - first, **uplift,
            "z": z, "p_value": p, "significant": p < alpha}}
""",
    "chi_square_2x2": """
def chi_square_2x2(successes1, n1, successes2, n2, yates=False, alpha=0.05):
    from scipy import stats

    table = [[successes1, n1 - successes1], [successes2, n2 - successes2]]
    made = stats.chi2_contingency(np.array(table), correction=yates)
    p = float(made.pvalue)
    expected = [[float(cell) for cell in row] for row in made.expected_freq]
    return {"chi2": float(made.statistic), "df": int(made.dof), "p_value": p,
            "expected": expected, "significant": p < alpha}
""",
    "mean_interval": """
def mean_interval(mean, sd, n, confidence=0.95, known_sd=False):
    from scipy import stats

    of = stats.norm() if known_sd else stats.t(n - 1)
    margin = float(of.isf((1 - confidence) / 2)) * sd / math.sqrt(n)
    return {"lower": mean - margin, "upper": mean + margin, "margin_of_error": margin}
""",
    "proportion_interval": """
def proportion_interval(successes, n, confidence=0.95, method="wald"):
    from scipy import stats

    share = successes / n
    z = float(stats.norm.isf((1 - confidence) / 2))
    if method == "wilson":
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        margin = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    else:
        centre, margin = share, z * math.sqrt(share * (1 - share) / n)
    return {"lower": centre - margin, "upper": centre + margin, "margin_of_error": margin,
            "proportion": share}
""",
    "means_interval": """
def means_interval(mean1, sd1, n1, mean2, sd2, n2, confidence=0.95, method="welch"):
    from scipy import stats

    a, b = sd1**2 / n1, sd2**2 / n2
    if method == "pooled":
        pooled = ((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2)
        error, df = math.sqrt(pooled * (1 / n1 + 1 / n2)), n1 + n2 - 2
    else:
        error, df = math.sqrt(a + b), (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1))
    of = stats.norm() if method == "z" else stats.t(df)
    margin = float(of.isf((1 - confidence) / 2)) * error
    difference = mean1 - mean2
    return {"difference": difference, "lower": difference - margin, "upper": difference + margin}
""",
    "proportions_interval": """
def proportions_interval(successes1, n1, successes2, n2, confidence=0.95):
    from scipy import stats

    first, second = successes1 / n1, successes2 / n2
    error = math.sqrt(first * (1 - first) / n1 + second * (1 - second) / n2)
    margin = float(stats.norm.isf((1 - confidence) / 2)) * error
    difference = second - first
    return {"difference": difference, "lower": difference - margin, "upper": difference + margin}
""",
    "margin_of_error": """
def margin_of_error(p, n, confidence=0.95):
    from scipy import stats

    margin = float(stats.norm.isf((1 - confidence) / 2)) * math.sqrt(p * (1 - p) / n)
    return {"margin_of_error": margin, "percentage_points": 100 * margin}
""",
    "mean_margin": """
def mean_margin(sd, n, confidence=0.95, known_sd=False):
    from scipy import stats

    of = stats.norm() if known_sd else stats.t(n - 1)
    return {"margin_of_error": float(of.isf((1 - confidence) / 2)) * sd / math.sqrt(n)}
""",
    "standard_error": """
def standard_error(sd, n):
    return {"standard_error": sd / math.sqrt(n)}
""",
    "proportion_error": """
def proportion_error(p, n):
    return {"standard_error": math.sqrt(p * (1 - p) / n)}
""",
    "sample_size_proportion": """
def sample_size_proportion(margin, p=0.5, confidence=0.95, population=None):
    from scipy import stats

    z = float(stats.norm.isf((1 - confidence) / 2))
    n = z**2 * p * (1 - p) / margin**2
    if population is not None:
        n = n / (1 + (n - 1) / population)
    return {"sample_size": math.ceil(n - 1e-9)}
""",
    "sample_size_mean": """
def sample_size_mean(margin, sd, confidence=0.95):
    from scipy import stats

    z = float(stats.norm.isf((1 - confidence) / 2))
    return {"sample_size": math.ceil((z * sd / margin) ** 2 - 1e-9)}
""",
    "sample_size_proportions": """
def sample_size_proportions(p1, p2, power=0.8, alpha=0.05, tail="two"):
    from scipy import stats

    z = float(stats.norm.isf(alpha / 2 if tail == "two" else alpha))
    z_power = float(stats.norm.ppf(power))
    middle = (p1 + p2) / 2
    root = z * math.sqrt(2 * middle * (1 - middle))
    root += z_power * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    each = math.ceil((root / (p1 - p2)) ** 2 - 1e-9)
    return {"sample_size_per_group": each, "total": 2 * each}
""",
    "sample_size_means": """
def sample_size_means(difference, sd, power=0.8, alpha=0.05, tail="two"):
    from scipy import stats

    z = float(stats.norm.isf(alpha / 2 if tail == "two" else alpha))
    z_power = float(stats.norm.ppf(power))
    n = 2 * ((z + z_power) * sd / difference) ** 2
    each = max(2, math.floor(n) - 2)

    def reached(n):
        df, shift = 2 * n - 2, abs(difference) / sd * math.sqrt(n / 2)
        bound = stats.t.isf(alpha / 2 if tail == "two" else alpha, df)
        upper = stats.nct.sf(bound, df, shift)
        return upper + (stats.nct.cdf(-bound, df, shift) if tail == "two" else 0.0)

    while reached(each) < power:
        each += 1
    while each > 2 and reached(each - 1) >= power:
        each -= 1
    return {"sample_size_per_group": each, "total": 2 * each}
""",
    "power_of_means": """
def power_of_means(difference, sd, n, alpha=0.05, tail="two"):
    from scipy import stats

    df, shift = 2 * n - 2, abs(difference) / sd * math.sqrt(n / 2)
    bound = stats.t.isf(alpha / 2 if tail == "two" else alpha, df)
    power = stats.nct.sf(bound, df, shift)
    power += stats.nct.cdf(-bound, df, shift) if tail == "two" else 0.0
    return {"power": float(power)}
""",
    "power_of_proportions": """
def power_of_proportions(p1, p2, n, alpha=0.05, tail="two"):
    from scipy import stats

    z = float(stats.norm.isf(alpha / 2 if tail == "two" else alpha))
    middle = (p1 + p2) / 2
    under_null = z * math.sqrt(2 * middle * (1 - middle) / n)
    error = math.sqrt((p1 * (1 - p1) + p2 * (1 - p2)) / n)
    gap = abs(p1 - p2)
    power = float(stats.norm.sf((under_null - gap) / error))
    if tail == "two":
        power += float(stats.norm.cdf((-under_null - gap) / error))
    return {"power": power}
""",
    "risk_measures": """
def risk_measures(events1, n1, events2, n2, confidence=0.95):
    from scipy import stats

    z = float(stats.norm.isf((1 - confidence) / 2))
    first, second = events1 / n1, events2 / n2
    a, b, c, d = events1, n1 - events1, events2, n2 - events2
    ratio, odds = first / second, a * d / (b * c)
    of_ratio = math.sqrt(1 / a - 1 / n1 + 1 / c - 1 / n2)
    of_odds = math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    of_difference = math.sqrt(first * (1 - first) / n1 + second * (1 - second) / n2)
    difference = first - second
    found = {
        "risk_1": first, "risk_2": second,
        "relative_risk": ratio,
        "relative_risk_lower": ratio * math.exp(-z * of_ratio),
        "relative_risk_upper": ratio * math.exp(z * of_ratio),
        "odds_ratio": odds,
        "odds_ratio_lower": odds * math.exp(-z * of_odds),
        "odds_ratio_upper": odds * math.exp(z * of_odds),
        "risk_difference": difference,
        "risk_difference_lower": difference - z * of_difference,
        "risk_difference_upper": difference + z * of_difference,
    }
    return found | ({"number_needed_to_treat": 1 / abs(difference)} if difference else {})
""",
    "cohen_d": """
def cohen_d(mean1, sd1, mean2, sd2, n1=None, n2=None):
    if n1 is None or n2 is None:
        spread = math.sqrt((sd1**2 + sd2**2) / 2)
    else:
        spread = math.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2))
    return {"cohen_d": (mean1 - mean2) / spread}
""",
    "kappa": """
def kappa(both_yes, both_no, first_only, second_only):
    total = both_yes + both_no + first_only + second_only
    agreed = (both_yes + both_no) / total
    yes = (both_yes + first_only) * (both_yes + second_only) / total**2
    no = (both_no + first_only) * (both_no + second_only) / total**2
    chance = yes + no
    return {"kappa": (agreed - chance) / (1 - chance), "agreement": agreed}
""",
    "variances_test": """
def variances_test(sd1, n1, sd2, n2, alpha=0.05):
    from scipy import stats

    statistic = sd1**2 / sd2**2
    of = stats.f(n1 - 1, n2 - 1)
    p = float(2 * min(of.sf(statistic), of.cdf(statistic)))
    return {"F": statistic, "df1": n1 - 1, "df2": n2 - 1, "p_value": min(1.0, p),
            "significant": p < alpha}
""",
    "correlation_test": """
def correlation_test(r, n, tail="two", alpha=0.05):
    from scipy import stats

    t = r * math.sqrt((n - 2) / (1 - r**2))
    of = stats.t(n - 2)
    tails = {"two": 2 * of.sf(abs(t)), "greater": of.sf(t), "less": of.cdf(t)}
    p = float(tails[tail])
    return {"t": t, "df": n - 2, "p_value": p, "significant": p < alpha}
""",
    "correlation_interval": """
def correlation_interval(r, n, confidence=0.95):
    from scipy import stats

    margin = float(stats.norm.isf((1 - confidence) / 2)) / math.sqrt(n - 3)
    middle = math.atanh(r)
    return {"lower": math.tanh(middle - margin), "upper": math.tanh(middle + margin)}
""",
    "statistic_p_value": """
def statistic_p_value(family, statistic, df=None, df2=None, tail="two", alpha=0.05):
    from scipy import stats

    of = {"normal": lambda: stats.norm(), "t": lambda: stats.t(df),
          "chi2": lambda: stats.chi2(df), "f": lambda: stats.f(df, df2)}[family]()
    if tail == "two":
        p = 2 * float(of.sf(abs(statistic)))
    else:
        p = float(of.sf(statistic) if tail == "greater" else of.cdf(statistic))
    return {"p_value": p, "significant": p < alpha}
""",
}
