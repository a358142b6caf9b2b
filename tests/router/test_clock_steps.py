"""The wall clock is set forward and back while requests are answered; limits hold all the same."""

import time
import warnings
from contextlib import asynccontextmanager

import pytest

from router.budgets import DAYS, NOTHING, Amounts, Moment
from router.config.server import KeyLimits
from router.domain import Home
from router.engine.account import Account
from router.engine.conversations import Homes
from router.hive import HiveState
from router.keys import new_key
from tests.budgets import DAY, NOON, Reporter, exactly, lease, save
from tests.fakes import LosableHive
from tests.rig import rig
from tests.upstream import Upstream

TEXT = """
backends: {{a: {{kind: openai, base_url: "{url}", price: {{input: 1000, output: 1000}}}}}}
plans: {{p: {{ask: a}}}}
"""
HOUR, EPOCH, YEAR_2100 = 3600.0, 0.0, 4_102_444_800.0
STEPS = {
    "an hour forward": NOON + HOUR,
    "an hour back": NOON - HOUR,
    "two days forward": NOON + 2 * DAY + 0.123,
    "back across midnight": NOON - DAY / 2 - 0.25,
    "to 1970": EPOCH,
    "to 2100": YEAR_2100 + 0.999,
}
to_anywhere = pytest.mark.parametrize("moment", STEPS.values(), ids=STEPS.keys())


class Clocks:
    """A wall clock that tests set, and a steady clock that only passes."""

    def __init__(self, wall=NOON):
        self.wall, self.steady = wall, 5_000.25

    def wait(self, seconds):
        self.wall += seconds
        self.steady += seconds

    @property
    def now(self):
        return Moment(self.wall, self.steady)


@asynccontextmanager
async def limited(clocks, **limits):
    text, key = new_key("k", "", limits=limits)
    async with Upstream().listening() as up:
        async with rig(
            TEXT.format(url=up.url),
            keys=[key],
            hive=LosableHive(lambda: clocks.steady),
            wall=lambda: clocks.wall,
            steady=lambda: clocks.steady,
        ) as r:
            yield r, {"authorization": f"Bearer {text}"}


@to_anywhere
async def test_a_limit_per_minute_neither_opens_nor_locks_when_the_clock_is_set(moment):
    clocks = Clocks()
    async with limited(clocks, requests_per_minute=3) as (r, headers):
        assert [(await r.chat(headers=headers)).status for _ in range(3)] == [200] * 3
        clocks.wall = moment
        refusal = await r.chat(headers=headers)
        assert refusal.status == 429
        assert int(refusal.headers["retry-after"]) <= 61
        clocks.wall = NOON
        assert (await r.chat(headers=headers)).status == 429
        clocks.wait(62)
        assert [(await r.chat(headers=headers)).status for _ in range(4)] == [200] * 3 + [429]


@to_anywhere
async def test_what_a_day_has_cost_is_known_when_the_day_comes_back(moment):
    clocks = Clocks()
    async with limited(clocks, dollars_per_day=0.5) as (r, headers):
        while (await r.chat(headers=headers)).status == 200:
            pass
        spent = sum(trace.cost_usd for trace in r.journal.traces)
        assert spent > 0.25
        clocks.wall = moment
        while (await r.chat(headers=headers)).status == 200:
            pass  # another day has its own dollars, and the same day has none left
        clocks.wall = NOON
        refusal = await r.chat(headers=headers)
    assert refusal.status == 429
    assert "dollars_per_day" in refusal.error["message"]


@to_anywhere
async def test_no_request_fails_and_rows_keep_their_order_when_the_clock_is_set(moment):
    clocks = Clocks()
    async with limited(clocks) as (r, headers):
        for wall in (NOON, moment, NOON + 1):
            clocks.wall = wall
            assert (await r.chat(headers=headers)).status == 200
            await r.background.exchange()
            assert (await r.get("/health/ready", **headers)).json["status"] == "ready"
        assert [trace.started_at for trace in r.journal.traces] == [NOON, moment, NOON + 1]


def test_the_ledger_knows_the_days_around_a_step_after_a_restart(tmp_path):
    ledger, limits, router = tmp_path / "ledger.json", KeyLimits(dollars_per_day=1), Reporter()
    before = HiveState(ledger)
    for now, usd in ((NOON, 0.75), (NOON + DAY, 0.25)):
        router.usd = usd
        lease(before, router, limits, now, None)
    save(before)
    after = HiveState(ledger)
    assert lease(after, Reporter("new"), limits, NOON, None).left.usd == 0.25
    assert lease(after, Reporter("new2"), limits, NOON + DAY, None).left.usd == 0.75


def test_a_ledger_of_the_future_leaves_today_its_dollars(tmp_path):
    ledger = tmp_path / "ledger.json"
    ledger.write_text('{"spent": {"k": {"47482": {"r1": 0.9}}}}')
    left = lease(HiveState(ledger), Reporter(), KeyLimits(dollars_per_day=1), NOON, None).left
    assert left.usd == 1.0


def test_the_clocks_of_router_and_hive_may_differ():
    hive, limits = HiveState(), KeyLimits(requests_per_minute=10)
    clocks, account = Clocks(), Account("k", limits)
    account.count(clocks.now, Amounts(requests=10))
    for hive_now in (3.0, 40.0):  # the hive's steady clock began later than the router's
        clocks.steady = 5_000.25 + hive_now - 3.0
        report = account.report("r1", clocks.now, exactly(requests=1))
        assert hive.lease("k", limits, report, hive_now).shortage.retry_after <= 61
    clocks.steady += 26
    report = account.report("r1", clocks.now, exactly(requests=1))
    assert hive.lease("k", limits, report, 66.0).shortage is None


def test_only_so_many_days_are_kept():
    account = Account("k", KeyLimits(dollars_per_day=1))
    for day in range(100):
        account.count(Moment(day * DAY, 1.0), Amounts(usd=0.5))
    assert list(account.usd) == list(range(100 - DAYS, 100))
    assert account.used(Moment(99 * DAY, 1.0)) == NOTHING.plus(Amounts(usd=0.5))


def test_a_conversation_that_moved_after_the_clock_went_back_is_found_at_its_new_home():
    homes = Homes()
    homes.hear({"s": Home("old", "a", NOON + 2 * DAY)})
    homes.hear({"s": Home("new", "b", NOON)})
    home = homes.find("s", now=NOON, seconds=HOUR)
    assert home is not None
    assert home.plan == "new"


def test_a_home_from_the_future_does_not_hold_for_ever():
    homes = Homes()
    homes.hear({"s": Home("p", "a", YEAR_2100)})
    assert homes.find("s", now=NOON, seconds=HOUR) is None


def test_what_a_router_knows_of_the_hives_replica_is_no_older_when_the_clock_is_set(monkeypatch):
    """Else each call of the hive would first ask how busy it is, which may take too long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray warns when it is imported
        from ray.serve._private.request_router.common import ReplicaQueueLengthCache

        from router.deployment.replicas.process import measure_by_a_steady_clock
    monkeypatch.setattr(ReplicaQueueLengthCache, "__init__", ReplicaQueueLengthCache.__init__)
    measure_by_a_steady_clock()
    lengths = ReplicaQueueLengthCache()
    for wall in (NOON, EPOCH, YEAR_2100):
        monkeypatch.setattr(time, "time", lambda wall=wall: wall)
        if wall == NOON:
            lengths.update("replica", 3)
        assert lengths.get("replica") == 3
