"""How likely a remembered answer is to be right, and whether that is enough. Pure.

What two requests have in common puts a candidate into a bucket. Each bucket begins with what was
measured beforehand, and is moved by evidence: answers that were made anew and held against what
was remembered, and what callers said. One is served from memory only while the bound on its
wrongness, at the confidence asked for, lies under the operator's budget; before it has earned that,
each of its candidates is answered anew and is one more piece of evidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, floor, log10
from typing import Protocol

from router.reuse.guards import GuardVerdict
from router.reuse.solution_store import ReuseCheck

_CONFIDENCE = 0.95
_LEAST_CHECKED = 0.02  # share of reused answers that are made anew all the same
_MOST_CHECKED = 0.05
_EARLY = 50.0  # checks after which the share has fallen to a half
_POOLED = 100.0  # checks that all spaces together count for in one of them
_FADES = 4_000.0  # checks after which one counts half
_REMEMBERED = 10_000  # standings, between two pieces of evidence

# Before any evidence: wrong, of how many. What `experiments/reuse` measured on pairs of requests
# that its author had not looked at; the classical cuts are its bands of similarity.
PRIOR = {
    ("same", 3): (0.5, 700.0),
    ("same", 2): (0.5, 700.0),
    ("same", 1): (0.5, 400.0),
    ("same", 0): (0.5, 60.0),
    ("moved", 3): (0.5, 400.0),
    ("moved", 2): (0.5, 400.0),
    ("moved", 1): (0.5, 300.0),
    ("moved", 0): (0.5, 40.0),
}
CUTS = (0.6, 0.8, 0.95)


class Prior(Protocol):
    def __call__(self, bucket: str) -> tuple[float, float]: ...


def band(similarity: float) -> int:
    return sum(similarity >= cut for cut in CUTS)


def bucket_of(verdict: GuardVerdict, similarity: float) -> str:
    """`same:3`: the same words, closer than .95; `moved:2`: read alike, between .8 and .95."""
    kind = verdict.likeness if not verdict.edits else "moved"
    return f"{kind}:{band(similarity)}"


def measured(bucket: str) -> tuple[float, float]:
    kind, _, cut = bucket.partition(":")
    return PRIOR.get((kind, int(cut)), (0.5, 1.0))


@dataclass(slots=True)
class Seen:
    wrong: float = 0.0
    right: float = 0.0

    def see(self, *, wrong: bool, weight: float = 1.0) -> None:
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
    """What is known of a bucket, and what follows."""

    wrong: float  # expected share
    bound: float  # that it lies under, at the confidence asked for
    serves: bool
    checked: float  # share that is answered anew to see

    @property
    def chance(self) -> float:
        return 1 - self.wrong


@dataclass
class Calibration:
    """Evidence by bucket: over all spaces, and in each that has some of its own."""

    budget: float  # share of reused answers that may be wrong
    prior: Prior = measured
    least_checked: float = _LEAST_CHECKED
    _all: dict[str, Seen] = field(default_factory=dict)
    _own: dict[tuple[str, bytes], Seen] = field(default_factory=dict)
    _times: dict[tuple[str, int], int] = field(default_factory=dict)
    _standing: dict[tuple[str, bytes], Standing] = field(default_factory=dict)

    def learn(self, checks: Iterable[ReuseCheck]) -> None:
        self._standing.clear()
        for check in checks:
            # That the same solution is right once more says little of others of its kind.
            times = self._times[check.bucket, check.solution] = (
                self._times.get((check.bucket, check.solution), 0) + 1
            )
            weight = check.weight if check.wrong else check.weight / times
            for seen in (
                self._all.setdefault(check.bucket, Seen()),
                self._own.setdefault((check.bucket, check.space), Seen()),
            ):
                seen.see(wrong=check.wrong, weight=weight)

    def standing(self, bucket: str, space: bytes = b"") -> Standing:
        known = self._standing.get((bucket, space))
        if known is None:
            if len(self._standing) > _REMEMBERED:
                self._standing.clear()
            known = self._standing[bucket, space] = self._worked_out(bucket, space)
        return known

    def _worked_out(self, bucket: str, space: bytes) -> Standing:
        wrong, right = self._counts(bucket, space)
        checks = self._all.get(bucket, Seen()).checks
        mean = wrong / (wrong + right)
        bound = upper(_up(wrong), _down(right))
        serves = bound <= self.budget
        share = _MOST_CHECKED / (1 + checks / _EARLY)
        return Standing(mean, bound, serves, max(share, self.least_checked) if serves else 1.0)

    def _counts(self, bucket: str, space: bytes) -> tuple[float, float]:
        """Wrong and right: what is known beforehand, of all, and of this neighbourhood."""
        wrong, of = self.prior(bucket)
        right = of - wrong
        everywhere = self._all.get(bucket, Seen())
        here = self._own.get((bucket, space), Seen())
        if not 0 < here.checks < everywhere.checks:
            return wrong + everywhere.wrong, right + everywhere.right
        elsewhere = everywhere.checks - here.checks
        share = min(1.0, _POOLED / elsewhere)
        # What is wrong elsewhere counts in full: a neighbourhood is trusted late and doubted early.
        wrong += (everywhere.wrong - here.wrong) * max(share, 0.25) + here.wrong
        right += (everywhere.right - here.right) * share + here.right
        return wrong, right

    def summary(self) -> dict[str, dict[str, float]]:
        return {
            bucket: {
                "checks": round(seen.checks, 2),
                "wrong": round(seen.wrong, 2),
                "bound": round(self.standing(bucket).bound, 5),
                "serves": float(self.standing(bucket).serves),
            }
            for bucket, seen in sorted(self._all.items())
        }


def _up(wrong: float) -> float:
    """To two figures above: bounds are worked out for few numbers, and on the safe side."""
    step = 0.05 if wrong < 5 else 10.0 ** (floor(log10(wrong)) - 1)
    return ceil(wrong / step) * step


def _down(right: float) -> float:
    """To two figures below."""
    step = 10.0 ** (floor(log10(max(right, 1.0))) - 1)
    return max(floor(right / step) * step, 0.1)


@lru_cache(maxsize=65_536)
def upper(wrong: float, right: float, confidence: float = _CONFIDENCE) -> float:
    """The share of wrong answers that a Beta(wrong, right) stays below with this confidence."""
    from scipy.special import betaincinv  # here: every command would wait for it at its start

    return float(betaincinv(wrong, right, confidence))
