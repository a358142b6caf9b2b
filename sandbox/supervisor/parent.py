"""The supervisor's side of a zygote: requests workers, and learns how workers ended."""

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.cell.zygote import EXIT, FORK, WORKER

_END_MS = 2000


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
        kill(self.handle)

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
    return _content(f"/proc/{process_id}/{name}")


def _content(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 8192)
    finally:
        os.close(descriptor)


def _process_of(handle: int) -> int:
    """A worker's process id in our namespace; in its own namespace the id differs."""
    info = _content(f"/proc/self/fdinfo/{handle}")
    return int(info[info.index(b"Pid:") + 4 :].split(maxsplit=1)[0])


class Parent:
    """One zygote. Calls `on_worker` for each new worker, and `on_lost` when the zygote ends."""

    def __init__(self, control: socket.socket, handle: int) -> None:
        self._control, self._handle = control, handle
        self.process_id = _process_of(handle)
        self._loop = asyncio.get_running_loop()
        self._slot = 0
        self._ends: dict[int, asyncio.Future[WorkerEnd]] = {}  # by slot
        self.on_worker: Callable[[Worker], None] = Worker.kill
        self.on_lost: Callable[[], None] = lambda: None
        self._reaping: asyncio.Future[None] | None = None
        self._loop.add_reader(control.fileno(), self._read)

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
        self._reaping = self._loop.run_in_executor(None, end_of_process, self._handle)
        self.on_lost()


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


def end_of_process(handle: int) -> None:
    """Wait for the end of a process, which exits when its socket closes. Kill it if it does not
    exit. Closes the handle."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    if not poll.poll(_END_MS):
        kill(handle)
        poll.poll()
    os.close(handle)


def kill(handle: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, signal.SIGKILL)
