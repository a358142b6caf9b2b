"""A worker: forked from the zygote, it locks itself, runs one program or function, and ends.

The supervisor trusts nothing that a worker sends.
"""

import builtins
import contextlib
import gc
import io
import json
import linecache
import os
import random
import select
import signal
import sys
import traceback
import types
from typing import Any

from sandbox.cell import chance, lockdown, scratch, serial
from sandbox.cell.result_values import NotAResult, encode
from sandbox.cell.seccomp import Filter
from sandbox.cell.wire import CALL, JOB, JOB_SOCKET, STDOUT, frame, read_exactly, write_all

_NAME = "<program>"
_TRACE = 3000  # characters; only the end of a longer traceback is sent

_MOMENT_MS = 15
# The warm-up makes the kernel copy shared memory pages before the program arrives and needs them.
_WARM_UP = """
import math, random, json
def f(a, b=1, *c, **d):
    return [x * 2.5 for x in range(a)]
try:
    import numpy as np
    rng = np.random.default_rng(1)
    a = rng.normal(35, 12, 2000); b = rng.lognormal(0, 1, 2000); c = rng.integers(0, 9, 50)
    d = np.exp(np.log(b) * .5 + rng.normal(size=2000)); e = np.round(a, 2).tolist()
    np.clip(a, 18, 100); rng.choice(3, 50, p=[.2, .3, .5])
    result = {"a": a, "b": d, "l": e[:50]}
except ImportError:
    result = {"x": [1.5, "a", None, f(30)]}
"""


def begin(
    job: int, out: int, filter_: Filter, base: tuple[int, int], settings: dict[str, Any]
) -> None:
    """Lock this process, run its program or serve its function, and exit. Never returns."""
    os.dup2(out, STDOUT)
    os.dup2(out, 2)
    if job != JOB_SOCKET:
        os.dup2(job, JOB_SOCKET)
    os.closerange(JOB_SOCKET + 1, 4096)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    lockdown.die_with_parent()
    lockdown.hide_memory()
    lockdown.limit(base, memory_bytes=settings["memory_bytes"], cpu_seconds=settings["cpu_seconds"])
    idle = not _comes_soon(JOB_SOCKET)
    filter_.install(os.getpid())
    if idle:
        _warm_up()
    if settings["kind"] == "function":
        _serve_function()
    else:
        _run_once()
    os._exit(0)


def prepare() -> None:
    """Do once, in the zygote, what every worker needs: Python's own part of the locks, and a
    warm-up, whose traces in memory the workers share."""
    sys.stdin = None
    text = io.TextIOWrapper(io.FileIO(STDOUT, "w", closefd=False), "utf-8", "backslashreplace")
    sys.stdout = sys.stderr = text
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    serial.install()
    chance.install()
    scratch.close()
    _warm_up()


def _comes_soon(descriptor: int) -> bool:
    """Wait for the first byte of a job for a moment, without reading it. Under load it comes, and
    then a warm-up would cost as much as it saves."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(_MOMENT_MS))


def _warm_up() -> None:
    names = _names({})
    with contextlib.suppress(BaseException):  # a failed warm-up only makes the program slower
        exec(compile(_WARM_UP, "<warm>", "exec", dont_inherit=True), names)  # noqa: S102
        frame(*encode(names["result"]))
    names.clear()
    gc.collect(0)


def _names(params: Any) -> dict[str, Any]:
    main = types.ModuleType("__main__")  # dataclasses and pickle look up the program's module
    sys.modules["__main__"] = main
    main.__dict__.update({"__builtins__": builtins, "PARAMS": params})
    return main.__dict__


def _run_once() -> None:
    head = read_exactly(JOB_SOCKET, JOB.size)
    job = json.loads(read_exactly(JOB_SOCKET, JOB.unpack(head)[0])) if head else None
    if job is None:
        os._exit(0)  # the supervisor has closed the socket
    chance.seed(job["seed"])
    header, columns = _outcome(job["source"], _names(job["params"]), job["most_bytes"])
    with contextlib.suppress(BaseException):  # the program may have replaced stdout
        sys.stdout.flush()
    write_all(JOB_SOCKET, frame(header, columns))
    os.read(JOB_SOCKET, 1)  # wait to be killed, so that the supervisor can still read our usage


def _outcome(source: str, names: dict[str, Any], most_bytes: int) -> tuple[bytes, list[bytes]]:
    try:
        try:
            _execute(source, names)
        except SystemExit as leaving:
            if leaving.code not in (None, 0) or "result" not in names:
                raise
        serial.Thread.join_all()
        header, columns = encode(names.get("result"))
        size = len(header) + sum(map(len, columns))
        if size > most_bytes:
            raise NotAResult(f"result is too large: {size} bytes, at most {most_bytes}")
    except BaseException as error:
        return _failure(error, names), []
    return header, columns


def _execute(source: str, names: dict[str, Any]) -> None:
    linecache.cache[_NAME] = (len(source), None, source.splitlines(True), _NAME)
    exec(compile(source, _NAME, "exec", dont_inherit=True), names)  # noqa: S102 - the purpose


def _failure(error: BaseException, names: dict[str, Any]) -> bytes:
    kind = type(error).__name__
    if isinstance(error, MemoryError):
        names.clear()
    try:
        text = f"{kind}: {error}"
        frames = traceback.extract_tb(error.__traceback__)
        in_program = not isinstance(error, NotAResult)
        own = [f for f in frames if in_program and f.filename == _NAME]
        lines = traceback.format_list(own[-6:]) + traceback.format_exception_only(error)
        trace = "".join(lines)[-_TRACE:]
    except BaseException:
        text = trace = kind
    return json.dumps({"ok": False, "error": text[:_TRACE], "trace": trace}).encode()


def _serve_function() -> None:
    """Load one function, and answer its calls until the supervisor closes the socket."""
    number, job = _next_call()
    names = _names({})
    chance.seed(job["seed"])
    try:
        _execute(job["source"], names)
        function = names[job["name"]]
        answer: dict[str, Any] = {"ok": True}
    except BaseException as error:
        answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
    while True:
        body = json.dumps(answer).encode()
        write_all(JOB_SOCKET, CALL.pack(len(body), number) + body)
        number, call = _next_call()
        random.seed(call["seed"])
        try:
            answer = {"ok": True, "value": function(*call["arguments"])}
            json.dumps(answer, allow_nan=False)
        except BaseException as error:
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}


def _next_call() -> tuple[int, Any]:
    """The number of the next call, and the call. Exits if the supervisor has closed the socket."""
    head = read_exactly(JOB_SOCKET, CALL.size)
    if not head:
        os._exit(0)
    length, number = CALL.unpack(head)
    return number, json.loads(read_exactly(JOB_SOCKET, length))
