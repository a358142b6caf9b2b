"""A `Runner` that forks workers from locked zygotes in advance, and gives each one program.

The queue of waiting programs is bounded. If a zygote is killed from outside, its runs are repeated.
"""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from sandbox.runner import LIMITS, Busy, Limits, Program, Run, RunRefused, Tier
from sandbox.supervisor.conversation import Conversation, job_of
from sandbox.supervisor.nursery import Nursery
from sandbox.supervisor.parent import Parent, Worker, ZygoteLost

_READY = 2  # workers that wait for programs, in each tier
_WORKER_SECONDS = 60.0  # how long a fork may take, on a machine that is busy elsewhere
_TRIES = 3  # a run is repeated if its zygote is killed from outside


@dataclass(slots=True)
class _Tier:
    """One set of libraries: its zygote, and the workers forked from it."""

    name: Tier
    level: int
    limits: Limits
    nursery: Nursery
    ready: deque[Worker] = field(default_factory=deque)
    waiting: deque["asyncio.Future[Worker]"] = field(default_factory=deque)
    ordered: dict[int, "asyncio.Future[Worker]"] = field(default_factory=dict)  # by slot
    parent: Parent | None = None
    starting: "asyncio.Task[Parent] | None" = None
    coming: int = 0  # requested forks whose workers have not arrived yet

    async def open(self) -> Parent:
        if self.parent is not None and not self.parent.lost:
            return self.parent
        if self.starting is None or self.starting.done():
            self.starting = asyncio.ensure_future(self._start())
        return await asyncio.shield(self.starting)

    async def _start(self) -> Parent:
        parent = await self.nursery.zygote(self.name, self.level)
        parent.on_worker, parent.on_lost = self._receive, self._lose
        self.parent, self.coming = parent, 0
        self.refill()
        return parent

    async def take(self, limits: Limits) -> Worker:
        parent = await self.open()
        if _settings(limits) != _settings(self.limits):
            return await self.order(parent, _settings(limits))
        if self.ready:
            return self.ready.popleft()
        arrival: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self.waiting.append(arrival)
        self.refill()
        return await asyncio.wait_for(arrival, _WORKER_SECONDS)

    async def order(self, parent: Parent, settings: Mapping[str, object]) -> Worker:
        """Fork a worker with special settings, because ready workers have the usual settings."""
        arrival: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self.ordered[parent.fork(**settings)] = arrival
        return await asyncio.wait_for(arrival, _WORKER_SECONDS)

    def refill(self) -> None:
        """Fork workers until enough are ready. Call this after a run, which a fork slows down."""
        if self.parent is None or self.parent.lost:
            return
        with contextlib.suppress(ZygoteLost):  # `_lose` raises this error in every waiting caller
            while len(self.ready) + self.coming < _READY + len(self.waiting):
                self.parent.fork(**_settings(self.limits))
                self.coming += 1

    def _receive(self, worker: Worker) -> None:
        """Give a new worker to the caller who ordered it or waits longest, or keep it ready."""
        arrival = self.ordered.pop(worker.slot, None)
        if arrival is None:
            self.coming -= 1
            while self.waiting and arrival is None:
                first = self.waiting.popleft()
                arrival = None if first.done() else first
        if arrival is None:
            self.ready.append(worker)
        elif arrival.done():
            worker.kill()
            worker.close()
        else:
            arrival.set_result(worker)

    def _lose(self) -> None:
        gone = ZygoteLost(f"the zygote of {self.name} is gone")
        for arrival in (*self.waiting, *self.ordered.values()):
            if not arrival.done():
                arrival.set_exception(gone)
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
    """Runs programs at one level of isolation; `sandbox.levels.open_pool` chooses the level."""

    def __init__(
        self,
        level: int,
        *,
        limits: Limits = LIMITS,
        at_once: int | None = None,
        queue: int = 64,
        nursery: Nursery | None = None,
    ) -> None:
        """`nursery`: where zygotes come from; the pool closes it at its end."""
        self.level = level
        self.limits = limits
        self._queue = queue
        self._nursery = nursery or Nursery()
        self._free = at_once or os.cpu_count() or 1
        self._waiting: deque[asyncio.Future[None]] = deque()
        names: Sequence[Tier] = ("stdlib", "numpy", "scipy")
        self._tiers: dict[Tier, _Tier] = {
            name: _Tier(name, level, limits, self._nursery) for name in names
        }

    async def start(self, tiers: Sequence[Tier] = ("stdlib", "numpy", "scipy")) -> None:
        """Start these tiers now. Other tiers start when a program first needs them."""
        await asyncio.gather(*(self._tiers[tier].open() for tier in tiers))

    async def run(self, program: Program, limits: Limits | None = None) -> Run:
        """Run a program. Raises `Busy` if too many wait; the program's errors are in the `Run`."""
        limits = limits or self.limits
        tier, job = self._tiers[program.tier], job_of(program, limits)
        async with self._turn():
            for attempt in range(_TRIES):
                try:
                    worker = await tier.take(limits)
                    run = await Conversation(worker, job, limits).run()
                except ZygoteLost:  # the next attempt starts a new zygote
                    if attempt == _TRIES - 1:
                        raise
                else:
                    return replace(run, tier=tier.name, level=self.level)
                finally:
                    tier.refill()
        raise AssertionError("unreachable")

    @property
    def zygotes(self) -> dict[Tier, int]:
        """The process ids of the running zygotes."""
        return {
            name: tier.parent.process_id
            for name, tier in self._tiers.items()
            if tier.parent is not None and not tier.parent.lost
        }

    async def order(self, tier: Tier, settings: Mapping[str, object]) -> Worker:
        """Fork a worker for something other than a program. The caller must end the worker."""
        group = self._tiers[tier]
        return await group.order(await group.open(), settings)

    async def end_zygotes(self) -> None:
        await asyncio.gather(*(tier.close() for tier in self._tiers.values()))

    async def close(self) -> None:
        try:
            await self.end_zygotes()
        finally:
            await self._nursery.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._free > 0:
            self._free -= 1
        elif len(self._waiting) >= self._queue:
            raise Busy(f"{len(self._waiting)} programs wait and the queue is full: try again later")
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_turn()
                raise
        try:
            yield
        finally:
            self._pass_turn()

    def _pass_turn(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def _settings(limits: Limits) -> dict[str, object]:
    """The settings of a new worker: limits that cannot change later."""
    return {
        "kind": "program",
        "memory_bytes": limits.memory_bytes,
        "cpu_seconds": limits.cpu_seconds,
    }
