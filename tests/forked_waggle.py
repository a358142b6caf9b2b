"""`waggle` commands for tests that run many: each is forked from a process that imported them all.

A command is a process of its own, with its own arguments, folder, environment and output, as if a
shell had started `waggle`. What the fork saves is the second or two that importing takes.
"""

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from router.cli.main import app, load_all, main
from router.cli.terminal import err, out

_STATUS_BYTES = 4


def run_waggle(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `waggle` with these arguments in this folder, and return what it printed."""
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as printed,
        tempfile.TemporaryFile("w+") as complained,
        socket.socket(socket.AF_UNIX) as command,
    ):
        given.write(stdin)
        given.seek(0)
        command.connect(_imported())
        what = {"arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        files = [given.fileno(), printed.fileno(), complained.fileno()]
        socket.send_fds(command, [json.dumps(what).encode()], files)
        command.shutdown(socket.SHUT_WR)
        status = command.recv(_STATUS_BYTES)
        assert status, f"waggle {arguments} was killed"
        printed.seek(0)
        complained.seek(0)
        code = int.from_bytes(status, "little", signed=True)
        return subprocess.CompletedProcess(arguments, code, printed.read(), complained.read())


def forked_command(*arguments: str) -> list[str]:
    """A command for those who start `waggle` themselves: it ends when the forked `waggle` ends.

    A signal to it does not reach `waggle`, whose standard input must end.
    """
    return [sys.executable, "-I", "-S", "-c", _STARTER, _imported(), *arguments]


_STARTER = """
import json, os, socket, sys
place, *arguments = sys.argv[1:]
command = socket.socket(socket.AF_UNIX)
command.connect(place)
what = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
socket.send_fds(command, [json.dumps(what).encode()], [0, 1, 2])
command.shutdown(socket.SHUT_WR)
sys.exit(int.from_bytes(command.recv(4), "little", signed=True))
"""


@functools.cache
def _imported() -> str:
    """The socket of the process that imported all commands; it ends with this process."""
    folder = tempfile.TemporaryDirectory(prefix="pytest-waggle-")
    place = str(Path(folder.name) / "socket")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forked_waggle", place],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"

    def end() -> None:
        process.communicate()
        folder.cleanup()

    atexit.register(end)
    return place


def _serve(place: str) -> None:
    """Fork a command for each connection, until the standard input ends."""
    load_all(typer.main.get_group(app))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            command, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _run(command)
            command.close()


def _run(command: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    content, files, _, _ = socket.recv_fds(command, 1 << 20, 3)
    while more := command.recv(1 << 20):
        content += more
    what = json.loads(content)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(what["folder"])
    os.environ.clear()
    os.environ.update(what["environment"])
    for console in (out, err):  # they read the width when they were imported
        console.width = int(what["environment"].get("COLUMNS", 80))
    sys.argv = ["waggle", *what["arguments"]]
    try:
        main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    command.send(code.to_bytes(_STATUS_BYTES, "little", signed=True))
    os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1])
