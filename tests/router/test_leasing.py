"""What a router says to the hive about several budgets goes in one message, and stays exact."""

import asyncio

import pytest

from router.budgets import ONE_REQUEST, AccountReport, Claim, Moment
from router.config.server import KeyLimits
from router.engine.account import Account
from router.engine.allowances import Allowances
from router.engine.bindings import Binding
from router.engine.leasing import Leasing
from router.hive import LocalHive
from router.telemetry.metrics import Metrics
from router.wire.errors import Limited
from tests.budgets import Reporter, exactly

NOON = 100.5 * 86_400
LIMITS = KeyLimits(requests_per_minute=3)


class CountingHive(LocalHive):
    """A hive that writes down which budgets each message is about, and may be away."""

    def __init__(self):
        super().__init__(lambda: NOON)
        self.messages, self.away = [], False

    async def lease_all(self, reports):
        if self.away:
            raise ConnectionError("the hive is away")
        self.messages.append([each.budget for each in reports])
        return await super().lease_all(reports)


def teams(count, **limits):
    limits = KeyLimits(**(limits or {"requests_per_minute": 10_000}))
    return [Binding(f"team {n}", f"team {n}", "keys.teams", limits) for n in range(count)]


def clock():
    return Moment(NOON, NOON)


def allowances_at(hive, name="r"):
    return Allowances(hive, Metrics(), name=name, clock=clock, patience=0.05)


def used_account(name):
    account = Account(name, LIMITS)
    account.count(clock(), ONE_REQUEST)
    return account


async def until_quiet():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_twenty_budgets_used_goes_in_one_message():
    hive, several = CountingHive(), teams(20)
    allowances = allowances_at(hive)
    for n, team in enumerate(several):
        await allowances.admit([team], f"q{n}")
    await until_quiet()
    hive.messages.clear()
    await allowances.tidy("another hive")
    assert [sorted(message) for message in hive.messages] == [sorted(t.name for t in several)]
    uses = await hive.budget_uses(NOON)
    assert [uses[team.name].used.requests for team in several] == [1] * 20


async def test_a_claim_takes_along_what_has_gathered():
    hive = CountingHive()
    leasing = Leasing(hive, Metrics(), name="r", clock=clock)
    leasing.report_soon(used_account("a"))  # goes at once, and what follows gathers
    await until_quiet()
    leasing.report_soon(used_account("b"))
    await until_quiet()
    assert hive.messages == [["a"]]
    await leasing.ask(Account("c", LIMITS), Claim(ONE_REQUEST, ONE_REQUEST))
    assert list(map(sorted, hive.messages)) == [["a"], ["b", "c"]]


async def test_a_budget_that_refuses_hinders_no_other_in_its_message():
    hive = CountingHive()
    claim = exactly(requests=4)
    reports = [
        AccountReport(name, LIMITS, Reporter().report(NOON, claim if name == "b" else None))
        for name in ("a", "b", "c")
    ]
    first, refused, last = await hive.lease_all(reports)
    assert first.shortage is None
    assert last.shortage is None
    assert refused.shortage.rule == "requests_per_minute"


async def test_a_caller_who_left_takes_no_answer_from_the_others():
    hive, (first, second) = CountingHive(), teams(2)
    allowances = allowances_at(hive)
    gone = asyncio.ensure_future(allowances.admit([first], "q1"))
    stays = asyncio.ensure_future(allowances.admit([second], "q2"))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    assert (await hive.budget_uses(NOON))["team 1"].held.requests > 0


async def test_a_hive_that_fails_leaves_everything_to_be_reported_again():
    hive, accounts = CountingHive(), [used_account(name) for name in "abc"]
    leasing = Leasing(hive, Metrics(), name="r", clock=clock)
    hive.away = True
    for account in accounts:
        leasing.report_soon(account)
    await until_quiet()
    assert all(account.unreported for account in accounts)
    assert not await leasing.report(accounts)


@pytest.mark.parametrize("routers", [1, 3])
async def test_many_budgets_side_by_side_let_no_request_more_through_than_their_limits(routers):
    hive, several = CountingHive(), teams(10, requests_per_minute=30)
    doors = [allowances_at(hive, f"r{n}") for n in range(routers)]

    async def knock(number, team):
        try:
            await doors[number % routers].admit([team], f"q{number}")
        except Limited:
            return 0
        return 1

    calls = [knock(n, several[n % 10]) for n in range(600)]
    admitted = await asyncio.gather(*calls)
    assert all(sum(admitted[n::10]) <= 30 for n in range(10))
    for door in doors:
        await door.tidy("hive")
    uses = await hive.budget_uses(NOON)
    assert sum(use.used.requests for use in uses.values()) == sum(admitted) >= 250
