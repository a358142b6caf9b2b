"""How far a policy trusts what it knows of contexts, and what exploring them may cost.

The guard stands on the arm that is best on the whole. What is known of contexts takes over
smoothly, as far as it was shown to gain something, and is put back the same way.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from learner.insight import Insight
from learner.posterior import Vector
from learner.standing import Standing

LEAST_VARIANCE = 1e-9
_FALLS_AT = 500.0  # judged answers; the risk is then 0.7 of what it was at first
_HARDLY = 0.01  # a smaller share changes nothing, and costs time
_TRUSTED = 2.0  # standard deviations by which an operator's own default is thought better


@dataclass(frozen=True, slots=True)
class Worths:
    """What some arms are worth in a context, by all that is known of them."""

    here: Vector
    at_all: Vector  # what the arms are worth on the whole, whatever the context
    deviation: Vector  # of that
    odds: Vector  # how likely each arm is to be the best here

    def trusting(self, default: int) -> "Worths":
        """The same with a higher worth of an arm that a person chose: that is evidence, too."""
        at_all = self.at_all.copy()
        at_all[default] += _TRUSTED * self.deviation[default]
        return replace(self, at_all=at_all)


@dataclass(frozen=True, slots=True)
class Guard:
    insight: Insight | None
    seen: float  # the total weight of judged answers
    margin: float  # utility a request that choosing by context may lose at the worst
    risk: float  # utility a request that exploring contexts may cost at first
    reinvested: float  # the part of the gain from contexts that exploring may cost

    @property
    def gain(self) -> float:
        """What choosing by context was shown to gain, in utility a request."""
        return 0.0 if self.insight is None else max(self.insight.ledger.gain, 0.0)

    @property
    def proved(self) -> float:
        """How far what is known of contexts counts: wholly once it is sure to gain something.

        Before, it may lose at the worst a little, and as much as it is estimated to gain.
        """
        if self.insight is None:
            return 0.0
        least = self.insight.ledger.least_gain
        if least >= 0:
            return 1.0
        proved = min(1.0, (self.margin + self.gain) / -least)
        return proved if proved > _HARDLY else 0.0

    @property
    def may_cost(self) -> float:
        """Utility a request that exploring contexts may cost: ever less, and a part of the gain."""
        return self.risk * sqrt(_FALLS_AT / (_FALLS_AT + self.seen)) + self.reinvested * self.gain

    def shares(self, standing: Standing, worths: Worths, *, most: float) -> Vector:
        """The shares by what arms are worth here, as far as contexts count, and for the rest by
        what arms are worth on the whole; then by the odds of the best, for what this may cost."""
        proved, variances = self.proved, np.maximum(worths.deviation**2, LEAST_VARIANCE)
        shares = np.zeros(len(worths.here))
        for share, worth in ((1 - proved, worths.at_all), (proved, worths.here)):
            if share > 0:
                shares = shares + share * standing.shares(worth, variances, most=most)
        worth = self.believed(worths)
        loss = float(worths.odds @ np.maximum(shares @ worth - worth, 0.0))
        allowed = min(1.0, self.may_cost / max(loss, LEAST_VARIANCE))
        return np.asarray(allowed * worths.odds + (1 - allowed) * shares)

    def believed(self, worths: Worths) -> Vector:
        """What arms are worth in a context, as far as contexts count."""
        return np.asarray(self.proved * worths.here + (1 - self.proved) * worths.at_all)
