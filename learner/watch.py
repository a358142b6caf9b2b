"""Whether what was adopted still earns its place."""

from dataclasses import dataclass, field
from math import sqrt
from typing import Literal

from learner.sequence import UNKNOWN, Adjustment, Contrast, Exposed, Interval, RunningMoments
from learner.trial import TrialRules


@dataclass
class Watch:
    """Whether what was adopted still earns its place: calm while its answers are as they were, and
    where they are not, the control gets half until that is decided.

    A held-out control of a few per cent could not tell soon; that the answers of an adopted
    strategy fell is seen at once, and whether the old one would do better is then asked.
    """

    rules: TrialRules = field(default_factory=TrialRules)
    calm_share: float = 0.98
    alert_share: float = 0.5
    patience: int = 1200  # compared units of an alert before it must be decided
    alerts: int = 0
    alert: Contrast | None = None
    _fall: float = 0.0
    _own: Adjustment = field(default_factory=Adjustment)
    _spread: RunningMoments = field(default_factory=lambda: RunningMoments(0.1))

    @property
    def share(self) -> float:
        """The candidate's, until something changes."""
        return self.calm_share if self.alert is None else self.alert_share

    def judge(self, one: Exposed) -> Literal["calm", "alert", "roll back", "recovered"]:
        assert one.utility is not None
        if self.alert is not None:
            return self._decide(self.alert, one)
        if one.side != "candidate":
            return "calm"
        x = self._own.vector(one.context)
        beyond = one.utility - self._own.expected(x)
        known = self._spread.n >= self.rules.least
        if known:
            deviation = sqrt(max(self._spread.squares / self._spread.n, 1e-4))
            self._fall = max(0.0, self._fall - beyond / deviation - _SLACK)
        if not known or self._fall < _SETTLED:
            # While it seems to fall, nothing is learned: it would get used to it.
            self._own.learn(x, one.utility, 1.0)
            self._spread.add(beyond)
        if self._fall < _ALARM:
            return "calm"
        self.alerts += 1
        self.alert, self._fall = Contrast(), 0.0
        return "alert"

    def _decide(
        self, told: Contrast, one: Exposed
    ) -> Literal["calm", "alert", "roll back", "recovered"]:
        if abs(one.chance - 0.5) > 0.3:
            return "calm"  # decided before routers heard of the alert
        told.add(one, one.utility or 0.0)
        if told.values.n >= _LEAST_ALERT:
            found = self.found
            over = told.values.n >= self.patience
            if found.high < 0 or (over and found.mean < -_LITTLE / 2):
                return "roll back"
            if found.low > -_LITTLE or over:
                # Both are alike: the world changed, and this is how its answers are now.
                self.alert = None
                self._own, self._spread = Adjustment(), RunningMoments(0.1)
                return "recovered"
        return "calm"

    @property
    def found(self) -> Interval:
        """Only a loss matters, so its side has all of alpha; and each alert half of the last's."""
        if self.alert is None:
            return UNKNOWN
        return self.alert.values.interval(2 * self.rules.alpha / 2 ** max(self.alerts, 1))


# A cumulative sum in deviations: shifts of less than twice the slack are let be; one of a deviation
# is seen after about twenty answers, and a false alarm comes once in many thousands.
_SLACK = 0.2
_SETTLED = 6.0
_ALARM = 20.0
_LEAST_ALERT = 30
_LITTLE = 0.05  # of utility, where both decide apart: a loss that may be let be
