"""The supervisor's side of a zygote: starts it, requests workers, and learns how workers ended."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cell.zygote import EXIT, FORK, WORKER
from sandbox.runner import RunRefused, Tier

_ROOT = Path(__file__).parents[2]
_MAIN = """
import json, sys
sys.path[:] = json.loads(sys.argv.pop())
from sandbox.cell.zygote import main
main()
"""
_START_SECONDS = 60.0
# A zygote gets only these environment variables: it inherits no secrets and no paths.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
_USER_ID = 64100  # no account has this id; a zygote that starts as root becomes this user


class ZygoteLost(Exception):
    """The zygote has ended, and every worker with it."""


@dataclass(frozen=True, slots=True)
class WorkerUsage:
    """What a worker used, counted by the kernel."""

    cpu_seconds: float
    peak_bytes: int
    waited_seconds: float = 0.0  # the time for which it was ready but had no processor


@dataclass(frozen=True, slots=True)
class WorkerEnd:
    """A worker's end, as `wait4` reported it."""

    status: int
    usage: WorkerUsage


@dataclass(slots=True)
class Worker:
    """A locked process that waits for its program."""

    slot: int
    socket: int
    stdout: int
    handle: int
    end: "asyncio.Future[WorkerEnd]"
    process_id: int = 0

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def close(self) -> None:
        for descriptor in (self.socket, self.stdout, self.handle):
            os.close(descriptor)

    def usage(self) -> WorkerUsage | None:
        """What the worker has used so far, or None if its process has already ended."""
        try:
            running, waiting, _ = process_file(self.process_id, "schedstat").split()
            status = process_file(self.process_id, "status")
            at = status.index(b"VmHWM:") + 6
            peak = int(status[at : status.index(b"kB", at)]) * 1024
        except (OSError, ValueError):
            return None
        return WorkerUsage(int(running) / 1e9, peak, waited_seconds=int(waiting) / 1e9)


def process_file(process_id: int, name: str) -> bytes:
    """The content of a file in `/proc` that says what a process does."""
    descriptor = os.open(f"/proc/{process_id}/{name}", os.O_RDONLY)
    try:
        return os.read(descriptor, 8192)
    finally:
        os.close(descriptor)


def _process_of(handle: int) -> int:
    """A worker's process id in our namespace; in its own namespace the id differs."""
    info = Path(f"/proc/self/fdinfo/{handle}").read_text()
    return int(info[info.index("Pid:") + 4 :].split(maxsplit=1)[0])


class Parent:
    """One zygote. Calls `on_worker` for each new worker, and `on_lost` when the zygote ends."""

    def __init__(self, control: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        self._control, self._process = control, process
        self._loop = asyncio.get_running_loop()
        self._slot = 0
        self._ends: dict[int, asyncio.Future[WorkerEnd]] = {}  # by slot
        self.on_worker: Callable[[Worker], None] = Worker.kill
        self.on_lost: Callable[[], None] = lambda: None
        self._reaping: asyncio.Future[None] | None = None
        self._loop.add_reader(control.fileno(), self._read)

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def lost(self) -> bool:
        return self._control.fileno() < 0

    def fork(self, **settings: Any) -> int:
        """Request a worker, and return its slot. `on_worker` receives the worker later."""
        self._slot += 1
        self._ends[self._slot] = self._loop.create_future()
        body = json.dumps(settings).encode()
        try:
            self._control.send(FORK.pack(b"F", self._slot, len(body)) + body)
        except OSError as gone:
            self._lose()
            raise ZygoteLost("the zygote is gone") from gone
        return self._slot

    async def close(self) -> None:
        self._lose()
        if self._reaping is not None:
            await self._reaping

    def _read(self) -> None:
        while not self.lost:
            try:
                message, descriptors, _, _ = socket.recv_fds(self._control, 1024, 3)
            except BlockingIOError:
                return
            except OSError:
                message, descriptors = b"", []
            if not message:
                self._lose()
            elif message[:1] == b"W":
                slot = WORKER.unpack(message)[1]
                for descriptor in descriptors:
                    os.set_inheritable(descriptor, False)
                job, stdout, handle = descriptors
                process = _process_of(handle)
                self.on_worker(Worker(slot, job, stdout, handle, self._ends[slot], process))
            elif message[:1] == b"X":
                _, slot, status, seconds, peak = EXIT.unpack(message)
                end = self._ends.pop(slot)
                if not end.done():
                    end.set_result(WorkerEnd(status, WorkerUsage(seconds, peak)))

    def _lose(self) -> None:
        if self.lost:
            return
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        for end in self._ends.values():
            if not end.done():
                end.set_exception(ZygoteLost("the zygote is gone"))
                end.exception()  # asyncio would log an exception that nobody awaits
        self._ends.clear()
        self._reaping = self._loop.run_in_executor(None, _wait_for_end, self._process)
        self.on_lost()


async def start(tier: Tier, level: int) -> Parent:
    """Start a zygote that is locked. Raises `RunRefused` if this machine cannot lock a zygote.

    A start that is cancelled ends its zygote first, and leaves no process and no socket.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    settings = json.dumps({"tier": tier, "level": level, "user_id": _USER_ID})
    # A plain future: when a loop ends, it cancels its tasks, and a cancelled one loses its process.
    launching = asyncio.get_running_loop().run_in_executor(None, _launch, theirs, settings)
    try:
        process = await asyncio.shield(launching)
        async with asyncio.timeout(_START_SECONDS):
            message = await _first_message(ours)
    except TimeoutError:
        message = b"Nthe zygote did not start within %d s" % _START_SECONDS
    except BaseException:
        ours.close()
        await _end(await launching)
        raise
    if message[:1] != b"R":
        ours.close()
        await _end(process)
        why = message[1:].decode("utf-8", "replace") or "the zygote ended before it was ready"
        raise RunRefused(f"level {level}: {why}")
    return Parent(ours, process)


def _launch(theirs: socket.socket, settings: str) -> "subprocess.Popen[bytes]":
    # The zygote gets our import paths, because it reads neither our environment nor our folder.
    places = json.dumps([str(_ROOT), *(place for place in sys.path if place)])
    command = [sys.executable, "-I", "-B", "-c", _MAIN, str(theirs.fileno()), settings, places]
    with theirs:
        return subprocess.Popen(
            command,
            env=_ENVIRONMENT,
            cwd="/",
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


async def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    await asyncio.get_running_loop().run_in_executor(None, process.wait)


async def _first_message(control: socket.socket) -> bytes:
    await readable(control.fileno())
    try:
        return control.recv(4096)
    except OSError:
        return b""


async def readable(descriptor: int) -> None:
    """Wait until bytes, or the end, can be read from a descriptor."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def _wait_for_end(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a zygote, which exits when its socket closes. Kill it if it does not exit."""
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
