"""The promises of every hive: in this process, behind a Serve handle, and the tests' fake."""

import asyncio
import warnings

import pytest

from router.budgets import AccountReport
from router.config.server import KeyLimits
from router.domain import Home
from router.hive import LocalHive, News, packed, unpacked
from tests.budgets import Reporter, exactly
from tests.fakes import LosableHive

START = 100 * 86_400.0
HOME, OTHER = Home("fast", "small", 1.0), Home("quality", "large", 2.0)


class Remote:
    """Acts as the Serve handle of a hive: `handle.lease_all.remote(...)` calls
    `hive.lease_all(...)`."""

    def __init__(self, hive):
        self._hive = hive

    def __getattr__(self, name):
        method = getattr(self._hive, name)
        return type("Method", (), {"remote": staticmethod(method)})


class Hour:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Hour()


@pytest.fixture(params=["local", "handle", "losable"])
def hive(request, clock):
    match request.param:
        case "local":
            return LocalHive(clock)
        case "losable":
            return LosableHive(clock)
        case _:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Ray warns when it is imported
                from router.deployment.replicas.hive import HandleHive
            return HandleHive(Remote(LocalHive(clock)))


async def lease(hive, key, limits, report):
    [answer] = await hive.lease_all([AccountReport(key, limits, report)])
    return answer


async def granted(hive, router, limits, claim):
    return (await lease(hive, "k", limits, router.report(START, claim))).granted


async def test_a_bound_holds_for_all_routers_together(hive):
    limits, claim = KeyLimits(requests_per_minute=3), exactly(requests=1)
    reports = [Reporter(f"r{n}").report(START, claim) for n in range(8)]
    leases = await asyncio.gather(*(lease(hive, "k", limits, report) for report in reports))
    assert sum(lease.granted.requests for lease in leases) == 3
    refusals = [lease.shortage for lease in leases if lease.shortage]
    assert len(refusals) == 5
    assert all(each.reason and each.retry_after > 0 for each in refusals)


async def test_a_bound_opens_again_when_the_refusal_said(hive, clock):
    limits, router, claim = KeyLimits(requests_per_minute=1), Reporter(), exactly(requests=1)
    assert (await granted(hive, router, limits, claim)).requests == 1
    router.use(START, requests=1)
    refusal = (await lease(hive, "k", limits, router.report(START, claim))).shortage
    clock.now += refusal.retry_after
    router.seconds.clear()
    assert (await granted(hive, router, limits, claim)).requests == 1


async def test_each_key_has_its_own_bound(hive):
    limits, report = KeyLimits(requests_per_minute=1), Reporter().report(START, exactly(1))
    assert (await lease(hive, "k", limits, report)).granted.requests == 1
    assert (await lease(hive, "other", limits, report)).granted.requests == 1


async def test_tokens_and_dollars_that_were_used_count_against_the_bounds(hive):
    router = Reporter()
    router.use(START, tokens=10, usd=0.5)
    claim = exactly(tokens=1, usd=0.1)
    for limits in (KeyLimits(tokens_per_minute=10), KeyLimits(dollars_per_day=0.5)):
        assert (await lease(hive, "k", limits, router.report(START, claim))).shortage
    both = KeyLimits(tokens_per_minute=11, dollars_per_day=0.6)
    assert (await lease(hive, "k", both, router.report(START, claim))).shortage is None


async def test_a_router_hears_of_the_conversations_of_others_once(hive):
    await hive.exchange("a", News(packed({"s": HOME})))
    first = await hive.exchange("b", News(packed({"t": OTHER})))
    assert unpacked(first.homes) == {"s": HOME}
    again = await hive.exchange("b", News(position=first.position))
    assert not again.homes


async def test_the_newest_home_of_a_conversation_holds(hive):
    await hive.exchange("a", News(packed({"s": HOME})))
    await hive.exchange("a", News(packed({"s": OTHER})))
    assert unpacked((await hive.exchange("b", News())).homes) == {"s": OTHER}


async def test_the_counters_of_every_router_are_there_until_it_is_silent(hive, clock):
    await hive.exchange("a", News(metrics=b"1"))
    await hive.exchange("b", News(metrics=b"2"))
    assert await hive.all_metrics() == {"a": b"1", "b": b"2"}
    clock.now += 60
    await hive.exchange("b", News(metrics=b"3"))
    assert await hive.all_metrics() == {"b": b"3"}


async def test_a_hive_out_of_reach_raises_instead_of_answering():
    hive = LosableHive()
    hive.away = True
    call = lease(hive, "k", KeyLimits(), Reporter().report(START))
    for each in (call, hive.exchange("a", News()), hive.all_metrics()):
        with pytest.raises(ConnectionError):
            await each
