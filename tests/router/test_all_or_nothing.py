"""Calls that need several budgets at once: all of them or none, also when one refuses or waits."""

import asyncio
import contextlib
import random

import pytest

from router.budgets import Moment
from router.config.config import Config
from router.config.server import KeyLimits
from router.engine.allowances import Allowances
from router.engine.bindings import Binding
from router.hive import LocalHive
from router.telemetry.metrics import Metrics
from router.wire.errors import Limited
from tests.telemetry.traces import trace

CONFIG = Config.model_validate(
    {
        "backends": {
            "a": {
                "kind": "openai",
                "base_url": "http://127.0.0.1:1",
                "price": {"input": 0, "output": 1000},
            }
        }
    }
)
NOON = 100.5 * 86_400


class Place:
    """Routers' allowances with one hive, and a clock that stands still until a test moves it."""

    def __init__(self, routers=2, patience=5.0):
        self.now = NOON
        self.hive = LocalHive(lambda: self.now)
        self.allowances = [
            Allowances(
                self.hive,
                Metrics(),
                name=f"r{n}",
                clock=lambda: Moment(self.now, self.now),
                patience=patience,
            )
            for n in range(routers)
        ]
        self.requests = 0

    async def begin(self, n, binds):
        """A request that is admitted; it will use `max_tokens` tokens at most, $0.001 each."""
        self.requests += 1
        request_id = f"q{self.requests}"
        await self.allowances[n].admit(binds, request_id)
        return request_id

    async def call(self, n, request_id, tokens):
        given = trace()
        body = b'{"max_tokens": %d}' % tokens
        request = given.request
        object.__setattr__(request, "id", request_id)
        object.__setattr__(request, "body", body)
        object.__setattr__(request, "fields", {"max_tokens": tokens})
        return await self.allowances[n].reserve(CONFIG, ("a",), request, body)

    async def settle(self):
        """Let every router return what it does not need."""
        self.now += 2
        for allowances in self.allowances:
            await allowances.tidy("hive")

    async def held(self):
        uses = await self.hive.budget_uses(self.now)
        return {name: use.held.usd for name, use in uses.items()}


def budget(name, order, **limits):
    return Binding(name, name, f"keys.{name}", KeyLimits(**limits), order)


KEY = budget("key", (0, ""), dollars_per_day=10)
TAG = budget("tag", (1, "t"), dollars_per_day=10)
TEAM = budget("team", (2, "0"), dollars_per_day=0.15)


async def test_a_call_that_the_last_budget_refuses_holds_nothing_in_the_first_ones():
    place, binds = Place(patience=0.05), [TEAM, KEY, TAG]
    for _ in range(2):
        await place.call(0, await place.begin(0, binds), 140)
    third = await place.begin(0, binds)
    with pytest.raises(Limited, match="The budget of team refuses"):
        await place.call(0, third, 140)
    place.allowances[0].close(third)
    await place.settle()
    assert await place.held() == pytest.approx({"key": 0.28, "tag": 0.28, "team": 0.15})


async def waiting_for_the_team(place):
    """Two calls that hold all that the team has, and a third one, which waits for it."""
    ends = []
    for _ in range(2):  # the second one dares, and no other may at the same time
        ends.append(await place.call(0, await place.begin(0, [KEY, TEAM]), 140))
    third = await place.begin(0, [KEY, TEAM])
    waiting = asyncio.ensure_future(place.call(0, third, 140))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not waiting.done()
    return ends, third, waiting


async def test_a_caller_who_leaves_while_the_last_budget_is_waited_for_leaves_nothing_held():
    place = Place()
    _, third, waiting = await waiting_for_the_team(place)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    place.allowances[0].close(third)
    await place.settle()
    assert await place.held() == pytest.approx({"key": 0.28, "team": 0.15})


async def test_a_call_that_waits_for_the_last_budget_goes_on_when_the_others_end():
    place = Place()
    ends, third, waiting = await waiting_for_the_team(place)
    for end in ends:
        end([])  # they used nothing
    end = await waiting
    end([])
    place.allowances[0].close(third)
    await place.settle()
    assert set((await place.held()).values()) == {0}


@pytest.mark.parametrize("seed", range(5))
async def test_many_calls_over_overlapping_budgets_neither_wait_in_a_circle_nor_leak(seed):
    """Forty calls on two routers, over keys, tags and teams that cross in every way."""
    chance, place = random.Random(seed), Place(patience=0.3)
    keys = [budget(f"key{n}", (0, ""), dollars_per_day=0.5) for n in range(4)]
    tags = [budget(f"tag{n}", (1, f"t{n}"), dollars_per_month=0.6) for n in range(3)]
    teams = [budget(f"team{n}", (2, "0"), dollars_per_day=0.7) for n in range(2)]
    whole = budget("whole", (2, "1"), dollars_per_month=1.2)

    async def attempt():
        n = chance.randrange(2)
        binds = [
            chance.choice(keys),
            *chance.sample(tags, chance.randrange(3)),
            chance.choice(teams),
            whole,
        ]
        request_id = await place.begin(n, chance.sample(binds, len(binds)))
        try:
            end = await place.call(n, request_id, chance.choice((40, 90, 200)))
        except Limited:
            place.allowances[n].close(request_id)
            return 0
        await asyncio.sleep(0)
        end([])
        place.allowances[n].close(request_id)
        return 1

    async with asyncio.timeout(30):
        made = sum(await asyncio.gather(*(attempt() for _ in range(40))))
    await place.settle()
    assert made > 0
    assert set((await place.held()).values()) == {0}
