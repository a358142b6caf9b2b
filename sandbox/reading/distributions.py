"""Reads the names of distribution families, and their parameters.

`read` never guesses a missing parameter: it returns None. A parameter that a convention fixes, such
as the sd of a standard normal, is not missing.
"""

import math
import re
from collections.abc import Callable, Mapping

from sandbox.reading import patterns
from sandbox.reading.budget import spend
from sandbox.reading.numbers import NUMBER, number
from sandbox.spec import Distribution

# Longer names come first, because the first match counts.
FAMILIES: tuple[tuple[str, str], ...] = (
    ("lognormal", r"\blog[- ]?normal(?:ly)?\b|\blognorm\b|\blog[- ]gaussian\b|\bln[- ]?n\b(?=\()"),
    ("standard", r"\bstandard normal(?:ly)?\b|\bstandard gaussian\b|\bz-scores? distribut"),
    ("multivariate", r"\b(?:multi|bi)variate (?:normal|gaussian)\b|\bjointly normal(?:ly)?\b"),
    ("normal", r"(?<![- ]non)(?<!log )(?<!non-)\bnormal(?:ly)?\b(?! form| people| language)|\bgaussian\b|\bbell[- ](?:curve|shaped)\b(?: distribution)?|\bN(?=\s?\(\s*+[-\d])"),
    ("mixture", r"\bbimodal(?:ly)?\b|\btrimodal(?:ly)?\b|\bmixture\b|\btwo[- ](?:peaks?|modes?|humped)\b"),
    ("uniform", r"\buniform(?:ly)?\b|\bU(?=\s?\(\s*+[-\d])|\bequally likely between\b|\bflat distribution\b"),
    ("exponential", r"\bexponential(?:ly)?\b(?! growth| trend| decay| increase| smoothing)|\bExp(?=\s?\(\s*+[\d.])"),
    ("poisson", r"\bpoisson\b"),
    ("negative binomial", r"\bnegative[- ]binomial(?:ly)?\b"),
    ("binomial", r"\bbinomial(?:ly)?\b|\bBin(?:om)?(?=\s?\(\s*+\d)"),
    ("bernoulli", r"\bbernoulli\b|\bcoin[- ](?:flips?|toss(?:es)?)\b"),
    ("beta", r"\bbeta\b(?=[- ]distribut|\s?\(|\s++with (?:alpha|shape|a\b|parameters)|,\s*+(?:alpha|a\b))|\bbeta (?=random)"),
    ("gamma", r"\bgamma\b(?=[- ]distribut|\s?\(|\s++with (?:shape|alpha|k\b|mean|parameters)|,\s*+(?:shape|alpha|k\b|mean))|\bgamma (?=random)"),
    ("pareto", r"\bpareto\b"),
    ("weibull", r"\bweibull\b"),
    ("student", r"\bstudent'?s?[- ]t\b(?! ?test)|\bt[- ]distribut(?:ed|ion)\b"),
    ("other", r"\bgeometric(?:ally)? distribut|\bcauchy\b|\bchi[- ]squared? distribut|\btriangular\b|\blaplace\b|\bzipf\w*\b|\bdirichlet\b|\bmultinomial\b|\bhypergeometric\b|\bgumbel\b|\blogistic distribut"),
)  # fmt: skip
UNSUPPORTED = frozenset({"student", "other", "negative binomial", "multivariate"})

_LINK = r"(?:\s{0,20}(?:(?:value|parameter|of|is|at|being|equal to|equals|about|around|roughly|approximately|set to|near)(?![a-z])|[=:(~])){0,5}\s{0,20}"


def _given_for(text: str, *names: str) -> float | None:
    """The number that the text gives for any of these names, after the name or before it."""
    for name in names:
        spend()
        match = patterns.search(rf"(?<![\w]){name}(?![\w]){_LINK}({NUMBER})", text, re.I)
        if match:
            return number(match[1])
    for name in names:
        match = patterns.search(rf"({NUMBER})\s*+(?:\w+\s)?(?:for the |as (?:the |its )?)?{name}(?!\w)", text, re.I)  # fmt: skip
        if match:
            return number(match[1])
    return None


_MEAN = (
    "(?:mean|average|avg|expected value|expectation)", "mu", "location", "loc",
    "averaging", r"cent(?:er|re)(?:ed|d)?(?: at| on| around)?", "m", "around", "about", "near",
)  # fmt: skip
_SD = (
    r"standard deviations?", r"std\.?\s?dev(?:iation)?s?\.?", r"st\.?\s?dev\.?", r"s\.?d\.?",
    r"std\.?", "sigma", "stdev", "deviation", "spread", "s",
)  # fmt: skip
_BOTH = re.compile(
    rf"(?:mean|average|mu|m)\s*+(?:,|and|/|&)\s*+(?:standard deviation|std(?:\.? ?dev\.?)?|sd|sigma|s)"
    rf"\s*+(?:of|=|are|:|at)?\s*+({NUMBER})\s*+(?:,|and|/|&)\s*+({NUMBER})",
    re.I,
)
_PLUS_MINUS = re.compile(
    rf"({NUMBER})\s*+(?:±|\+/-|\+-|plus or minus|give or take)\s*+({NUMBER})", re.I
)
_PAIR = re.compile(
    rf"^\s*+\(\s*+(?:\w+\s*+=\s*+)?({NUMBER})\s*+[,;]\s*+(?:\w+\s*+=\s*+)?({NUMBER})\s*+(\^2|²|squared)?\s*+\)"
)
_ONE = re.compile(rf"^\s*+\(\s*+(?:\w+\s*+=\s*+)?({NUMBER})\s*+\)")


def moments(text: str) -> tuple[float | None, float | None]:
    """The mean and the standard deviation in the text, each None if it is missing."""
    both = _BOTH.search(text) or _PLUS_MINUS.search(text)
    if both:
        return number(both[1]), number(both[2])
    deviation = _given_for(text, *_SD)
    if deviation is None:
        variance = _given_for(text, "variance", "var")
        deviation = math.sqrt(variance) if variance is not None and variance >= 0 else None
    return _given_for(text, *_MEAN), deviation


def _positional(text: str) -> tuple[float, float] | None:
    match = _PAIR.match(text)
    if not match:
        return None
    return number(match[1]), number(match[2])


def _normal(text: str) -> Distribution | None:
    given = _positional(text)
    if given is None:
        mean, deviation = moments(text)
        if mean is None or deviation is None:
            return None
        given = mean, deviation
    return Distribution("normal", {"mean": given[0], "sd": given[1]})


def _standard(text: str) -> Distribution:
    del text
    return Distribution("normal", {"mean": 0.0, "sd": 1.0})


def lognormal_of(mean: float, deviation: float) -> Distribution:
    """The lognormal distribution whose values have this mean and standard deviation."""
    share = math.log1p((deviation / mean) ** 2)
    return Distribution(
        "lognormal",
        {"mu": round(math.log(mean) - share / 2, 12), "sigma": round(math.sqrt(share), 12)},
    )


def _lognormal(text: str) -> Distribution | None:
    given = _positional(text)
    sigma = _given_for(text, "sigma", "log[- ](?:sd|std|standard deviation)", "shape")
    median = _given_for(text, "median")
    if given is not None:
        return Distribution("lognormal", {"mu": given[0], "sigma": given[1]})
    mean, deviation = moments(text)
    if median is not None and median > 0 and (sigma or deviation):
        spread = sigma if sigma is not None else deviation
        assert spread is not None
        if spread > 5:  # too large for a logarithm: the text gives the values' deviation
            # The logarithm's variance s2 solves exp(s2)(exp(s2)-1) = (spread / median)**2.
            ratio = (1 + math.sqrt(1 + 4 * (spread / median) ** 2)) / 2
            spread = math.sqrt(math.log(ratio))
        return Distribution("lognormal", {"mu": round(math.log(median), 12), "sigma": spread})
    on_the_log = patterns.search(
        r"\blog(?:arithm)?[- ]?(?:scale|space|mean|mu)|\bof the (?:underlying|log)|\bunderlying",
        text,
        re.I,
    )
    mu = _given_for(text, "mu", "log[- ]mean")
    if mu is not None and (sigma is not None or deviation is not None):
        return Distribution("lognormal", {"mu": mu, "sigma": sigma or deviation or 0.0})
    if mean is None or deviation is None or mean <= 0:
        return None
    if on_the_log or (deviation <= 3 and mean <= 25 and deviation < mean):
        return Distribution("lognormal", {"mu": mean, "sigma": deviation})
    return lognormal_of(mean, deviation)


_RANGE = re.compile(
    rf"(?:between|from|in(?: the (?:range|interval))?(?: of)?|over|on|ranging|range(?:s|d)?(?: of| from| between)?)?\s*+[\[(]?\s*+({NUMBER})\s*+"
    rf"(?:and|to|-|through|,|\.\.\.?|up to|until)\s*+({NUMBER})\s*+[\])]?",
    re.I,
)


def span(text: str) -> tuple[float, float] | None:
    """Read two bounds. In `$10 to 20k` the scale `k` applies to both bounds."""
    match = _RANGE.search(text)
    if not match:
        low = _given_for(text, "min(?:imum)?", "low(?:er)?(?: bound)?")
        high = _given_for(text, "max(?:imum)?", "(?:high|upp)(?:er)?(?: bound)?")
        return None if low is None or high is None else (low, high)
    low, high = number(match[1]), number(match[2])
    if (
        patterns.search(r"[kKmM%]\s*+$", match[2])
        and not patterns.search(r"[kKmM%]\s*+$", match[1])
        and low < high
    ):
        scaled = number(match[1] + match[2].strip()[-1])
        low = scaled if scaled < high else low
    elif match[2].strip().endswith("%") and not match[1].strip().endswith("%"):
        low /= 100
    return (low, high) if low < high else None


def _uniform(text: str) -> Distribution | None:
    bounds = _positional(text) or span(text)
    return (
        None if bounds is None else Distribution("uniform", {"low": bounds[0], "high": bounds[1]})
    )


def _single(text: str) -> float | None:
    match = _ONE.match(text)
    return number(match[1]) if match else None


def _exponential(text: str) -> Distribution | None:
    rate = _given_for(text, "rate", "lambda")
    if rate:
        return Distribution("exponential", {"mean": 1 / rate})
    mean = _given_for(text, *_MEAN, "scale", "beta")
    if mean is None:  # the number in `Exp(0.5)` is a rate
        rate = _single(text)
        mean = 1 / rate if rate else None
    return Distribution("exponential", {"mean": mean}) if mean else None


def _poisson(text: str) -> Distribution | None:
    rate = _given_for(text, "rate", "lambda", *_MEAN)
    rate = _single(text) if rate is None else rate
    return Distribution("poisson", {"rate": rate}) if rate is not None and rate >= 0 else None


def _binomial(text: str) -> Distribution | None:
    given = _positional(text)
    if given is None:
        n = _given_for(text, "n", "trials?", "attempts", "tries", "flips", "tosses")
        p = _given_for(
            text, "p", "(?:success )?(?:probability|prob|chance)(?: of success)?", "success rate"
        )
        if n is None or p is None:
            return None
        given = n, p
    return Distribution("binomial", {"n": given[0], "p": given[1]})


def _bernoulli(text: str) -> Distribution | None:
    p = _given_for(text, "p", "(?:success )?(?:probability|prob|chance|rate)(?: of success)?")
    p = _single(text) if p is None else p
    return None if p is None else Distribution("binomial", {"n": 1.0, "p": p})


def _beta(text: str) -> Distribution | None:
    given = _positional(text)
    if given is None:
        a = _given_for(text, "alpha", "a")
        b = _given_for(text, "beta", "b")
        shapes = patterns.search(
            rf"(?:parameters|shapes?)\s*+(?:parameters)?{_LINK}({NUMBER})\s*+(?:and|,)\s*+({NUMBER})",
            text,
            re.I,
        )
        if shapes and (a is None or b is None):
            a, b = number(shapes[1]), number(shapes[2])
        if a is None or b is None:
            return None
        given = a, b
    return Distribution("beta", {"a": given[0], "b": given[1]})


def _gamma(text: str) -> Distribution | None:
    given = _positional(text)
    if given is None:
        shape = _given_for(text, "shape", "k", "alpha")
        scale = _given_for(text, "scale", "theta")
        rate = _given_for(text, "rate", "beta")
        mean, deviation = moments(text)
        if shape is not None and scale is None and rate:
            scale = 1 / rate
        if shape is not None and scale is None and mean is not None:
            scale = mean / shape
        if shape is None and mean and deviation:
            shape, scale = (mean / deviation) ** 2, deviation**2 / mean
        if shape is None or scale is None:
            return None
        given = shape, scale
    return Distribution("gamma", {"shape": given[0], "scale": given[1]})


def _pareto(text: str) -> Distribution | None:
    given = _positional(text)
    if given is None:
        alpha = _given_for(text, "alpha", "shape", "a", "exponent", "tail index")
        if alpha is None:
            return None
        least = _given_for(text, "min(?:imum)?", "scale", "xm", "x_m", "starting at", "from")
        given = alpha, 1.0 if least is None else least
    return Distribution("pareto", {"alpha": given[0], "minimum": given[1]})


def _weibull(text: str) -> Distribution | None:
    given = _positional(text)
    if given is None:
        shape = _given_for(text, "shape", "k", "c", "beta")
        scale = _given_for(text, "scale", "lambda", "eta")
        if shape is None:
            return None
        given = shape, 1.0 if scale is None else scale
    return Distribution("weibull", {"shape": given[0], "scale": given[1]})


_LISTED = re.compile(
    rf"(?:peaks?|modes?|means?|cent(?:er|re)s?|cent(?:er|re)d)\s*+(?:at|around|of|near|are|=|:)?\s*+({NUMBER}(?:\s*+(?:,|and|&)\s*+{NUMBER})+)",
    re.I,
)
_DEVIATIONS = re.compile(
    rf"(?:standard deviations?|std(?:\.? ?dev\.?)?s?|sds?|sigmas?)\s*+(?:of|=|:|are)?\s*+({NUMBER}(?!\s*+/)(?:\s*+(?:,|and|&)\s*+{NUMBER}(?!\s*+/)(?![\d]))*)",
    re.I,
)
_WEIGHTS = re.compile(
    rf"(?:weights?|proportions?|shares?|split|probabilit\w+|mix(?:ing)?(?: weights)?)\s*+(?:of|=|:|are)?\s*+({NUMBER}\s*+(?:,|and|/|-|&)\s*+{NUMBER}(?:\s*+(?:,|and|/)\s*+{NUMBER})*)"
    rf"|(\b\d+\s?/\s?\d+\b)",
    re.I,
)


def _mixture(text: str) -> Distribution | None:
    parts = _components(text)
    if parts is None:
        listed = _LISTED.search(text)
        if not listed:
            return None
        means = _numbers(listed[1])
        deviations = _DEVIATIONS.search(text)
        spreads = _numbers(deviations[1]) if deviations else []
        if not spreads:
            return None
        if len(spreads) == 1:
            spreads *= len(means)
        if len(spreads) != len(means):
            return None
        parts = [_peak(m, s) for m, s in zip(means, spreads, strict=True)]
    shares = _shares(text, len(parts))
    return Distribution("mixture", parts=tuple(parts), weights=shares)


def _components(text: str) -> list[Distribution] | None:
    """Read the parts of a mixture: `70% N(20, 3) and 30% N(50, 5)`, `one at 20 (sd 3), ...`."""
    called = patterns.findall(rf"(?:N|normal)\s?\(\s*+(?:\w+\s*+=\s*+)?({NUMBER})\s*+,\s*+(?:\w+\s*+=\s*+)?({NUMBER})", text, re.I)  # fmt: skip
    if len(called) < 2:
        called = patterns.findall(
            rf"(?:peak|mode|at|around|mean(?: of)?|cent(?:er|re)d(?: at| around)?|=)\s*+({NUMBER})\s*+(?:,|and|with|\()?\s*+\(?(?:an? )?(?:sd|std(?:\.? ?dev\.?)?|standard deviation|sigma)\s*+(?:of|=|:)?\s*+({NUMBER})",
            text, re.I,
        )  # fmt: skip
    if len(called) < 2:
        return None
    return [_peak(number(mean), number(deviation)) for mean, deviation in called]


def _peak(mean: float, deviation: float) -> Distribution:
    return Distribution("normal", {"mean": mean, "sd": deviation})


def _shares(text: str, count: int) -> tuple[float, ...]:
    match = _WEIGHTS.search(text)
    shares = _numbers((match[1] or match[2]).replace("/", " and ")) if match else []
    if len(shares) != count:
        shares = [number(share) for share in patterns.findall(r"\d{1,18}(?:\.\d{1,18})?\s?%", text)]
    if len(shares) == count - 1 and 0 < sum(shares) < 1:
        shares.append(1 - sum(shares))
    if len(shares) != count or sum(shares) <= 0:
        return (1 / count,) * count
    return tuple(round(share / sum(shares), 12) for share in shares)


def _numbers(text: str) -> list[float]:
    return [number(figure) for figure in patterns.findall(NUMBER, text)]


_READERS: Mapping[str, Callable[[str], Distribution | None]] = {
    "normal": _normal, "standard": _standard, "lognormal": _lognormal, "uniform": _uniform,
    "exponential": _exponential, "poisson": _poisson, "binomial": _binomial,
    "bernoulli": _bernoulli, "beta": _beta, "gamma": _gamma, "pareto": _pareto,
    "weibull": _weibull, "mixture": _mixture,
}  # fmt: skip


def read(family: str, text: str) -> Distribution | None:
    """The distribution, or None if this text does not give all its parameters."""
    reader = _READERS.get(family)
    return None if reader is None else reader(text)
