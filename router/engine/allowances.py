"""Admits requests and calls within the limits of their keys.

A request counts at once. A call reserves its tokens and dollars before it is made, and waits some
seconds for amounts that other calls hold. The end of the request settles the reservations with the
true figures, also after an error. A call whose caller left counts at its likely use. Amounts are
leased from the hive in slices, so most requests need no call of the hive.

When the hive does not answer, each router counts alone, within its share: what was left when the
hive last answered, divided by the number of routers; after a minute of silence, the limit divided
by that number. Not covered: what other routers used after this router last heard from the hive,
and the dollars that were settled in the milliseconds before a router was killed.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Sequence

from router.budgets import NOTHING, ONE_REQUEST, Amounts, Claim, Lease, Moment, Shortage, total
from router.config.config import Config
from router.config.server import KeyLimits
from router.domain import Attempt, Request, Trace, known_usd
from router.engine.account import Account, Reservation
from router.engine.estimates import Estimates
from router.hive import Hive, HiveState
from router.plans.calling import EndCall
from router.telemetry.metrics import Metrics
from router.wire.asgi import HeaderList
from router.wire.errors import Limited

_PATIENCE = 5.0  # seconds for which a call waits for what other calls hold
_LOOK_AGAIN = 0.25  # seconds after which a waiting call asks the hive again
_AWAY_SECONDS = 1.0  # a hive that failed is not asked again for so long
_ONE_REQUEST = Claim(ONE_REQUEST, ONE_REQUEST)
_QUEUED = Shortage("calls under way hold what is left", 1.0, passing=True)


def _nothing_held(
    attempts: Sequence[Attempt], *, streams: bool = False, waited: bool = True
) -> None:
    """The end of a call that no limit bounds."""


class Allowances:
    """The limits of keys at one router. A key without limits costs nothing."""

    def __init__(
        self,
        hive: Hive,
        metrics: Metrics,
        *,
        name: str = "router",
        clock: Callable[[], Moment] = lambda: Moment(time.time(), time.monotonic()),
        patience: float = _PATIENCE,
    ) -> None:
        self.routers = 1  # how many routers share the limits
        self.estimates = Estimates()
        self.hive_name = ""  # the hive that knows all that this router used
        self._hive, self._metrics, self._name, self._clock = hive, metrics, name, clock
        self._patience = patience
        self._alone = HiveState()
        self._away_until = 0.0  # on the clock of the event loop
        self._accounts: dict[str, Account] = {}
        self._requests: dict[str, tuple[Account, list[Reservation]]] = {}
        self._flushes: dict[str, asyncio.Task[None]] = {}

    async def admit(self, key_id: str, limits: KeyLimits, request_id: str) -> HeaderList:
        """Count one request, or raise `Limited`. Return the headers that show the limits."""
        if not limits.any:
            return []
        account = self._accounts.get(key_id)
        if account is None:
            account = self._accounts[key_id] = Account(key_id, limits)
        account.limits = limits
        if limits.requests_per_minute is not None:
            if not account.fits(_ONE_REQUEST):
                shortage = await self._ask(account, _ONE_REQUEST)
                if shortage is not None:
                    raise _limited(shortage, account.headers(self._clock()))
            account.take(_ONE_REQUEST)
        account.count(self._clock(), ONE_REQUEST)
        self._requests[request_id] = (account, [])
        return account.headers(self._clock())

    def needs_prices(self, request_id: str) -> bool:
        """Whether the limits of a request's key refuse backends of unknown price."""
        entry = self._requests.get(request_id)
        return entry is not None and entry[0].limits.needs_prices

    async def reserve(
        self, config: Config, chain: tuple[str, ...], request: Request, body: bytes
    ) -> EndCall:
        """Reserve what a call may use, or raise `Limited`. Return what to call when it ended."""
        entry = self._requests.get(request.id)
        if entry is None or not entry[0].bounds_calls:
            return _nothing_held
        account, reservations = entry
        if account.limits.needs_prices:
            _check_prices(config, chain)

        def estimate() -> Claim:
            return account.relevant(self.estimates.claim(config, chain, request, body))

        claim = estimate()
        if claim.most == NOTHING:
            return _nothing_held
        if not account.fits(claim):
            claim = await self._wait_for(account, estimate)
        reservation = account.hold(claim)
        reservations.append(reservation)

        def end(attempts: Sequence[Attempt], *, streams: bool = False, waited: bool = True) -> None:
            if not waited:
                reservation.owed = claim.likely.less(_used(attempts))
            elif streams or reservation not in account.reservations:
                reservation.owed = NOTHING
            else:
                account.narrow(reservation, _used(attempts))

        return end

    def settle(self, trace: Trace) -> None:
        """Replace the reservations of a request by what it used."""
        self.estimates.learn(trace)
        entry = self._requests.pop(trace.request.id, None)
        if entry is None:
            return
        account, reservations = entry
        used = _used((*trace.attempts, *trace.questions)).plus(
            total(each.owed for each in reservations)
        )
        self._settle(account, reservations, used)

    def close(self, request_id: str) -> None:
        """End a request that was not settled, because it was refused or failed."""
        entry = self._requests.pop(request_id, None)
        if entry is None or not entry[1]:
            return
        account, reservations = entry
        self._settle(account, reservations, total(each.likely for each in reservations))

    async def tidy(self, hive_name: str = "") -> None:
        """Report to the hive what it does not know yet, and return what idle keys leased. A hive
        with a new name is told everything."""
        now = self._clock()
        for key_id, account in list(self._accounts.items()):
            if account.idle(now):
                del self._accounts[key_id]
                continue
            behind = account.unreported or account.free != NOTHING
            if (behind or hive_name != self.hive_name) and not await self._flush(account):
                return
        self.hive_name = hive_name

    def _settle(self, account: Account, reservations: list[Reservation], used: Amounts) -> None:
        account.settle(reservations, used, self._clock())
        flush = self._flushes.get(account.key_id)
        if account.must_report and (flush is None or flush.done()):
            self._flushes[account.key_id] = asyncio.ensure_future(self._flush_soon(account))

    async def _flush_soon(self, account: Account) -> None:
        while account.unreported and await self._flush(account):
            pass
        self._flushes.pop(account.key_id, None)

    async def _flush(self, account: Account) -> bool:
        """Report an account to the hive; False if the hive did not answer."""
        async with account.asking:
            return await self._lease(account, None) is not None

    async def _wait_for(self, account: Account, estimate: Callable[[], Claim]) -> Claim:
        """Ask for a claim, and wait while calls under way hold what is missing. The estimate is
        made anew each time, because the calls that end meanwhile improve it."""
        shortage = _QUEUED
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience), account.queue:
                while True:
                    claim = estimate()
                    account.returned.clear()
                    answer = await self._ask(account, claim)
                    if answer is None:
                        return claim
                    shortage = answer
                    if not shortage.passing:
                        break
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_AGAIN):
                            await account.returned.wait()
        raise _limited(shortage, account.headers(self._clock()))

    async def _ask(self, account: Account, claim: Claim) -> Shortage | None:
        """Lease enough for a claim, and a slice; return the reason if that is impossible."""
        async with account.asking:
            if account.fits(claim):
                return None
            lease = await self._lease(account, claim)
            if lease is None:
                now = self._clock()
                report = account.report(self._name, now, claim)
                limits = account.share(now, self.routers)
                lease = self._alone.lease(account.key_id, limits, report, now.steady)
                account.free = account.free.plus(lease.granted)
            return lease.shortage

    async def _lease(self, account: Account, claim: Claim | None) -> Lease | None:
        """The hive's answer to a report on an account; None if the hive does not answer."""
        loop_time = asyncio.get_running_loop().time
        if loop_time() < self._away_until:
            return None
        now = self._clock()
        report = account.report(self._name, now, claim)
        account.unreported = False
        try:
            lease = await self._hive.lease(account.key_id, account.limits, report)
        except BaseException as error:
            account.unreported = True
            if not isinstance(error, Exception):
                raise
            # A hive that fails must not fail the request.
            self._metrics.count("waggle_hive_unreachable_total")
            self._away_until = loop_time() + _AWAY_SECONDS
            return None
        account.hear(lease, report, now)
        return lease


def _check_prices(config: Config, chain: Sequence[str]) -> None:
    """Raise `Limited` if a backend has no known price: nobody could hold its dollars to a limit."""
    unknown = [name for name in chain if config.backends[name].price is None]
    if unknown:
        raise Limited(
            f"This key has a limit of dollars, and the price of {', '.join(unknown)} is unknown. "
            f"Give it a `price` below backends.{unknown[0]}, or set keys.limits.unpriced to allow.",
            None,
        )


def _used(attempts: Sequence[Attempt]) -> Amounts:
    """The tokens and dollars of some calls. A figure that cannot be true counts as zero."""
    tokens = sum(each.usage.input_tokens + each.usage.output_tokens for each in attempts)
    usd = known_usd(attempts)
    return Amounts(0, max(tokens, 0), usd if math.isfinite(usd) and usd > 0 else 0.0)


def _limited(shortage: Shortage, headers: HeaderList) -> Limited:
    wait = shortage.retry_after
    hint = (
        "no wait helps: raise the limit, or ask for less"
        if wait is None
        else f"try again in {max(wait, 1):.0f} s"
    )
    message = f"A limit of this key refuses the request: {shortage.reason}; {hint}."
    return Limited(message, wait, headers)
