"""Runs one program in one worker: sends the job, reads the result, and keeps the deadline."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.cell.wire import JOB
from sandbox.runner import Limits, Program, Run
from sandbox.supervisor.frames import Assembler, BadFrame, FrameMessage, FrameTooLarge
from sandbox.supervisor.parent import Worker, WorkerUsage
from sandbox.supervisor.terminal_text import terminal_text

_PIECE = 256 << 10
_STARVED_SHARE = 0.5  # of a late run's time; if it waited longer for a processor, it was starved
_END_SECONDS = 60.0  # how long to wait for the kernel's report on a dead worker
_SMALL_FRAME = 32 << 10  # a frame up to this size is read at once, and a larger one in a thread
# A worker that sends many tiny pieces is read more slowly, so that it costs hardly any CPU here.
_FREE_PIECES, _WORTH_A_PIECE, _PAUSE_SECONDS = 64, 4 << 10, 0.01


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Why the conversation ended: a status that we set, a frame, or, without both, a death."""

    status: str = ""
    error: str = ""
    framed: bool = False


def job_of(program: Program, limits: Limits) -> bytes:
    job = {
        "source": program.source,
        "params": dict(program.params),
        "seed": program.seed,
        "most_bytes": limits.result_bytes,
    }
    body = json.dumps(job).encode()
    return JOB.pack(len(body)) + body


class _Source:
    """A descriptor that a worker writes to: calls `take` for each piece, and paces tiny pieces."""

    def __init__(self, descriptor: int, take: Callable[[bytes], None]) -> None:
        self._descriptor, self._take = descriptor, take
        self._loop = asyncio.get_running_loop()
        self._pieces = self._bytes = 0
        self._pause: asyncio.TimerHandle | None = None
        os.set_blocking(descriptor, False)

    def open(self) -> None:
        self._loop.add_reader(self._descriptor, self.read)

    def read(self) -> int:
        """Take one piece. Returns how many bytes came; 0 if none are there, or none will come."""
        try:
            piece = os.read(self._descriptor, _PIECE)
        except BlockingIOError:
            return 0
        except OSError:
            piece = b""
        self._pieces += 1
        self._bytes += len(piece)
        if not piece:
            self.close()
        elif self._pieces > _FREE_PIECES + self._bytes // _WORTH_A_PIECE:
            self.close()
            self._pause = self._loop.call_later(_PAUSE_SECONDS, self.open)
        self._take(piece)
        return len(piece)

    def close(self) -> None:
        self._loop.remove_reader(self._descriptor)
        if self._pause is not None:
            self._pause.cancel()


class Conversation:
    """The exchange with one worker about one job, within the job's limits."""

    def __init__(self, worker: Worker, job: bytes, limits: Limits) -> None:
        self._worker, self._limits = worker, limits
        self._loop = asyncio.get_running_loop()
        self._frame = Assembler(limits.result_bytes)
        self._frames = _Source(worker.socket, self._take)
        self._stdout = bytearray()
        self._output = _Source(worker.stdout, self._take_stdout)
        self._outcome: asyncio.Future[_Outcome] = self._loop.create_future()
        self._job = memoryview(job)

    async def run(self) -> Run:
        """Run the program to its end, and end the worker in any case."""
        worker, loop = self._worker, self._loop
        began = time.perf_counter()
        deadline = loop.call_later(self._limits.wall_seconds, self._late)
        self._frames.open()
        self._output.open()
        try:
            self._send()
            outcome = await self._outcome
            seconds = time.perf_counter() - began
            usage = worker.usage()
            if outcome.status or outcome.framed:  # else the worker died, and its end says how
                worker.kill()
            if outcome.framed:
                while len(self._stdout) <= self._limits.stdout_bytes and self._output.read():
                    pass  # the program may have printed just before its end
            if outcome.framed and usage is not None:
                return await self._finished_run("", outcome, usage, seconds)
            end = await asyncio.wait_for(asyncio.shield(worker.end), _END_SECONDS)
            status = "" if outcome.framed else outcome.status or _status_of_end(end.status)
            waited = usage.waited_seconds if usage is not None else 0.0
            if status == "timeout" and waited > _STARVED_SHARE * seconds:
                status = "starved"
            return await self._finished_run(status, outcome, end.usage, seconds)
        finally:
            deadline.cancel()
            self._frames.close()
            self._output.close()
            self._frame = Assembler(0)  # else its bytes stay until the next garbage collection
            loop.remove_writer(worker.socket)
            worker.kill()
            worker.close()

    async def _finished_run(
        self, status: str, outcome: _Outcome, usage: WorkerUsage, seconds: float
    ) -> Run:
        message = FrameMessage(error=outcome.error)
        if outcome.framed:
            status, message = await self._read_frame()
        if len(self._stdout) > self._limits.stdout_bytes:
            status = "output_limit"
        stdout = bytes(self._stdout[: self._limits.stdout_bytes]).decode("utf-8", "replace")
        return Run(
            status,
            result=message.result if status == "ok" else None,
            stdout=terminal_text(stdout),
            error=terminal_text(message.error),
            trace=terminal_text(message.trace),
            seconds=seconds,
            cpu_seconds=usage.cpu_seconds,
            peak_bytes=usage.peak_bytes,
        )

    async def _read_frame(self) -> tuple[str, FrameMessage]:
        """Read the complete frame. A large one is read in a thread, beside the event loop."""
        try:
            if self._frame.size > _SMALL_FRAME:
                message = await asyncio.to_thread(self._frame.message)
            else:
                message = self._frame.message()
        except BadFrame as error:
            return _status_of_bad(error), FrameMessage(error=str(error))
        return _status_of_message(message), message

    def _settle(self, outcome: _Outcome) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    def _late(self) -> None:
        self._settle(_Outcome("timeout"))

    def _send(self) -> None:
        try:
            while self._job:
                self._job = self._job[os.write(self._worker.socket, self._job) :]
        except BlockingIOError:
            self._loop.add_writer(self._worker.socket, self._send)
            return
        except OSError:
            self._settle(_Outcome())
        self._loop.remove_writer(self._worker.socket)

    def _take(self, piece: bytes) -> None:
        if not piece:
            self._settle(_Outcome())
            return
        try:
            if self._frame.take(piece):
                self._frames.close()
                self._settle(_Outcome(framed=True))
        except BadFrame as error:
            self._frames.close()
            self._settle(_Outcome(_status_of_bad(error), str(error)))

    def _take_stdout(self, piece: bytes) -> None:
        self._stdout += piece
        if len(self._stdout) > self._limits.stdout_bytes:
            self._output.close()
            self._settle(_Outcome("output_limit"))


def _status_of_bad(error: BadFrame) -> str:
    return "output_limit" if isinstance(error, FrameTooLarge) else "bad_frame"


def _status_of_message(message: FrameMessage) -> str:
    if message.error.startswith("MemoryError"):
        return "memory_limit"
    if message.error.startswith("NotAResult: result is too large"):
        return "output_limit"
    return "error" if message.error else "ok"


def _status_of_end(status: int) -> str:
    """The status of a run whose worker died before its frame was complete."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        by_signal = {signal.SIGSYS: "violation", signal.SIGXCPU: "cpu_limit"}
        return by_signal.get(signal.Signals(number), f"signal_{number}")
    return f"exit_{os.WEXITSTATUS(status)}"
