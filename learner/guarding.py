"""How far a policy trusts what it knows of contexts, and what exploring them may cost.

The guard stands on the arm that is best on the whole. What is known of contexts takes over
smoothly, as far as it was shown to gain something, and is put back the same way.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt
from operator import mul

import numpy as np

from learner.explore import Rule, thompson, thompson_each
from learner.insight import Insight
from learner.standing import Standing, Tries

LEAST_VARIANCE = 1e-9
_FALLS_AT = 500.0  # judged answers; the risk is then 0.7 of what it was at first
_HARDLY = 0.01  # a smaller share changes nothing, and costs time
_TRUSTED = 2.0  # standard deviations by which an operator's own default is thought better


@dataclass(frozen=True, slots=True)
class Worths:
    """What some arms are worth in a context, by all that is known of them."""

    here: list[float]
    at_all: list[float]  # what the arms are worth on the whole, whatever the context
    deviation: list[float]  # of that
    hoped: list[float]  # what the arms are worth here by regressions alone, which are explored
    doubt: list[float]  # the variance of that, as far as it is a reason to explore

    def trusting(self, default: int) -> "Worths":
        """The same with a higher worth of an arm that a person chose: that is evidence, too."""
        at_all = self.at_all.copy()
        at_all[default] += _TRUSTED * self.deviation[default]
        return replace(self, at_all=at_all)


@dataclass(frozen=True)
class Guard:
    insight: Insight | None
    seen: float  # the total weight of judged answers
    margin: float  # utility a request that choosing by context may lose at the worst
    risk: float  # utility a request that exploring contexts may cost at first
    reinvested: float  # the part of the gain from contexts that exploring may cost

    @cached_property
    def gain(self) -> float:
        """What choosing by context was shown to gain, in utility a request."""
        return 0.0 if self.insight is None else max(self.insight.ledger.gain, 0.0)

    @cached_property
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

    @cached_property
    def may_cost(self) -> float:
        """Utility a request that exploring contexts may cost: ever less, and a part of the gain."""
        return self.risk * sqrt(_FALLS_AT / (_FALLS_AT + self.seen)) + self.reinvested * self.gain

    def shares(
        self, standing: Standing, worths: Worths, tries: Tries, rule: Rule, *, most: float
    ) -> list[float]:
        """The shares by what arms are worth here, as far as contexts count, and for the rest by
        what arms are worth on the whole; then by the odds of the best, for what this may cost.

        The variances of what the arms are worth on the whole count for both.
        """
        proved = self.proved
        counted = ((1 - proved, worths.at_all), (proved, worths.here))
        rows = [worth for share, worth in counted if share > 0]
        spreads = [tries.variances] * len(rows)
        if rule is thompson:  # in the same pass
            both = np.array([*rows, worths.hoped]), np.array([*spreads, worths.doubt])
            odds = thompson_each(*both).tolist()
            best_here = odds.pop()
        else:
            odds = thompson_each(np.array(rows), np.array(spreads)).tolist()
            best_here = rule(np.array(worths.hoped), np.array(worths.doubt)).tolist()
        each = standing.shares_each(rows, tries, odds, most=most)
        shares = each[0]
        if len(each) > 1:
            shares = [(1 - proved) * a + proved * b for a, b in zip(*each, strict=True)]
        worth = self.believed(worths)
        usual = sum(map(mul, shares, worth))
        loss = sum(odd * max(usual - w, 0.0) for odd, w in zip(best_here, worth, strict=True))
        allowed = min(1.0, self.may_cost / max(loss, LEAST_VARIANCE))
        return [allowed * a + (1 - allowed) * b for a, b in zip(best_here, shares, strict=True)]

    def believed(self, worths: Worths) -> list[float]:
        """What arms are worth in a context, as far as contexts count."""
        proved = self.proved
        pairs = zip(worths.here, worths.at_all, strict=True)
        return [proved * here + (1 - proved) * at_all for here, at_all in pairs]
