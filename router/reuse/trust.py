"""The evidence on one kind of likeness at one level: counts, doubt, and whether it was stopped."""

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, floor, log10

from router.reuse.watch import ALARM, doubt_after

_CONFIDENCE = 0.95
_FADES = 4_000.0  # an earlier check counts half after so many newer checks


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


@dataclass(slots=True)
class Record:
    """The checks since the last alarm, and the doubt that they leave."""

    counts: CheckCounts = field(default_factory=CheckCounts)
    doubt: float = 0.0
    stopped: bool = False
    alone: bool = False  # whether neither the prior nor the checks around it count
    stops: int = 0

    def add(self, *, wrong: bool, weight: float, repeats: int, budget: float) -> None:
        """Add a check. A further right answer of the same solution says little about others, so it
        counts less in the bound; the doubt is about all answers, and counts it whole."""
        self.counts.add(wrong=wrong, weight=weight if wrong else weight / repeats)
        self.doubt = doubt_after(self.doubt, budget, wrong=wrong, weight=weight)

    def stop(self) -> None:
        """Trust the record no more. After an alarm, only checks from now on count: what was right
        before the answers went bad says nothing any more."""
        self.stops += 1
        if self.alarmed:
            self.counts, self.doubt = CheckCounts(), 0.0
            self.alone = True
        self.stopped = True

    def resume(self) -> None:
        self.stopped = self.alone = False

    @property
    def alarmed(self) -> bool:
        return self.doubt >= ALARM


def bound_of(wrong: float, right: float) -> float:
    """The upper bound of the share of wrong answers, never smaller than the exact bound."""
    return upper(_up(wrong), _down(right))


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
