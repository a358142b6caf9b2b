"""Works chances in games out again: by enumeration, by recursion, or by the other cases."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sandbox.judging.comparison import Estimate
from sandbox.judging.counting import choose

_ENUMERATED = 100_000


def answer(probability: float, *, percent: bool) -> Mapping[str, Any]:
    return {"percentage": probability * 100} if percent else {"probability": probability}


def sums_of_dice(sides: Sequence[float]) -> Mapping[int, float]:
    """The probability of each sum: by enumeration, for many dice by powers of a transform."""
    faces = [int(side) for side in sides]
    if math.prod(faces) <= _ENUMERATED:
        totals = Counter(map(sum, itertools.product(*(range(1, n + 1) for n in faces))))
        every = math.prod(faces)
        return {total: number / every for total, number in sorted(totals.items())}
    # Each partial sum is a moving sum of the one before.
    masses = np.ones(1)
    for face in faces:
        running = np.concatenate([[0.0], np.cumsum(masses)])
        top = np.minimum(np.arange(1, len(masses) + face), len(masses))
        bottom = np.maximum(np.arange(1, len(masses) + face) - face, 0)
        masses = (running[top] - running[bottom]) / face
    return {len(faces) + i: float(mass) for i, mass in enumerate(masses)}


def _within(
    total: float, low: float | None, high: float | None, low_open: bool, high_open: bool
) -> bool:
    if low is not None and (total < low or (low_open and total == low)):
        return False
    return not (high is not None and (total > high or (high_open and total == high)))


def _dice_sum(
    sides: Sequence[float],
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    high_open: bool = False,
    outside: bool = False,
    percent: bool = False,
) -> Mapping[str, Any]:
    masses = sums_of_dice(sides)
    p = math.fsum(m for t, m in masses.items() if _within(t, low, high, low_open, high_open))
    return answer(1 - p if outside else p, percent=percent)


def _dice_one_of(
    sides: Sequence[float], values: Sequence[float], percent: bool = False
) -> Mapping[str, Any]:
    masses = sums_of_dice(sides)
    p = math.fsum(mass for total, mass in masses.items() if any(total == v for v in values))
    return answer(p, percent=percent)


def _dice_pattern(
    dice: float, sides: float, pattern: str, percent: bool = False
) -> Mapping[str, Any]:
    """Die after die."""
    same = different = Fraction(1)
    for i in range(1, int(dice)):
        same *= Fraction(1, int(sides))
        different *= Fraction(max(0, int(sides) - i), int(sides))
    p = {"all_same": same, "all_different": different, "some_same": 1 - different}[pattern]
    return answer(float(p), percent=percent)


def _dice_sums(sides: Sequence[float]) -> Mapping[str, Any]:
    masses = sums_of_dice(sides)
    return {"sums": list(masses), "probabilities": list(masses.values())}


def _dice_expectation(sides: Sequence[float]) -> Mapping[str, Any]:
    mean = variance = 0.0
    for side in sides:
        faces = np.arange(1, int(side) + 1)
        mean += float(faces.mean())
        variance += float(faces.var())
    return {"expected_value": mean, "variance": variance, "sd": math.sqrt(variance)}


def _run(n: float, p: float, length: float, percent: bool = False) -> Mapping[str, Any]:
    """By where the first run begins: after a failure, and with no run before it."""
    size, trials = int(length), int(n)
    none = [1.0] * (trials + 1)  # the probability of no run in the first i trials
    for i in range(size, trials + 1):
        before = none[i - size - 1] * (1 - p) if i > size else 1.0
        none[i] = none[i - 1] - before * p**size
    return answer(1 - none[trials], percent=percent)


def _birthdays(
    people: float, days: float = 365, nobody: bool = False, percent: bool = False
) -> Mapping[str, Any]:
    """The first match comes with some person: the sum over this person."""
    shared, free = 0.0, 1.0
    for before in range(int(people)):
        shared += free * min(1.0, before / days)
        free *= max(0.0, 1 - before / days)
    return answer(1 - shared if nobody else shared, percent=percent)


def _birthday_of_one(
    people: float, days: float = 365, nobody: bool = False, percent: bool = False
) -> Mapping[str, Any]:
    miss = math.exp(people * math.log1p(-1 / days))
    return answer(miss if nobody else 1 - miss, percent=percent)


def _birthday_group(probability: float, days: float = 365) -> Mapping[str, Any]:
    for people in range(1, int(days) + 2):
        logs = math.fsum(math.log1p(-i / days) for i in range(people) if i < days)
        free = math.exp(logs) if people <= days else 0.0
        if 1 - free >= probability:
            return {"people": people}
    raise ValueError("no group is large enough")


def _rank_patterns() -> Iterator[tuple[tuple[int, ...], int]]:
    """The ways to take five cards by how many cards there are of each rank."""
    for ranks in itertools.combinations_with_replacement(range(13), 5):
        numbers = Counter(ranks)
        if max(numbers.values()) <= 4:
            yield ranks, math.prod(choose(4, number) for number in numbers.values())


def _poker_hand(hand: str, percent: bool = False) -> Mapping[str, Any]:
    good = 0
    for ranks, ways in _rank_patterns():
        shape = tuple(sorted(Counter(ranks).values(), reverse=True))
        in_row = ranks[4] - ranks[0] == 4 or ranks == (0, 1, 2, 3, 12)
        single = shape == (1, 1, 1, 1, 1)
        if single:
            flushes = 4
            good += {
                "royal_flush": flushes * (ranks == (8, 9, 10, 11, 12)),
                "straight_flush": flushes * in_row,
                "flush": flushes * (not in_row),
                "straight": (ways - flushes) * in_row,
                "same_suit": flushes,
            }.get(hand, 0)
        elif _SHAPES.get(hand) == shape:
            good += ways
    return answer(good / choose(52, 5), percent=percent)


_SHAPES: Mapping[str, tuple[int, ...]] = {
    "four_of_a_kind": (4, 1),
    "full_house": (3, 2),
    "three_of_a_kind": (3, 1, 1),
    "two_pair": (2, 2, 1),
    "one_pair": (2, 1, 1, 1),
}


def _urn(
    counts: Sequence[float],
    wanted: Sequence[float],
    replacement: bool = False,
    percent: bool = False,
) -> Mapping[str, Any]:
    """Draw after draw, in one order; then times the number of orders."""
    p, orders = Fraction(1), 1
    left = total = int(sum(counts))
    places = int(sum(wanted))
    for count, number in zip(counts, wanted, strict=True):
        orders *= choose(places, int(number))
        places -= int(number)
        for i in range(int(number)):
            p *= Fraction(int(count), total) if replacement else Fraction(int(count) - i, left)
            left -= 1
    return answer(float(p * orders), percent=percent)


def _urn_same(
    counts: Sequence[float],
    drawn: float,
    replacement: bool = False,
    different: bool = False,
    percent: bool = False,
) -> Mapping[str, Any]:
    p = Fraction(0)
    for count in counts:
        same = Fraction(1)
        for i in range(int(drawn)):
            left = 0 if replacement else i
            same *= Fraction(max(0, int(count) - left), int(sum(counts)) - left)
        p += same
    return answer(float(1 - p if different else p), percent=percent)


def _bayes(
    prior: float,
    hit: float,
    false_alarm: float,
    negative: bool = False,
    healthy: bool = False,
    percent: bool = False,
) -> Mapping[str, Any]:
    """In odds: the prior odds times the likelihood ratio."""
    ill = (1 - hit) if negative else hit
    well = (1 - false_alarm) if negative else false_alarm
    against = (1 - prior) * well
    odds = math.inf if against == 0 else prior * ill / against
    p = 1 / (1 + 1 / odds) if odds else 0.0
    return answer(1 - p if healthy else p, percent=percent)


def _total(
    shares: Sequence[float], rates: Sequence[float], percent: bool = False
) -> Mapping[str, Any]:
    return answer(float(np.dot(np.asarray(shares), np.asarray(rates))), percent=percent)


def _source(
    shares: Sequence[float], rates: Sequence[float], source: float, percent: bool = False
) -> Mapping[str, Any]:
    mine = shares[int(source)] * rates[int(source)]
    others = math.fsum(
        s * r for i, (s, r) in enumerate(zip(shares, rates, strict=True)) if i != int(source)
    )
    return answer(1 / (1 + others / mine) if mine else 0.0, percent=percent)


def _independent(
    probabilities: Sequence[float], event: str, percent: bool = False
) -> Mapping[str, Any]:
    """The distribution of how many happen, one event after the other."""
    masses = [1.0]
    for p in probabilities:
        stay = [mass * (1 - p) for mass in masses] + [0.0]
        move = [0.0] + [mass * p for mass in masses]
        masses = [a + b for a, b in zip(stay, move, strict=True)]
    wanted = {"all": masses[-1:], "none": masses[:1], "any": masses[1:], "one": masses[1:2]}
    return answer(math.fsum(wanted[event]), percent=percent)


def _trials_needed(p: float, confidence: float) -> Mapping[str, Any]:
    missing, trials = 1.0, 0
    while 1 - missing < confidence - 1e-12 and trials < 10_000_000:
        missing *= 1 - p
        trials += 1
    return {"trials": max(1, trials)}


def _coupon_collector(kinds: float) -> Mapping[str, Any]:
    """From the last missing kind back: one box, and again if it is one of those at hand."""
    expected = 0.0
    for at_hand in range(int(kinds) - 1, -1, -1):
        expected += 1 / (1 - at_hand / int(kinds))
    return {"expected_number": expected}


def _expected_prize(
    prizes: Sequence[float], probabilities: Sequence[float], cost: float = 0.0
) -> Mapping[str, Any]:
    lose = 1 - math.fsum(probabilities)
    gains = math.fsum((v - cost) * p for v, p in zip(prizes, probabilities, strict=True))
    return {"expected_value": gains - cost * lose}


def _expected_count(n: float, p: float) -> Mapping[str, Any]:
    return {"expected_count": math.fsum([p] * int(n)) if n <= 1e5 and n == int(n) else p * n}


def _share(p: float, n: float) -> Estimate:
    return Estimate(p, math.sqrt(max(p * (1 - p), 1 / n) / n))


def _simulated_pi(points: float, seed: float) -> Mapping[str, Any]:  # noqa: ARG001
    quarter = math.atan(1.0)
    error = 4 * math.sqrt(quarter * (1 - quarter) / points)
    return {"pi": Estimate(4 * quarter, error), "points": int(points)}


def _simulated_dice(
    rolls: float,
    sides: Sequence[float],
    seed: float,  # noqa: ARG001
    statistic: str,
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    high_open: bool = False,
    percent: bool = False,
) -> Mapping[str, Any]:
    masses = sums_of_dice(sides)
    if statistic == "mean":
        mean = math.fsum(t * m for t, m in masses.items())
        variance = math.fsum((t - mean) ** 2 * m for t, m in masses.items())
        return {"mean": Estimate(mean, math.sqrt(variance / rolls)), "rolls": int(rolls)}
    p = math.fsum(m for t, m in masses.items() if _within(t, low, high, low_open, high_open))
    share = _share(p, rolls)
    if percent:
        return {"percentage": Estimate(100 * share.value, 100 * share.error), "rolls": int(rolls)}
    return {"probability": share, "rolls": int(rolls)}


def _simulated_flips(
    experiments: float,
    flips: float,
    p: float,
    seed: float,  # noqa: ARG001
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    high_open: bool = False,
) -> Mapping[str, Any]:
    share = math.fsum(
        choose(int(flips), k) * p**k * (1 - p) ** (int(flips) - k)
        for k in range(int(flips) + 1)
        if _within(k, low, high, low_open, high_open)
    )
    return {"probability": _share(share, experiments), "experiments": int(experiments)}


def _simulated_birthdays(
    experiments: float,
    people: float,
    seed: float,  # noqa: ARG001
    days: float = 365,
) -> Mapping[str, Any]:
    p = _birthdays(people, days)["probability"]
    return {"probability": _share(p, experiments), "experiments": int(experiments)}


EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "dice_sum": _dice_sum,
    "dice_one_of": _dice_one_of,
    "dice_pattern": _dice_pattern,
    "dice_sums": _dice_sums,
    "dice_expectation": _dice_expectation,
    "run_of_successes": _run,
    "birthdays": _birthdays,
    "birthday_of_one": _birthday_of_one,
    "birthday_group": _birthday_group,
    "poker_hand": _poker_hand,
    "urn": _urn,
    "urn_same_colour": _urn_same,
    "bayes": _bayes,
    "total_probability": _total,
    "source_given_event": _source,
    "independent_events": _independent,
    "trials_needed": _trials_needed,
    "coupon_collector": _coupon_collector,
    "expected_prize": _expected_prize,
    "expected_count": _expected_count,
    "simulated_pi": _simulated_pi,
    "simulated_dice": _simulated_dice,
    "simulated_flips": _simulated_flips,
    "simulated_birthdays": _simulated_birthdays,
}
