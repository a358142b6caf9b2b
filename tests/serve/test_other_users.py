"""Another user of this machine cannot list, read, replace or connect to anything of a service.

The last test ends the service.
"""

import contextlib
import json
import os
import signal
import socket
import stat
import tempfile
from functools import partial
from pathlib import Path

import pytest

from router.deployment.closed_folder import openings, trusted_users
from router.deployment.processes import born, descendants
from tests.other_user import as_another_user, needs_root, outcome
from tests.serve.running import COMPUTE, MEAN, SANDBOX, configuration, own_service

pytestmark = [pytest.mark.ray, needs_root]


@pytest.fixture(scope="module")
def opened(upstream):
    """A service in a folder that everybody may enter, on data of an earlier version, umask 000."""
    before = os.umask(0)
    try:
        with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)
            for name in ("ray/h", "telemetry"):
                Path(folder, "var", name).mkdir(parents=True)
            text = configuration(upstream.url, backends=SANDBOX, plans=COMPUTE)
            with own_service(Path(folder), text, dashboard=True) as service:
                assert service.run("ask", MEAN).stdout == '{"mean":3.0}\n'
                yield service
    finally:
        os.umask(before)


def below(data: Path) -> list[tuple[str, int]]:
    """The path and the kind of everything below a folder, as root lists it."""
    paths = []
    for path in (data, *data.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            paths.append((str(path), stat.S_IFMT(path.lstat().st_mode)))
    return paths


def test_the_start_closed_what_stood_open_and_said_so(opened):
    assert "Other users could reach" in opened.log
    assert list(openings(opened.data, trusted_users(sudo_uid=""))) == []
    assert "all below the data folder" in " ".join(opened.run("doctor").stdout.split())


def test_nothing_below_the_data_folder_can_be_listed_read_or_written(opened):
    paths = below(opened.data)
    assert {stat.S_IFSOCK, stat.S_IFREG, stat.S_IFDIR} <= {kind for _, kind in paths}

    def attack() -> list[tuple[str, str]]:
        done = []
        for path, kind in paths:
            attempts = {
                "list": partial(os.listdir, path),
                "read": partial(os.open, path, os.O_RDONLY),
                "write": partial(os.open, path, os.O_WRONLY),
                "put beside": Path(path + ".x").touch,
                "replace": partial(os.replace, path, path + ".old"),
                "connect": partial(connect, path),
            }
            if kind != stat.S_IFSOCK:
                del attempts["connect"]
            done += [(path, name, outcome(attempt)) for name, attempt in attempts.items()]
        # To write to a folder itself is an error for everybody.
        return [each for each in done if each[2] not in ("PermissionError", "IsADirectoryError")]

    assert as_another_user(attack) == []


def connect(path: str) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as client:
        os.chdir(Path(path).parent)  # a longer path does not fit in a socket's address
        client.connect(Path(path).name)


def test_no_socket_of_the_service_is_outside_the_data_folder(opened):
    """Nor has the service a socket without a path, to which every user could connect."""
    family = [opened.process.pid, *descendants(opened.process.pid)]
    inodes = set()
    for pid in family:
        for handle in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                inodes.add(str(handle.readlink()).removeprefix("socket:[").rstrip("]"))
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    listening = [line for line in lines if line[6] in inodes and line[3] == "00010000"]
    names = [line[7] if len(line) > 7 else "@" for line in listening]
    home = opened.data / "ray" / "h"  # where HAProxy runs, which names its socket from there
    assert names
    assert [name for name in names if name.startswith("@")] == [], "these have no path"
    outside = [name for name in names if not (home / name).resolve().is_relative_to(opened.data)]
    assert outside == []


def test_no_command_line_and_no_log_holds_a_secret(opened):
    written = json.loads((opened.data / "secrets.json").read_bytes())
    family = [opened.process.pid, *descendants(opened.process.pid)]
    places = [Path(f"/proc/{pid}/cmdline") for pid in family]
    places += [path for path in (opened.data / "ray").rglob("*") if path.is_file()]
    for place in places:
        with contextlib.suppress(FileNotFoundError):
            content = place.read_bytes()
            assert [name for name, value in written.items() if value.encode() in content] == [], (
                place
            )


def test_no_other_user_reads_the_environment_where_the_tokens_are(opened):
    pids = [opened.process.pid, *descendants(opened.process.pid)]

    def attack() -> list[str]:
        return [outcome(Path(f"/proc/{pid}/environ").read_bytes) for pid in pids]

    assert set(as_another_user(attack)) <= {"PermissionError", "FileNotFoundError"}


@pytest.mark.slow
def test_a_term_for_all_of_its_processes_at_once_leaves_none(opened):
    """A supervisor may signal all processes, before the command can stop them in order."""
    family = [*descendants(opened.process.pid), opened.process.pid]
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    assert opened.process.wait(120) == 0
    assert [pid for pid in family if born(pid)] == []
