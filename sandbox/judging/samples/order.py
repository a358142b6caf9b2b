"""Tests whether records come in a random order, without sorting, drift, pattern or repetition."""

import math
from functools import lru_cache

import numpy as np
from scipy import special

from sandbox.judging.check import Column
from sandbox.judging.samples.measurement import Measurement
from sandbox.judging.samples.scores import Scores

_EXACT = 150  # values up to which turning points are counted exactly
_CORRELATED = 20  # values from which correlations of values and places are tested
_LEAST_TERMS = 16  # products of which a correlation at a distance is made


def order(name: str, scores: Scores, values: Column | None) -> Measurement:
    n = len(scores.uniform)
    w = scores.centred
    parts = [_turning_points(scores.uniform)]
    if values is not None and _is_sorted(values):
        parts.append(_sorted_by_chance(values))
    if n >= _CORRELATED:
        parts += [_neighbours(w), _trend(w), _distances(w)]
    p, detail, statistic = min(parts)

    def power(alpha: float) -> str:
        reach = -float(special.ndtri(alpha / 8)) / math.sqrt(n)
        if n < _CORRELATED // 2:
            return f"with {n} values hardly any order is too unlikely"
        if reach > 0.9:
            return f"at n = {n} a sorted column fails, and hardly any other order"
        return f"at n = {n} neighbours that correlate by {reach:.2g} pass half the time"

    return Measurement(name, detail, statistic, min(1.0, len(parts) * p), power)


def _turning_points(u: Column) -> tuple[float, str, float]:
    """Values above, or below, both neighbours: two in three if nothing is sorted."""
    n = len(u)
    up = np.diff(u) > 0
    turns = int((up[1:] != up[:-1]).sum())
    if n <= _EXACT:
        chances = _turning_chances(n)
        below, above = float(chances[: turns + 1].sum()), float(chances[turns:].sum())
    else:
        middle, deviation = 2 * (n - 2) / 3, math.sqrt((16 * n - 29) / 90)
        below = float(special.ndtr((turns + 0.5 - middle) / deviation))
        above = float(special.ndtr((middle - turns + 0.5) / deviation))
    detail = f"{turns} turning points, about {2 * (n - 2) / 3:.0f} expected"
    return 2 * min(below, above), detail, float(turns)


def _is_sorted(values: Column) -> bool:
    rises = values[1:] >= values[:-1]
    return bool(rises.all()) or bool((values[1:] <= values[:-1]).all())


def _sorted_by_chance(values: Column) -> tuple[float, str, float]:
    """The share of the orders of these values that are sorted, up or down."""
    counts = np.unique(values, return_counts=True)[1]
    if len(counts) == 1:
        return 1.0, "all values are equal", 0.0
    logarithm = float(special.gammaln(counts + 1.0).sum() - special.gammaln(len(values) + 1.0))
    return 2 * math.exp(logarithm), "the records are sorted", 1.0


@lru_cache(maxsize=32)
def _turning_chances(n: int) -> Column:
    """The chance of each number of turning points in a random order of n values."""
    runs = np.array([0.0, 1.0])  # by the number of runs up or down, of two values
    for size in range(3, n + 1):
        k = np.arange(size)
        grown = np.zeros(size)
        grown[: size - 1] = k[: size - 1] * runs
        grown[1:] += 2 * runs[: size - 1]
        grown[2:] += (size - k[2:]) * runs[: size - 2]
        runs = grown / size
    return runs[1:]


def _neighbours(w: Column) -> tuple[float, str, float]:
    count = len(w) - 1
    r = (float(w[1:] @ w[:-1]) + 1) / count  # -1 is what a random order gives
    return _p(r * math.sqrt(count)), f"neighbours correlate by {r:.3f}", r


def _trend(w: Column) -> tuple[float, str, float]:
    n = len(w)
    place = np.arange(n) - (n - 1) / 2
    z = float(w @ place) / math.sqrt(n * (n * n - 1) / 12)
    return _p(z), f"values and positions correlate by {z / math.sqrt(n):.3f}", z / math.sqrt(n)


def _distances(w: Column) -> tuple[float, str, float]:
    """The strongest correlation of values at any one distance, such as that of a repeated block."""
    n = len(w)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(w, size)
    sums = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[2 : n - _LEAST_TERMS]
    terms = np.arange(n - 2, _LEAST_TERMS, -1)
    z = np.abs(sums + terms / (n - 1)) / np.sqrt(terms)
    worst = int(z.argmax())
    r = float(sums[worst]) / (n - 2 - worst)
    return len(z) * _p(float(z[worst])), f"values {worst + 2} records apart correlate by {r:.3f}", r


def _p(z: float) -> float:
    return 2 * float(special.ndtr(-abs(z)))
