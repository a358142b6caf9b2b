"""Notices that answers of one kind went bad, also after thousands of good checks. Pure.

The doubt about a kind starts where right checks leave it. Each check adds to the doubt, and
multiplies it by the odds of its result if four times the budget were wrong, against the odds if the
budget were wrong. (This is the Shiryaev-Roberts procedure; old right checks cannot outweigh new
wrong ones.)

The promise: while no more than the budget is wrong, a false alarm comes on average after nearly
`ALARM` checks or later, however often the doubt is looked at. `experiments/reuse/monitor.py`
measures how soon the alarm comes. Not covered: a kind that is wrong only a little more often than
the budget; its upper bound decides.
"""

ALARM = 600.0  # the doubt at which a kind stops
_WORSE = 4.0  # an alarm looks for so many times the budget


def doubt_after(doubt: float, budget: float, *, wrong: bool, weight: float = 1.0) -> float:
    """The doubt after one more check, at most `ALARM`. A check of weight 0.5 counts half."""
    worse = _worse(budget)
    odds = worse / budget if wrong else (1 - worse) / (1 - budget)
    return min((doubt + weight) * float(odds**weight), ALARM)


def resting(budget: float) -> float:
    """The doubt that remains after endless right checks."""
    odds = (1 - _worse(budget)) / (1 - budget)
    return odds / (1 - odds)


def suspicion(doubt: float, budget: float) -> float:
    """How near the alarm is: 0 at rest, 1 at the alarm."""
    rest = resting(budget)
    return min(max(doubt - rest, 0.0) / max(ALARM - rest, 1.0), 1.0)


def nearly_alarmed(budget: float) -> float:
    """The doubt that one more wrong check lifts to the alarm."""
    return ALARM * budget / _worse(budget)


def _worse(budget: float) -> float:
    return min(_WORSE * budget, (1 + budget) / 2)
