"""The hive: limits, conversations and counters that routers share. Tests set its clock."""

import json
import random

import pytest

from router.budgets import AccountReport, Amounts, Budget, Claim, Moment
from router.config.server import KeyLimits
from router.domain import Home
from router.engine.conversations import Homes
from router.hive import HiveNotReady, HiveState, News, packed, unpacked
from tests.budgets import DAY, NOON, Reporter, exactly, lease, save

HOME = Home("fast", "small", 1.0)


def used(hive, router, limits, now, claim=None):
    """Report what a router used, and return what is left."""
    return lease(hive, router, limits, now, claim).left


def test_a_refusal_for_requests_names_the_limit_and_the_time_to_come_back():
    hive, router, limits = HiveState(), Reporter(), KeyLimits(requests_per_minute=3)
    router.use(NOON, requests=3)
    shortage = lease(hive, router, limits, NOON, exactly(requests=1)).shortage
    assert "requests_per_minute = 3 are used up: 0 left" in shortage.reason
    assert 59 <= shortage.retry_after <= 61
    then = NOON + shortage.retry_after
    assert lease(hive, router, limits, then, exactly(requests=1)).shortage is None


def test_slices_shrink_as_the_limit_nears_and_never_exceed_it():
    hive, limits = HiveState(), KeyLimits(requests_per_minute=1000)
    routers = [Reporter(f"r{n}") for n in range(200)]
    leases = [lease(hive, router, limits, NOON, exactly(requests=1)) for router in routers]
    sizes = [each.granted.requests for each in leases]
    assert sizes[0] == 50
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == 1000


def test_what_a_router_returns_another_router_may_lease():
    hive, limits = HiveState(), KeyLimits(requests_per_minute=20)
    first, second = Reporter("a"), Reporter("b")
    everything = lease(hive, first, limits, NOON, exactly(requests=20)).granted
    assert everything.requests == 20
    shortage = lease(hive, second, limits, NOON, exactly(requests=1)).shortage
    assert shortage.passing
    assert "calls under way hold the rest" in shortage.reason
    lease(hive, first, limits, NOON, None)
    assert lease(hive, second, limits, NOON, exactly(requests=20)).shortage is None


def test_the_lease_of_a_router_that_fell_silent_ends():
    hive, limits = HiveState(), KeyLimits(dollars_per_day=1)
    lease(hive, Reporter("killed"), limits, NOON, exactly(usd=1.0))
    other = Reporter("other")
    assert lease(hive, other, limits, NOON + 9, exactly(usd=1.0)).shortage.passing
    assert lease(hive, other, limits, NOON + 11, exactly(usd=1.0)).shortage is None


def test_the_requests_of_a_router_that_fell_silent_count_as_used_for_a_minute():
    hive, limits = HiveState(), KeyLimits(requests_per_minute=10)
    lease(hive, Reporter("killed"), limits, NOON, exactly(requests=10))
    other = Reporter("other")
    for at, refused in ((11, True), (59, True), (62, False)):
        claim = exactly(requests=10)
        assert bool(lease(hive, other, limits, NOON + at, claim).shortage) == refused


def test_a_router_that_returns_reports_what_it_really_used():
    hive, limits, router = HiveState(), KeyLimits(requests_per_minute=10), Reporter("asleep")
    lease(hive, router, limits, NOON, exactly(requests=10))
    hive.exchange("other", News(), NOON + 20)
    router.use(NOON, requests=2)
    assert used(hive, router, limits, NOON + 21).requests == 8


def test_a_report_that_comes_late_changes_nothing():
    hive, limits, router = HiveState(), KeyLimits(dollars_per_day=1), Reporter()
    late = router.report(NOON, keeps=Amounts(usd=1.0))
    lease(hive, router, limits, NOON, exactly(usd=0.5))
    hive.lease("k", limits, late, NOON)
    assert lease(hive, Reporter("other"), limits, NOON, exactly(usd=0.4)).shortage is None


def test_a_report_that_comes_twice_counts_once():
    hive, limits, router = HiveState(), KeyLimits(dollars_per_day=1), Reporter()
    router.use(NOON, usd=0.3)
    report = router.report(NOON)
    assert hive.lease("k", limits, report, NOON).left == hive.lease("k", limits, report, NOON).left


def test_a_bound_on_tokens_counts_the_tokens_of_the_last_minute():
    hive, router, limits = HiveState(), Reporter(), KeyLimits(tokens_per_minute=100)
    router.use(NOON, tokens=60)
    router.use(NOON + 10, tokens=40)
    shortage = lease(hive, router, limits, NOON + 20, exactly(tokens=50)).shortage
    assert "this call needs about 50 tokens" in shortage.reason
    assert "0 of tokens_per_minute = 100 are left" in shortage.reason
    assert 40 <= shortage.retry_after <= 41
    assert lease(hive, router, limits, NOON + 61, exactly(tokens=50)).shortage is None


def test_a_bound_on_dollars_begins_anew_with_the_day():
    hive, router, limits = HiveState(), Reporter(), KeyLimits(dollars_per_day=1)
    router.use(NOON, usd=1.0)
    shortage = lease(hive, router, limits, NOON, exactly(usd=0.1)).shortage
    assert "expected to cost $0.1, and $0 of dollars_per_day = $1 is left" in shortage.reason
    assert shortage.retry_after == DAY / 2
    router.usd = 0.0
    assert lease(hive, router, limits, NOON + DAY / 2, exactly(usd=0.1)).shortage is None


def test_a_call_that_can_never_fit_is_refused_without_a_time_to_come_back():
    hive, limits = HiveState(), KeyLimits(dollars_per_day=1)
    shortage = lease(hive, Reporter(), limits, NOON, exactly(usd=10.0)).shortage
    assert "expected to cost $10, and $1 of dollars_per_day = $1 is left" in shortage.reason
    assert shortage.retry_after is None


def test_a_call_that_costs_nothing_is_made_though_the_dollars_are_spent():
    hive, router, limits = HiveState(), Reporter(), KeyLimits(dollars_per_day=1)
    router.use(NOON, usd=1.0)
    assert lease(hive, router, limits, NOON, exactly()).shortage is None


def test_a_call_that_likely_fits_gets_all_that_is_left_and_others_wait():
    hive, limits = HiveState(), KeyLimits(dollars_per_day=1)
    claim = Claim(Amounts(usd=0.01), Amounts(usd=1.2))
    assert lease(hive, Reporter("a"), limits, NOON, claim).granted.usd == 1.0
    assert lease(hive, Reporter("b"), limits, NOON, claim).shortage.passing


def test_only_one_call_at_a_time_may_exceed_what_is_left():
    hive, limits = HiveState(), KeyLimits(dollars_per_day=1)
    careful, first, second = (Reporter(name) for name in "abc")
    daring = Claim(Amounts(usd=0.01), Amounts(usd=1.2))
    assert lease(hive, careful, limits, NOON, exactly(usd=0.5)).granted.usd >= 0.5
    held = lease(hive, first, limits, NOON, daring).granted
    lease(hive, careful, limits, NOON, None)  # $0.50 are free again
    assert lease(hive, second, limits, NOON, daring).shortage.passing
    assert lease(hive, second, limits, NOON, exactly(usd=0.3)).shortage is None
    lease(hive, second, limits, NOON, None)
    # What the first call held goes back, and the next call may dare.
    lease(hive, first, limits, NOON, None, keeps=held, daring=True)
    assert lease(hive, second, limits, NOON, daring).shortage.passing
    lease(hive, first, limits, NOON, None)
    assert lease(hive, second, limits, NOON, daring).granted.usd == 1.0


def test_each_key_has_its_own_bound():
    hive, limits = HiveState(), KeyLimits(requests_per_minute=1)
    claim, router = exactly(requests=1), Reporter()
    assert hive.lease("a", limits, router.report(NOON, claim), NOON).shortage is None
    assert hive.lease("b", limits, router.report(NOON, claim), NOON).shortage is None


def test_dollars_survive_the_end_of_the_process(tmp_path):
    ledger, limits = tmp_path / "ledger.json", KeyLimits(dollars_per_day=1)
    before, router = HiveState(ledger), Reporter()
    router.use(NOON, usd=1.0)
    lease(before, router, limits, NOON, None)
    save(before)
    after = HiveState(ledger)
    assert used(after, Reporter("new"), limits, NOON + 3).usd == 0
    # The router that lives on reports the same dollars again.
    assert used(after, router, limits, NOON + 3).usd == 0


def test_a_hive_that_restarted_grants_nothing_before_the_routers_have_reported(tmp_path):
    ledger, limits = tmp_path / "ledger.json", KeyLimits(requests_per_minute=10)
    busy, other, claim = Reporter("busy"), Reporter("other"), exactly(requests=10)
    before = HiveState(ledger)
    before.exchange("busy", News(), NOON)
    save(before)
    hive = HiveState(ledger)
    with pytest.raises(HiveNotReady):
        lease(hive, other, limits, NOON, claim)
    busy.use(NOON, requests=10)
    lease(hive, busy, limits, NOON, None)
    hive.exchange("busy", News(hive=hive.name), NOON)
    assert lease(hive, other, limits, NOON, claim).shortage is not None


def test_a_hive_that_restarted_does_not_wait_for_the_dead(tmp_path):
    ledger, limits = tmp_path / "ledger.json", KeyLimits(requests_per_minute=10)
    before = HiveState(ledger)
    before.exchange("killed", News(), NOON)
    save(before)
    hive, other, claim = HiveState(ledger), Reporter("other"), exactly(requests=10)
    hive.exchange("other", News(), NOON)
    assert lease(hive, other, limits, NOON + 3.5, claim).shortage is None


def test_a_ledger_that_could_not_be_written_is_written_later(tmp_path):
    hive, router = HiveState(tmp_path / "away" / "ledger.json"), Reporter()
    (tmp_path / "away").write_text("a file in the place of the folder")
    router.use(NOON, usd=0.5)
    lease(hive, router, KeyLimits(dollars_per_day=1), NOON, None)
    save(hive)
    (tmp_path / "away").unlink()
    save(hive)
    after = HiveState(tmp_path / "away" / "ledger.json")
    assert used(after, Reporter("new"), KeyLimits(dollars_per_day=1), NOON + 4).usd == 0.5


CONTENTS = [
    *("", "{", "[1]", '{"k": "x"}', '{"k": [1]}', '{"k": [1, -5]}', '{"k": [1, {"r": -1}]}'),
    *('{"routers": 5, "spent": {}}', '{"spent": [1]}', '{"k": [1, {"r": "x"}]}'),
]


@pytest.mark.parametrize("content", CONTENTS)
def test_a_ledger_that_cannot_be_read_is_set_aside_and_not_lost(tmp_path, content):
    ledger = tmp_path / "ledger.json"
    ledger.write_text(content)
    hive = HiveState(ledger)
    assert lease(hive, Reporter(), KeyLimits(dollars_per_day=1), NOON, exactly(usd=1)).granted
    assert ledger.with_suffix(".unreadable").read_text() == content


def test_a_ledger_of_an_earlier_version_counts(tmp_path):
    ledger = tmp_path / "ledger.json"
    ledger.write_text('{"k": [100, 0.75]}')
    left = used(HiveState(ledger), Reporter(), KeyLimits(dollars_per_day=1), NOON)
    assert left.usd == 0.25


def test_the_dollars_of_a_month_survive_the_end_of_the_process_and_of_the_day(tmp_path):
    ledger, limits, router = tmp_path / "ledger.json", KeyLimits(dollars_per_month=1), Reporter()
    before = HiveState(ledger)
    router.use(NOON, usd=0.75)
    lease(before, router, limits, NOON, None)
    save(before)
    next_day = NOON + 86_400
    assert used(HiveState(ledger), Reporter("new"), limits, next_day).month_usd == 0.25
    assert used(HiveState(ledger), Reporter("new"), limits, NOON + 31 * 86_400).month_usd == 1


def test_a_ledger_without_months_counts_the_days_of_the_month_that_it_holds(tmp_path):
    """Day 90 of 1970 was the first of April, and day 100 the eleventh."""
    ledger = tmp_path / "ledger.json"
    days = '{"89": {"r": 0.5}, "90": {"r": 0.25}, "100": {"r": 0.125, "s": 0.0625}}'
    ledger.write_text(f'{{"routers": [], "spent": {{"k": {days}}}}}')
    left = used(HiveState(ledger), Reporter(), KeyLimits(dollars_per_month=1), NOON)
    assert left.month_usd == 1 - 0.25 - 0.125 - 0.0625


def test_a_ledger_is_valid_json_at_any_time(tmp_path):
    hive, router = HiveState(tmp_path / "ledger.json"), Reporter()
    router.use(NOON, usd=0.5)
    lease(hive, router, KeyLimits(dollars_per_day=1), NOON, None)
    save(hive)
    ledger = json.loads((tmp_path / "ledger.json").read_text())
    april = str(12 * 1970 + 3)
    assert ledger == {
        "routers": ["r1"],
        "spent": {"k": {"100": {"r1": 0.5}}},
        "months": {"k": {april: {"r1": 0.5}}},
    }


def test_news_of_one_router_reaches_each_other_router_once():
    hive = HiveState()
    hive.exchange("a", News(packed({"s": HOME})), NOON)
    news = hive.exchange("b", News(), NOON)
    assert unpacked(news.homes) == {"s": HOME}
    assert not hive.exchange("b", News(position=news.position), NOON).homes


def test_a_router_does_not_get_its_own_news_back():
    assert not HiveState().exchange("a", News(packed({"s": HOME})), NOON).homes


def test_after_the_hive_restarts_a_router_gets_all_news_again():
    hive = HiveState()
    hive.exchange("a", News(packed({"s": HOME})), NOON)
    assert unpacked(hive.exchange("b", News(position=999), NOON).homes) == {"s": HOME}


def test_a_router_that_is_silent_for_long_is_no_longer_counted():
    hive = HiveState()
    hive.exchange("a", News(metrics=b"x"), NOON)
    hive.exchange("b", News(metrics=b"y"), NOON + 31)
    assert hive.all_metrics() == {"b": b"y"}


def test_a_home_is_forgotten_after_its_time():
    homes = Homes()
    homes.settle("s", HOME)
    assert homes.find("s", now=10, seconds=60) == HOME
    assert homes.find("s", now=100, seconds=60) is None


def test_older_news_does_not_replace_a_newer_home():
    homes, newer = Homes(), Home("premium", "large", 2.0)
    homes.settle("s", newer)
    homes.hear({"s": HOME})
    assert homes.find("s", now=3, seconds=60) == newer


def test_news_that_did_not_arrive_is_sent_again():
    homes = Homes()
    homes.settle("s", HOME)
    news = homes.untold()
    assert homes.untold() == {}
    homes.tell_again(news)
    assert homes.untold() == {"s": HOME}


def test_a_claim_that_a_restarted_hive_cannot_answer_yet_hinders_no_report(tmp_path):
    ledger = tmp_path / "ledger.json"
    before = HiveState(ledger)
    before.exchange("busy", News(), NOON)
    save(before)
    after, limits = HiveState(ledger), KeyLimits(dollars_per_day=1)
    reports = [
        AccountReport(name, limits, Reporter("other").report(NOON, claim))
        for name, claim in (("a", exactly(usd=0.1)), ("b", None))
    ]
    waits, heard = after.lease_all(reports, NOON)
    assert waits is None
    assert heard.left.usd == 1


def test_parcels_of_homes_are_kept_within_their_bound_newest_last():
    hive, large = HiveState(), b"x" * 1_000_000
    for _ in range(40):
        hive.exchange("a", News((large,)), NOON)
    hive.exchange("a", News(packed({"s": HOME})), NOON)
    parcels = hive.exchange("b", News(), NOON).homes
    assert sum(map(len, parcels)) <= 32_000_000
    assert unpacked(parcels[-1:]) == {"s": HOME}


def test_the_sum_of_a_minute_is_that_of_its_windows():
    """A router reports again and again while seconds pass, another falls silent, and comes back."""
    budget, limits = Budget(), KeyLimits(requests_per_minute=10**6)
    chance, routers = random.Random(1), [Reporter("a"), Reporter("b"), Reporter("c")]
    for step in range(400):
        now = NOON + step / 2
        router = chance.choice(routers)
        router.use(now, requests=chance.randint(0, 3), tokens=chance.randint(0, 50))
        budget.lease(limits, router.report(now - 0.1, exactly(requests=2)), now)
        if chance.random() < 0.05:
            budget.expire(router.name, now)
        pairs = [
            pair
            for window in budget.windows.values()
            for second, pair in window.items()
            if second >= int(now) - 60
        ]
        used = budget.used(now, Moment(now, now))
        assert (used.requests, used.tokens) == tuple(map(sum, zip(*pairs, strict=True)))
