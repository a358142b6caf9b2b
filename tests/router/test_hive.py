"""The hive: limits, conversations and counters that routers share. Tests set its clock."""

import json

import pytest

from router.config.server import KeyLimits
from router.domain import Home
from router.engine.conversations import Homes
from router.hive import HiveState, News

DAY = 86_400.0
NOON = 100 * DAY + DAY / 2
HOME = Home("fast", "small", 1.0)


def granted(hive, limits, now, times):
    return sum(bool(hive.lease("k", limits, now).granted) for _ in range(times))


def test_a_small_bound_on_requests_is_kept_exactly():
    hive, limits = HiveState(), KeyLimits(requests_per_minute=3)
    assert granted(hive, limits, NOON, 10) == 3
    refusal = hive.lease("k", limits, NOON)
    assert "requests_per_minute = 3" in refusal.reason
    assert 59 <= refusal.retry_after <= 61


def test_a_grant_counts_for_a_minute():
    hive, limits = HiveState(), KeyLimits(requests_per_minute=3)
    granted(hive, limits, NOON, 3)
    wait = hive.lease("k", limits, NOON + 30).retry_after
    assert granted(hive, limits, NOON + 30 + wait, 5) == 3


def test_a_large_bound_is_leased_in_slices_and_kept_too():
    hive, limits = HiveState(), KeyLimits(requests_per_minute=1000)
    leases = [hive.lease("k", limits, NOON).granted for _ in range(200)]
    assert max(leases) == 10
    assert sum(leases) == 1000


def test_a_bound_on_tokens_counts_the_tokens_that_are_spent():
    hive, limits = HiveState(), KeyLimits(tokens_per_minute=100)
    hive.spend("k", 99, 0, NOON)
    assert hive.lease("k", limits, NOON).granted == 1
    hive.spend("k", 1, 0, NOON)
    assert "tokens_per_minute = 100" in hive.lease("k", limits, NOON).reason


def test_a_bound_on_dollars_begins_anew_with_the_day():
    hive, limits = HiveState(), KeyLimits(dollars_per_day=1)
    hive.spend("k", 0, 1.0, NOON)
    refusal = hive.lease("k", limits, NOON)
    assert "$1.0000 of $1.0000" in refusal.reason
    assert refusal.retry_after == DAY / 2
    assert hive.lease("k", limits, NOON + DAY / 2).granted == 1


def test_each_key_has_its_own_bound():
    hive, limits = HiveState(), KeyLimits(requests_per_minute=1)
    assert hive.lease("a", limits, NOON).granted
    assert hive.lease("b", limits, NOON).granted


def test_dollars_survive_the_end_of_the_process(tmp_path):
    ledger = tmp_path / "ledger.json"
    before = HiveState(ledger)
    before.spend("k", 0, 0.75, NOON)
    before.exchange("r", News(), NOON)
    after = HiveState(ledger)
    after.spend("k", 0, 0.25, NOON + 1)
    assert not after.lease("k", KeyLimits(dollars_per_day=1), NOON + 2).granted


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"k": "x"}', '{"k": [1]}'])
def test_a_ledger_that_cannot_be_read_is_set_aside_and_not_lost(tmp_path, content):
    ledger = tmp_path / "ledger.json"
    ledger.write_text(content)
    assert HiveState(ledger).lease("k", KeyLimits(dollars_per_day=1), NOON).granted
    assert ledger.with_suffix(".unreadable").read_text() == content


def test_a_ledger_is_valid_json_at_any_time(tmp_path):
    hive = HiveState(tmp_path / "ledger.json")
    hive.spend("k", 5, 0.5, NOON)
    hive.save()
    assert json.loads((tmp_path / "ledger.json").read_text()) == {"k": [100, 0.5]}


def test_news_of_one_router_reaches_each_other_router_once():
    hive = HiveState()
    hive.exchange("a", News({"s": HOME}), NOON)
    news = hive.exchange("b", News(), NOON)
    assert news.sessions == {"s": HOME}
    assert hive.exchange("b", News(position=news.position), NOON).sessions == {}


def test_a_router_does_not_get_its_own_news_back():
    assert HiveState().exchange("a", News({"s": HOME}), NOON).sessions == {}


def test_after_the_hive_restarts_a_router_gets_all_news_again():
    hive = HiveState()
    hive.exchange("a", News({"s": HOME}), NOON)
    assert hive.exchange("b", News(position=999), NOON).sessions == {"s": HOME}


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
