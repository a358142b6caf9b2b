"""Forks Ray's workers from one process that has imported what all of them need.

A worker that imports Ray, Serve and our modules by itself takes two seconds of a core and 80 MB of
its own; a fork takes milliseconds, and shares what was imported. `forks.py` starts the process. Ray
starts `launcher.py` in place of a worker, which asks the process for a fork. If the process is
gone, or cannot fork this version of Ray, Ray's own way starts the worker: only slower.

The process has one thread and opens nothing, so that a fork inherits no lock and no connection.
"""

import array
import atexit
import contextlib
import gc
import importlib.util
import math
import os
import runpy
import signal
import socket
import sys
import traceback
from pathlib import Path

from router.deployment.workers.inherited import Inherited, find_inherited
from router.request.statistical import warm

_MODULES = (
    "ray.serve._private.controller",
    "ray.serve._private.haproxy",
    "ray.serve._private.proxy",
    "ray.serve._private.replica",
    "router.deployment.serve",
    "router.learning.publisher",
)
_WORKER = "default_worker.py"


def main() -> None:
    listener = socket.socket(fileno=int(sys.argv[1]))
    ray = importlib.util.find_spec("ray")
    library = Path(ray.origin if ray and ray.origin else "").with_name("_raylet.so")
    inherited = find_inherited(library)
    if inherited is None:
        return
    for name in _MODULES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the workers
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # as Ray does for its workers
    # The controller comes first and reads no requests; while it starts, there is time to warm up.
    _serve(listener, inherited, most=1)
    warm()
    _serve(listener, inherited)


def _serve(listener: socket.socket, inherited: Inherited, *, most: float = math.inf) -> None:
    """Fork workers, `most` of them."""
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        return  # a fork would lack the other threads, and keep their locks
    gc.collect()
    gc.freeze()
    forked = 0
    while forked < most:
        connection, _ = listener.accept()
        with contextlib.suppress(OSError), connection:
            command, variables, standard = _read(connection)
            if os.fork() == 0:
                _work(command, variables, standard, inherited, (listener, connection))
            forked += 1
            for descriptor in standard:
                os.close(descriptor)
            connection.sendall(b"f")


def _read(connection: socket.socket) -> tuple[list[bytes], dict[bytes, bytes], list[int]]:
    """The command, the environment, and the standard input and outputs of a worker."""
    head, attached, *_ = connection.recvmsg(4, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    standard = array.array("i")
    for _, _, raw in attached:
        standard.frombytes(raw)
    missing, body = int.from_bytes(head, "big"), b""
    while len(body) < missing:
        part = connection.recv(missing - len(body))
        if not part:
            raise ConnectionError("the launcher ended before it had said all")
        body += part
    words, _, rest = body.partition(b"\0\0")
    pairs = (line.partition(b"=") for line in rest.split(b"\0"))
    return words.split(b"\0"), {name: value for name, _, value in pairs}, list(standard)


def _work(
    command: list[bytes],
    variables: dict[bytes, bytes],
    standard: list[int],
    inherited: Inherited,
    opened: tuple[socket.socket, ...],
) -> None:
    """What the fork does: it becomes a worker as if the command had started it."""
    code = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in opened:
            each.close()
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
            os.close(descriptor)
        for name in set(os.environb) - set(variables):
            del os.environb[name]
        for name, value in variables.items():
            if os.environb.get(name) != value:
                os.environb[name] = value
        inherited.forget()
        words = [os.fsdecode(word) for word in command]
        begin = next(n for n, word in enumerate(words) if word.endswith(_WORKER))
        sys.argv = [
            word
            for word in words[begin:]
            if not word.startswith(("--serialized-runtime-env-context", "--language"))
        ]
        runpy.run_path(sys.argv[0], run_name="__main__")
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(bool(ending.code))
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
