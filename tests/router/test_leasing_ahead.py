"""A request waits for the hive only when nothing is left: the next slice is leased before that."""

import asyncio

import pytest

from router.budgets import Moment
from router.config.server import KeyLimits
from router.engine.allowances import Allowances
from router.engine.bindings import Binding
from router.hive import LocalHive
from router.telemetry.metrics import Metrics
from router.wire.errors import Limited

NOON = 100.5 * 86_400


class GatedHive(LocalHive):
    """A hive that answers only while its gate is open."""

    def __init__(self):
        super().__init__(lambda: NOON)
        self.gate, self.questions = asyncio.Event(), 0

    async def lease_all(self, reports):
        self.questions += 1
        await self.gate.wait()
        return await super().lease_all(reports)


class Door:
    def __init__(self, hive, name="r"):
        self.allowances = Allowances(
            hive, Metrics(), name=name, clock=lambda: Moment(NOON, NOON), patience=0.05
        )
        self.requests = 0

    async def admit(self, limit):
        self.requests += 1
        limits = KeyLimits(requests_per_minute=limit)
        binding = Binding("key", "key alice", "keys.limits", limits)
        await self.allowances.admit([binding], f"q{self.requests}")


async def until_quiet():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_requests_go_on_while_the_hive_takes_its_time_with_the_next_slice():
    hive = GatedHive()
    door = Door(hive)
    hive.gate.set()
    await door.admit(20_000)  # leases a slice of 999 beside
    for _ in range(8):
        hive.gate.clear()
        async with asyncio.timeout(30):
            for _ in range(300):
                await door.admit(20_000)
                await asyncio.sleep(0)
        hive.gate.set()
        await until_quiet()
    assert 2 < hive.questions < 8


@pytest.mark.parametrize("limit", [1, 7, 100, 300])
async def test_leasing_ahead_lets_no_request_more_through_than_the_limit(limit):
    hive = GatedHive()
    hive.gate.set()
    doors = [Door(hive, name) for name in ("a", "b", "c")]

    async def knock(door):
        try:
            await door.admit(limit)
        except Limited:
            return 0
        await asyncio.sleep(0)
        return 1

    admitted = sum(await asyncio.gather(*(knock(doors[n % 3]) for n in range(3 * limit + 30))))
    assert admitted <= limit
    for door in doors:
        await door.allowances.tidy("hive")
    assert (await hive.budget_uses(NOON))["key"].used.requests == admitted
