"""Damaged files are reported, and the damage hides no intact row."""

import asyncio
from zlib import crc32

import orjson
import pytest

from router.telemetry.analyst import Bounds, ask
from router.telemetry.lines import encoded
from router.telemetry.store import manifest
from router.telemetry.store.keep import Keeper
from tests.sparing import slow_after
from tests.telemetry.stored import FEW_SEGMENTS, Stored, problems, request


@pytest.fixture
def stored(tmp_path):
    return Stored(tmp_path, FEW_SEGMENTS)


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
    kept.unlink()  # an operator looked at the line and removed it
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


def test_a_journal_that_was_removed_is_reported(stored):
    stored.write("requests", [request()], writer="w1")
    stored.seal()
    stored.write("requests", [request()], writer="w1")
    stored.close()
    for path in (stored.folder / "journal" / "requests").glob("w1.000002.jsonl"):
        path.unlink()
    stored.write("requests", [request()], writer="w1")
    assert problems(stored.folder) == ["requests: row 2 of w1 are missing"]


@pytest.mark.parametrize("harm", slow_after(2, ["cut", "changed", "gone"]))
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
    Keeper(stored.folder, FEW_SEGMENTS).recover()
    # Only `verify` reads all bytes and finds a changed one.
    assert (path.name in caplog.text) == (harm != "changed")
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
    for name in ("manifest.json", "manifest.copy.json"):
        (stored.folder / name).unlink()
    with pytest.raises(manifest.Damaged, match=r"nor can manifest\.copy\.json: restore one"):
        stored.keeper.seal()
    (problem,) = problems(stored.folder)
    assert "missing though there are segments" in problem
    assert len(list((stored.folder / "segments").glob("requests-*.parquet"))) == 2


def test_rows_that_were_written_twice_after_a_failed_fsync_are_sealed_once(stored):
    """If the log cannot cut a file after a failed fsync, the next file repeats its last rows."""
    folder = stored.folder / "journal" / "requests"
    lines = [encoded(n, request()) for n in (1, 2, 3)]
    (folder / "w.000001.jsonl").write_bytes(b"".join(lines[:2]))
    stored.keeper.seal()
    (folder / "w.000002.jsonl").write_bytes(b"".join(lines[1:]))
    stored.keeper.seal()
    assert stored.ask("select count(*), max(n) from requests") == [(3, 3)]
    assert problems(stored.folder) == []


def of_version(version, line):
    """This line, as a Waggle with this format version would have written it."""
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


GARBAGE = [None, b"{", b"", b"[]", b"7", b'{"version":1}', bytes(range(256)) * 9]


@pytest.mark.parametrize("content", slow_after(1, GARBAGE[::-1]))
def test_a_manifest_of_garbage_is_replaced_by_its_copy_and_no_row_is_lost(stored, content, caplog):
    """`None`: the file is gone. A query is answered before the keeper has mended the manifest."""
    _history(stored)
    path = stored.folder / "manifest.json"
    path.unlink() if content is None else path.write_bytes(content)
    counted = orjson.loads(asyncio.run(ask(stored.folder, COUNT, Bounds(1, 10.0))))
    assert counted["rows"] == [[9, 9, 9]]
    (problem,) = problems(stored.folder)
    assert "manifest.json" in problem
    stored.now += 2 * stored.keeper.rules.grace_seconds
    for _ in range(2):
        stored.keeper.seal()
        stored.keeper.sweep()
        stored.keeper.compact(everything=True)
    assert stored.ask(COUNT) == [(9, 9, 9)]
    assert "its copy was put into its place" in caplog.text
    kept = list((stored.folder / "damaged").iterdir())
    assert [file.read_bytes() for file in kept] == ([] if content is None else [content])
    assert ["cannot be read" in problem for problem in problems(stored.folder)] == [True] * len(
        kept
    )


@pytest.mark.parametrize("content", slow_after(1, GARBAGE[1:]))
def test_without_a_copy_a_manifest_of_garbage_is_refused_with_the_way_out(stored, content):
    _history(stored)
    for name in ("manifest.json", "manifest.copy.json"):
        (stored.folder / name).write_bytes(content)
    with pytest.raises(manifest.Damaged, match=r"nor can manifest\.copy\.json: restore one"):
        stored.keeper.seal()


COUNT = "select count(*), count(distinct request_id), count(distinct n) from requests"


def _history(stored):
    """Rows that were sealed, merged, swept, sealed again, and not sealed yet."""
    for _ in range(4):
        stored.write("requests", [request(), request()])
        stored.seal()
    stored.keeper.compact(everything=True)
    stored.now += 2 * stored.keeper.rules.grace_seconds
    stored.keeper.sweep()
    stored.write("requests", [request()])
