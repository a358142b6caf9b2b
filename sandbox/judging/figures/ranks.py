"""Works out tests on ranks again: exact ones by counting every arrangement."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from sandbox.judging.figures.tails import chi2_above, normal_two_sided

Floats = Sequence[float]
_EXACT_SIGNS = 50  # Wilcoxon: differences without ties up to which the test is exact
_EXACT_TIED = 13  # and with ties or zeros
_EXACT_RANKS = 8  # Mann-Whitney: exact if a sample is no larger
_MOST_WAYS = 50_000  # values of U of which the orders are counted
_EXACT_PAIRS = 33  # Kendall


def ranks(x: Floats) -> list[float]:
    """Each value's rank from 1; equal values share the mean of their ranks."""
    rank_of, below = {}, 0
    for value, times in sorted(Counter(x).items()):
        rank_of[value] = below + (times + 1) / 2
        below += times
    return [rank_of[value] for value in x]


def ties_in(x: Floats) -> float:
    return sum(times**3 - times for times in Counter(x).values())


def kruskal(samples: Sequence[Floats]) -> dict[str, float]:
    everything = [value for sample in samples for value in sample]
    n, ranked = len(everything), iter(ranks(everything))
    spread = 0.0
    for sample in samples:
        mean_rank = math.fsum(itertools.islice(ranked, len(sample))) / len(sample)
        spread += len(sample) * (mean_rank - (n + 1) / 2) ** 2
    statistic = 12 * spread / (n * (n + 1)) / (1 - ties_in(everything) / (n**3 - n))
    return {"statistic": statistic, "p_value": chi2_above(statistic, len(samples) - 1)}


def mannwhitney(samples: Sequence[Floats]) -> dict[str, float]:
    """U of the first sample: the pairs in which its value is larger, ties as half a pair."""
    first, second = samples
    n, m = len(first), len(second)
    u = math.fsum(ranks([*first, *second])[:n]) - n * (n + 1) / 2
    larger, ties = max(u, n * m - u), ties_in([*first, *second])
    if min(n, m) <= _EXACT_RANKS and not ties:
        ways = ways_of_u(n, m)
        p = 2 * sum(ways[int(larger) :]) / sum(ways)
    else:
        variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
        p = math.erfc((larger - n * m / 2 - 0.5) / math.sqrt(2 * variance))
    return {"statistic": u, "p_value": min(1.0, p)}


def ways_of_u(n: int, m: int) -> list[int]:
    """In how many orders of the two samples U has each value: a Gaussian binomial.

    Raises `ValueError` if the samples are so large that counting takes too long.
    """
    if n * m > _MOST_WAYS:
        raise ValueError(f"the orders of {n} and {m} values are too many to count")
    few, many = sorted((n, m))
    ways = [1] + [0] * (n * m)
    for i in range(1, few + 1):
        for total in range(n * m, many + i - 1, -1):  # times 1 - q^(many + i)
            ways[total] -= ways[total - many - i]
        for total in range(i, n * m + 1):  # divided by 1 - q^i
            ways[total] += ways[total - i]
    return ways


def wilcoxon(x: Floats, y: Floats) -> dict[str, float]:
    """The smaller sum of the ranks of positive and of negative differences."""
    differences = [a - b for a, b in zip(x, y, strict=True)]
    unequal = [value for value in differences if value]
    ranked = ranks([abs(value) for value in unequal])
    positive = math.fsum(r for r, value in zip(ranked, unequal, strict=True) if value > 0)
    n, total = len(unequal), math.fsum(ranked)
    smaller, ties = min(positive, total - positive), ties_in([abs(value) for value in unequal])
    tied = bool(ties) or len(unequal) < len(differences)
    if len(differences) <= (_EXACT_TIED if tied else _EXACT_SIGNS):
        ways = [1]
        for rank in ranked:  # doubled, because tied ranks may be halves
            shift = round(2 * rank)
            ways = [a + b for a, b in zip(ways + [0] * shift, [0] * shift + ways, strict=True)]
        p = 2 * sum(ways[: round(2 * smaller) + 1]) / 2**n
    else:
        variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24
        p = normal_two_sided((positive - n * (n + 1) / 4) / math.sqrt(variance))
    return {"statistic": smaller, "p_value": min(1.0, p)}


def kendall(x: Floats, y: Floats) -> dict[str, float]:
    n = len(x)
    pairs = n * (n - 1) // 2
    tied_x, tied_y = Counter(x).values(), Counter(y).values()
    both = sum(t * (t - 1) // 2 for t in Counter(zip(x, y, strict=True)).values())
    equal_x, equal_y = (sum(t * (t - 1) // 2 for t in tied) for tied in (tied_x, tied_y))
    against = _inversions([y_ for _, y_ in sorted(zip(x, y, strict=True))])
    balance = pairs - equal_x - equal_y + both - 2 * against
    tau = balance / math.sqrt((pairs - equal_x) * (pairs - equal_y))
    if not equal_x and not equal_y and (n <= _EXACT_PAIRS or min(against, pairs - against) <= 1):
        fewer = min(against, pairs - against)
        p = min(1.0, 2 * _orders_with_at_most(fewer, n) / math.factorial(n))
    else:
        p = normal_two_sided(balance / math.sqrt(_kendall_variance(n, tied_x, tied_y)))
    return {"tau": max(-1.0, min(1.0, tau)), "p_value": p}


def _kendall_variance(n: int, tied_x: Iterable[int], tied_y: Iterable[int]) -> float:
    def summed(tied: Iterable[int], term: Callable[[int], int]) -> int:
        return sum(term(t) for t in tied)

    pair, triple = (lambda t: t * (t - 1)), (lambda t: t * (t - 1) * (t - 2))
    full = n * (n - 1) * (2 * n + 5)
    for tied in (tied_x, tied_y):
        full -= summed(tied, lambda t: t * (t - 1) * (2 * t + 5))
    variance = full / 18 + summed(tied_x, pair) * summed(tied_y, pair) / (2 * n * (n - 1))
    if n > 2:
        thirds = summed(tied_x, triple) * summed(tied_y, triple)
        variance += thirds / (9 * n * (n - 1) * (n - 2))
    return variance


def _inversions(values: list[float]) -> int:
    """The pairs in which the earlier value is larger, counted while the list is merged."""
    count, width = 0, 1
    while width < len(values):
        merged: list[float] = []
        for start in range(0, len(values), 2 * width):
            left, right = values[start : start + width], values[start + width : start + 2 * width]
            i = j = 0
            while i < len(left) and j < len(right):
                if left[i] <= right[j]:
                    merged.append(left[i])
                    i += 1
                else:
                    count += len(left) - i
                    merged.append(right[j])
                    j += 1
            merged += left[i:] + right[j:]
        values, width = merged, 2 * width
    return count


def _orders_with_at_most(inversions: int, n: int) -> int:
    """The orders of n things with at most so many inversions (Mahonian numbers)."""
    ways = [1] + [0] * inversions
    for placed in range(2, n + 1):
        sums = [0, *itertools.accumulate(ways)]
        ways = [sums[i + 1] - sums[max(0, i + 1 - placed)] for i in range(inversions + 1)]
    return sum(ways)
