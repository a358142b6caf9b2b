"""The programs for probabilities, quantiles and moments of distributions."""

from collections.abc import Mapping

# scipy's distribution; the parameters have the names of `sandbox.spec.Distribution`.
_MADE = """
    from scipy import stats

    g = parameters.get
    made = {
        "normal": lambda: stats.norm(g("mean"), g("sd")),
        "t": lambda: stats.t(g("df")),
        "chi2": lambda: stats.chi2(g("df")),
        "f": lambda: stats.f(g("df1"), g("df2")),
        "exponential": lambda: stats.expon(scale=g("mean")),
        "uniform": lambda: stats.uniform(g("low"), g("high") - g("low")),
        "lognormal": lambda: stats.lognorm(g("sigma"), scale=math.exp(g("mu"))),
        "gamma": lambda: stats.gamma(g("shape"), scale=g("scale")),
        "beta": lambda: stats.beta(g("a"), g("b")),
        "weibull": lambda: stats.weibull_min(g("shape"), scale=g("scale")),
        "binomial": lambda: stats.binom(int(g("n")), g("p")),
        "poisson": lambda: stats.poisson(g("rate") * g("exposure", 1.0)),
        "geometric": lambda: stats.geom(g("p")),
        "negative_binomial": lambda: stats.nbinom(int(g("r")), g("p"), loc=int(g("r"))),
        "hypergeometric": lambda: stats.hypergeom(
            int(g("population")), int(g("marked")), int(g("drawn"))
        ),
        "discrete_uniform": lambda: stats.randint(int(g("low")), int(g("high")) + 1),
    }[family]()
    discrete = hasattr(made, "pmf") and not hasattr(made.dist, "pdf")
"""

PROGRAMS: Mapping[str, str] = {
    "distribution_probability": f"""
def distribution_probability(
    family, parameters, low=None, high=None, low_open=False, high_open=False, outside=False,
    percent=False, out_of=None,
):{_MADE}
    if low is not None and low == high:
        inside = float(made.pmf(low)) if discrete else 0.0
    elif low is None:
        inside = made.cdf(math.ceil(high) - 1 if discrete and high_open else high)
    elif high is None:
        inside = made.sf(low if not discrete or low_open else math.ceil(low) - 1)
    elif discrete:
        first = math.floor(low) + 1 if low_open else math.ceil(low)
        last = math.ceil(high) - 1 if high_open else math.floor(high)
        inside = made.cdf(last) - made.cdf(first - 1)
    elif low > made.median():
        inside = made.sf(low) - made.sf(high)
    else:
        inside = made.cdf(high) - made.cdf(low)
    if outside:
        inside = 1 - inside
    if out_of is not None:
        return {{"expected_count": float(inside) * out_of, "probability": float(inside)}}
    return {{"percentage": 100 * float(inside)}} if percent else {{"probability": float(inside)}}
""",
    "distribution_quantile": f"""
def distribution_quantile(
    family, parameters, below=None, above=None, middle=None, name="value",
):{_MADE}
    if middle is not None:
        tail = (1 - middle) / 2
        return {{"lower": float(made.ppf(tail)), "upper": float(made.isf(tail))}}
    return {{name: float(made.ppf(below) if below is not None else made.isf(above))}}
""",
    "distribution_moments": f"""
def distribution_moments(family, parameters):{_MADE}
    mean, variance = made.stats(moments="mv")
    return {{"mean": float(mean), "variance": float(variance), "sd": float(variance) ** 0.5}}
""",
    "z_score": """
def z_score(value, mean, sd):
    return {"z": (value - mean) / sd}
""",
    "parameter_from_probability": """
def parameter_from_probability(value, share_below, mean=None, sd=None):
    from scipy import stats

    z = float(stats.norm.ppf(share_below))
    return {"sd": (value - mean) / z} if sd is None else {"mean": value - z * sd}
""",
}
