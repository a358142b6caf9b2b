"""Queries see every row exactly once: live, sealed or merged, and after kills."""

import shutil
import subprocess
import sys
import threading
import time

import duckdb
import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.telemetry.store import catalog, manifest, seal, segments
from router.telemetry.store.keep import Keeper
from tests.telemetry.stored import FEW_SEGMENTS, MINUTE, NOON, Stored, problems, request, signal


@pytest.fixture
def stored(tmp_path):
    return Stored(tmp_path, FEW_SEGMENTS)


def test_a_row_is_seen_once_before_and_after_it_is_sealed_and_merged(stored):
    for batch in range(4):
        stored.write("requests", [request() for _ in range(5)], writer=f"w{batch}")
        assert stored.value("select count(*) from requests") == 5 * (batch + 1)
        stored.seal()
        assert stored.value("select count(*) from requests") == 5 * (batch + 1)
    assert stored.segments == 4
    assert stored.keeper.compact() == 4
    assert stored.segments == 1
    assert stored.ask("select count(*), count(distinct request_id) from requests") == [(20, 20)]
    assert problems(stored.folder) == []


def test_a_start_waits_until_telemetry_can_be_read(tmp_path):
    assert not catalog.appeared(tmp_path, seconds=0)
    starting = threading.Thread(target=lambda: Keeper(tmp_path).recover())
    starting.start()
    assert catalog.appeared(tmp_path, seconds=30)
    assert catalog.published(tmp_path) is not None
    starting.join()


def test_a_reader_who_keeps_the_catalog_open_sees_every_new_row(stored):
    stored.write("requests", [request()], writer="w1")
    with duckdb.connect(str(stored.folder / "telemetry.duckdb"), read_only=True) as con:
        count = "select count(*) from requests"
        assert con.execute(count).fetchall() == [(1,)]
        stored.seal()
        stored.write("requests", [request()], writer="w2")
        stored.seal()
        stored.keeper.compact(everything=True)
        stored.keeper.sweep()
        assert con.execute(count).fetchall() == [(2,)]


def test_a_reader_who_opened_long_ago_is_told_to_open_again(stored):
    stored.write("requests", [request()])
    with duckdb.connect(str(stored.folder / "telemetry.duckdb"), read_only=True) as con:
        stored.seal()
        stored.now = time.time() + 601
        stored.keeper.sweep()
        with pytest.raises(duckdb.IOException, match="open-it-again"):
            con.execute("select count(*) from requests")
    assert stored.value("select count(*) from requests") == 1


def test_a_reader_who_opens_the_catalog_for_writing_harms_nobody(stored):
    """`duckdb FILE` opens the catalog for writing, which locks out other readers of that file."""
    stored.write("requests", [request()])
    program = (
        "import duckdb, sys\n"
        f"con = duckdb.connect({str(stored.folder / 'telemetry.duckdb')!r})\n"
        "con.execute('create or replace view requests as select 7')\n"
        "con.execute('checkpoint')\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
        "print(con.execute('select count(*) from all_requests').fetchall())\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(duckdb.IOException, match="lock"):
            stored.value("select count(*) from requests")
        stored.keeper.free()
        assert stored.value("select request_id is not null from requests") is True
        stored.seal()
        assert stored.value("select request_id is not null from requests") is True
        output, _ = writer.communicate()
        assert output == b"[(1,)]\n"  # the replaced file that the writer has open still answers


def test_journals_that_a_crash_left_are_sealed_by_the_next_start(tmp_path):
    before = Stored(tmp_path)
    before.write("requests", [request()])
    before.close()
    # Act like a keeper that dies after it wrote a segment, before the manifest names the segment.
    now = manifest.load(tmp_path)
    with before.keeper.turn() as (con, _):
        seal.seal(con, tmp_path, now)
    (tmp_path / "work" / "left").write_text("behind")
    after = Stored(tmp_path)
    assert after.value("select count(*) from requests") == 1
    assert after.segments == 1
    assert not (tmp_path / "work" / "left").exists()
    assert problems(tmp_path) == []


def test_a_folder_that_was_moved_can_be_read(tmp_path):
    old = Stored(tmp_path / "old")
    old.write("requests", [request()])
    old.seal()
    (tmp_path / "old").rename(tmp_path / "new")
    new = Stored(tmp_path / "new")
    assert new.value("select count(*) from requests") == 1


def test_segments_are_plain_parquet_for_any_reader(stored):
    stored.write("requests", [request(plan="a"), request(plan="b")])
    stored.seal()
    frame = pl.read_parquet(str(stored.folder / "segments" / "requests-*.parquet"))
    assert sorted(frame["plan"]) == ["a", "b"]
    assert frame["attempts"][0][0]["backend"] == "a"
    assert frame["ts"].dtype == pl.Datetime("us")


scores = st.none() | st.floats(0, 1).map(lambda x: round(x, 3))


@settings(max_examples=2)
@given(st.data())
def test_the_rollup_agrees_with_the_rows_however_they_were_sealed(tmp_path_factory, data):
    """Hypothesis draws the rows, the signals, and the times of sealing and merging."""
    rollup_agrees(tmp_path_factory, data)


@pytest.mark.slow
@settings(max_examples=40)
@given(st.data())
def test_the_rollup_agrees_with_the_rows_of_many_stores(tmp_path_factory, data):
    rollup_agrees(tmp_path_factory, data)


def rollup_agrees(tmp_path_factory, data):
    stored = Stored(tmp_path_factory.mktemp("t"), FEW_SEGMENTS)
    written = []
    for step in range(data.draw(st.integers(1, 5))):
        rows = [
            request(
                NOON + MINUTE * data.draw(st.sampled_from((0, 1, 39, 40, 99, 100))),
                plan=data.draw(st.sampled_from(["cheap", "dear"])),
                latency_ms=data.draw(st.floats(0.1, 1e5)),
            )
            for _ in range(data.draw(st.integers(0, 4)))
        ]
        written += rows
        stored.write("requests", rows, writer=f"r{step}")
        about = data.draw(st.lists(st.sampled_from(written), max_size=4)) if written else []
        signals = [
            signal(
                row,
                data.draw(scores),
                ts=NOON + step * MINUTE + order,
                source=data.draw(st.sampled_from(["app", "judge"])),
                weight=data.draw(st.sampled_from([0.5, 1.0])),
            )
            for order, row in enumerate(about)
        ]
        stored.write("signals", signals, writer=f"s{step}")
        if data.draw(st.booleans()):
            stored.seal()
        if data.draw(st.booleans()):
            stored.keeper.compact(everything=data.draw(st.booleans()))
    stored.seal()
    sums = stored.ask(
        "select plan, minute, sum(n), sum(quality_n), round(sum(quality), 6), "
        "round(sum(cost_usd), 6) from rollup group by all having sum(n) > 0 order by all"
    )
    true = stored.ask(
        "select plan, date_trunc('minute', ts) as minute, count(*), count(quality), "
        "round(coalesce(sum(quality), 0), 6), round(sum(cost_usd), 6) "
        "from requests group by all order by all"
    )
    assert sums == true
    assert problems(stored.folder) == []
    moments = st.integers(-3, 130).map(lambda m: f"make_timestamp({NOON + m * MINUTE + 500_000})")
    since, until, every = (
        data.draw(moments),
        data.draw(moments),
        data.draw(st.sampled_from((5, 60))),
    )
    figures = "select coalesce(sum(n), 0), round(coalesce(sum(quality), 0), 6) from"
    assert stored.ask(f"{figures} sums(interval {every} minute, {since}, {until})") == stored.ask(
        f"{figures} rollup where minute >= {since} and minute < {until}"
    )


def test_the_manifest_can_be_read_by_a_person(stored):
    stored.write("requests", [request()])
    stored.seal()
    written = orjson.loads((stored.folder / "manifest.json").read_bytes())
    (segment,) = [s for s in written["segments"] if s["table"] == "requests"]
    assert segment["rows"] == 1
    assert segment["covers"] == {"w1": [[1, 1]]}


@pytest.mark.parametrize("sealed", [1, 2])
def test_rows_that_were_sealed_before_a_column_was_there_have_null_in_it(stored, sealed):
    """Segments of an older Waggle are read, beside new ones and after they were merged."""
    for number in range(sealed):
        stored.write("requests", [request(plan=f"old{number}")], writer=f"w{number}")
        stored.seal()
    now = manifest.load(stored.folder)
    older = []
    with segments.connect(stored.folder / "work") as con:
        for segment in now.of("requests"):
            fewer = f"SELECT * EXCLUDE (agent, shadow) FROM '{segment.path(stored.folder)}'"
            covers = segment.covers
            older.append(
                segments.write(con, stored.folder, "requests", fewer, rows=1, covers=covers)
            )
    manifest.store(stored.folder, now.after(without=now.of("requests"), adding=older))
    stored.write("requests", [request(plan="new", agent="edit")], writer="new")
    stored.seal()
    rows = [*((f"old{number}", None) for number in range(sealed)), ("new", "edit")]
    agents = "select plan, agent from all_requests order by plan desc"
    assert stored.ask(agents) == sorted(rows, reverse=True)
    stored.keeper.compact(everything=True)
    assert stored.ask(agents) == sorted(rows, reverse=True)
    assert problems(stored.folder) == []


@pytest.mark.slow
def test_a_new_reader_opens_one_database_for_the_columns_of_all_segments(stored, monkeypatch):
    for batch in range(4):
        stored.write("requests", [request()], writer=f"w{batch}")
        stored.seal()
    unknown = stored.folder.with_name("copied")
    shutil.copytree(stored.folder, unknown)
    opened, connect = [], duckdb.connect

    def counted(*arguments, **options):
        opened.append(arguments)
        return connect(*arguments, **options)

    monkeypatch.setattr(duckdb, "connect", counted)
    catalog.rows_in_memory(unknown, manifest.load(unknown))
    assert len(opened) == 1


def test_the_views_follow_when_a_table_gets_its_first_segment_and_when_files_are_merged(stored):
    rows = [request(NOON + n * MINUTE) for n in range(6)]
    for n, row in enumerate(rows):
        stored.write("requests", [row])
        stored.write("signals", [signal(row, 1.0)] if n % 2 else [])
        stored.close()
        stored.keeper.tend()
        assert stored.value("select count(*) from requests") == n + 1
        assert stored.value("select sum(n) from rollup") == n + 1
        assert stored.value("select count(*) from all_signals") == (n + 1) // 2
        assert (
            stored.value("select generation from published")
            == manifest.load(stored.folder).generation
        )
    assert problems(stored.folder) == []


def test_sealing_is_published_although_a_damaged_segment_stops_the_merging(stored):
    for n in range(3):
        stored.write("requests", [request(NOON + n)])
        stored.seal()
    (damaged, *_) = sorted((stored.folder / "segments").glob("requests-*.parquet"))
    damaged.write_bytes(bytes(damaged.stat().st_size))
    stored.write("requests", [request(NOON + 9)])
    stored.close()
    stored.keeper.tend()
    assert (
        stored.value("select generation from published") == manifest.load(stored.folder).generation
    )
    assert sum(segment.rows for segment in manifest.load(stored.folder).of("requests")) == 4
