"""The messages of many routers to one hive, simulated with the router's own classes.

Each router has real allowances, homes and metrics, and the real loop of its exchanges; the hive is
the real state, with its ledger. The hive answers one message at a time: a message takes the CPU
that it really took here, and `delivery_seconds` for Ray's part. So a hive with too much to do
answers late, and routers give it up after half a second, as they do in a service.
"""

import asyncio
import gc
import pickle
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from experiments.scale.virtual_time import simulate
from experiments.telemetry.run import trace
from router.api.background import Background
from router.budgets import AccountReport, Amounts, BudgetUse, Lease, Moment
from router.config.server import KeyLimits
from router.domain import Home
from router.engine.allowances import Allowances
from router.engine.bindings import Binding
from router.engine.conversations import Homes
from router.engine.engine import Engine
from router.hive import HiveState, News
from router.telemetry.metrics import Metrics

Answer = TypeVar("Answer")
_WALL = 1_795_780_800.0  # noon of a day in the middle of a month
_BEGUN = 1000.0  # on the routers' steady clocks, which ran for a while already
_GIVEN_UP_SECONDS = 0.5
_SAVE_SECONDS = 0.05
_LIMITS: dict[str, KeyLimits] = {
    "no limits": KeyLimits(),
    "dollars a day": KeyLimits(dollars_per_day=10.0**9),
}
LIMITS = tuple(_LIMITS)


@dataclass(frozen=True, slots=True)
class Size:
    routers: int
    requests_per_second: float
    budgets: int = 20  # of keys or teams, among which the requests are divided


@dataclass
class TimedHive:
    """The hive of a service, as one process with a queue."""

    delivery_seconds: float
    state: HiveState = field(default_factory=HiveState)
    free_at: float = 0.0
    cpu_seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    messages: Counter[str] = field(default_factory=Counter)
    reports: int = 0
    sent_bytes: int = 0
    given_up: int = 0

    async def lease_all(self, reports: Sequence[AccountReport]) -> Sequence[Lease | None]:
        def work(message: Sequence[AccountReport]) -> Sequence[Lease | None]:
            return self.state.lease_all(message, asyncio.get_running_loop().time())

        self.reports += len(reports)
        return await self._answered("leases", reports, work)

    async def exchange(self, router: str, news: News) -> News:
        def work(message: tuple[str, News]) -> News:
            return self.state.exchange(*message, asyncio.get_running_loop().time())

        return await self._answered("exchanges", (router, news), work)

    async def all_metrics(self) -> Mapping[str, bytes]:
        return self.state.all_metrics()

    async def budget_uses(self, wall: float) -> Mapping[str, BudgetUse]:
        del wall
        return {}

    async def keep_ledger(self) -> None:
        """Make the ledger as often as the hive's process writes it."""
        while True:
            await asyncio.sleep(_SAVE_SECONDS)
            begun = time.thread_time()
            self.state.unsaved()
            seconds = time.thread_time() - begun
            self.cpu_seconds["ledger"] += seconds
            self.free_at = max(self.free_at, asyncio.get_running_loop().time()) + seconds

    async def _answered(self, kind: str, message: Any, work: Callable[[Any], Answer]) -> Answer:
        content = pickle.dumps(message)
        begun = time.thread_time()
        answer = work(pickle.loads(content))
        packed = pickle.dumps(answer)
        seconds = time.thread_time() - begun + self.delivery_seconds
        self.messages[kind] += 1
        self.cpu_seconds[kind] += seconds
        self.sent_bytes += len(packed)
        now = asyncio.get_running_loop().time()
        self.free_at = max(self.free_at, now) + seconds
        if self.free_at - now > _GIVEN_UP_SECONDS:
            self.given_up += 1
            await asyncio.sleep(_GIVEN_UP_SECONDS)
            raise TimeoutError
        await asyncio.sleep(self.free_at - now)
        return cast(Answer, pickle.loads(packed))


class _Router:
    def __init__(self, name: str, hive: TimedHive, size: Size, limits: str) -> None:
        self._name, self._size = name, size
        self._chance = random.Random(name)
        metrics = Metrics()
        self._allowances = Allowances(hive, metrics, name=name, clock=_moment)
        self._allowances.leasing.routers = size.routers
        self._homes = Homes()
        self._trace = trace()
        bound = _LIMITS[limits]
        self._bindings = [
            Binding(f"team {n}", f"team {n}", "keys.teams", bound)
            for n in range(size.budgets if bound.any else 0)
        ]
        engine = SimpleNamespace(
            metrics=metrics,
            allowances=self._allowances,
            homes=self._homes,
            silent={},
            steady=asyncio.get_running_loop().time,
            config=SimpleNamespace(backends=(), knowledge={}),
            rights=SimpleNamespace(rights=None),
        )
        self._background = Background(
            *(cast(Engine, engine), hive, cast(Any, None), cast(Any, None)),
            name=name,
            running=lambda: 0,
        )
        self._fill_the_last_minute()

    def _fill_the_last_minute(self) -> None:
        """A service that has run for a while has reports of a whole minute."""
        rate = self._size.requests_per_second / self._size.routers / max(self._size.budgets, 1)
        for binding in self._bindings:
            account = self._allowances._account(binding)
            for second in range(60):
                ago = Moment(_WALL, _moment().steady - 59 + second)
                account.count(ago, Amounts(max(round(rate), 1), 100))

    async def run(self, seconds: float) -> int:
        tasks = [asyncio.ensure_future(self._background.keep_exchanging())]
        await asyncio.sleep(self._chance.random() * 0.25)
        rate, served = self._size.requests_per_second / self._size.routers, 0
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(self._chance.expovariate(rate))
            tasks.append(asyncio.ensure_future(self._serve(served)))
            served += 1
        for task in tasks:
            task.cancel()
        return served

    async def _serve(self, number: int) -> None:
        """What a request says to the hive: its budget is admitted and settled, its home kept."""
        request = replace(self._trace.request, id=f"{self._name} {number}")
        if self._bindings:
            await self._allowances.admit([self._chance.choice(self._bindings)], request.id)
            self._allowances.settle(replace(self._trace, request=request))
        session = f"{self._name}-{self._chance.randrange(10**6):016}"
        self._homes.settle(session, Home("fast", "local", _moment().wall))


def _moment() -> Moment:
    elapsed = asyncio.get_running_loop().time()
    return Moment(_WALL + elapsed, _BEGUN + elapsed)


def hive_of(size: Size, limits: str, delivery_seconds: float, seconds: float) -> dict[str, float]:
    """What the hive of such a service does in a second."""
    hive = TimedHive(delivery_seconds)

    async def service() -> int:
        routers = [_Router(f"r{n}", hive, size, limits) for n in range(size.routers)]
        saving = asyncio.ensure_future(hive.keep_ledger())
        served = sum(await asyncio.gather(*(router.run(seconds) for router in routers)))
        saving.cancel()
        return served

    gc.disable()  # it would look among the objects of all routers, on the account of the hive
    try:
        served = simulate(service())
    finally:
        gc.enable()
    return {
        "routers": size.routers,
        "asked_per_second": size.requests_per_second,
        "served_per_second": served / seconds,
        "exchanges_per_second": hive.messages["exchanges"] / seconds,
        "leases_per_second": hive.messages["leases"] / seconds,
        "reports_per_second": hive.reports / seconds,
        "exchange_ms": 1e3 * hive.cpu_seconds["exchanges"] / max(hive.messages["exchanges"], 1),
        "lease_ms": 1e3 * hive.cpu_seconds["leases"] / max(hive.messages["leases"], 1),
        "ledger_cores": hive.cpu_seconds["ledger"] / seconds,
        "cores": sum(hive.cpu_seconds.values()) / seconds,
        "sent_mb_per_second": hive.sent_bytes / seconds / 1e6,
        "given_up_per_second": hive.given_up / seconds,
    }
