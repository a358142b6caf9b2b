"""Every row is there exactly once: live, sealed or merged, whatever was torn, broken or killed."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from zlib import crc32

import duckdb
import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.telemetry.lines import encoded
from router.telemetry.store import catalog, manifest, seal
from router.telemetry.store.audit import verify
from router.telemetry.store.compact import Tiers
from router.telemetry.store.keep import Keeper, RetentionRules
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal

FEW = RetentionRules(tiers=Tiers(fan_in=3, smallest=1))


@pytest.fixture
def stored(tmp_path):
    return Stored(tmp_path, FEW)


def problems(folder: Path) -> list[str]:
    return [f"{finding.where}: {finding.problem}" for finding in verify(folder).findings]


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
    """Plain `duckdb FILE` opens it so: it locks others out of that file, and may change it."""
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
        assert output == b"[(1,)]\n"  # and the writer's own copy still answers


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


def test_a_torn_last_line_is_dropped_and_hides_no_other(stored):
    stored.write("requests", [request(), request()])
    stored.close()
    (path,) = (stored.folder / "journal" / "requests").glob("w1.*.jsonl")
    path.write_bytes(path.read_bytes() + encoded(3, request())[:50])
    assert stored.value("select count(*) from requests") == 2
    stored.keeper.seal()
    assert stored.value("select count(*) from requests") == 2
    assert problems(stored.folder) == []


def test_a_broken_line_is_put_aside_and_reported_and_no_other_line_suffers(stored):
    stored.write("requests", [request() for _ in range(3)])
    stored.close()
    (path,) = (stored.folder / "journal" / "requests").glob("w1.*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    broken = lines[1].replace(b'"status":200', b'"status":201')
    path.write_bytes(b"".join([lines[0], broken, lines[2]]))
    assert ["is not what was written" in problem for problem in problems(stored.folder)] == [True]
    stored.keeper.seal()
    assert stored.value("select count(*) from requests") == 2
    (problem,) = problems(stored.folder)
    assert "could not be read (checksum)" in problem
    (kept,) = (stored.folder / "damaged").iterdir()
    assert kept.read_bytes() == broken
    kept.unlink()  # somebody has looked
    assert problems(stored.folder) == []


@pytest.mark.parametrize("at", [0, 3, 6])
def test_a_row_with_a_value_of_the_wrong_type_keeps_no_other_from_being_sealed(stored, at):
    rows = [request() for _ in range(7)]
    rows[at]["status"] = "fine"
    stored.write("requests", rows, writer="w1")
    stored.write("requests", [request()], writer="w2")
    stored.seal()
    assert stored.value("select count(*) from requests") == 7
    assert stored.value("select sum(n) from rollup") == 7
    (problem,) = problems(stored.folder)
    assert "could not be read" in problem
    (kept,) = (stored.folder / "damaged").iterdir()
    assert b'"status":"fine"' in kept.read_bytes()


def test_a_forgotten_caller_is_not_in_bytes_that_were_put_aside_either(stored):
    stored.write("requests", [request(key_id="k1", status="fine"), request(key_id="k1")])
    stored.seal()
    stored.keeper.forget(keys=("k1",))
    assert list((stored.folder / "damaged").iterdir()) == []


def test_a_journal_that_was_removed_is_reported(stored):
    stored.write("requests", [request()], writer="w1")
    stored.seal()
    stored.write("requests", [request()], writer="w1")
    stored.close()
    for path in (stored.folder / "journal" / "requests").glob("w1.000002.jsonl"):
        path.unlink()
    stored.write("requests", [request()], writer="w1")
    assert problems(stored.folder) == ["requests: row 2 of w1 are missing"]


@pytest.mark.parametrize("harm", ["cut", "changed", "gone"])
def test_a_damaged_segment_is_reported(stored, harm, caplog):
    stored.write("requests", [request() for _ in range(100)])
    stored.seal()
    (path,) = (stored.folder / "segments").glob("requests-*.parquet")
    content = path.read_bytes()
    match harm:
        case "cut":
            path.write_bytes(content[:-10])
        case "changed":
            path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
        case "gone":
            path.unlink()
    (problem,) = problems(stored.folder)
    assert path.name in problem
    Keeper(stored.folder, FEW).recover()
    assert (path.name in caplog.text) == (harm != "changed")  # only `verify` reads every byte
    assert ("missing" if harm == "gone" else "checksum is wrong") in problem


@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_the_other_rows_are_answered_when_a_segment_is_gone_or_cut(stored, harm):
    for writer in ("a", "b", "c"):
        stored.write("requests", [request(plan=writer)], writer=writer)
        stored.seal()
    first = next(s for s in manifest.load(stored.folder).of("requests") if "a" in s.covers)
    path = stored.folder / "segments" / first.file
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-10])
    stored.write("requests", [request(plan="d")], writer="d")
    stored.seal()
    stored.keeper.compact(everything=True)
    stored.keeper.prune()
    plans = "select distinct plan from requests order by plan"
    assert stored.ask(plans) == [("b",), ("c",), ("d",)]
    (problem,) = problems(stored.folder)
    assert first.file in problem


def test_a_lost_manifest_is_not_taken_for_an_empty_store(stored):
    stored.write("requests", [request()])
    stored.seal()
    stored.write("requests", [request()], writer="w2")
    stored.seal()
    (stored.folder / "manifest.json").unlink()
    with pytest.raises(manifest.Damaged, match=r"copy manifest\.previous\.json"):
        stored.keeper.seal()
    (problem,) = problems(stored.folder)
    assert "missing though there are segments" in problem
    assert len(list((stored.folder / "segments").glob("requests-*.parquet"))) == 2


def test_journals_that_a_crash_left_are_sealed_by_the_next_start(tmp_path):
    before = Stored(tmp_path)
    before.write("requests", [request()])
    before.close()
    # A keeper that died after it wrote a segment and before the manifest named it.
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


def test_rows_that_were_written_twice_after_a_failed_fsync_are_sealed_once(stored):
    """If the disk refuses to cut a file, its last rows are in the next file too."""
    folder = stored.folder / "journal" / "requests"
    lines = [encoded(n, request()) for n in (1, 2, 3)]
    (folder / "w.000001.jsonl").write_bytes(b"".join(lines[:2]))
    stored.keeper.seal()
    (folder / "w.000002.jsonl").write_bytes(b"".join(lines[1:]))
    stored.keeper.seal()
    assert stored.ask("select count(*), max(n) from requests") == [(3, 3)]
    assert problems(stored.folder) == []


def test_segments_are_plain_parquet_for_any_reader(stored):
    stored.write("requests", [request(plan="a"), request(plan="b")])
    stored.seal()
    frame = pl.read_parquet(str(stored.folder / "segments" / "requests-*.parquet"))
    assert sorted(frame["plan"]) == ["a", "b"]
    assert frame["attempts"][0][0]["backend"] == "a"
    assert frame["ts"].dtype == pl.Datetime("us")


def of_version(version, line):
    """A line as another version of Waggle would have written it."""
    rest = line[len(b'{"crc":"00000000') : -1].replace(b'"v":1', b'"v":%d' % version)
    return b'{"crc":"%08x%b\n' % (crc32(rest), rest)


@pytest.mark.parametrize("version", [0, 2, 7])
def test_rows_of_another_version_are_refused_with_the_way_out(stored, version):
    path = stored.folder / "journal" / "requests" / "w.000001.jsonl"
    lines = [encoded(1, request()), of_version(version, encoded(2, request()))]
    path.write_bytes(b"".join(lines))
    says = f"w.000001.jsonl is of version {version}, and this Waggle reads version 1 only: use"
    with pytest.raises(manifest.OtherVersion, match=says):
        stored.keeper.seal()
    assert path.read_bytes() == b"".join(lines)
    assert [says in problem for problem in problems(stored.folder)] == [True]


@pytest.mark.parametrize("version", [None, 2])
def test_a_manifest_of_another_version_is_refused_with_the_way_out(stored, version):
    path = stored.folder / "manifest.json"
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"version": version}))
    before = path.read_bytes()
    says = f"manifest.json is of version {version}, .*version 1 only: use .* or move the folder"
    with pytest.raises(manifest.OtherVersion, match=says):
        stored.keeper.seal()
    assert path.read_bytes() == before
    (problem,) = problems(stored.folder)
    assert "version 1 only" in problem


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
    assert stored.value("select sum(n) from rollup") == 8  # the sums outlive the rows
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


scores = st.none() | st.floats(0, 1).map(lambda x: round(x, 3))


@settings(max_examples=15)
@given(st.data())
def test_the_rollup_agrees_with_the_rows_however_they_were_sealed(tmp_path_factory, data):
    """Rows and signals come in any order, are sealed and merged at any time."""
    stored = Stored(tmp_path_factory.mktemp("t"), FEW)
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


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b'{"version":1}'])
def test_a_manifest_that_cannot_be_read_is_refused_with_the_way_out(stored, content):
    stored.write("requests", [request()])
    stored.seal()
    (stored.folder / "manifest.json").write_bytes(content)
    with pytest.raises(manifest.Damaged, match=r"copy manifest\.previous\.json to its place"):
        stored.keeper.seal()
