"""Budgets: how the hive divides the limits of a key, a team or a tag among the routers.

A router reports what it used and what it keeps reserved, and may claim more. All figures of a
report are absolute, so a report that is repeated, lost or late never counts twice. The use of all
routers and everything reserved stay within the limits, with one exception: a call whose *likely*
use fits in what is left, but whose *most* does not, gets all that is left. Only one such call of a
budget is under way at a time, so only the error of one estimate can exceed a limit.

Minutes are measured by clocks that nobody can set, so a step of the wall clock neither frees nor
locks a limit per minute. Dollars belong to the day and the month (UTC) that the router's wall
clock showed. They are kept for several days and months, so a day that comes back brings back what
was spent.

Not covered: a call that uses more than its claim's most. The excess counts as soon as it is known.
"""

import calendar
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from router.config.server import KeyLimits

MINUTE, DAY = 60, 86_400
# Dollars are kept for so many days, and so many months: those in which something was last spent.
DAYS = 16
_SLICE = 20  # a router leases one part in so many of what is left, so slices shrink near a limit
_DUST_USD = 1e-9  # less than this is a rounding error, not an amount that is left
# The limit that bounds each of the amounts.
RULES = {
    "requests": "requests_per_minute",
    "tokens": "tokens_per_minute",
    "usd": "dollars_per_day",
    "month_usd": "dollars_per_month",
}


T = TypeVar("T")


class Amounts(NamedTuple):
    """Requests, tokens, dollars of a day and dollars of a month. The same dollars count in both,
    but the two are bounded apart, so what is left or leased of them differs."""

    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    month_usd: float = 0.0

    @classmethod
    def spent(cls, tokens: int, usd: float) -> "Amounts":
        """What a call uses: its dollars count in the day and in the month."""
        return cls(0, tokens, usd, usd)

    def plus(self, other: "Amounts") -> "Amounts":
        return Amounts(
            self.requests + other.requests,
            self.tokens + other.tokens,
            self.usd + other.usd,
            self.month_usd + other.month_usd,
        )

    def less(self, other: "Amounts") -> "Amounts":
        """The difference, and zero where the other is larger."""
        return Amounts(
            max(self.requests - other.requests, 0),
            max(self.tokens - other.tokens, 0),
            max(self.usd - other.usd, 0.0),
            max(self.month_usd - other.month_usd, 0.0),
        )

    def at_most(self, other: "Amounts") -> "Amounts":
        return Amounts(
            min(self.requests, other.requests),
            min(self.tokens, other.tokens),
            min(self.usd, other.usd),
            min(self.month_usd, other.month_usd),
        )

    def times(self, count: int) -> "Amounts":
        return Amounts(
            count * self.requests, count * self.tokens, count * self.usd, count * self.month_usd
        )

    def within(self, other: "Amounts") -> bool:
        return all(mine <= theirs for mine, theirs in zip(self, other, strict=True))

    def slice(self) -> "Amounts":
        return self.share(_SLICE)

    def share(self, parts: int) -> "Amounts":
        """One of so many equal parts."""
        return Amounts(
            self.requests // parts, self.tokens // parts, self.usd / parts, self.month_usd / parts
        )


class Moment(NamedTuple):
    """A moment on the wall clock, and on a clock that nobody can set and that begins anywhere."""

    wall: float
    steady: float

    @property
    def day(self) -> int:
        return int(self.wall // DAY)

    @property
    def month(self) -> int:
        """The month by UTC, counted from the year 0."""
        date = time.gmtime(self.wall)
        return 12 * date.tm_year + date.tm_mon - 1

    @property
    def left_of_day(self) -> float:
        """Seconds until the next day."""
        return DAY - self.wall % DAY

    @property
    def left_of_month(self) -> float:
        """Seconds until the next month."""
        year, month = divmod(self.month + 1, 12)
        return calendar.timegm((year, month + 1, 1, 0, 0, 0)) - self.wall


NOTHING = Amounts()
UNBOUNDED = Amounts(2**62, 2**62, 1e300, 1e300)
ONE_REQUEST = Amounts(requests=1)


def total(amounts: Iterable[Amounts]) -> Amounts:
    columns = tuple(zip(*amounts, strict=True))
    return Amounts(*map(sum, columns)) if columns else NOTHING


class Claim(NamedTuple):
    """What a call is expected to use, and the most that it can use."""

    likely: Amounts
    most: Amounts


class Report(NamedTuple):
    """What one router did within one budget, and what it claims."""

    router: str
    turn: int  # grows with every report, so that a late report changes nothing
    at: Moment  # by the router's clocks
    usd: Mapping[int, float]  # dollars spent on each of the last days
    # Requests and tokens of each second of the last minute, by the router's steady clock.
    seconds: Mapping[int, tuple[int, int]]
    keeps: Amounts = NOTHING  # reserved by calls under way, or leased and not used yet
    claim: Claim | None = None
    daring: bool = False  # whether a call is under way that got less than its most
    months: Mapping[int, float] = MappingProxyType({})  # dollars spent in each of the last months


class AccountReport(NamedTuple):
    """A router's report on one of its accounts, as the hive gets it."""

    budget: str
    limits: KeyLimits
    report: Report


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a claim was refused. `passing`: calls under way hold what is missing, and may return
    it. No `retry_after`: the call never fits. `rule`: the limit that refuses."""

    reason: str
    retry_after: float | None
    passing: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """What a budget used in this minute, on this day and in this month, and what is held."""

    used: Amounts = NOTHING
    held: Amounts = NOTHING


@dataclass(frozen=True, slots=True)
class Lease:
    """What a router may use beyond what it keeps, or the reason for a refusal."""

    granted: Amounts = NOTHING
    left: Amounts = UNBOUNDED  # what other claims can still get
    shortage: Shortage | None = None
    used: Amounts = NOTHING  # by all routers: this minute, this day and this month


def bounds(limits: KeyLimits) -> Amounts:
    """The limits as amounts; a limit that is not set has no bound that matters."""
    requests, tokens = limits.requests_per_minute, limits.tokens_per_minute
    return Amounts(
        UNBOUNDED.requests if requests is None else requests,
        UNBOUNDED.tokens if tokens is None else tokens,
        UNBOUNDED.usd if limits.dollars_per_day is None else limits.dollars_per_day,
        UNBOUNDED.usd if limits.dollars_per_month is None else limits.dollars_per_month,
    )


def bounded_part(amounts: Amounts, limits: KeyLimits) -> Amounts:
    """The amounts that have a limit, and zero for the others."""
    return Amounts(
        0 if limits.requests_per_minute is None else amounts.requests,
        0 if limits.tokens_per_minute is None else amounts.tokens,
        0.0 if limits.dollars_per_day is None else amounts.usd,
        0.0 if limits.dollars_per_month is None else amounts.month_usd,
    )


@dataclass(slots=True)
class Budget:
    """The use of one budget: each router's dollars of the last days and months, its last minute,
    and its leases.

    `now` is the time on the steady clock of the process that holds the budget.
    """

    usd: dict[int, dict[str, float]] = field(default_factory=dict)  # by day, and then by router
    months: dict[int, dict[str, float]] = field(default_factory=dict)  # by month, then by router
    windows: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)
    leases: dict[str, Amounts] = field(default_factory=dict)
    daring: set[str] = field(default_factory=set)  # routers with a call that got less than its most
    turns: dict[str, int] = field(default_factory=dict)
    # Requests and tokens of the last minute, summed over all routers as windows change.
    minute: tuple[int, int] = (0, 0)
    rolled: int = -1  # the second in which old uses were last forgotten

    def lease(self, limits: KeyLimits, report: Report, now: float) -> Lease:
        self._take_in(report, now)
        router, claim = report.router, report.claim
        if report.turn < self.turns.get(router, 0):
            return Lease(shortage=Shortage("report is older than the last", 1.0, passing=True))
        self.turns[router] = report.turn
        self.leases[router] = report.keeps
        (self.daring.add if report.daring else self.daring.discard)(router)
        bound, used = bounds(limits), self.used(now, report.at)
        reserved = total(self.leases.values())
        room = bound.less(used.plus(reserved))
        if claim is None:
            return Lease(left=room, used=used)
        if not _fits_all(claim, room, dares=not self.daring):
            free = bound.less(used)
            shortage = self._shortage(limits, claim, room, free, report.at, now)
            return Lease(left=room, shortage=shortage, used=used)
        granted = claim.most.at_most(room)
        if not _fits_all(claim, room, dares=False):
            self.daring.add(router)
        granted = bounded_part(granted.plus(room.less(granted).slice()), limits)
        self.leases[router] = report.keeps.plus(granted)
        return Lease(granted, room.less(granted), used=used)

    def used(self, now: float, at: Moment) -> Amounts:
        self._roll(now)
        return Amounts(
            *self.minute,
            sum(self.usd.get(at.day, {}).values()),
            sum(self.months.get(at.month, {}).values()),
        )

    def use(self, now: float, at: Moment) -> BudgetUse:
        return BudgetUse(self.used(now, at), total(self.leases.values()))

    def spent_by(self, router: str) -> tuple[dict[int, float], dict[int, float]]:
        """A router's dollars by day, and by month."""
        days, months = (
            {period: usd[router] for period, usd in periods.items() if router in usd}
            for periods in (self.usd, self.months)
        )
        return days, months

    def expire(self, router: str, heard: float) -> None:
        """End the leases of a router that fell silent.

        Its dollars go back. Its requests and tokens count as used for a minute, because nobody
        knows whether they were.
        """
        lease = self.leases.pop(router, NOTHING)
        self.daring.discard(router)
        if lease.requests or lease.tokens:
            window = self.windows.setdefault(router, {})
            requests, tokens = window.get(int(heard), (0, 0))
            window[int(heard)] = (requests + lease.requests, tokens + lease.tokens)
            self.rolled = -1

    def _take_in(self, report: Report, now: float) -> None:
        self._roll(now)
        if report.turn < self.turns.get(report.router, 0):
            return
        for periods, spent in ((self.usd, report.usd), (self.months, report.months)):
            for period, usd in spent.items():
                by_router = periods.get(period, {})
                if usd > by_router.get(report.router, 0.0):
                    by_router[report.router] = usd
                    keep_period(periods, period, by_router)
        ahead = now - report.at.steady  # of the router's steady clock
        latest = int(now)
        window: dict[int, tuple[int, int]] = {}
        for second, (requests, tokens) in report.seconds.items():
            here = min(math.ceil(second + ahead), latest)
            if here < latest - MINUTE:
                continue
            before = window.get(here, (0, 0))
            window[here] = (before[0] + requests, before[1] + tokens)
        earlier = self.windows.get(report.router, {})
        self._count(window.values(), 1)
        self._count(earlier.values(), -1)
        self.windows[report.router] = window

    def _roll(self, now: float) -> None:
        """Forget uses of more than a minute ago, once in each second."""
        if int(now) == self.rolled:
            return
        self.rolled = int(now)
        oldest, self.minute = self.rolled - MINUTE, (0, 0)
        for router, window in list(self.windows.items()):
            for second in [second for second in window if second < oldest]:
                del window[second]
            if not window:
                del self.windows[router]
            self._count(window.values(), 1)

    def _count(self, pairs: Iterable[tuple[int, int]], sign: int) -> None:
        """Add requests and tokens to those of the last minute, or take them away."""
        requests, tokens = self.minute
        for more_requests, more_tokens in pairs:
            requests, tokens = requests + sign * more_requests, tokens + sign * more_tokens
        self.minute = (requests, tokens)

    def _shortage(
        self,
        limits: KeyLimits,
        claim: Claim,
        room: Amounts,
        free: Amounts,
        at: Moment,
        now: float,
    ) -> Shortage:
        """The reason for a refusal that names the limit, what is left, and when to come back."""
        bound, likely = bounds(limits), claim.likely
        dares = not self.daring
        short = [name for name in Amounts._fields if not _fits(claim, room, name, dares=dares)]
        for name in short:
            if not _fits(claim, free, name, dares=True):
                reason = _reason(name, likely, bound, free)
                fits = getattr(likely, name) <= getattr(bound, name) > 0
                wait = self._wait(name, likely, bound, at, now) if fits else None
                return Shortage(reason, wait, rule=RULES[name])
        reason = f"{_reason(short[0], likely, bound, room)}; calls under way hold the rest"
        return Shortage(reason, 1.0, passing=True, rule=RULES[short[0]])

    def _wait(self, name: str, likely: Amounts, bound: Amounts, at: Moment, now: float) -> float:
        """Seconds until the likely use fits again."""
        if name == "usd":
            return at.left_of_day
        if name == "month_usd":
            return at.left_of_month
        column = Amounts._fields.index(name)
        by_second: dict[int, int] = {}
        for window in self.windows.values():
            for second, pair in window.items():
                by_second[second] = by_second.get(second, 0) + pair[column]
        needed = max(getattr(likely, name), 1)
        over = sum(by_second.values()) + needed - getattr(bound, name)
        for second in sorted(by_second):
            over -= by_second[second]
            if over <= 0:
                return max(second + MINUTE + 1 - now, 0.1)
        return float(MINUTE)


def keep_period(periods: dict[int, T], period: int, value: T) -> None:
    """Set the value of a day or a month, and keep only those that were set last."""
    periods.pop(period, None)
    periods[period] = value
    while len(periods) > DAYS:
        del periods[next(iter(periods))]


def _fits_all(claim: Claim, room: Amounts, *, dares: bool) -> bool:
    return all(_fits(claim, room, name, dares=dares) for name in Amounts._fields)


def _fits(claim: Claim, room: Amounts, name: str, *, dares: bool) -> bool:
    """Whether the most of a claim fits, or, for a call that dares, its likely use."""
    most, likely, left = (getattr(each, name) for each in (claim.most, claim.likely, room))
    dust = _DUST_USD if name in ("usd", "month_usd") else 0
    return bool(most <= left + dust or (dares and likely <= left + dust and left > dust))


def _reason(name: str, likely: Amounts, bound: Amounts, left: Amounts) -> str:
    match name:
        case "requests":
            return f"requests_per_minute = {bound.requests} are used up: {left.requests} left"
        case "tokens":
            need = f"this call needs about {likely.tokens} tokens"
            rest = f"{left.tokens} of tokens_per_minute = {bound.tokens} are left"
        case _:
            need = f"this call is expected to cost ${getattr(likely, name):.4g}"
            of = f"{RULES[name]} = ${getattr(bound, name):.4g}"
            rest = f"${getattr(left, name):.4g} of {of} is left"
    return f"{need}, and {rest}"
