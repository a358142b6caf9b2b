"""Tests the counts of values of which there are few: each, all together, and as too regular."""

import math

import numpy as np
from scipy import special

from sandbox.judging.check import Column
from sandbox.judging.samples.measurement import Measurement

_ENOUGH = 25.0  # expected in each bin of the test of all bins
_REGULAR = 5.0  # expected in each bin of the test for counts that fit too well


def shares(name: str, counts: Column, expected: Column, detail: str) -> Measurement:
    """Test counts against the expected shares, which sum to 1."""
    total = float(counts.sum())
    tests = (_each, _all, _regular)
    p = min(1.0, len(tests) * min(test(counts, expected, total) for test in tests))
    wanted = np.maximum(total * expected, 1e-300)
    statistic = float(((counts - wanted) ** 2 / wanted).sum())

    def power(alpha: float) -> str:
        largest = float(expected.max())
        reach = -float(special.ndtri(alpha / 6 / len(expected)))
        missed = reach * math.sqrt(largest * (1 - largest) / total)
        if missed > 0.4:
            return f"with {total:.0f} values this test can hardly fail"
        wrong = f"a share of {largest + missed:.1%} for {largest:.1%}"
        return f"at n = {total:.0f} {wrong} passes half the time"

    return Measurement(name, f"χ²: {detail}", statistic, p, power)


def _each(counts: Column, expected: Column, total: float) -> float:
    """The least likely single count, by its exact binomial distribution."""
    likely = np.clip(expected, 0.0, 1.0)
    most = special.bdtr(counts, int(total), likely)
    least = np.where(counts > 0, special.bdtrc(np.maximum(counts - 1, 0), int(total), likely), 1.0)
    return min(1.0, 2 * len(counts) * float(np.minimum(most, least).min()))


def _all(counts: Column, expected: Column, total: float) -> float:
    seen, wanted = _merged(counts, expected * total, _ENOUGH)
    if len(wanted) < 3:
        return 1.0
    statistic = float(((seen - wanted) ** 2 / wanted).sum())
    degrees = len(wanted) - 1
    # The statistic varies more than a chi-square where shares are small: a scaled one fits it.
    more = (float((total / wanted).sum()) - len(wanted) ** 2 - 2 * len(wanted) + 2) / total
    scale = 1 + max(more, 0.0) / (2 * degrees)
    return float(special.gammaincc(degrees / scale / 2, statistic / scale / 2))


def _regular(counts: Column, expected: Column, total: float) -> float:
    """The chance that counts fit so well. Counts are whole, so that they fit to half a count."""
    seen, wanted = _merged(counts, expected * total, _REGULAR)
    if len(wanted) < 3:
        return 1.0
    statistic = float(((seen - wanted) ** 2 / wanted).sum())
    reach = math.sqrt(statistic) + 0.5 * math.sqrt(float((1 / wanted).sum()))
    return float(special.chdtr(len(wanted) - 1, reach * reach))


def _merged(counts: Column, wanted: Column, enough: float) -> tuple[Column, Column]:
    """Merge neighbouring bins until each expects enough; a rest joins the last bin."""
    if len(wanted) and wanted.min() >= enough:
        return counts, wanted
    ends: list[int] = []
    waiting = 0.0
    for position, of in enumerate(wanted.tolist()):
        waiting += of
        if waiting >= enough:
            ends.append(position + 1)
            waiting = 0.0
    if not ends:
        return counts[:0], wanted[:0]
    starts = [0, *ends[:-1]]
    return np.add.reduceat(counts, starts), np.add.reduceat(wanted, starts)
