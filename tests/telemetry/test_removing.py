"""Rows that are too old, too many or unwanted are removed from every file."""

import time

import pytest

from router.telemetry.store import manifest
from router.telemetry.store.keep import Keeper, RetentionRules
from tests.telemetry.stored import FEW_SEGMENTS, NOON, Stored, problems, request, signal


@pytest.fixture
def stored(tmp_path):
    return Stored(tmp_path, FEW_SEGMENTS)


def test_superseded_files_are_removed_after_the_grace(stored):
    for writer in ("a", "b", "c"):
        stored.write("requests", [request()], writer=writer)
        stored.seal()
    stored.keeper.compact()
    stored.keeper.sweep()
    files = list((stored.folder / "segments").glob("requests-*.parquet"))
    assert len(files) == 4
    stored.now = time.time() + 601
    stored.keeper.sweep()
    assert len(list((stored.folder / "segments").glob("requests-*.parquet"))) == 1
    assert list((stored.folder / "journal" / "requests").glob("[abc].*.jsonl")) == []
    assert stored.value("select count(*) from requests") == 3


def test_a_forgotten_caller_is_not_in_bytes_that_were_put_aside_either(stored):
    stored.write("requests", [request(key_id="k1", status="fine"), request(key_id="k1")])
    stored.seal()
    stored.keeper.forget(keys=("k1",))
    assert list((stored.folder / "damaged").iterdir()) == []


def test_the_oldest_rows_are_pruned_by_age(tmp_path):
    day = 86_400_000_000
    stored = Stored(tmp_path, RetentionRules(keep_seconds=10 * 86_400))
    stored.now = (NOON + 20 * day) / 1e6
    ages = [2, 9, 11, 15]  # days
    for writer in ("a", "b"):
        rows = [request(NOON + 20 * day - age * day) for age in ages]
        stored.write("requests", rows, writer=writer)
    stored.seal()
    removed = stored.keeper.prune(exact=True)
    assert removed.rows == 4
    assert stored.value("select count(*) from requests") == 4
    # The rollup keeps its sums of removed rows.
    assert stored.value("select sum(n) from rollup") == 8
    assert problems(tmp_path) == []


def test_the_oldest_segments_are_pruned_until_the_rest_fits(tmp_path):
    stored = Stored(tmp_path)
    for index in range(5):
        stored.write("requests", [request(NOON + index) for _ in range(50)], writer=f"w{index}")
        stored.seal()
    most = sum(s.bytes for s in manifest.load(tmp_path).of("requests")) // 2
    removed = Keeper(tmp_path, RetentionRules(keep_bytes=most)).prune()
    left = manifest.load(tmp_path).of("requests")
    assert removed.rows + sum(s.rows for s in left) == 250
    assert 0 < sum(s.bytes for s in left) <= most
    assert stored.value("select epoch_us(min(ts)) from requests") > NOON
    assert problems(tmp_path) == []


def test_a_forgotten_caller_is_in_no_file(tmp_path):
    stored = Stored(tmp_path)
    mine = [request(key_id="key-mine", prompt="my secret") for _ in range(3)]
    theirs = [request(key_id="key-theirs", session="talk") for _ in range(2)]
    stored.write("requests", [*mine, *theirs])
    stored.write("signals", [signal(row, 0.5, key_id=row["key_id"]) for row in (*mine, *theirs)])
    stored.close()
    removed = stored.keeper.forget(keys=("key-mine",))
    assert removed.rows == 6
    assert stored.ask("select distinct key_id from requests") == [("key-theirs",)]
    assert stored.ask("select count(*), count(quality) from requests") == [(2, 2)]
    assert stored.ask("select sum(n), sum(quality_n), sum(quality) from rollup") == [(2, 2, 1.0)]
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix in (".parquet", ".jsonl"):
            assert b"key-mine" not in path.read_bytes()
            assert b"my secret" not in path.read_bytes()
    assert problems(tmp_path) == []
    assert stored.keeper.forget(sessions=("talk",)).rows == 4
    assert stored.value("select coalesce(sum(n), 0) from rollup") == 0
    assert problems(tmp_path) == []


def test_forgetting_is_refused_while_a_journal_is_being_written(tmp_path):
    stored = Stored(tmp_path)
    stored.write("requests", [request(key_id="k")])
    with pytest.raises(TimeoutError, match="still being written"):
        stored.keeper.forget(keys=("k",), patience=0.2)
