"""The wall clock is set forward and back under the keeper: no row is lost or hidden."""

import pytest

from router.telemetry.lookup import requests_in
from router.telemetry.store.keep import RetentionRules
from tests.sparing import slow_after
from tests.telemetry.stored import FEW_SEGMENTS, NOON, Stored, problems, request, signal

HOUR, DAY = 3600, 86_400
YEAR_2100 = 4_102_444_800
RULES = RetentionRules(keep_seconds=30 * DAY, tiers=FEW_SEGMENTS.tiers)
STEPS = {
    "back across midnight": -DAY / 2,
    "an hour forward": HOUR,
    "an hour back": -HOUR - 0.5,
    "two days forward": 2 * DAY + 0.123,
    "to 2100": YEAR_2100 - NOON / 1e6,
    "to 1970": -NOON / 1e6,
}
to_anywhere = pytest.mark.parametrize("step", slow_after(2, STEPS.values()), ids=STEPS.keys())
COUNT = "select count(*) from requests"


@pytest.fixture
def stored(tmp_path):
    stored = Stored(tmp_path, RULES)
    stored.now = NOON / 1e6
    stored.keeper = stored.new_keeper()
    return stored


def write(stored, *, days_ago=0.0):
    """Write one request, dated by the wall clock, and a signal about it."""
    row = request(int((stored.now + stored.ahead - days_ago * DAY) * 1e6))
    stored.write("requests", [row])
    stored.write("signals", [signal(row, 0.5)])
    return row


def turn(stored):
    """What the keeper does every minute."""
    stored.now += 60
    stored.seal()
    stored.keeper.compact()
    stored.keeper.sweep()
    stored.keeper.prune()


@to_anywhere
def test_no_row_is_lost_or_hidden_when_the_clock_is_set_and_set_right_again(stored, step):
    rows = [write(stored, days_ago=days) for days in (29, 1, 0)]
    turn(stored)
    stored.ahead = step
    for _ in range(3):
        rows.append(write(stored))
        turn(stored)
    stored.ahead = 0
    for _ in range(3):
        rows.append(write(stored))
        turn(stored)
    assert stored.value(COUNT) == len(rows)
    assert stored.value("select sum(n) from rollup") == len(rows)
    assert stored.value("select count(quality) from requests") == len(rows)
    ids = [row["request_id"] for row in rows]
    kept = requests_in(stored.folder / "telemetry.duckdb", ids)
    assert {id_: len(kept[id_].signals) for id_ in ids} == dict.fromkeys(ids, 1)
    assert problems(stored.folder) == []


def test_a_clock_that_stays_ahead_is_believed_after_a_day(stored):
    write(stored)
    turn(stored)
    stored.ahead = 40 * DAY
    turn(stored)
    stored.now += DAY - 120
    stored.keeper.prune()
    assert stored.value(COUNT) == 1
    stored.now += 120
    stored.keeper.prune()
    assert stored.value(COUNT) == 0


def test_a_keeper_that_starts_while_the_clock_is_ahead_removes_nothing_for_a_day(stored):
    write(stored)
    turn(stored)
    stored.ahead = 40 * DAY
    for _ in range(3):  # rows of the wrong day prove nothing
        write(stored)
        stored.keeper = stored.new_keeper()
        turn(stored)
    assert stored.value(COUNT) == 4
    stored.now += DAY
    stored.keeper.prune()
    assert stored.value(COUNT) == 3


def test_a_keeper_that_starts_after_a_usual_pause_prunes_at_once(stored):
    for days in (40, 39.5, 20, 19.5, 19, 18.5, 18, 0.6):
        write(stored, days_ago=days)
    for days in range(1, 18):
        write(stored, days_ago=days)
    stored.seal()
    stored.keeper = stored.new_keeper()
    stored.keeper.prune()
    assert stored.value(COUNT) == 23


def test_an_operator_who_prunes_is_obeyed_after_a_step_too(stored):
    write(stored)
    turn(stored)
    stored.ahead = 40 * DAY
    stored.keeper.prune()
    assert stored.value(COUNT) == 1
    assert stored.keeper.prune(exact=True).rows == 2
    assert stored.value(COUNT) == 0


def test_files_that_were_replaced_in_a_future_that_was_taken_back_are_swept(stored):
    stored.ahead = 2 * DAY
    stored.keeper = stored.new_keeper()
    write(stored)
    stored.seal()
    stored.ahead = 0
    stored.keeper.sweep()
    journals = stored.folder / "journal" / "requests"
    assert len(list(journals.glob("w1.*.jsonl"))) == 1  # a reader may still use it
    stored.now += stored.rules.grace_seconds
    stored.keeper.sweep()
    assert list(journals.glob("w1.*.jsonl")) == []
    assert stored.value(COUNT) == 1
