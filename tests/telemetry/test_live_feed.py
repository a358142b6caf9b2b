"""A learner that follows the journals reads what the catalog would have shown it."""

import numpy as np
import pytest

from router.telemetry.feed import Feed, Watermark
from router.telemetry.journal_tail import JournalTail
from router.telemetry.live_feed import LiveFeed
from router.telemetry.log import Log, Rotation
from router.telemetry.store.keep import RetentionRules
from tests.telemetry.stored import NOON, Stored, request, signal


@pytest.fixture
def stored(tmp_path):
    stored = Stored(tmp_path, RetentionRules(grace_seconds=0.0))
    yield stored
    stored.close()


def follow(feed, mark, rows=None, judged=None):
    """Read everything that is new, as a learner does, and return the new watermark."""
    while batch := feed.beyond(mark):
        if rows is not None:
            rows += feed.rows(batch)
        if judged is not None:
            judged += feed.judged(batch, mark)
        mark = mark.after(batch)
    return mark


def beside(rows, judged):
    """Journal rows with all that the feed's SQL treats apart."""
    verifying = {
        "step": 1,
        "backend": "a",
        "role": "reuse.verifier",
        "cost_usd": 0.1,
        "latency_ms": 2,
    }
    for n, (at, given) in enumerate(rows):
        row = request(at, features_version=3, features=[0.5, None, float(n)], **given)
        if n % 5 == 0:
            row["attempts"] = [*row["attempts"], verifying, {**verifying, "cost_usd": None}]
        judged.append(row)
        yield row


KINDS = (
    {},
    {"plan": None},
    {"cost_usd": None, "rate_usd": 0.003},
    {"status": 502, "latency_ms": None},
    {"status": 499, "kind": None},
    {"gen_ai_operation_name": "embeddings"},
    {"shadow": {"named": "dear", "plan": "cheap"}},
)


@pytest.mark.parametrize("turns", [4, pytest.param(24, marks=pytest.mark.slow)])
def test_batch_by_batch_the_journals_say_what_the_catalog_says(stored, turns):
    chance, live, catalog = np.random.default_rng(7), LiveFeed(stored.folder), Feed(stored.folder)
    mark, sent, compared = Watermark(), [], 0
    for turn in range(turns):
        for n in range(int(chance.integers(0, 9))):
            writer = f"r{chance.integers(3)}.{turn // 6}".replace(".", "-")
            at = NOON + 1000 * len(sent) - int(chance.integers(0, 5000))
            given = KINDS[int(chance.integers(len(KINDS)))]
            stored.write("requests", beside([(at, given)], sent), writer)
            if chance.random() < 0.7:
                about = sent[int(chance.integers(len(sent)))]
                of = {**about, "plan": about["plan"] or "", "kind": about["kind"] or ""}
                score = None if chance.random() < 0.2 else float(chance.integers(3)) / 2
                source = ("app", "judge", "implicit")[int(chance.integers(3))]
                row = signal(of, score, source=source, weight=float(chance.integers(2)), ts=at + n)
                stored.write("signals", [row], writer)
        if turn % 6 == 5:  # the next rows come from other writers, as after a rotation
            stored.seal()
            stored.now += 60
            stored.keeper.sweep()
        while batch := live.beyond(mark):
            assert catalog.beyond(mark).state() == batch.state()
            assert live.rows(batch) == catalog.rows(batch)
            assert live.judged(batch, mark) == catalog.judged(batch, mark)
            compared += len(live.judged(batch, mark))
            mark = mark.after(batch)
        assert not catalog.beyond(mark)
    assert compared > turns


def test_rows_whose_journal_came_and_went_between_two_looks_are_read(stored):
    live, rows = LiveFeed(stored.folder), []
    stored.write("requests", [request()], "r1")
    mark = follow(live, Watermark(), rows)
    stored.write("requests", [request(NOON + 1)], "r1")
    stored.seal()
    stored.now += 60
    stored.keeper.sweep()
    assert not list((stored.folder / "journal" / "requests").glob("r1*"))
    log = Log(stored.folder / "journal" / "requests", "r1")
    log._number = 2  # the same writer goes on in its next journal
    log.append(request(NOON + 2))
    follow(live, mark, rows)
    log.close()
    assert [row.ts_micros for row in rows] == [NOON, NOON + 1, NOON + 2]


def test_a_line_is_read_when_it_is_whole(tmp_path):
    stored = Stored(tmp_path)
    stored.write("requests", [request(NOON + n) for n in range(3)])
    (path,) = (tmp_path / "journal" / "requests").glob("w1*")
    content = path.read_bytes()
    path.write_bytes(content[:-40])
    tail = JournalTail(path.parent, {"w1": 1})
    assert [row.n for _, row in tail.read()] == [2]
    path.write_bytes(content)
    assert [row.n for _, row in tail.read()] == [3]
    assert not tail.gap
    stored.close()


def test_a_missing_or_an_unreadable_line_sends_the_learner_to_the_catalog(tmp_path):
    stored = Stored(tmp_path)
    stored.write("requests", [request(NOON + n) for n in range(4)])
    (path,) = (tmp_path / "journal" / "requests").glob("w1*")
    lines = path.read_bytes().splitlines(keepends=True)
    for wrong in (b"", b'{"crc":"00000000","v":1,"n":2,"ts":\n', b"\x00\x00\n"):
        path.write_bytes(b"".join([lines[0], wrong, *lines[2:]]))
        tail = JournalTail(path.parent, {})
        assert [row.n for _, row in tail.read()] == [1, 3, 4]
        assert tail.gap
        rows = []
        follow(LiveFeed(tmp_path), Watermark(), rows)
        assert [row.ts_micros - NOON for row in rows] == [0, 2, 3]
    stored.close()


def test_every_row_of_many_journals_is_read_once(tmp_path):
    stored = Stored(tmp_path)
    tail = JournalTail(tmp_path / "journal" / "requests", {"r1": 2})
    log = Log(tmp_path / "journal" / "requests", "r1", rotation=Rotation(1e9, rows=3))
    read = []
    for n in range(20):
        log.append(request(NOON + n))
        log.sync()
        if n % 7 == 6:
            while rows := [row.n for _, row in tail.read()]:
                read += rows
    while rows := [row.n for _, row in tail.read()]:
        read += rows
    assert read == list(range(3, 21))
    log.close()
    stored.close()


def test_a_judgement_of_a_request_from_before_the_start_comes_from_the_catalog(stored):
    row = request(features_version=3, features=[1.0])
    stored.write("requests", [row])
    mark = follow(Feed(stored.folder), Watermark())
    live, judged = LiveFeed(stored.folder), []
    mark = follow(live, mark)
    stored.write("signals", [signal(row, 1.0)])
    follow(live, mark, None, judged)
    assert [(j.request.request_id, len(j.now)) for j in judged] == [(row["request_id"], 1)]
