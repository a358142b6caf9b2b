"""The hive, which all routers share: all budgets, the homes of conversations, all counters.

One process holds the hive. Routers lease requests, tokens and dollars from the hive in slices, and
keep working when it does not answer. `now` is the time on a clock that nobody can set, so a step of
the wall clock ends no lease and silences no router; the days of dollars come with the reports.

Where conversations live goes through the hive packed: the hive keeps the parcels of the routers in
their order, and passes them on without reading them.

The ledger, a file, holds the dollars that each router spent within each budget on the last days and
in the last months. After a restart the hive grants nothing until the routers in the ledger have
reported the last minute again, or for two seconds. A restart loses the homes of conversations, and
the last minute of a router that was killed together with the hive.
"""

import logging
import math
import pickle
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import orjson

from router.budgets import DAY, AccountReport, Budget, BudgetUse, Lease, Moment, Report
from router.config.server import KeyLimits
from router.domain import Home
from router.files import write_durably

_PARCELS_BYTES = 32_000_000  # of the homes of conversations, for routers that start
_PARCEL_BYTES = 100  # what a parcel takes beside its content
_METRICS_SECONDS = 30  # the hive drops the counters of a router that is silent for longer
_LEASE_SECONDS = 10  # the hive ends the leases of a router that is silent for longer
_RETURN_SECONDS = 2.0  # how long a restarted hive waits for the reports of the routers

_log = logging.getLogger("waggle")


class HiveNotReady(Exception):
    """The hive has restarted, and waits for the routers to report what they used."""


@dataclass(frozen=True, slots=True)
class News:
    """Parcels of homes that moved since `position`, oldest first, and a router's own counters.

    `hive` names the hive's process; a router that names it has reported its last minute to it.
    """

    homes: Sequence[bytes] = ()
    position: int = 0
    metrics: bytes = b""
    hive: str = ""


def packed(homes: Mapping[str, Home]) -> Sequence[bytes]:
    """The homes of conversations as a parcel, if there are any."""
    return (pickle.dumps(dict(homes), protocol=5),) if homes else ()


def unpacked(parcels: Sequence[bytes]) -> Mapping[str, Home]:
    """The homes in these parcels; of a conversation that moved again, the newest."""
    homes: dict[str, Home] = {}
    for parcel in parcels:
        homes |= pickle.loads(parcel)  # noqa: S301  (of our own routers)
    return homes


class Hive(Protocol):
    async def lease_all(self, reports: Sequence[AccountReport]) -> Sequence[Lease | None]: ...
    async def exchange(self, router: str, news: News) -> News: ...
    async def all_metrics(self) -> Mapping[str, bytes]: ...
    async def budget_uses(self, wall: float) -> Mapping[str, BudgetUse]: ...


class HiveState:
    """The state of the hive; `ledger` is the file of the dollars that were spent."""

    def __init__(self, ledger: Path | None = None) -> None:
        self.name = uuid4().hex
        self._ledger: Path | None = None
        self._budgets: dict[str, Budget] = {}
        self._parcels: deque[bytes] = deque()
        self._parcels_bytes = 0
        self._position = 0  # how many parcels came
        self._metrics: dict[str, tuple[float, bytes]] = {}
        self._heard: dict[str, float] = {}  # when each router was last heard
        self._awaited: set[str] = set()  # routers that must report before anything is granted
        self._begun: float | None = None
        self._unsaved = False
        if ledger is not None:
            self.keep_in(ledger)

    def keep_in(self, ledger: Path) -> None:
        """Use this file as the ledger: read the dollars spent, and save them there from now on."""
        if ledger != self._ledger:
            self._ledger = ledger
            self._restore()

    def lease(self, key_id: str, limits: KeyLimits, report: Report, now: float) -> Lease:
        """Take in a router's report, and grant its claim or refuse it. Raises `HiveNotReady`."""
        self._hear(report.router, now)
        budget = self._budgets.setdefault(key_id, Budget())
        spent = budget.spent_by(report.router)
        waits = bool(self._awaited) and now < (self._begun or now) + _RETURN_SECONDS
        lease = budget.lease(limits, report._replace(claim=None) if waits else report, now)
        self._unsaved = self._unsaved or spent != budget.spent_by(report.router)
        if waits and report.claim is not None:
            raise HiveNotReady
        return lease

    def lease_all(self, reports: Sequence[AccountReport], now: float) -> list[Lease | None]:
        """Answer each of these reports; None stands for a claim that a restarted hive has to
        leave unanswered, until the routers have reported what they used."""
        leases: list[Lease | None] = []
        for budget, limits, report in reports:
            try:
                leases.append(self.lease(budget, limits, report, now))
            except HiveNotReady:
                leases.append(None)
        return leases

    def exchange(self, router: str, news: News, now: float) -> News:
        """Store a router's news, and return the news of other routers since its position."""
        # A router's position beyond ours dates from before our restart: then send everything.
        position = news.position if news.position <= self._position else 0
        others = [*islice(reversed(self._parcels), self._position - position)][::-1]
        for parcel in news.homes:
            self._position += 1
            self._parcels.append(parcel)
            self._parcels_bytes += len(parcel) + _PARCEL_BYTES
        while self._parcels_bytes > _PARCELS_BYTES:
            self._parcels_bytes -= len(self._parcels.popleft()) + _PARCEL_BYTES
        self._metrics[router] = (now, news.metrics)
        self._metrics = {
            name: (at, metrics)
            for name, (at, metrics) in self._metrics.items()
            if now - at < _METRICS_SECONDS
        }
        self._hear(router, now)
        if news.hive == self.name:
            self._awaited.discard(router)
        return News(others, self._position, hive=self.name)

    def all_metrics(self) -> Mapping[str, bytes]:
        return {router: metrics for router, (_, metrics) in self._metrics.items()}

    def budget_uses(self, at: Moment) -> Mapping[str, BudgetUse]:
        """What each budget has used and holds; a budget that was never used is absent."""
        return {name: budget.use(at.steady, at) for name, budget in self._budgets.items()}

    def unsaved(self) -> bytes | None:
        """The ledger to write, if it has changed since this was last called."""
        if not self._unsaved:
            return None
        self._unsaved = False
        spent = {key: budget.usd for key, budget in self._budgets.items() if budget.usd}
        months = {key: budget.months for key, budget in self._budgets.items() if budget.months}
        ledger = {"routers": list(self._heard), "spent": spent, "months": months}
        return orjson.dumps(ledger, option=orjson.OPT_NON_STR_KEYS)

    def write(self, ledger: bytes) -> None:
        """Write the ledger. On a full disk, the next change tries again."""
        if self._ledger is None:
            return
        try:
            write_durably(self._ledger, ledger)
        except OSError as error:
            _log.warning("the ledger %s could not be written: %s", self._ledger, error)
            self._unsaved = True

    def _restore(self) -> None:
        if self._ledger is None or not self._ledger.exists():
            return
        try:
            routers, budgets = _read_ledger(orjson.loads(self._ledger.read_bytes()))
        except (orjson.JSONDecodeError, ValueError, TypeError, AttributeError):
            # Set an unreadable ledger aside, for people to look at, and count from zero.
            self._ledger.replace(self._ledger.with_suffix(".unreadable"))
            return
        self._budgets |= budgets
        self._awaited = routers

    def _hear(self, router: str, now: float) -> None:
        """Note that a router lives, and end the leases of routers that fell silent."""
        if self._begun is None:
            self._begun = now
        self._unsaved = self._unsaved or router not in self._heard
        self._heard[router] = now
        silent = {name: at for name, at in self._heard.items() if now - at > _LEASE_SECONDS}
        for name, at in silent.items():
            del self._heard[name]
            for budget in self._budgets.values():
                budget.expire(name, at)


def _read_ledger(ledger: Any) -> tuple[set[str], dict[str, Budget]]:
    """The routers in a ledger, and for each budget the dollars of each day, month and router."""
    if not isinstance(ledger, dict):
        raise TypeError(f"a ledger is an object, not {ledger!r:.80}")
    budgets = {}
    by_month = ledger.get("months") if "spent" in ledger else None
    for name, spent in ledger.get("spent", ledger).items():
        usd = _by_period(name, spent)
        # A ledger of an earlier version holds no months: then the days that it holds count.
        months = _months_of(usd) if by_month is None else _by_period(name, by_month.get(name, {}))
        budgets[name] = Budget(usd=usd, months=months)
    return set(ledger.get("routers", ())), budgets


def _by_period(name: str, spent: Any) -> dict[int, dict[str, float]]:
    """Dollars by day or month, and by router. Raises an error if they cannot be true."""
    # A ledger of an earlier version holds one day and its dollars for each key.
    periods = spent.items() if isinstance(spent, dict) else [spent]
    usd = {int(period): _by_router(dollars) for period, dollars in periods}
    amounts = [amount for by_router in usd.values() for amount in by_router.values()]
    if not all(math.isfinite(amount) and amount >= 0 for amount in amounts):
        raise ValueError(f"the dollars of {name} are {usd!r}")
    return usd


def _months_of(days: Mapping[int, Mapping[str, float]]) -> dict[int, dict[str, float]]:
    """The dollars of each month, summed from its days."""
    months: dict[int, dict[str, float]] = {}
    for day, by_router in days.items():
        month = months.setdefault(Moment(day * DAY, 0.0).month, {})
        for router, usd in by_router.items():
            month[router] = month.get(router, 0.0) + usd
    return months


def _by_router(dollars: Any) -> dict[str, float]:
    """Dollars by router; an earlier version named no routers, and held one sum for each key."""
    by_router = dollars if isinstance(dollars, dict) else {"": dollars}
    return {router: float(amount) for router, amount in by_router.items()}


class LocalHive:
    """The hive of routers that run in one process; `clock` is steady."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._state, self._clock = HiveState(), clock

    async def lease_all(self, reports: Sequence[AccountReport]) -> Sequence[Lease | None]:
        return self._state.lease_all(reports, self._clock())

    async def exchange(self, router: str, news: News) -> News:
        return self._state.exchange(router, news, self._clock())

    async def all_metrics(self) -> Mapping[str, bytes]:
        return self._state.all_metrics()

    async def budget_uses(self, wall: float) -> Mapping[str, BudgetUse]:
        return self._state.budget_uses(Moment(wall, self._clock()))
