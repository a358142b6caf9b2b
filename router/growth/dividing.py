"""Where the quality of a pattern's answers divides by a word or a mark: two patterns in one.

A term is nominated on half of the judged requests, and must prove itself on the other half, whose
requests nominate nothing. The chances of all such tests of a service add up to `FALSE_SPLITS`: so
a service whose patterns are of one piece splits hardly any, however long it is looked at.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, pi, sqrt
from zlib import crc32

from router.growth.finding import Finding
from router.growth.traffic import Traffic
from router.trials.logged import LoggedTelemetry

FALSE_SPLITS = 0.05  # the chance that any pattern of one piece is ever split
_LEAST_GAP = 0.2  # of quality, in both halves
_NOMINATES = 2.5  # standard errors
_LEAST_SIDE = 20  # judged requests with the term, and without it, in each half
_FIRST = 120  # judged requests of a pattern before the first look; then twice as many
_LATEST = 1000  # judged requests that are read

_ROWS = f"""
SELECT r.request_id, r.terms, r.plan, j.quality
FROM all_requests r JOIN (FROM judged WHERE request_ts >= make_timestamp(?)) j
     ON j.request_id = r.request_id AND j.request_ts = r.ts
WHERE r.pattern = ? AND r.ts >= make_timestamp(?) AND r.terms IS NOT NULL
      AND r.plan IS NOT NULL AND j.quality IS NOT NULL
ORDER BY r.ts DESC LIMIT {_LATEST}
"""


@dataclass(frozen=True, slots=True)
class JudgedTerms:
    """A judged answer: the buckets of the request's words, and the quality beside its plan's."""

    terms: frozenset[int]
    residual: float


@dataclass(frozen=True, slots=True)
class Division:
    """A term by which quality divides; `holding`: the requests with the term are the worse ones."""

    bucket: int
    holding: bool
    gap: float


class Divider:
    """Looks at patterns as their judged answers double, and splits those that divide."""

    def __init__(self, finding: Finding, telemetry: LoggedTelemetry) -> None:
        self._finding, self._telemetry = finding, telemetry
        self._due: dict[str, int] = defaultdict(lambda: _FIRST)

    def turn(self, traffic: Traffic) -> None:
        living = {each.pattern.id for each in self._finding.book.living}
        for id_, each in traffic.patterns.items():
            if id_ in living and each.judged >= self._due[id_]:
                self._due[id_] = 2 * each.judged
                self._look(id_, traffic.since_micros)

    def _look(self, id_: str, since_micros: int) -> None:
        rows = self._telemetry.rows(_ROWS, since_micros, id_, since_micros)
        halves: tuple[list[tuple[str, list[int], str, float]], ...] = ([], [])
        for row in rows:
            halves[crc32(row[0].encode()) % 2].append(row)
        first, second = (_residuals([row[1:] for row in half]) for half in halves)
        nominee = nominated(first)
        if nominee is None:
            return
        tests = self._finding.count_test()
        if shown(second, nominee, chance_of(tests)):
            self._finding.split(id_, nominee.bucket, holding=nominee.holding)


def chance_of(test: int) -> float:
    """The chance of a false split in the test of this number, from 1 on."""
    return FALSE_SPLITS * 6 / (pi * test) ** 2


def nominated(rows: Sequence[JudgedTerms]) -> Division | None:
    """The term that divides these answers most; None if none divides them much."""
    used = Counter(bucket for row in rows for bucket in row.terms)
    best, most = None, _NOMINATES
    for bucket, count in used.items():
        if min(count, len(rows) - count) < _LEAST_SIDE:
            continue
        gap, error = _gap(rows, bucket)
        if abs(gap) >= max(most * error, _LEAST_GAP):
            best, most = Division(bucket, gap < 0, abs(gap)), abs(gap) / error
    return best


def shown(rows: Sequence[JudgedTerms], division: Division, chance: float) -> bool:
    """Whether other answers divide by the term as well, more than such a chance allows."""
    holding = sum(division.bucket in row.terms for row in rows)
    if min(holding, len(rows) - holding) < _LEAST_SIDE:
        return False
    gap, error = _gap(rows, division.bucket)
    worse = -gap if division.holding else gap
    return worse >= _LEAST_GAP and 0.5 * erfc(worse / error / sqrt(2)) < chance


def _gap(rows: Sequence[JudgedTerms], bucket: int) -> tuple[float, float]:
    """How much better the answers to requests with the term are, and the standard error of that."""
    sides: tuple[list[float], list[float]] = ([], [])
    for row in rows:
        sides[bucket in row.terms].append(row.residual)
    means = [sum(side) / len(side) for side in sides]
    squares = [
        sum((value - mean) ** 2 for value in side) + 0.25  # one more answer that differs by a half
        for side, mean in zip(sides, means, strict=True)
    ]
    error = sqrt(sum(s / len(side) ** 2 for s, side in zip(squares, sides, strict=True)))
    return means[1] - means[0], error


def _residuals(rows: Sequence[tuple[list[int], str, float]]) -> list[JudgedTerms]:
    """The answers, each beside the mean of its plan: which plan answered must not divide them."""
    by_plan: dict[str, list[float]] = defaultdict(list)
    for _, plan, quality in rows:
        by_plan[plan].append(quality)
    means = {plan: sum(values) / len(values) for plan, values in by_plan.items()}
    return [JudgedTerms(frozenset(terms), quality - means[plan]) for terms, plan, quality in rows]
