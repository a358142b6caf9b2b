"""A `Runner` over locked zygotes: workers forked ahead, one program each, a bounded queue."""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from sandbox.runner import LIMITS, Busy, Limits, Program, Run, RunRefused, Tier
from sandbox.supervisor.conversation import Conversation, job_of
from sandbox.supervisor.parent import Parent, Worker, ZygoteLost, start

_READY = 2  # workers that wait, in each tier
_WORKER_SECONDS = 10.0
_AGAIN_SECONDS = 1.0  # after a zygote that would not start


@dataclass(slots=True)
class _Tier:
    """The workers of one set of libraries, and the zygote they come from."""

    name: Tier
    level: int
    limits: Limits
    ready: deque[Worker] = field(default_factory=deque)
    waiting: deque["asyncio.Future[Worker]"] = field(default_factory=deque)
    ordered: dict[int, "asyncio.Future[Worker]"] = field(default_factory=dict)
    parent: Parent | None = None
    starting: "asyncio.Task[Parent] | None" = None
    asked: int = 0

    async def open(self) -> Parent:
        if self.parent is not None and not self.parent.lost:
            return self.parent
        if self.starting is None or self.starting.done():
            self.starting = asyncio.ensure_future(self._start())
        return await asyncio.shield(self.starting)

    async def _start(self) -> Parent:
        parent = await start(self.name, self.level)
        parent.on_worker, parent.on_lost = self._came, self._lost
        self.parent, self.asked = parent, 0
        self.refill()
        return parent

    async def take(self, limits: Limits) -> Worker:
        parent = await self.open()
        if _forked_alike(limits, self.limits):
            if self.ready:
                return self.ready.popleft()
            coming: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
            self.waiting.append(coming)
            self.refill()
        else:
            return await self.order(parent, _settings(limits))
        return await asyncio.wait_for(coming, _WORKER_SECONDS)

    async def order(self, parent: Parent, settings: Mapping[str, object]) -> Worker:
        """A worker made for one purpose, which none of those that wait would serve."""
        coming: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self.ordered[parent.fork(**settings)] = coming
        return await asyncio.wait_for(coming, _WORKER_SECONDS)

    def refill(self) -> None:
        """Order what is missing. After a run, not before: a fork would be in its way."""
        if self.parent is None or self.parent.lost:
            return
        with contextlib.suppress(ZygoteLost):  # whoever waits is told by `_lost`
            while len(self.ready) + self.asked < _READY + len(self.waiting):
                self.parent.fork(**_settings(self.limits))
                self.asked += 1

    def _came(self, worker: Worker) -> None:
        ordered = self.ordered.pop(worker.slot, None)
        if ordered is None:
            self.asked -= 1
            while self.waiting and ordered is None:
                first = self.waiting.popleft()
                ordered = None if first.done() else first
        if ordered is None:
            self.ready.append(worker)
        elif ordered.done():
            worker.kill()
            worker.close()
        else:
            ordered.set_result(worker)

    def _lost(self) -> None:
        gone = ZygoteLost(f"the zygote of {self.name} is gone")
        for coming in (*self.waiting, *self.ordered.values()):
            if not coming.done():
                coming.set_exception(gone)
        for worker in self.ready:
            worker.kill()
            worker.close()
        self.ready.clear()
        self.waiting.clear()
        self.ordered.clear()

    async def close(self) -> None:
        if self.starting is not None:
            with contextlib.suppress(RunRefused, asyncio.CancelledError):
                await self.starting
        if self.parent is not None:
            await self.parent.close()


class Pool:
    """Runs programs at one level of isolation; `sandbox.levels.open_pool` finds which."""

    def __init__(
        self,
        level: int,
        *,
        limits: Limits = LIMITS,
        at_once: int | None = None,
        queue: int = 64,
    ) -> None:
        self.level = level
        self.limits = limits
        self._queue = queue
        self._free = at_once or os.cpu_count() or 1
        self._waiting: deque[asyncio.Future[None]] = deque()
        names: Sequence[Tier] = ("stdlib", "numpy", "scipy")
        self._tiers: dict[Tier, _Tier] = {name: _Tier(name, level, limits) for name in names}

    async def start(self, tiers: Sequence[Tier] = ("stdlib", "numpy", "scipy")) -> None:
        """Have these ready; others start when a program first needs them."""
        await asyncio.gather(*(self._tiers[tier].open() for tier in tiers))

    async def run(self, program: Program, limits: Limits | None = None) -> Run:
        """`Busy` where too many wait. What the program does wrong is in the run."""
        limits = limits or self.limits
        tier, job = self._tiers[program.tier], job_of(program, limits)
        async with self._turn():
            for attempt in range(3):
                try:
                    worker = await tier.take(limits)
                    run = await Conversation(worker, job, limits).held()
                except (
                    ZygoteLost
                ):  # killed from outside, by a machine without memory: a new one starts
                    if attempt == 2:
                        raise
                else:
                    return replace(run, tier=tier.name, level=self.level)
                finally:
                    tier.refill()
        raise AssertionError("unreachable")

    @property
    def zygotes(self) -> dict[Tier, int]:
        """Process ids, for whoever watches."""
        return {
            name: tier.parent.process_id
            for name, tier in self._tiers.items()
            if tier.parent is not None and not tier.parent.lost
        }

    async def order(self, tier: Tier, settings: Mapping[str, object]) -> Worker:
        """A worker for something else than a program; whoever ordered it ends it."""
        found = self._tiers[tier]
        return await found.order(await found.open(), settings)

    async def close(self) -> None:
        await asyncio.gather(*(tier.close() for tier in self._tiers.values()))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._free > 0:
            self._free -= 1
        elif len(self._waiting) >= self._queue:
            raise Busy(f"{len(self._waiting)} programs wait, and no more may: try again later")
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._give_on()
                raise
        try:
            yield
        finally:
            self._give_on()

    def _give_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def _settings(limits: Limits) -> dict[str, object]:
    return {
        "kind": "program",
        "memory_bytes": limits.memory_bytes,
        "cpu_seconds": limits.cpu_seconds,
    }


def _forked_alike(some: Limits, others: Limits) -> bool:
    return (some.memory_bytes, some.cpu_seconds) == (others.memory_bytes, others.cpu_seconds)
