"""Distribution functions worked out without scipy: series, continued fractions and sums.

A program in the sandbox takes scipy's; these serve to say no to it. Each returns the probability
below and the probability above a value, so that small tails keep their digits.
"""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping

import numpy as np

Tails = tuple[float, float]  # below or at the value, above the value
_TINY = 1e-300
_MOST_STEPS = 20_000


def gamma_tails(shape: float, x: float) -> Tails:
    """The gamma distribution of scale 1: a series below its mean, a continued fraction above."""
    if x <= 0:
        return 0.0, 1.0
    if math.isinf(x):
        return 1.0, 0.0
    front = math.exp(-x + shape * math.log(x) - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for k in range(1, _MOST_STEPS):
            term *= x / (shape + k)
            total += term
            if term < total * 1e-17:
                break
        below = front * total
        return below, 1 - below
    b = x + 1 - shape
    c, d = 1 / _TINY, 1 / b
    h = d
    for k in range(1, _MOST_STEPS):
        a = -k * (k - shape)
        b += 2
        d = 1 / (_away(a * d + b))
        c = _away(b + a / c)
        h *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return 1 - front * h, front * h


def beta_tails(a: float, b: float, x: float) -> Tails:
    """The beta distribution: a continued fraction on the side where it converges fast."""
    if x <= 0:
        return 0.0, 1.0
    if x >= 1:
        return 1.0, 0.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        below = front * _fraction(a, b, x) / a
        return below, 1 - below
    above = front * _fraction(b, a, 1 - x) / b
    return 1 - above, above


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    h = d
    for m in range(1, _MOST_STEPS):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + numerator * d)
            c = _away(1 + numerator / c)
            h *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return h


def _away(number: float) -> float:
    return number if abs(number) > _TINY else _TINY


def normal_tails(z: float) -> Tails:
    return 0.5 * math.erfc(-z / math.sqrt(2)), 0.5 * math.erfc(z / math.sqrt(2))


def t_tails(df: float, x: float) -> Tails:
    share = 0.5 * beta_tails(df / 2, 0.5, df / (df + x * x))[0] if math.isfinite(x) else 0.0
    return (share, 1 - share) if x < 0 else (1 - share, share)


def f_tails(df1: float, df2: float, x: float) -> Tails:
    if x <= 0:
        return 0.0, 1.0
    if math.isinf(x):
        return 1.0, 0.0
    # The odds of the two parts, so that 1 - x keeps its digits in the far tail.
    above, below = beta_tails(df2 / 2, df1 / 2, df2 / (df2 + df1 * x))
    return below, above


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


CONTINUOUS: Mapping[str, Callable[[Mapping[str, float], float], Tails]] = {
    "normal": lambda p, x: normal_tails((x - p["mean"]) / p["sd"]),
    "t": lambda p, x: t_tails(p["df"], x),
    "chi2": lambda p, x: gamma_tails(p["df"] / 2, x / 2),
    "f": lambda p, x: f_tails(p["df1"], p["df2"], x),
    "exponential": lambda p, x: gamma_tails(1.0, x / p["mean"]),
    "uniform": lambda p, x: beta_tails(1.0, 1.0, (x - p["low"]) / (p["high"] - p["low"])),
    "lognormal": lambda p, x: normal_tails((_log(x) - p["mu"]) / p["sigma"]),
    "gamma": lambda p, x: gamma_tails(p["shape"], x / p["scale"]),
    "beta": lambda p, x: beta_tails(p["a"], p["b"], x),
    "weibull": lambda p, x: gamma_tails(1.0, (max(x, 0.0) / p["scale"]) ** p["shape"]),
}


def _log_binomial(n: float, k: np.ndarray) -> np.ndarray:
    return np.array([math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in k])


def _support(family: str, p: Mapping[str, float]) -> tuple[int, int]:
    """The whole numbers that have a probability worth counting."""
    match family:
        case "binomial":
            spread = 40 * math.sqrt(p["n"] * p["p"] * (1 - p["p"])) + 60
            middle = p["n"] * p["p"]
            return max(0, int(middle - spread)), min(int(p["n"]), int(middle + spread) + 1)
        case "poisson":
            mean = p["rate"] * p.get("exposure", 1.0)
            spread = 40 * math.sqrt(mean) + 60
            return max(0, int(mean - spread)), int(mean + spread) + 1
        case "geometric":
            return 1, 2 + int(90 / -math.log1p(-p["p"])) if p["p"] < 1 else 1
        case "negative_binomial":
            mean, sd = p["r"] / p["p"], math.sqrt(p["r"] * (1 - p["p"])) / p["p"]
            return int(p["r"]), int(mean + 40 * sd + 60 / p["p"]) + 1
        case "hypergeometric":
            least = max(0, int(p["drawn"] + p["marked"] - p["population"]))
            return least, int(min(p["drawn"], p["marked"]))
        case _:
            return int(p["low"]), int(p["high"])


def weights(family: str, p: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """The values of a discrete distribution and their probabilities."""
    low, high = _support(family, p)
    k = np.arange(low, high + 1)
    match family:
        case "binomial":
            if p["p"] in (0, 1):
                return k, (k == p["n"] * p["p"]).astype(float)
            logs = _log_binomial(p["n"], k) + k * math.log(p["p"])
            logs = logs + (p["n"] - k) * math.log1p(-p["p"])
        case "poisson":
            mean = p["rate"] * p.get("exposure", 1.0)
            if mean == 0:
                return k, (k == 0).astype(float)
            logs = k * math.log(mean) - mean - np.array([math.lgamma(i + 1) for i in k])
        case "geometric":
            logs = math.log(p["p"]) + (k - 1) * (math.log1p(-p["p"]) if p["p"] < 1 else 0.0)
        case "negative_binomial":
            r, rest = int(p["r"]), math.log1p(-p["p"]) if p["p"] < 1 else -math.inf
            ways = np.array([math.lgamma(i) - math.lgamma(r) - math.lgamma(i - r + 1) for i in k])
            failures = np.array([0.0 if i == r else (i - r) * rest for i in k])
            logs = ways + r * math.log(p["p"]) + failures
        case "hypergeometric":
            every = math.comb(int(p["population"]), int(p["drawn"]))
            marked, others = int(p["marked"]), int(p["population"] - p["marked"])
            drawn = int(p["drawn"])
            return k, np.array(
                [math.comb(marked, int(i)) * math.comb(others, drawn - int(i)) / every for i in k]
            )
        case _:
            return k, np.full(len(k), 1 / len(k))
    return k, np.exp(logs)


def probability_between(
    family: str,
    p: Mapping[str, float],
    low: float | None,
    high: float | None,
    *,
    low_open: bool,
    high_open: bool,
) -> float:
    if family in CONTINUOUS:
        tails = CONTINUOUS[family]
        if low is not None and low == high:
            return 0.0
        below_low, above_low = tails(p, low) if low is not None else (0.0, 1.0)
        below_high, above_high = tails(p, high) if high is not None else (1.0, 0.0)
        if low is not None and below_low > 0.5:
            return above_low - above_high
        return below_high - below_low
    k, mass = weights(family, p)
    keep = np.ones(len(k), dtype=bool)
    if low is not None:
        keep &= (k > low) if low_open else (k >= low)
    if high is not None:
        keep &= (k < high) if high_open else (k <= high)
    return math.fsum(mass[keep])


def quantile(family: str, p: Mapping[str, float], below: float, above: float) -> float:
    """The value with this share below it. `above` is 1 - below, with its own digits."""
    if family == "normal":
        z = statistics.NormalDist().inv_cdf(below) if below < 0.5 else 0.0
        z = z if below < 0.5 else -statistics.NormalDist().inv_cdf(above) if above < 0.5 else 0.0
        return p["mean"] + p["sd"] * z
    if family not in CONTINUOUS:
        k, mass = weights(family, p)
        under = np.cumsum(mass)
        return float(k[min(int(np.searchsorted(under, below - 1e-12)), len(k) - 1)])
    tails = CONTINUOUS[family]

    def too_low(x: float) -> bool:
        under, over = tails(p, x)
        return over > above if above < 0.5 else under < below

    low, high = _bracket(too_low)
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if too_low(middle) else (low, middle)
    return (low + high) / 2


def _bracket(too_low: Callable[[float], bool]) -> tuple[float, float]:
    def steps(sign: float) -> Iterator[float]:
        yield from (sign * 4.0**i for i in range(-20, 120))

    if too_low(0.0):
        low = 0.0
        for high in steps(1.0):
            if not too_low(high):
                return low, high
            low = high
        return low, low
    high = 0.0
    for low in steps(-1.0):
        if too_low(low):
            return low, high
        high = low
    return high, high
