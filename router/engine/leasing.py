"""What a router and the hive say to each other about budgets: one message for all accounts.

What accounts used is reported after it has gathered for 20 ms; with many routers it gathers for
longer, so that the hive gets at most 200 such messages a second from all of them. A claim goes at
once, and takes along what has gathered. An account that runs low leases more ahead of its need, so
only a request that finds nothing left waits for an answer.

When the hive does not answer, each router counts alone, within its share: what was left when the
hive last answered, divided by the number of routers; after a minute of silence, the limit divided
by that number. Not covered: what other routers used after this router last heard from the hive,
and the dollars that were settled while news gathered, before a router was killed.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from router.budgets import AccountReport, Claim, Lease, Moment, Shortage
from router.engine.account import Account
from router.engine.crossings import Crossing, crossings
from router.hive import Hive, HiveNotReady, HiveState
from router.telemetry.metrics import Metrics

_GATHER_SECONDS = 0.02
_MESSAGES_PER_SECOND = 200  # of gathered news, by all routers together
_AWAY_SECONDS = 1.0  # a hive that failed is not asked again for so long


class Leasing:
    """The accounts of one router, as they lease from the hive and report to it."""

    def __init__(
        self, hive: Hive, metrics: Metrics, *, name: str, clock: Callable[[], Moment]
    ) -> None:
        self.routers = 1  # how many routers share the limits
        self.alert_shares: Sequence[float] = ()  # shares of a budget of which `tell` is told
        self.tell: Callable[[Crossing], None] = lambda _: None
        self._message = _Message(hive)
        self._metrics, self._name, self._clock = metrics, name, clock
        self._alone = HiveState()
        self._away_until = 0.0  # on the clock of the event loop
        self._behind: dict[Account, None] = {}  # accounts whose news gathers
        self._gathering: asyncio.Task[None] | None = None
        self._renewing: set[Account] = set()
        self._calls: set[asyncio.Task[None]] = set()

    async def ask(self, account: Account, claim: Claim) -> Shortage | None:
        """Lease enough for a claim, and a slice; return the reason if that is impossible."""
        async with account.asking:
            if account.fits(claim):
                return None
            self._send_gathered()
            lease = await self._lease(account, claim)
            if lease is None:
                now = self._clock()
                report = account.report(self._name, now, claim)
                limits = account.share(now, self.routers)
                lease = self._alone.lease(account.name, limits, report, now.steady)
                account.free = account.free.plus(lease.granted)
            return lease.shortage

    async def report(self, accounts: Iterable[Account]) -> bool:
        """Report these accounts to the hive; False if the hive did not answer."""
        return all(await asyncio.gather(*(self._report(account) for account in accounts)))

    def report_soon(self, account: Account) -> None:
        self._behind[account] = None
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.ensure_future(self._gather())

    def renew_soon(self, account: Account, claim: Claim) -> None:
        """Lease more before nothing is left, beside the requests."""
        if account.runs_low(claim) and account not in self._renewing:
            self._renewing.add(account)
            self._begin(self._renew(account, claim))
            self._send_gathered()

    async def _gather(self) -> None:
        while self._behind:
            self._send_gathered()
            await asyncio.sleep(max(_GATHER_SECONDS, self.routers / _MESSAGES_PER_SECOND))

    def _send_gathered(self) -> None:
        """Report what has gathered. An account that is being asked about now follows later."""
        for account in [each for each in self._behind if not each.asking.locked()]:
            del self._behind[account]
            self._begin(self._report_news(account))

    def _begin(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _renew(self, account: Account, claim: Claim) -> None:
        try:
            async with account.asking:
                if account.runs_low(claim):
                    await self._lease(account, Claim(claim.most, claim.most), ahead=True)
        finally:
            self._renewing.discard(account)

    async def _report_news(self, account: Account) -> None:
        async with account.asking:
            if account.unreported:
                await self._lease(account, None)

    async def _report(self, account: Account) -> bool:
        async with account.asking:
            return await self._lease(account, None) is not None

    async def _lease(
        self, account: Account, claim: Claim | None, *, ahead: bool = False
    ) -> Lease | None:
        """The hive's answer to a report on an account; None if the hive does not answer."""
        loop_time = asyncio.get_running_loop().time
        if loop_time() < self._away_until:
            return None
        now = self._clock()
        report = account.report(self._name, now, claim, ahead=ahead)
        account.unreported = False
        try:
            lease = await self._message.lease(AccountReport(account.name, account.limits, report))
        except BaseException as error:
            account.unreported = True
            if not isinstance(error, Exception):
                raise
            # A hive that fails must not fail the request.
            self._metrics.count("waggle_hive_unreachable_total")
            self._away_until = loop_time() + _AWAY_SECONDS
            return None
        account.hear(lease, report, now)
        shortage = None if ahead else lease.shortage  # nobody was refused yet
        reached = crossings(
            account.owner, account.limits, lease.used, now, self.alert_shares, shortage
        )
        for crossing in account.news(reached):
            self.tell(crossing)
        return lease


class _Message:
    """Puts all reports of one turn of the event loop in one message to the hive."""

    def __init__(self, hive: Hive) -> None:
        self._hive = hive
        self._open: list[tuple[AccountReport, asyncio.Future[Lease]]] = []
        self._sent: set[asyncio.Task[None]] = set()

    async def lease(self, report: AccountReport) -> Lease:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Lease] = loop.create_future()
        self._open.append((report, answer))
        if len(self._open) == 1:
            loop.call_soon(self._send)
        return await answer

    def _send(self) -> None:
        waiting, self._open = self._open, []
        sending = asyncio.ensure_future(self._answer(waiting))
        self._sent.add(sending)
        sending.add_done_callback(self._sent.discard)

    async def _answer(self, waiting: Sequence[tuple[AccountReport, asyncio.Future[Lease]]]) -> None:
        try:
            leases = await self._hive.lease_all([report for report, _ in waiting])
        except Exception as error:
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), lease in zip(waiting, leases, strict=True):
            if answer.done():  # whoever asked has left
                continue
            if lease is None:
                answer.set_exception(HiveNotReady())
            else:
                answer.set_result(lease)
