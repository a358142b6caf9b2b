"""Routers that share a hive, for tests of limits: real accounts, a clock that a test sets."""

from dataclasses import dataclass, field

from router.budgets import NOTHING, Amounts, Claim, Moment, Report
from router.config.server import KeyLimits
from router.hive import HiveState

DAY = 86_400.0
NOON = 100 * DAY + DAY / 2


def exactly(requests=0, tokens=0, usd=0.0):
    """A claim whose likely use is also its most."""
    amounts = Amounts(requests, tokens, usd, usd)
    return Claim(amounts, amounts)


@dataclass
class Reporter:
    """A router's side of a key, without slices: it keeps what it was granted until it spends it."""

    name: str = "r1"
    turn: int = 0
    usd: float = 0.0
    seconds: dict = field(default_factory=dict)

    def report(self, now, claim=None, keeps=NOTHING, daring=False):
        self.turn += 1
        at, seconds = Moment(now, now), dict(self.seconds)
        usd, months = {at.day: self.usd}, {at.month: self.usd}
        return Report(self.name, self.turn, at, usd, seconds, keeps, claim, daring, months)

    def use(self, now, requests=0, tokens=0, usd=0.0):
        before = self.seconds.get(int(now), (0, 0))
        self.seconds[int(now)] = (before[0] + requests, before[1] + tokens)
        self.usd += usd


def save(hive: HiveState) -> None:
    """Write the ledger, as the process of the hive does soon after each change."""
    ledger = hive.unsaved()
    if ledger is not None:
        hive.write(ledger)


def lease(hive: HiveState, router: Reporter, limits: KeyLimits, now: float, claim, **more):
    return hive.lease("k", limits, router.report(now, claim, **more), now)
