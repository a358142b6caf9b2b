"""The account of one budget at one router: what was used, what calls hold, and what is leased.

Dollars are counted by the day and the month of the wall clock, everything else by the steady clock.

An account makes no call and waits for nothing; `allowances` asks the hive on its behalf.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from router.budgets import (
    DAY,
    MINUTE,
    NOTHING,
    RULES,
    Amounts,
    Claim,
    Lease,
    Moment,
    Report,
    bounded_part,
    bounds,
    keep_period,
    total,
)
from router.config.server import KeyLimits
from router.engine.crossings import Crossing
from router.engine.limit_headers import Room

_DUST = 1e-9  # less than this is a rounding error
_MANY = 8  # claims that fit in a large slice
_IDLE_SECONDS = 1.0  # an account that was not used for longer returns what it leased


@dataclass(slots=True, eq=False)
class Reservation:
    """What one call holds until its request ends, and what it will likely use.

    `owed` counts at the end of the request beside the costs in its trace: the likely use of a call
    that nobody waited for, because a backend may charge for it.
    """

    held: Amounts
    likely: Amounts
    owed: Amounts
    daring: bool = False  # the call got less than its most


@dataclass(slots=True, eq=False)
class Account:
    name: str  # of the budget, at the hive
    limits: KeyLimits
    owner: str = ""  # whose budget it is, in the words of errors: `key alice`, `team search`
    place: str = ""  # where its limits are set
    order: tuple[int, str] = (0, "")  # its place among the budgets of a request
    free: Amounts = NOTHING  # leased, and not held by any call
    left: Amounts = NOTHING  # what the hive had left when it last answered
    base: Amounts = NOTHING  # what this router had used or leased at that time
    left_at: Moment | None = None
    unreported: bool = False  # whether the hive lacks something that was used or returned
    used_at: float = 0.0  # on the steady clock
    usd: dict[int, float] = field(default_factory=dict)  # by day
    months: dict[int, float] = field(default_factory=dict)  # dollars by month
    seconds: dict[int, tuple[int, int]] = field(default_factory=dict)
    reservations: set[Reservation] = field(default_factory=set)
    announced: set[Crossing] = field(default_factory=set)  # that somebody was told of
    turn: int = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)  # one call of the hive at a time
    queue: asyncio.Lock = field(default_factory=asyncio.Lock)  # calls that wait, in their order
    returned: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def bounds_calls(self) -> bool:
        return self.limits.tokens_per_minute is not None or self.limits.bounds_dollars

    @property
    def must_report(self) -> bool:
        """Whether the hive must hear at once of dollars, or of more that is free than a slice."""
        surplus = not bounded_part(self.free, self.limits).within(self.left.slice())
        return self.limits.bounds_dollars or surplus

    def relevant(self, claim: Claim) -> Claim:
        """The part of a claim that this budget's limits bound."""
        likely, most = (bounded_part(each, self.limits) for each in claim)
        return Claim(likely, most)

    def fits(self, claim: Claim) -> bool:
        return claim.most.within(self.free)

    def runs_low(self, claim: Claim) -> bool:
        """Whether less than half of a slice is free, while the hive has large slices. Near a limit
        slices are small, and leasing ahead would keep them from other routers."""
        slice_ = bounded_part(self.left.slice(), self.limits)
        return claim.most.times(_MANY).within(slice_) and not slice_.share(2).within(self.free)

    def take(self, claim: Claim) -> Amounts:
        """Take a claim from what is free; all that is free, if the claim's most is larger."""
        taken = claim.most.at_most(self.free)
        self.free = self.free.less(taken)
        return taken

    def count(self, now: Moment, used: Amounts) -> None:
        """Count an amount as used now."""
        self._roll(now)
        second = int(now.steady)
        requests, tokens = self.seconds.get(second, (0, 0))
        self.seconds[second] = (requests + used.requests, tokens + used.tokens)
        if used.usd:
            keep_period(self.usd, now.day, self.usd.get(now.day, 0.0) + used.usd)
        if used.month_usd:
            spent = self.months.get(now.month, 0.0) + used.month_usd
            keep_period(self.months, now.month, spent)
        self.used_at, self.unreported = now.steady, True

    def hold(self, claim: Claim) -> Reservation:
        """Take a claim from what is free, as far as the limits bound it, and hold it for a call."""
        bounded = self.relevant(claim)
        taken = self.take(bounded)
        daring = any(most - got > _DUST for most, got in zip(bounded.most, taken, strict=True))
        reservation = Reservation(taken, claim.likely, owed=claim.likely, daring=daring)
        self.reservations.add(reservation)
        return reservation

    def release(self, reservation: Reservation) -> None:
        """Give back what a call holds that is not made, because another budget refused it."""
        self.reservations.discard(reservation)
        self._give(reservation.held)

    def narrow(self, reservation: Reservation, used: Amounts) -> None:
        """Hold only what a call used, now that the call has ended."""
        self._give(reservation.held.less(used))
        self.free = self.free.less(used.less(reservation.held))
        reservation.held = reservation.likely = used
        reservation.owed, reservation.daring = NOTHING, False

    def settle(self, reservations: list[Reservation], used: Amounts, now: Moment) -> None:
        """Replace the reservations of a request by what it used."""
        held = total(each.held for each in reservations)
        self.reservations.difference_update(reservations)
        self.count(now, used)
        self._give(held.less(used))
        self.free = self.free.less(used.less(held))

    def report(
        self, router: str, now: Moment, claim: Claim | None, *, ahead: bool = False
    ) -> Report:
        """The report to the hive. A claim gives up what is free, because the answer divides anew,
        unless it comes `ahead` of need; a report without a claim keeps one slice, and nothing once
        the account is idle."""
        self._roll(now)
        idle = now.steady - self.used_at > _IDLE_SECONDS
        kept = self.free
        if not ahead:
            kept = NOTHING if claim or idle else self.free.at_most(self.left.slice())
            self.free = kept
        self.turn += 1
        keeps = total(each.held for each in self.reservations).plus(kept)
        daring = any(each.daring for each in self.reservations)
        usd, seconds = dict(self.usd), dict(self.seconds)
        months = dict(self.months)
        return Report(router, self.turn, now, usd, seconds, keeps, claim, daring, months)

    def hear(self, lease: Lease, report: Report, now: Moment) -> None:
        """Take in the hive's answer to a report."""
        self.free = self.free.plus(lease.granted)
        self.left, self.left_at = lease.left, now
        self.base = self.used(now).plus(report.keeps).plus(lease.granted)

    def news(self, reached: Iterable[Crossing]) -> list[Crossing]:
        """Those of these crossings of which nobody was told yet."""
        plain = {each._replace(used_usd=0.0): each for each in reached}
        new = [each for key, each in plain.items() if key not in self.announced]
        self.announced = {key for key in self.announced if key in plain} | set(plain)
        return new

    def used(self, now: Moment) -> Amounts:
        self._roll(now)
        pairs, usd = self.seconds.values(), self.usd.get(now.day, 0.0)
        month_usd = self.months.get(now.month, 0.0)
        return Amounts(sum(r for r, _ in pairs), sum(t for _, t in pairs), usd, month_usd)

    def share(self, now: Moment, routers: int) -> KeyLimits:
        """The limits of this router alone, while the hive does not answer."""
        bound, heard = bounds(self.limits), self.left_at
        equal = bound.share(routers)
        recent = equal
        if heard is not None:
            recent = self.base.plus(self.left.share(routers)).at_most(bound)
        minute = recent if heard and now.steady - heard.steady <= MINUTE else equal
        today = recent if heard and heard.day == now.day else equal
        month = recent if heard and heard.month == now.month else equal
        limits = self.limits
        return KeyLimits(
            requests_per_minute=limits.requests_per_minute and max(minute.requests, 1),
            tokens_per_minute=limits.tokens_per_minute and max(minute.tokens, 1),
            dollars_per_day=limits.dollars_per_day and today.usd,
            dollars_per_month=limits.dollars_per_month and month.month_usd,
        )

    def rooms(self, now: Moment) -> list[Room]:
        """What each limit leaves, by the hive's last answer."""
        bound = bounds(self.limits)
        room = self.left if self.left_at is not None else bound.less(self.used(now))
        left = room.plus(self.free).at_most(bound)
        second = int(now.steady)
        minute = max(max(self.seconds, default=second - MINUTE) + MINUTE + 1 - second, 0)
        resets = (minute, minute, now.left_of_day, now.left_of_month)
        return [
            Room(self.owner, rule, limit, remaining, reset)
            for rule, limit, remaining, reset in zip(
                RULES.values(), bound, left, resets, strict=True
            )
            if getattr(self.limits, rule) is not None
        ]

    def idle(self, now: Moment) -> bool:
        """Whether nothing of this account matters any more."""
        quiet = not self.reservations and not self.unreported and self.free == NOTHING
        return quiet and now.steady - self.used_at > DAY

    def _give(self, amount: Amounts) -> None:
        self.free = self.free.plus(amount)
        if any(amount):
            self.unreported = True
            self.returned.set()

    def _roll(self, now: Moment) -> None:
        oldest = int(now.steady) - MINUTE
        for second in [each for each in self.seconds if each < oldest]:
            del self.seconds[second]
