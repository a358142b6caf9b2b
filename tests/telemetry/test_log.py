"""An acknowledged row is on disk, whatever errors the disk had before."""

import errno
import os
from pathlib import Path

import orjson
import pytest

from router.files import held
from router.telemetry.lines import decoded
from router.telemetry.log import Log, Rotation
from tests.kills import largest_file

BIG = "x" * 1000


class SteppedClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class FailingDisk:
    """An `fdatasync` that fails while `failing` is set."""

    failing = False
    calls = 0

    def __call__(self, handle: int) -> None:
        self.calls += 1
        if self.failing:
            raise OSError(errno.EIO, "Input/output error")
        os.fdatasync(handle)


def numbers(folder: Path) -> list[int]:
    """The numbers of the rows in all files, in the order of the files' names."""
    files = [decoded(path.read_bytes()) for path in sorted(folder.glob("*.jsonl"))]
    assert not any(lines.bad for lines in files)
    return [number for lines in files for number in lines.numbers]


def test_a_row_is_with_the_kernel_when_append_returns(tmp_path):
    log = Log(tmp_path, "w")
    assert log.append({"a": 1}) == 1
    assert numbers(tmp_path) == [1]
    assert log.durable == 0
    assert log.sync() == 1


def test_a_file_is_locked_while_it_is_written_and_free_after(tmp_path):
    clock = SteppedClock()
    log = Log(tmp_path, "w", rotation=Rotation(seconds=5), clock=clock)
    log.append({"a": 1})
    log.sync()
    (path,) = tmp_path.glob("*.jsonl")
    assert held(path)
    clock.now = 5.0
    assert log.due  # no row came, but the old rows should be sealed
    log.sync()
    assert not held(path)
    log.append({"a": 2})
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


@pytest.mark.parametrize("rotation", [Rotation(rows=3), Rotation(bytes=3 * (len(BIG) + 40))])
def test_a_large_file_is_closed_and_the_next_begun(tmp_path, rotation):
    log = Log(tmp_path, "w", rotation=rotation)
    for _ in range(10):
        log.append({"a": BIG})
        log.sync()
    log.close()
    files = sorted(tmp_path.glob("*.jsonl"))
    assert len(files) >= 3
    assert numbers(tmp_path) == list(range(1, 11))


def test_rows_that_a_full_disk_refused_wait_and_are_written_when_it_has_room(tmp_path):
    log = Log(tmp_path, "w")
    log.append({"a": BIG})
    assert log.sync() == 1
    with largest_file(1500):  # room for the first row and half of the second
        log.append({"a": BIG})
        log.append({"a": BIG})
        assert log.trouble
        assert log.waiting == 2
        with pytest.raises(OSError, match=r"large|fitted"):
            log.sync()
        assert log.durable == 1  # only the first row is acknowledged
        assert numbers(tmp_path) == [1]  # no part of another row is in the file
    assert log.sync() == 3
    assert numbers(tmp_path) == [1, 2, 3]
    assert not log.trouble


def test_a_strict_row_that_a_full_disk_refuses_was_never_there(tmp_path):
    log = Log(tmp_path, "w")
    log.append({"a": BIG})
    with largest_file(1500), pytest.raises(OSError, match=r"large|fitted"):
        log.append_many([{"a": BIG}], strict=True)
    assert log.append({"a": 2}) == 2
    log.sync()
    assert numbers(tmp_path) == [1, 2]


def test_rows_that_find_no_room_to_wait_are_counted(tmp_path):
    log = Log(tmp_path, "w")
    log.append({"a": 1})
    huge = "x" * 20_000_000
    with largest_file(100):
        for _ in range(5):
            log.append({"a": huge})
        assert log.waiting == 3
        assert log.dropped == 2
    log.sync()
    # Rows 5 and 6 were dropped; `verify` will report the gap.
    assert numbers(tmp_path) == [1, 2, 3, 4]


def test_after_a_failed_fsync_nothing_is_acknowledged_and_all_is_written_anew(tmp_path):
    disk = FailingDisk()
    log = Log(tmp_path, "w", fdatasync=disk)
    log.append({"a": 1})
    assert log.sync() == 1
    log.append({"a": 2})
    disk.failing = True
    with pytest.raises(OSError, match="Input/output error"):
        log.sync()
    assert log.durable == 1
    log.append({"a": 3})
    with pytest.raises(OSError, match="Input/output error"):
        log.sync()
    assert log.durable == 1
    disk.failing = False
    assert log.sync() == 3
    # The log cut off the rows of the failed fsync and wrote them anew, so each row is there once.
    assert numbers(tmp_path) == [1, 2, 3]
    assert len(list(tmp_path.glob("*.jsonl"))) > 1


def test_two_writers_share_a_folder(tmp_path):
    for writer in ("first", "second"):
        Log(tmp_path, writer).append({"a": 1})
    names = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert names == ["first.000001.jsonl", "second.000001.jsonl"]


def test_a_line_says_its_version_and_number(tmp_path):
    log = Log(tmp_path, "w")
    log.append_many([{"a": 1}, {"a": 2}])
    (path,) = tmp_path.glob("*.jsonl")
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert [(row["v"], row["n"]) for row in rows] == [(1, 1), (1, 2)]
