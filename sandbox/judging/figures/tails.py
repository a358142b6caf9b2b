"""Tail probabilities of the classical tests, from incomplete beta and gamma functions."""

import math

from scipy import special


def t_two_sided(t: float, df: float) -> float:
    return float(special.betainc(df / 2, 0.5, df / (df + t * t)))


def t_quantile(level: float, df: float) -> float:
    """The bound that Student's t exceeds in absolute value with probability 1 - level."""
    share = float(special.betaincinv(df / 2, 0.5, 1 - level))
    return math.sqrt(df * (1 - share) / share)


def r_two_sided(r: float, count: int) -> float:
    """The probability of a correlation at least as far from 0, if there is none."""
    if count == 2:
        return 1.0
    return float(special.betainc((count - 2) / 2, 0.5, max(0.0, (1 - r) * (1 + r))))


def f_above(f: float, df_between: float, df_within: float) -> float:
    return float(
        special.betainc(df_within / 2, df_between / 2, df_within / (df_within + df_between * f))
    )


def chi2_above(statistic: float, df: float) -> float:
    return float(special.gammaincc(df / 2, statistic / 2))


def normal_two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
