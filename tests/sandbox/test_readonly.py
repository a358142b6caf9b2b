"""A process that locked itself to reading can read two folders, and change nothing anywhere.

The attacks run in a real child with every lock of this machine, as the user of the test and, where
that is root, as an ordinary user too.
"""

import json
import os
import subprocess
import sys

import pytest

from sandbox.cell import lockdown, seccomp

linux = pytest.mark.skipif(
    sys.platform != "linux" or not seccomp.available() or not lockdown.landlock_version(),
    reason="this kernel has no Landlock or no seccomp",
)
USERS = ("root", "ordinary") if os.getuid() == 0 else ("ordinary",)

CHILD = """
import ctypes, json, os, resource, signal, socket, sys, threading
from pathlib import Path
import duckdb
from sandbox.cell import readonly

work, user = Path(sys.argv[1]), sys.argv[2]
if user == "ordinary" and os.getuid() == 0:
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
os.chdir(work)
con = duckdb.connect(config={"threads": 1, "async_threads": 0, "temp_directory": ""})
locks = readonly.lock([Path("journal"), Path("segments")], user_id=64101)
journal = Path("journal/live.jsonl")

def copy(to):
    con.execute(f"copy (select 1 x) to '{to}' (format csv, use_tmp_file false)")

def libc(name, *arguments):
    if ctypes.CDLL(None, use_errno=True)[name](*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)

attacks = {
    "truncate by COPY": lambda: copy(journal),
    "create by COPY": lambda: copy("journal/new.csv"),
    "write elsewhere by COPY": lambda: copy(work / "outside" / "new.csv"),
    "attach a new database": lambda: con.execute("attach 'journal/new.db' as n"),
    "export": lambda: con.execute("export database 'journal/dump'"),
    "read a file by SQL": lambda: con.execute("from read_text('/etc/passwd')").fetchall(),
    "read the manifest by SQL": lambda: con.execute("from read_text('manifest.json')").fetchall(),
    "read what is damaged": lambda: Path("damaged/line").read_text(),
    "read a link out of the folder": lambda: Path("segments/link").read_text(),
    "list the root": lambda: os.listdir("/"),
    "open for writing": lambda: open(journal, "r+"),
    "append": lambda: open(journal, "ab"),
    "truncate": lambda: os.truncate(journal, 0),
    "open and truncate": lambda: os.open(journal, os.O_RDONLY | os.O_TRUNC),
    "unlink": journal.unlink,
    "rename": lambda: journal.rename("journal/gone"),
    "make a folder": lambda: os.mkdir("journal/new"),
    "link": lambda: os.link(journal, "journal/second"),
    "symlink": lambda: os.symlink("/etc/passwd", "journal/passwd"),
    "change the mode": lambda: os.chmod(journal, 0o777),
    "change the owner": lambda: os.chown(journal, os.getuid(), os.getgid()),
    "change the times": lambda: os.utime(journal),
    "an attribute": lambda: os.setxattr(journal, "user.x", b"1"),
    "a socket": lambda: socket.socket(),
    "a pair of sockets": lambda: socket.socketpair(),
    "fork": os.fork,
    "a program": lambda: os.execv("/bin/true", ["true"]),
    "a signal to the parent": lambda: os.kill(os.getppid(), 0),
    "limits of the parent": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU),
    "back to root": lambda: os.setresuid(0, 0, 0),
    "memory of the parent": lambda: libc("ptrace", 16, os.getppid(), 0, 0),
    "a handle of a file": lambda: libc("syscall", 303, -100, b"/etc/passwd", None, None, 0),
    "io_uring": lambda: libc("syscall", 425, 8, None),
}
held = {}
for name, attack in attacks.items():
    try:
        attack()
        held[name] = "it worked"
    except (OSError, duckdb.Error) as error:
        held[name] = "" if isinstance(error, duckdb.Error) else str(error.errno)
thread = threading.Thread(target=lambda: held.update(thread=open(journal).read()))
thread.start()
thread.join()
words = con.execute("select content from read_text('journal/live.jsonl')").fetchall()[0][0]
sys.stdout.write(json.dumps({"locks": locks, "held": held, "words": words, "uid": os.getuid()}))
"""


@pytest.fixture
def folder(tmp_path):
    for name in ("journal", "segments", "damaged", "outside"):
        (tmp_path / name).mkdir()
    for name in ("journal/live.jsonl", "damaged/line", "manifest.json"):
        (tmp_path / name).write_text("words of a caller")
    (tmp_path / "segments" / "link").symlink_to(tmp_path / "manifest.json")
    return tmp_path


def attacked(folder, user):
    if user == "ordinary" and os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534, follow_symlinks=False)
        for parent in folder.parents[:3]:
            parent.chmod(parent.stat().st_mode | 0o055)  # one of them is the shared /tmp
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), user],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return json.loads(child.stdout)


@linux
@pytest.mark.parametrize("user", USERS)
def test_a_locked_process_reads_its_folders_and_changes_nothing(folder, user):
    # The files are private, as those of telemetry are.
    for path in ("journal/live.jsonl", "manifest.json"):
        (folder / path).chmod(0o600)
    report = attacked(folder, user)
    worked = [name for name, result in report["held"].items() if result == "it worked"]
    assert worked == []
    assert report["words"] == report["held"]["thread"] == "words of a caller"
    assert (folder / "journal" / "live.jsonl").read_text() == "words of a caller"
    assert [path.name for path in (folder / "journal").iterdir()] == ["live.jsonl"]
    assert {"landlock", "seccomp"} <= set(report["locks"])
    assert ("user" in report["locks"]) == (user == "root")
    assert report["uid"] != 0


@linux
def test_a_process_with_two_threads_is_not_locked_by_halves():
    code = (
        "import threading, time\n"
        "from sandbox.cell import readonly\n"
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
        "readonly.lock([], user_id=64101)\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "the locks are for one thread, and this process has more" in child.stderr


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_for_reading_fits_into_the_kernel(machine):
    code = seccomp.assemble_reading(machine)
    assert len(code) % 8 == 0
    assert len(code) // 8 <= 4096
