"""Keeps spending to a budget: when spending runs ahead, the policy counts money more.

The price is a dual variable: it rises while spending is ahead of the budget, and falls while
spending is behind. Near the end of a window the price reacts too late, so the policy is not offered
arms that the rest of the budget cannot pay for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

_GAIN = 0.05
_MEMORY = 0.97
_DEAREST = 50.0
_DAYS_GAIN = 50.0  # the price when spending is a whole day's budget ahead


@dataclass(frozen=True, slots=True)
class Pacer:
    """A budget for a window of requests, after which the next window begins."""

    budget: float
    requests: int
    spent: float = 0.0
    served: int = 0
    price: float = 0.0  # utility lost by an answer that costs the mean budget of a request
    pace: float = 1.0  # recent spending, as a multiple of what the rest of the budget allows

    @property
    def mean(self) -> float:
        """Dollars that each remaining request may cost on average."""
        left = max(self.requests - self.served, 1)
        return max(self.budget - self.spent, 0.0) / left

    def penalty(self, cost: float) -> float:
        """The utility that an arm loses because of its expected cost."""
        return self.price * cost * self.requests / self.budget

    def affordable(self, costs: Sequence[float]) -> list[bool]:
        """Which arms leave enough money for the other requests; the cheapest arm always does."""
        cheapest = min(costs)
        left = self.budget - self.spent - cheapest * max(self.requests - self.served - 1, 0)
        return [cost <= max(left, cheapest) for cost in costs]

    @classmethod
    def of_day(cls, budget: float, spent: float, served: int, gone: float) -> "Pacer":
        """The pacer when a share of the day is gone, if requests go on at the same rate."""
        requests = max(int(served / max(gone, 0.01)), served + 1, 1)
        price = min(_DAYS_GAIN * max(spent / budget - gone, 0.0), _DEAREST)
        return cls(budget, requests, spent, served, price)

    def after(self, cost: float) -> "Pacer":
        allowed = self.mean
        ratio = min(cost / allowed, 10.0) if allowed > 0 else 10.0
        pace = _MEMORY * self.pace + (1 - _MEMORY) * ratio
        price = self.price + _GAIN * 0.1 * (pace - 1)
        moved = replace(
            self,
            spent=self.spent + cost,
            served=self.served + 1,
            price=min(max(price, 0.0), _DEAREST),
            pace=pace,
        )
        if moved.served >= self.requests:
            # The next window starts with the money that this window left over or overspent.
            return replace(moved, spent=moved.spent - self.budget, served=0)
        return moved
