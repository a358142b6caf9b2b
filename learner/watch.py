"""Watches whether an adopted strategy is still as good as when it was adopted."""

from dataclasses import dataclass, field
from math import inf, sqrt
from typing import Literal

from learner.comparison import TrialRules
from learner.sequence import UNKNOWN, Adjustment, ComparedUnit, Contrast, Interval, RunningMoments

# A cumulative sum, in standard deviations. It ignores shifts below the slack, and detects a shift
# of one deviation after about 28 answers. Two failures of a plan that rarely fails are no sign of a
# shift: to learn nothing from them would make the plan seem better than it is, and its usual
# failures an alarm.
_SLACK = 0.2
_SETTLED = 12.0
_ALARM = 20.0
_LEAST_ALERT = 30
_LEAST_DOUBTED = 40  # answers before a strategy can seem useless
_LITTLE = 0.05  # a loss of utility that is small enough to tolerate
_FROM_HALF = 0.3  # a unit whose chance is further from 0.5 was decided before the alert

Turn = Literal["calm", "alert", "roll back", "recovered"]


@dataclass
class Watch:
    """Stays calm while the adopted strategy's answers are as good as they were.

    A held-out control group of a few per cent would show a loss late. So the watch first notices
    that the answers got worse, for which few answers are enough. Then the control group gets half
    of the requests, until it is clear whether the control does better.
    """

    rules: TrialRules = field(default_factory=TrialRules)
    calm_share: float = 0.98
    alert_share: float = 0.5
    patience: int = 1200  # compared units after which an alert must end
    least: float = -_LITTLE / 2  # utility that the strategy must seem to add then, to stay
    tolerated: float = -_LITTLE  # an alert ends once it is shown to add more than that
    # The strategy goes at once if its mean and so many standard errors stay below `least`, even
    # where the interval does not yet say so. Infinite: only the interval decides.
    doubt: float = inf
    least_alert: int = _LEAST_ALERT  # compared units before an alert may end
    least_doubted: int = _LEAST_DOUBTED
    alerts: int = 0
    alert: Contrast | None = None
    _fall: float = 0.0
    _own: Adjustment = field(default_factory=Adjustment)
    _spread: RunningMoments = field(default_factory=lambda: RunningMoments(0.1))
    _during: RunningMoments = field(default_factory=lambda: RunningMoments(0.1))  # since the alert

    @property
    def share(self) -> float:
        """The candidate's share of requests, which is smaller during an alert."""
        return self.calm_share if self.alert is None else self.alert_share

    def judge(self, unit: ComparedUnit) -> Turn:
        assert unit.utility is not None
        if self.alert is not None:
            return self._decide(self.alert, unit, unit.utility)
        if unit.side != "candidate":
            return "calm"
        x = self._own.vector(unit.context)
        beyond = unit.utility - self._own.expected(x)
        if self._measured:
            self._fall = max(0.0, self._fall - beyond / self._deviation - _SLACK)
        if not self._measured or self._fall < _SETTLED:
            # While answers seem to get worse, learn nothing, or worse answers would become usual.
            self._own.learn(x, unit.utility, 1.0)
            self._spread.add(beyond)
        if self._fall < _ALARM:
            return "calm"
        self.start_alert()
        return "alert"

    def start_alert(self) -> None:
        """From this moment on, compare the strategy with its control."""
        self.alerts += 1
        self.alert, self._fall, self._during = Contrast(), 0.0, RunningMoments(0.1)

    def _decide(self, alert: Contrast, unit: ComparedUnit, utility: float) -> Turn:
        if abs(unit.chance - 0.5) > _FROM_HALF:
            return "calm"  # decided before routers heard of the alert
        alert.add(unit, utility)
        if unit.side == "candidate":
            self._during.add(utility - self._own.expected(self._own.vector(unit.context)))
        if alert.values.n < self.least_alert:
            return "calm"
        lift, over = self.lift, alert.values.n >= self.patience
        if lift.high < 0 or self._seems_useless(alert.values) or (over and lift.mean < self.least):
            return "roll back"
        if lift.low > self.tolerated or over:
            self.alert = None
            if not self._was_false:
                # Both sides are equally good: the world changed, and such answers are usual by now.
                self._own, self._spread = Adjustment(), RunningMoments(0.1)
            return "recovered"
        return "calm"

    def _seems_useless(self, values: RunningMoments) -> bool:
        error = sqrt(max(values.squares, 0.0)) / values.n
        enough = values.n >= self.least_doubted and self.doubt < inf
        return enough and values.mean + self.doubt * error < self.least

    @property
    def _measured(self) -> bool:
        """Whether enough answers say what is usual."""
        return self._spread.n >= self.rules.least

    @property
    def _deviation(self) -> float:
        return sqrt(max(self._spread.squares / self._spread.n, 1e-4))

    @property
    def _was_false(self) -> bool:
        """Whether the answers since the alert were as usual, so that what is usual still holds."""
        return self._measured and self._during.mean > -_SLACK * self._deviation

    @property
    def lift(self) -> Interval:
        """The utility that the strategy adds over its control since the alert.

        Only a loss matters, so the lower side has all of alpha; each alert has half the alpha of
        the alert before.
        """
        if self.alert is None:
            return UNKNOWN
        return self.alert.values.interval(2 * self.rules.alpha / 2 ** max(self.alerts, 1))
