"""How often remembered answers of one kind are wrong, and whether such answers may be reused. Pure.

A candidate's bucket says how alike the two requests are: a kind of likeness and a band of
similarity. Trust begins at a prior of at most 30 checks, and is earned by checks: comparisons of
remembered answers with new answers by something that could have said no, and the judgements of
callers. Evidence is kept at three levels: of the bucket everywhere, in a space, and in one
neighbourhood of a space. The router reuses an answer only while every level keeps the operator's
budget. Before that, a backend answers each request anew, and each new answer is one more check.

A level stops if a wrong check lifts its upper bound above the budget, or if the doubt of
`router.reuse.watch` reaches the alarm. A stopped level serves again once its bound is at most three
quarters of the budget; after an alarm, only its own checks since then count. The checks of a
stopped neighbourhood do not count for the levels around it: nothing of it is served.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, Protocol

from router.reuse.acceptance import Acceptor
from router.reuse.evidence import ReuseCheck
from router.reuse.priors import NOTHING, measured
from router.reuse.trust import CheckCounts, Record, bound_of
from router.reuse.watch import nearly_alarmed, resting, suspicion

_LEAST_CHECKED = 0.02  # share of reusable answers that a new answer checks, at least
_MOST_CHECKED = 0.05  # the same share in a bucket without checks
_HALVED_AFTER = 50.0  # checks of a bucket that halve the share `_MOST_CHECKED`
_POOLED = 1_000.0  # the most that the checks around a space or a neighbourhood count for
_RESUMES = 0.75  # a stopped level serves again at this share of the budget
_CACHED = 10_000  # standings in the cache, at most
_MOST_COUNTED = 50_000  # the latest solutions, spaces and neighbourhoods that are counted

CUTS = (0.6, 0.8, 0.95)  # the similarities between two bands
Level = tuple[Any, ...]  # (bucket), (bucket, space) or (bucket, space, neighbourhood)
State = Literal["serves", "not yet", "stopped"]


class Prior(Protocol):
    def __call__(self, bucket: str) -> tuple[float, float]: ...


def band(similarity: float) -> int:
    return sum(similarity >= cut for cut in CUTS)


def bucket_of(by: Acceptor, similarity: float) -> str:
    """`words:3`: the same words, similarity above .95; `verifier:2`: accepted by the verifier."""
    return f"{by}:{band(similarity)}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the router reuses the answers of a bucket, and the share of them that it checks."""

    wrong: float  # expected share of wrong answers
    bound: float  # upper bound of the share `wrong`, at 95 % confidence
    state: State
    checked: float  # share of the requests that a backend answers anew

    @property
    def serves(self) -> bool:
        return self.state == "serves"

    @property
    def chance(self) -> float:
        return 1 - self.wrong


@dataclass(frozen=True, slots=True)
class BucketSummary:
    """The checks of a bucket since its last alarm, and where it was stopped."""

    checks: float
    wrong: float
    stops: int  # how often the whole bucket was stopped
    stopped_parts: int  # spaces and neighbourhoods that are stopped


UNCHECKED = BucketSummary(0.0, 0.0, 0, 0)


@dataclass
class Calibration:
    """Counts the checks of each bucket at each level, and derives standings."""

    budget: float  # the largest share of reused answers that may be wrong
    prior: Prior = measured
    least_checked: float = _LEAST_CHECKED
    _buckets: dict[Level, Record] = field(default_factory=dict)
    _parts: OrderedDict[Level, Record] = field(default_factory=OrderedDict)
    _repeats: OrderedDict[tuple[str, int], int] = field(default_factory=OrderedDict)
    _standings: dict[Level, Standing] = field(default_factory=dict)

    def reconfigure(self, budget: float, least_checked: float) -> None:
        self.budget, self.least_checked = budget, least_checked
        self._standings.clear()

    def restart(self) -> None:
        """Forget all checks, so that they can be learned again."""
        for counted in (self._buckets, self._parts, self._repeats, self._standings):
            counted.clear()

    def learn(self, checks: Iterable[ReuseCheck]) -> None:
        for check in checks:
            key = check.bucket, check.solution
            repeats = self._repeats[key] = self._repeats.get(key, 0) + 1
            _keep_latest(self._repeats, key)
            self._learn(check, repeats)
        self._standings.clear()

    def _learn(self, check: ReuseCheck, repeats: int) -> None:
        levels = _levels(check.bucket, check.space, check.neighbourhood)
        records = [self._record(level) for level in levels]
        first = max((n for n, record in enumerate(records) if record.stopped), default=0)
        served = [check.wrong and self._keeps_budget(levels, n) for n in range(len(levels))]
        for record in records[first:]:
            record.add(wrong=check.wrong, weight=check.weight, repeats=repeats, budget=self.budget)
        for n, record in enumerate(records[first:], first):
            if record.stopped and self._bound(levels, n) <= _RESUMES * self.budget:
                record.resume()
        if not any(served):
            return
        for n, record in enumerate(records[first:], first):
            if served[n] and self._bound(levels, n) > self.budget:
                record.stop()
                return  # what is inside this level stops with it
        self._stop_alarmed([record for n, record in enumerate(records) if n >= first and served[n]])

    def _stop_alarmed(self, records: Sequence[Record]) -> None:
        """Stop the innermost level whose doubt reached the alarm. The levels around it may owe
        their doubt to it alone: they stop at the next wrong check elsewhere."""
        alarmed = [record for record in records if record.alarmed]
        if alarmed:
            alarmed[-1].stop()
        for record in alarmed[:-1]:
            record.doubt = nearly_alarmed(self.budget)

    def _record(self, level: Level) -> Record:
        rested = Record(doubt=resting(self.budget))
        if len(level) == 1:
            return self._buckets.setdefault(level, rested)
        record = self._parts.setdefault(level, rested)
        _keep_latest(self._parts, level)
        return record

    def standing(self, bucket: str, space: bytes = b"", neighbourhood: int = 0) -> Standing:
        levels = _levels(bucket, space, neighbourhood)
        standing = self._standings.get(levels[-1])
        if standing is None:
            if len(self._standings) > _CACHED:
                self._standings.clear()
            standing = self._standings[levels[-1]] = self._computed(levels)
        return standing

    def _computed(self, levels: Sequence[Level]) -> Standing:
        records = [record for level in levels if (record := self._at(level)) is not None]
        wrong, right = self._evidence(levels, len(levels) - 1)
        bound = max(self._bound(levels, n) for n in range(len(levels)))
        if any(record.stopped for record in records):
            return Standing(wrong / (wrong + right), bound, "stopped", 1.0)
        if not all(self._keeps_budget(levels, n) for n in range(len(levels))):
            return Standing(wrong / (wrong + right), bound, "not yet", 1.0)
        checks = records[0].counts.checks if records else 0.0
        doubtful = max((suspicion(record.doubt, self.budget) for record in records), default=0.0)
        share = max(_MOST_CHECKED / (1 + checks / _HALVED_AFTER), self.least_checked, doubtful)
        return Standing(wrong / (wrong + right), bound, "serves", share)

    def _at(self, level: Level) -> Record | None:
        return self._buckets.get(level) if len(level) == 1 else self._parts.get(level)

    def _keeps_budget(self, levels: Sequence[Level], n: int) -> bool:
        record = self._at(levels[n])
        if record is not None and (record.stopped or record.alarmed):
            return False
        return self._bound(levels, n) <= self.budget

    def _bound(self, levels: Sequence[Level], n: int) -> float:
        return bound_of(*self._evidence(levels, n))

    def _evidence(self, levels: Sequence[Level], n: int) -> tuple[float, float]:
        """The weights of wrong and right answers at a level: the prior, its own checks, and part of
        the checks around it."""
        record = self._at(levels[n])
        if record is not None and record.alone:
            wrong, total = NOTHING
            return wrong + record.counts.wrong, total - wrong + record.counts.right
        wrong, total = self.prior(levels[0][0])
        right = total - wrong
        counts = [record.counts if (record := self._at(at)) else _NONE for at in levels[: n + 1]]
        for around, here in pairwise(counts):
            elsewhere_wrong = max(around.wrong - here.wrong, 0.0)
            elsewhere_right = max(around.right - here.right, 0.0)
            share = min(1.0, _POOLED / max(elsewhere_wrong + elsewhere_right, 1.0))
            wrong, right = wrong + elsewhere_wrong * share, right + elsewhere_right * share
        return wrong + counts[-1].wrong, right + counts[-1].right

    def summary(self) -> dict[str, BucketSummary]:
        """What is known of each bucket that was checked."""
        stopped = [level[0] for level, record in self._parts.items() if record.stopped]
        return {
            bucket: BucketSummary(
                round(record.counts.checks, 2),
                round(record.counts.wrong, 2),
                record.stops,
                stopped.count(bucket),
            )
            for (bucket,), record in sorted(self._buckets.items())
        }


_NONE = CheckCounts()


def _levels(bucket: str, space: bytes, neighbourhood: int) -> tuple[Level, Level, Level]:
    return (bucket,), (bucket, space), (bucket, space, neighbourhood)


def _keep_latest(counts: OrderedDict[Any, Any], key: Any) -> None:
    """Mark this key as the latest, and drop the oldest key if there are too many."""
    counts.move_to_end(key)
    if len(counts) > _MOST_COUNTED:
        counts.popitem(last=False)
