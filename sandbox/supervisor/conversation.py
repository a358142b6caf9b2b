"""Runs one program in one worker: sends the job, reads the result, and keeps the deadline."""

import asyncio
import contextlib
import json
import os
import signal
import time
from dataclasses import dataclass

from sandbox.cell.wire import JOB
from sandbox.runner import Limits, Program, Run
from sandbox.supervisor.frames import Assembler, BadFrame, FrameMessage, FrameTooLarge
from sandbox.supervisor.parent import Worker, WorkerUsage

_PIECE = 256 << 10
_STARVED_SHARE = 0.5  # of a late run's time; if it waited longer for a processor, it was starved
_END_SECONDS = 5.0  # how long to wait for the kernel's report on a dead worker


@dataclass(slots=True)
class _Outcome:
    """Why the conversation ended: a status that we set, a frame, or, without both, a death."""

    status: str = ""
    message: FrameMessage | None = None


def job_of(program: Program, limits: Limits) -> bytes:
    job = {
        "source": program.source,
        "params": dict(program.params),
        "seed": program.seed,
        "most_bytes": limits.result_bytes,
    }
    body = json.dumps(job).encode()
    return JOB.pack(len(body)) + body


class Conversation:
    """The exchange with one worker about one job, within the job's limits."""

    def __init__(self, worker: Worker, job: bytes, limits: Limits) -> None:
        self._worker, self._limits = worker, limits
        self._loop = asyncio.get_running_loop()
        self._frame = Assembler(limits.result_bytes)
        self._stdout = bytearray()
        self._outcome: asyncio.Future[_Outcome] = self._loop.create_future()
        self._job = memoryview(job)

    async def run(self) -> Run:
        """Run the program to its end, and end the worker in any case."""
        worker, loop = self._worker, self._loop
        os.set_blocking(worker.socket, False)
        os.set_blocking(worker.stdout, False)
        began = time.perf_counter()
        deadline = loop.call_later(self._limits.wall_seconds, self._late)
        loop.add_reader(worker.socket, self._read)
        loop.add_reader(worker.stdout, self._read_stdout)
        try:
            self._send()
            outcome = await self._outcome
            seconds = time.perf_counter() - began
            usage = worker.usage()
            if outcome.message is not None and usage is not None:
                self._read_stdout()  # the program may have printed just before its end
                status = outcome.status or _status_of_message(outcome.message)
                return self._finished_run(status, outcome, usage, seconds)
            if outcome.status:  # otherwise the worker died by itself, and `end` says how
                worker.kill()
            end = await asyncio.wait_for(asyncio.shield(worker.end), _END_SECONDS)
            status = outcome.status or (
                _status_of_end(end.status)
                if outcome.message is None
                else _status_of_message(outcome.message)
            )
            waited = usage.waited_seconds if usage is not None else 0.0
            if status == "timeout" and waited > _STARVED_SHARE * seconds:
                status = "starved"
            return self._finished_run(status, outcome, end.usage, seconds)
        finally:
            deadline.cancel()
            loop.remove_reader(worker.socket)
            loop.remove_reader(worker.stdout)
            loop.remove_writer(worker.socket)
            worker.kill()
            worker.close()

    def _finished_run(
        self, status: str, outcome: _Outcome, usage: WorkerUsage, seconds: float
    ) -> Run:
        if len(self._stdout) > self._limits.stdout_bytes:
            status = "output_limit"
        message = outcome.message or FrameMessage()
        return Run(
            status,
            result=message.result if status == "ok" else None,
            stdout=bytes(self._stdout[: self._limits.stdout_bytes]).decode("utf-8", "replace"),
            error=message.error,
            trace=message.trace,
            seconds=seconds,
            cpu_seconds=usage.cpu_seconds,
            peak_bytes=usage.peak_bytes,
        )

    def _settle(self, status: str = "", message: FrameMessage | None = None) -> None:
        if not self._outcome.done():
            self._outcome.set_result(_Outcome(status, message))

    def _late(self) -> None:
        self._settle("timeout")

    def _send(self) -> None:
        try:
            while self._job:
                self._job = self._job[os.write(self._worker.socket, self._job) :]
        except BlockingIOError:
            self._loop.add_writer(self._worker.socket, self._send)
            return
        except OSError:
            self._settle()
        self._loop.remove_writer(self._worker.socket)

    def _read(self) -> None:
        try:
            piece = os.read(self._worker.socket, _PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._loop.remove_reader(self._worker.socket)
            self._settle()
            return
        try:
            if self._frame.take(piece):
                self._settle(message=self._frame.message())
        except FrameTooLarge:
            self._settle("output_limit")
        except BadFrame:
            self._settle("bad_frame")

    def _read_stdout(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while len(self._stdout) <= self._limits.stdout_bytes:
                piece = os.read(self._worker.stdout, _PIECE)
                if not piece:
                    self._loop.remove_reader(self._worker.stdout)
                    return
                self._stdout += piece
            self._settle("output_limit")


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
