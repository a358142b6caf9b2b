"""Ray's workers are forks of one process, and share nothing that must be their own.

None of these tests starts Ray.
"""

import importlib.util
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from router.deployment.workers import launcher
from router.deployment.workers.inherited import find_inherited

LIBRARY = Path(importlib.util.find_spec("ray").origin).with_name("_raylet.so")
PLAIN = [sys.executable, "-c", "print('started itself')"]

# A process that has drawn a random name, and forks three that draw one too.
FORKS = """
import os, pathlib, sys
import ray
from router.deployment.workers.inherited import find_inherited

inherited = find_inherited(pathlib.Path(sys.argv[1]))
ray.NodeID.from_random()
for number in range(3):
    if os.fork() == 0:
        os.environ["RAY_handler_warning_timeout_ms"] = str(2000 + number)
        if sys.argv[2] == "forget":
            inherited.forget()
        print(ray.NodeID.from_random().hex(), ray._raylet.Config.handler_warning_timeout_ms(),
              flush=True)
        os._exit(0)
    os.wait()
"""


def drawn(what: str) -> tuple[set[str], list[str]]:
    """The names that the forks drew, and a setting as each of them has it."""
    command = [sys.executable, "-c", FORKS, str(LIBRARY), what]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = [line.split() for line in lines]
    return {name for name, _ in pairs}, [setting for _, setting in pairs]


def test_forks_draw_names_of_their_own_and_read_their_own_environment():
    names, settings = drawn("forget")
    assert len(names) == 3
    assert settings == ["2000", "2001", "2002"]


def test_without_forgetting_all_forks_would_draw_the_same_name():
    names, settings = drawn("keep")
    assert len(names) == 1
    assert settings == ["1000", "1000", "1000"]


def test_a_library_without_these_flags_is_not_forked(tmp_path):
    assert find_inherited(LIBRARY) is not None
    assert find_inherited(Path(sys.executable).resolve()) is None
    assert find_inherited(tmp_path / "missing.so") is None
    (tmp_path / "text.so").write_text("no library")
    assert find_inherited(tmp_path / "text.so") is None


def run_launcher(path: Path, *words: str) -> str:
    command = [sys.executable, "-I", "-S", launcher.__file__, str(path), *PLAIN, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_worker_starts_itself_where_nobody_forks(tmp_path):
    assert run_launcher(tmp_path / "missing.sock") == "started itself\n"


@pytest.mark.parametrize(
    ("answer", "words", "printed"),
    [
        (b"f", ["--serialized-runtime-env-context={}"], ""),
        (b"", ["--serialized-runtime-env-context={}"], "started itself\n"),  # it ended meanwhile
        (b"f", ['--serialized-runtime-env-context={"env_vars": {}}'], "started itself\n"),
        (b"f", ["--language=JAVA"], "started itself\n"),
    ],
)
def test_only_a_plain_worker_is_forked(tmp_path, answer, words, printed):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def fork() -> None:
            connection, _ = listener.accept()
            with connection:
                head, attached, *_ = connection.recvmsg(4, 1024)
                body = connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
                for descriptor in memoryview(attached[0][2]).cast("i"):
                    os.close(descriptor)
                received.append(body)
                connection.sendall(answer)

        received: list[bytes] = []
        thread = threading.Thread(target=fork, daemon=True)
        thread.start()
        assert run_launcher(tmp_path / "s", *words) == printed
        for body in received:
            command, _, variables = body.partition(b"\0\0")
            assert command.split(b"\0")[0] == sys.executable.encode()
            assert b"PATH=" + os.environb[b"PATH"] in variables.split(b"\0")
