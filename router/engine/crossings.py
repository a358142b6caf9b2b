"""When a budget of dollars reaches a share of its limit, so that somebody can be told. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from router.budgets import Amounts, Moment, Shortage
from router.config.server import KeyLimits

_DUST_USD = 1e-9


class Crossing(NamedTuple):
    """A budget has reached a share of its dollars of a day or a month."""

    owner: str
    rule: str
    period: str  # the day or the month, by UTC
    share: float
    used_usd: float
    limit_usd: float


def crossings(
    owner: str,
    limits: KeyLimits,
    used: Amounts,
    at: Moment,
    shares: Iterable[float],
    shortage: Shortage | None,
) -> Iterator[Crossing]:
    """The shares that a budget has reached. A budget that refuses a call until the day or the month
    ends has reached all of them."""
    date = _date(at)
    dollars = (
        ("dollars_per_day", limits.dollars_per_day, used.usd, f"{date:%Y-%m-%d}"),
        ("dollars_per_month", limits.dollars_per_month, used.month_usd, f"{date:%Y-%m}"),
    )
    for rule, limit, used_usd, period in dollars:
        if limit is None:
            continue
        empty = (
            shortage is not None
            and shortage.rule == rule
            and not shortage.passing
            and shortage.retry_after is not None
        )
        for share in shares:
            if empty or used_usd >= share * limit - _DUST_USD:
                yield Crossing(owner, rule, period, share, used_usd, limit)


def _date(at: Moment) -> dt.date:
    return dt.date.min + dt.timedelta(days=min(max(at.day + 719_162, 0), 3_652_058))
