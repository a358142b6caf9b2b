"""Names summaries that no sample has: a deviation below 0, more successes than cases, r above 1."""

import math
from collections.abc import Callable, Mapping

_MOST = 1e12
_SIZES = ("n", "n1", "n2")
_COUNTS = ("successes", "successes1", "successes2", "events1", "events2")
_SHARES = ("p", "p1", "p2", "confidence", "power", "alpha", "null_share")
_ABOVE_ZERO = ("sd", "sd1", "sd2", "margin", "difference")
_OF = {"successes": "n", "successes1": "n1", "successes2": "n2", "events1": "n1", "events2": "n2"}


def _usual(**parameters: object) -> str:
    """The problem of any single parameter, or of successes against cases."""
    numbers = {
        name: float(value)
        for name, value in parameters.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    for name, value in numbers.items():
        if not math.isfinite(value) or abs(value) > _MOST:
            return f"the {name} is {value:g}, which is no figure of a sample"
        if name in _SIZES and (value != int(value) or value < 1):
            return f"a sample of {value:g} is impossible: its size is a whole number above 0"
        if name in _COUNTS and value < 0:
            return f"{value:g} is no number of cases: it cannot be below 0"
        if name in _SHARES and not 0 < value < 1:
            return f"the {name} is {value:.4g}, but it must lie between 0 and 1"
        if name in _ABOVE_ZERO and value <= 0:
            return f"the {name.rstrip('12')} is {value:g}, but it must be above 0"
        if name in _OF and value > numbers.get(_OF[name], math.inf):
            return f"{value:g} successes are more than the {numbers[_OF[name]]:g} cases"
    return ""


def _with_spread(**parameters: object) -> str:
    """For what divides by the degrees of freedom."""
    for name in _SIZES:
        size = parameters.get(name)
        if isinstance(size, int | float) and size < 2:
            return f"a sample of {size:g} has no standard deviation: it needs at least 2 values"
    return _usual(**parameters)


def _null_share(null: float, **parameters: object) -> str:
    return _usual(null_share=null, **parameters)


def _two_rates(**parameters: float) -> str:
    problem = _usual(**parameters)
    if not problem and parameters["p1"] == parameters["p2"]:
        return "the two rates are equal: there is nothing to detect"
    return problem


def _pooled_rates(**parameters: float) -> str:
    problem = _usual(**parameters)
    events = parameters["successes1"] + parameters["successes2"]
    if not problem and events in (0, parameters["n1"] + parameters["n2"]):
        return "all cases or none are successes: the rates do not vary"
    return problem


def _risks(**parameters: float) -> str:
    problem = _usual(**parameters)
    for i in ("1", "2"):
        if not problem and parameters[f"events{i}"] in (0, parameters[f"n{i}"]):
            return "with no event, or only events, in a group the ratios have no interval"
    return problem


def _kappa(**counts: float) -> str:
    if any(c < 0 or c != int(c) for c in counts.values()) or sum(counts.values()) == 0:
        return "the counts of agreement must be whole and not below 0"
    first = counts["both_yes"] + counts["first_only"]
    second = counts["both_yes"] + counts["second_only"]
    total = sum(counts.values())
    if (first in (0, total)) and (second in (0, total)):
        return "both raters always say the same: kappa is not defined"
    return ""


def _correlation(r: float, n: float, **parameters: object) -> str:
    if not -1 < r < 1:
        return f"a correlation of {r:g} lies outside -1 to 1, or is perfect"
    return _usual(n=n, **parameters) or ("a correlation needs at least 4 pairs" if n < 4 else "")


def _statistic(
    family: str, statistic: float, df: float | None = None, df2: float | None = None, **_: object
) -> str:
    for degrees in (df, df2):
        if degrees is not None and degrees <= 0:
            return f"{degrees:g} degrees of freedom are impossible"
    if family in ("chi2", "f") and statistic < 0:
        return f"a {family} statistic of {statistic:g} is below 0"
    return "" if math.isfinite(statistic) else "the statistic is not finite"


def _population(population: float | None = None, **parameters: object) -> str:
    if population is not None and (population < 2 or population != int(population)):
        return f"a population of {population:g} is impossible"
    return _usual(**parameters)


IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    "mean_test": _with_spread,
    "means_test": lambda **p: _with_spread(**{k: v for k, v in p.items() if k != "difference"}),
    "proportion_test": _null_share,
    "proportions_test": _pooled_rates,
    "chi_square_2x2": _pooled_rates,
    "mean_interval": _with_spread,
    "proportion_interval": _usual,
    "means_interval": _with_spread,
    "proportions_interval": _usual,
    "margin_of_error": _usual,
    "mean_margin": _with_spread,
    "standard_error": _usual,
    "proportion_error": _usual,
    "sample_size_proportion": _population,
    "sample_size_mean": _usual,
    "sample_size_proportions": _two_rates,
    "sample_size_means": _usual,
    "power_of_means": _with_spread,
    "power_of_proportions": _two_rates,
    "risk_measures": _risks,
    "cohen_d": _usual,
    "kappa": _kappa,
    "variances_test": _with_spread,
    "correlation_test": _correlation,
    "correlation_interval": _correlation,
    "statistic_p_value": _statistic,
}
