"""Admits requests and calls within the budgets that bind them: of a key, its tags and its teams.

A request counts in all of its budgets or, if one refuses it, in none; a call reserves likewise. A
request counts at once. A call reserves its tokens and dollars before it is made, and waits some
seconds for amounts that other calls hold. The end of the request settles the reservations with the
true figures, also after an error. A call whose caller left counts at its likely use. Amounts are
leased from the hive in slices, and the next slice before the last is used up, so most requests need
no call of the hive; `leasing` talks to the hive.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from router.budgets import (
    NOTHING,
    ONE_REQUEST,
    Amounts,
    Claim,
    Moment,
    Shortage,
    total,
)
from router.config.config import Config
from router.domain import Attempt, Request, Trace, known_usd
from router.engine.account import Account, Reservation
from router.engine.bindings import Binding
from router.engine.estimates import Estimates
from router.engine.leasing import Leasing
from router.engine.limit_headers import limit_headers
from router.hive import Hive
from router.plans.calling import EndCall
from router.telemetry.metrics import Metrics
from router.wire.asgi import HeaderList
from router.wire.errors import Limited

_PATIENCE = 5.0  # seconds for which a call waits for what other calls hold
_LOOK_AGAIN = 0.25  # seconds after which a waiting call asks the hive again
_ONE_REQUEST = Claim(ONE_REQUEST, ONE_REQUEST)
_QUEUED = Shortage("calls under way hold what is left", 1.0, passing=True)


def _nothing_held(
    attempts: Sequence[Attempt], *, streams: bool = False, waited: bool = True
) -> None:
    """The end of a call that no limit bounds."""


@dataclass(slots=True)
class _Bound:
    """A request under way: the budgets that bind it, and what its calls hold in each of them."""

    accounts: list[Account]  # in the order in which its calls take from them
    anthropic: bool = False  # whether the caller knows the headers of Anthropic
    held: list[tuple[Account, Reservation]] = field(default_factory=list)

    def held_in(self, account: Account) -> list[Reservation]:
        return [reservation for owner, reservation in self.held if owner is account]


class Allowances:
    """The budgets at one router. A request that no limit binds costs nothing."""

    def __init__(
        self,
        hive: Hive,
        metrics: Metrics,
        *,
        name: str = "router",
        clock: Callable[[], Moment] = lambda: Moment(time.time(), time.monotonic()),
        patience: float = _PATIENCE,
    ) -> None:
        self.leasing = Leasing(hive, metrics, name=name, clock=clock)
        self.estimates = Estimates()
        self.hive_name = ""  # the hive that knows all that this router used
        self._clock, self._patience = clock, patience
        self._accounts: dict[str, Account] = {}
        self._requests: dict[str, _Bound] = {}

    async def admit(
        self, binds: Sequence[Binding], request_id: str, *, anthropic: bool = False
    ) -> HeaderList:
        """Count one request in all of these budgets, or raise `Limited`. Return the headers that
        show what they leave. A request that was admitted may be admitted again with more budgets:
        those that bind it already are left out."""
        bound = self._requests.get(request_id, _Bound([], anthropic))
        accounts = [self._account(binding) for binding in binds if binding.limits.any]
        accounts = [account for account in accounts if account not in bound.accounts]
        if not accounts:
            return self._headers(bound) if bound.accounts else []
        held, together = list[tuple[Account, Reservation]](), [*bound.accounts, *accounts]
        together.sort(key=lambda account: account.order)
        wider = _Bound(together, anthropic, bound.held)
        try:
            for account in accounts:
                if account.limits.requests_per_minute is not None:
                    if not account.fits(_ONE_REQUEST):
                        shortage = await self.leasing.ask(account, _ONE_REQUEST)
                        if shortage is not None:
                            raise self._limited(account, shortage, wider)
                    held.append((account, account.hold(_ONE_REQUEST)))
                    self.leasing.renew_soon(account, _ONE_REQUEST)
        except BaseException:
            self._release(held)
            raise
        now, holds = self._clock(), dict(held)
        for account in accounts:
            account.settle([holds[account]] if account in holds else [], ONE_REQUEST, now)
        self._requests[request_id] = wider
        return self._headers(wider)

    def needs_prices(self, request_id: str) -> bool:
        """Whether the limits of a request refuse backends of unknown price."""
        bound = self._requests.get(request_id)
        return bound is not None and any(each.limits.needs_prices for each in bound.accounts)

    async def reserve(
        self, config: Config, chain: tuple[str, ...], request: Request, body: bytes
    ) -> EndCall:
        """Reserve what a call may use in every budget, or raise `Limited` and reserve nothing.
        Return what to call when the call ended."""
        bound = self._requests.get(request.id)
        if bound is None or not any(account.bounds_calls for account in bound.accounts):
            return _nothing_held
        held = await self._hold(
            bound, config, chain, lambda: self.estimates.claim(config, chain, request, body)
        )
        bound.held += held

        def end(attempts: Sequence[Attempt], *, streams: bool = False, waited: bool = True) -> None:
            for account, reservation in held:
                if not waited:
                    reservation.owed = reservation.likely.less(_used(attempts))
                elif streams or reservation not in account.reservations:
                    reservation.owed = NOTHING
                else:
                    account.narrow(reservation, _used(attempts))

        return end

    async def _hold(
        self,
        bound: _Bound,
        config: Config,
        chain: tuple[str, ...],
        estimate: Callable[[], Claim],
    ) -> list[tuple[Account, Reservation]]:
        """Hold what a call may use in every budget that bounds calls, or raise `Limited`."""
        accounts = [account for account in bound.accounts if account.bounds_calls]
        for account in accounts:
            if account.limits.needs_prices:
                _check_prices(config, chain, account)
        claim, held = estimate(), list[tuple[Account, Reservation]]()
        deadline = asyncio.get_running_loop().time() + self._patience
        try:
            for account in accounts:
                bounded = account.relevant(claim)
                if bounded.most == NOTHING:
                    continue
                if not account.fits(bounded):
                    claim = await self._wait_for(account, estimate, deadline, bound)
                held.append((account, account.hold(claim)))
                self.leasing.renew_soon(account, account.relevant(claim))
        except BaseException:
            self._release(held)
            raise
        return held

    def settle(self, trace: Trace) -> None:
        """Replace the reservations of a request by what it used."""
        self.estimates.learn(trace)
        bound = self._requests.pop(trace.request.id, None)
        if bound is None:
            return
        used = _used((*trace.attempts, *trace.questions))
        for account in bound.accounts:
            held = bound.held_in(account)
            self._settle(account, held, used.plus(total(each.owed for each in held)))

    def close(self, request_id: str) -> None:
        """End a request that was not settled, because it was refused or failed."""
        bound = self._requests.pop(request_id, None)
        for account in bound.accounts if bound is not None else ():
            held = bound.held_in(account) if bound is not None else []
            if held:
                self._settle(account, held, total(each.likely for each in held))

    async def tidy(self, hive_name: str = "") -> None:
        """Report to the hive what it does not know yet, and return what idle keys leased. A hive
        with a new name is told everything."""
        now = self._clock()
        self._accounts = {name: each for name, each in self._accounts.items() if not each.idle(now)}
        behind = [
            account
            for account in self._accounts.values()
            if account.unreported or account.free != NOTHING or hive_name != self.hive_name
        ]
        if await self.leasing.report(behind):
            self.hive_name = hive_name

    def _settle(self, account: Account, reservations: list[Reservation], used: Amounts) -> None:
        account.settle(reservations, used, self._clock())
        if account.must_report:
            self.leasing.report_soon(account)

    def _release(self, held: Sequence[tuple[Account, Reservation]]) -> None:
        """Give back, here and at the hive, what a call holds that another budget refused."""
        for account, reservation in held:
            account.release(reservation)
            self.leasing.report_soon(account)

    async def _wait_for(
        self,
        account: Account,
        estimate: Callable[[], Claim],
        deadline: float,
        bound: _Bound,
    ) -> Claim:
        """Ask for a claim, and wait while calls under way hold what is missing. The estimate is
        made anew each time, because the calls that end meanwhile improve it."""
        shortage = _QUEUED
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline), account.queue:
                while True:
                    claim = estimate()
                    account.returned.clear()
                    answer = await self.leasing.ask(account, account.relevant(claim))
                    if answer is None:
                        return claim
                    shortage = answer
                    if not shortage.passing:
                        break
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_AGAIN):
                            await account.returned.wait()
        raise self._limited(account, shortage, bound)

    def _account(self, binding: Binding) -> Account:
        account = self._accounts.get(binding.name)
        if account is None:
            account = self._accounts[binding.name] = Account(binding.name, binding.limits)
        account.limits, account.owner = binding.limits, binding.owner
        account.place, account.order = binding.place, binding.order
        return account

    def _headers(self, bound: _Bound) -> HeaderList:
        now = self._clock()
        rooms = [room for account in bound.accounts for room in account.rooms(now)]
        return limit_headers(rooms, wall=now.wall, anthropic=bound.anthropic)

    def _limited(self, account: Account, shortage: Shortage, bound: _Bound) -> Limited:
        """The error of a refusal: whose budget refuses, by which limit, and how to mend it."""
        wait, rule = shortage.retry_after, shortage.rule or "a limit"
        place = f"{account.place}.{rule}" if account.place.startswith("keys.") else rule
        if wait is None:
            hint = f"no wait helps: raise {place}, or ask for less"
        else:
            hint = f"try again in {max(wait, 1):.0f} s"
        message = f"The budget of {account.owner} refuses the request: {shortage.reason}; {hint}."
        return Limited(message, wait, self._headers(bound))


def _check_prices(config: Config, chain: Sequence[str], account: Account) -> None:
    """Raise `Limited` if a backend has no known price: nobody could hold its dollars to a limit."""
    unknown = [name for name in chain if config.backends[name].price is None]
    if unknown:
        names, owner = ", ".join(unknown), account.owner
        raise Limited(
            f"The budget of {owner} has a limit of dollars, and the price of {names} is unknown. "
            f"Give it a `price` below backends.{unknown[0]}, or set keys.limits.unpriced to allow.",
            None,
        )


def _used(attempts: Sequence[Attempt]) -> Amounts:
    """The tokens and dollars of some calls. A figure that cannot be true counts as zero."""
    tokens = sum(each.usage.input_tokens + each.usage.output_tokens for each in attempts)
    usd = known_usd(attempts)
    return Amounts.spent(max(tokens, 0), usd if math.isfinite(usd) and usd > 0 else 0.0)
