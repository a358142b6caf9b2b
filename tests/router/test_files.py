"""After a kill or on a full disk, a file has its old or its new content, never a mixture."""

import fcntl
import os
import signal
import subprocess
import sys
import threading

import pytest

from router.files import (
    alone,
    append_lines,
    create_locked,
    held,
    lock_if_free,
    replace_durably,
    whole_folder,
    write_durably,
    write_whole,
)
from tests.kills import killed_before_rename, killed_midway, largest_file

OLD, NEW = b"old" * 10, b"new" * 100_000

writes = pytest.mark.parametrize("write", [write_whole, write_durably])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@writes
def test_what_was_written_is_read_and_nothing_lies_beside_it(tmp_path, write):
    path = tmp_path / "made" / "on the way" / "file.json"
    write(path, OLD)
    write(path, NEW)
    assert path.read_bytes() == NEW
    assert names(path.parent) == ["file.json"]


@writes
@pytest.mark.parametrize("kill", [
    killed_before_rename, lambda action: killed_midway(action, after_bytes=1000)
], ids=["before the rename", "midway"])  # fmt: skip
def test_a_writer_that_is_killed_leaves_the_old_content_and_holds_up_nobody(tmp_path, write, kill):
    path = tmp_path / "file"
    write(path, OLD)
    assert kill(lambda: write(path, NEW))
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["file", "file.new"]
    write(path, b"shorter than what the dead left")
    assert path.read_bytes() == b"shorter than what the dead left"
    assert names(tmp_path) == ["file"]


@writes
def test_a_full_disk_leaves_the_old_content_and_no_garbage(tmp_path, write):
    path = tmp_path / "file"
    write(path, OLD)
    with largest_file(1000), pytest.raises(OSError, match="too large"):
        write(path, NEW)
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["file"]


@writes
def test_of_two_writers_each_writes_whole(tmp_path, write):
    path = tmp_path / "file"
    contents = [bytes([letter]) * 300_000 for letter in b"abcd"]
    write(path, contents[0])
    writers = [
        threading.Thread(target=lambda c=content: [write(path, c) for _ in range(20)])
        for content in contents
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_bytes() in contents
    assert path.read_bytes() in contents
    assert names(tmp_path) == ["file"]


@writes
def test_a_file_is_its_owners_alone_unless_the_caller_says_otherwise(tmp_path, write):
    (tmp_path / "file.new").touch(0o666)  # left by a killed writer, readable by others
    write(tmp_path / "file", OLD)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    write(tmp_path / "file", OLD, mode=0o644)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_a_link_in_the_place_beside_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_bytes(OLD)
    (tmp_path / "file.new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        write_whole(tmp_path / "file", NEW)
    assert (tmp_path / "elsewhere").read_bytes() == OLD


def test_a_durable_write_syncs_the_file_before_its_name_and_the_name_after(tmp_path):
    """The order of these system calls decides what a power cut leaves on disk."""
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from router.files import write_durably, replace_durably\n"
        "calls, fsync = [], os.fsync\n"
        "def noted(handle):\n"
        "    calls.append(os.readlink(f'/proc/self/fd/{handle}'))\n"
        "    fsync(handle)\n"
        "os.fsync = noted\n"
        "sys.addaudithook(lambda event, _: calls.append(event) if event == 'os.rename' else None)\n"
        "folder = Path(sys.argv[1])\n"
        "write_durably(folder / 'a', b'a')\n"
        "(folder / 'b.new').write_bytes(b'b')\n"
        "replace_durably(folder / 'b.new', folder / 'b')\n"
        "print(*calls, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    each = [("a", f"{tmp_path}/a.new"), ("b", f"{tmp_path}/b.new")]
    expected = [call for _, beside in each for call in (beside, "os.rename", str(tmp_path))]
    assert done.stdout.split() == expected


def test_a_finished_file_takes_its_place(tmp_path):
    (tmp_path / "file").write_bytes(OLD)
    (tmp_path / "beside").write_bytes(NEW)
    replace_durably(tmp_path / "beside", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == NEW
    assert names(tmp_path) == ["file"]


def fill(folder, content):
    with whole_folder(folder) as beside:
        (beside / "first").write_bytes(content)
        (beside / "inner").mkdir()
        (beside / "inner" / "second").write_bytes(content)


def test_a_folder_is_whole_or_not_there(tmp_path):
    folder = tmp_path / "folder"
    assert killed_midway(lambda: fill(folder, NEW), after_bytes=1000)
    assert killed_before_rename(lambda: fill(folder, NEW))
    assert not folder.exists()
    with pytest.raises(RuntimeError), whole_folder(folder) as beside:
        (beside / "first").write_bytes(NEW)
        raise RuntimeError
    assert names(tmp_path) == []
    fill(folder, OLD)
    fill(folder, NEW)
    assert names(folder) == ["first", "inner"]
    assert (folder / "inner" / "second").read_bytes() == NEW
    assert names(tmp_path) == ["folder"]


def test_a_folder_holds_nothing_that_a_killed_writer_left(tmp_path):
    left = tmp_path / "folder.new" / "deep"
    left.mkdir(parents=True)
    (left / "left").touch()
    fill(tmp_path / "folder", NEW)
    assert names(tmp_path / "folder") == ["first", "inner"]


def append(path, lines, **given):
    with alone(path) as handle:
        append_lines(handle, lines, **given)


@pytest.mark.parametrize("durable", [False, True])
def test_lines_follow_each_other(tmp_path, durable):
    append(tmp_path / "log", b"1\n2\n", durable=durable)
    append(tmp_path / "log", b"3\n", durable=durable)
    assert (tmp_path / "log").read_bytes() == b"1\n2\n3\n"


@pytest.mark.parametrize("torn", [b"tor", b"x" * 10_000])
@pytest.mark.parametrize("before", [b"", b"1\n"])
def test_a_line_without_its_end_is_removed_by_the_next_writer(tmp_path, before, torn):
    (tmp_path / "log").write_bytes(before + torn)
    append(tmp_path / "log", b"2\n")
    assert (tmp_path / "log").read_bytes() == before + b"2\n"


def test_lines_that_find_no_room_are_not_half_there(tmp_path):
    append(tmp_path / "log", b"1\n")
    with largest_file(1000), pytest.raises(OSError, match="too large"):
        append(tmp_path / "log", NEW)
    assert (tmp_path / "log").read_bytes() == b"1\n"


def test_a_lock_is_held_by_one_and_free_when_its_holder_lets_go(tmp_path):
    path = tmp_path / "made" / "lock"
    assert not held(path)
    with alone(path):
        assert held(path)
        assert lock_if_free(path) is None
    handle = lock_if_free(path)
    assert handle is not None
    assert held(path)
    os.close(handle)
    assert not held(path)


def test_a_lock_is_free_when_its_holder_is_killed(tmp_path):
    program = (
        "import sys; from pathlib import Path; from router.files import lock_if_free\n"
        "handle = lock_if_free(Path(sys.argv[1]))\n"
        "print('locked', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "lock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"locked\n"
        assert held(tmp_path / "lock")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with alone(tmp_path / "lock"):
            pass


def test_a_lockf_lock_is_seen_only_by_a_check_for_lockf_locks(tmp_path):
    """DuckDB locks with `lockf`. Only other processes see such a lock, so a child takes it."""
    (tmp_path / "file").touch()
    program = (
        "import fcntl, sys\n"
        "file = open(sys.argv[1], 'r+')\n"
        "fcntl.lockf(file, fcntl.LOCK_EX)\n"
        "print('locked', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "file"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        assert held(tmp_path / "file", fcntl.lockf)
        assert not held(tmp_path / "file")
        holder.communicate()


def test_a_file_that_is_made_locked_is_never_found_free(tmp_path):
    path = tmp_path / "file.jsonl"
    handle = create_locked(path)
    assert held(path)
    os.write(handle, OLD)
    os.close(handle)
    assert not held(path)
    assert names(tmp_path) == ["file.jsonl"]
