"""How often remembered answers of one kind are wrong, and whether such answers may be reused. Pure.

A candidate's bucket follows from how alike the two requests are. A bucket starts from a measured
prior and learns from checks: comparisons of remembered answers with new answers, and the judgements
of callers. The router reuses the answers of a bucket only while the upper bound on their share of
wrong answers lies within the operator's budget. Before that, a backend answers each request anew,
and each new answer is one more check.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, floor, log10
from typing import Any, Protocol

from router.reuse.acceptance import Acceptor
from router.reuse.solution_store import ReuseCheck

_CONFIDENCE = 0.95
_LEAST_CHECKED = 0.02  # share of reusable answers that a new answer checks, at least
_MOST_CHECKED = 0.05  # the same share in a bucket without checks
_HALVED_AFTER = 50.0  # checks of a bucket that halve the share `_MOST_CHECKED`
_POOLED = 100.0  # the most that all checks in other spaces together count for
_FADES = 4_000.0  # an earlier check counts half after so many newer checks
_CACHED = 10_000  # standings in the cache, at most
_MOST_COUNTED = 50_000  # the latest solutions, and the latest spaces, that checks are counted for

# For each kind of likeness: wrong answers, and all answers. `experiments/reuse` measured the shares
# on pairs of other people; whatever their number, they count as thirty checks, so that each kind
# must earn the rest of its trust on real requests.
PRIOR = {"words": (0.5, 30.0), "verifier": (0.8, 30.0), "asked": (0.8, 30.0)}
CUTS = (0.6, 0.8, 0.95)  # the similarities between two bands


class Prior(Protocol):
    def __call__(self, bucket: str) -> tuple[float, float]: ...


def band(similarity: float) -> int:
    return sum(similarity >= cut for cut in CUTS)


def bucket_of(by: Acceptor, similarity: float) -> str:
    """`words:3`: the same words, similarity above .95; `verifier:2`: accepted by the verifier."""
    return f"{by}:{band(similarity)}"


def measured(bucket: str) -> tuple[float, float]:
    kind, _, _ = bucket.partition(":")
    return PRIOR.get(kind, (0.5, 1.0))


@dataclass(slots=True)
class CheckCounts:
    """The weights of the checks that found wrong and right answers; old checks fade."""

    wrong: float = 0.0
    right: float = 0.0

    def add(self, *, wrong: bool, weight: float = 1.0) -> None:
        fade = 0.5 ** (weight / _FADES)
        self.wrong, self.right = self.wrong * fade, self.right * fade
        if wrong:
            self.wrong += weight
        else:
            self.right += weight

    @property
    def checks(self) -> float:
        return self.wrong + self.right


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the router reuses the answers of a bucket, and the share of them that it checks."""

    wrong: float  # expected share of wrong answers
    bound: float  # upper bound of the share `wrong`, at 95 % confidence
    serves: bool
    checked: float  # share of the requests that a backend answers anew

    @property
    def chance(self) -> float:
        return 1 - self.wrong


@dataclass
class Calibration:
    """Counts the checks of each bucket, in all spaces and in each, and derives standings."""

    budget: float  # the largest share of reused answers that may be wrong
    prior: Prior = measured
    least_checked: float = _LEAST_CHECKED
    _all: dict[str, CheckCounts] = field(default_factory=dict)
    _by_space: OrderedDict[tuple[str, bytes], CheckCounts] = field(default_factory=OrderedDict)
    _repeats: OrderedDict[tuple[str, int], int] = field(default_factory=OrderedDict)
    _standings: dict[tuple[str, bytes], Standing] = field(default_factory=dict)

    def reconfigure(self, budget: float, least_checked: float) -> None:
        self.budget, self.least_checked = budget, least_checked
        self._standings.clear()

    def learn(self, checks: Iterable[ReuseCheck]) -> None:
        self._standings.clear()
        for check in checks:
            # A further right answer of the same solution says little about other solutions.
            key = check.bucket, check.solution
            repeats = self._repeats[key] = self._repeats.get(key, 0) + 1
            _keep_latest(self._repeats, key)
            weight = check.weight if check.wrong else check.weight / repeats
            for counts in (
                self._all.setdefault(check.bucket, CheckCounts()),
                self._by_space.setdefault((check.bucket, check.space), CheckCounts()),
            ):
                counts.add(wrong=check.wrong, weight=weight)
            _keep_latest(self._by_space, (check.bucket, check.space))

    def standing(self, bucket: str, space: bytes = b"") -> Standing:
        standing = self._standings.get((bucket, space))
        if standing is None:
            if len(self._standings) > _CACHED:
                self._standings.clear()
            standing = self._standings[bucket, space] = self._computed(bucket, space)
        return standing

    def _computed(self, bucket: str, space: bytes) -> Standing:
        wrong, right = self._counts(bucket, space)
        checks = self._all.get(bucket, CheckCounts()).checks
        mean = wrong / (wrong + right)
        bound = upper(_up(wrong), _down(right))
        serves = bound <= self.budget
        share = _MOST_CHECKED / (1 + checks / _HALVED_AFTER)
        return Standing(mean, bound, serves, max(share, self.least_checked) if serves else 1.0)

    def _counts(self, bucket: str, space: bytes) -> tuple[float, float]:
        """The weights of wrong and right answers: prior, this space, part of the other spaces."""
        wrong, total = self.prior(bucket)
        right = total - wrong
        everywhere = self._all.get(bucket, CheckCounts())
        here = self._by_space.get((bucket, space), CheckCounts())
        if not 0 < here.checks < everywhere.checks:
            return wrong + everywhere.wrong, right + everywhere.right
        elsewhere = everywhere.checks - here.checks
        share = min(1.0, _POOLED / elsewhere)
        # Wrong answers in other spaces count for more than right ones, to stay on the safe side.
        wrong += (everywhere.wrong - here.wrong) * max(share, 0.25) + here.wrong
        right += (everywhere.right - here.right) * share + here.right
        return wrong, right

    def summary(self) -> dict[str, dict[str, float]]:
        return {
            bucket: {
                "checks": round(counts.checks, 2),
                "wrong": round(counts.wrong, 2),
                "bound": round(self.standing(bucket).bound, 5),
                "serves": float(self.standing(bucket).serves),
            }
            for bucket, counts in sorted(self._all.items())
        }


def _keep_latest(counts: OrderedDict[Any, Any], key: Any) -> None:
    """Mark this key as the latest, and drop the oldest key if there are too many."""
    counts.move_to_end(key)
    if len(counts) > _MOST_COUNTED:
        counts.popitem(last=False)


def _up(wrong: float) -> float:
    """Round up to two significant figures: few distinct values to cache, and never optimistic."""
    step = 0.05 if wrong < 5 else 10.0 ** (floor(log10(wrong)) - 1)
    return ceil(wrong / step) * step


def _down(right: float) -> float:
    """Round down to two significant figures."""
    step = 10.0 ** (floor(log10(max(right, 1.0))) - 1)
    return max(floor(right / step) * step, 0.1)


@lru_cache(maxsize=65_536)
def upper(wrong: float, right: float) -> float:
    """The upper bound of a share with the distribution Beta(wrong, right), at 95 % confidence."""
    # This import takes 0.2 s; at the top of the file it would delay every command.
    from scipy.special import betaincinv

    return float(betaincinv(wrong, right, _CONFIDENCE))
