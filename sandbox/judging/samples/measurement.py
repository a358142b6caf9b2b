"""What a test of chance measured, and the verdict once all tests of a result are counted.

All tests of one result together reject at most one right result in a thousand: each test gets an
equal part of this share (Bonferroni).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.judging.check import ALPHA, StatisticalCheck


@dataclass(frozen=True, slots=True)
class Measurement:
    """One test of chance: the p-value, and what the test would miss at a level of rejection."""

    name: str
    detail: str
    statistic: float
    p_value: float
    power: Callable[[float], str]


def decided(measurements: Sequence[Measurement]) -> list[StatisticalCheck]:
    alpha = ALPHA / max(len(measurements), 1)
    return [
        StatisticalCheck(
            of.name,
            of.p_value > alpha,
            of.detail,
            of.statistic,
            min(1.0, of.p_value),
            of.power(alpha),
        )
        for of in measurements
    ]
