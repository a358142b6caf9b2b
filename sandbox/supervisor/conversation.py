"""One program and the worker that runs it: hand over the job, take the frame, keep the clock."""

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
from sandbox.supervisor.parent import Used, Worker

_PIECE = 256 << 10
_STARVED_SHARE = 0.5  # of its time, waiting for a processor
_END_SECONDS = 5.0  # for the kernel to say how a killed worker ended


@dataclass(slots=True)
class _Outcome:
    """Why we stopped listening: a status of ours, a frame, or nothing, where the worker died."""

    status: str = ""
    said: FrameMessage | None = None


def job_of(program: Program, limits: Limits) -> bytes:
    told = {
        "source": program.source,
        "params": dict(program.params),
        "seed": program.seed,
        "most_bytes": limits.result_bytes,
    }
    body = json.dumps(told).encode()
    return JOB.pack(len(body)) + body


class Conversation:
    def __init__(self, worker: Worker, job: bytes, limits: Limits) -> None:
        self._worker, self._limits = worker, limits
        self._loop = asyncio.get_running_loop()
        self._frame = Assembler(limits.result_bytes)
        self._stdout = bytearray()
        self._outcome: asyncio.Future[_Outcome] = self._loop.create_future()
        self._job = memoryview(job)

    async def held(self) -> Run:
        """The run, when it is over. The worker is gone by then, whatever happened."""
        worker, loop = self._worker, self._loop
        os.set_blocking(worker.socket, False)
        os.set_blocking(worker.stdout, False)
        began = time.perf_counter()
        deadline = loop.call_later(self._limits.wall_seconds, self._late)
        loop.add_reader(worker.socket, self._read)
        loop.add_reader(worker.stdout, self._hear)
        try:
            self._send()
            outcome = await self._outcome
            seconds = time.perf_counter() - began
            used = worker.used()
            if outcome.said is not None and used is not None:
                self._hear()  # what it printed just before the end
                return self._run(outcome.status or _of_words(outcome.said), outcome, used, seconds)
            if outcome.status:  # else it died by itself, and how is of interest
                worker.kill()
            ended = await asyncio.wait_for(asyncio.shield(worker.ended), _END_SECONDS)
            status = outcome.status or (
                _of_end(ended.status) if outcome.said is None else _of_words(outcome.said)
            )
            waited = used.waited_seconds if used is not None else 0.0
            if status == "timeout" and waited > _STARVED_SHARE * seconds:
                status = "starved"
            return self._run(status, outcome, ended.used, seconds)
        finally:
            deadline.cancel()
            loop.remove_reader(worker.socket)
            loop.remove_reader(worker.stdout)
            loop.remove_writer(worker.socket)
            worker.kill()
            worker.close()

    def _run(self, status: str, outcome: _Outcome, used: Used, seconds: float) -> Run:
        if len(self._stdout) > self._limits.stdout_bytes:
            status = "output_limit"
        said = outcome.said or FrameMessage()
        return Run(
            status,
            result=said.result if status == "ok" else None,
            stdout=bytes(self._stdout[: self._limits.stdout_bytes]).decode("utf-8", "replace"),
            error=said.error,
            trace=said.trace,
            seconds=seconds,
            cpu_seconds=used.cpu_seconds,
            peak_bytes=used.peak_bytes,
        )

    def _settle(self, status: str = "", said: FrameMessage | None = None) -> None:
        if not self._outcome.done():
            self._outcome.set_result(_Outcome(status, said))

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
                self._settle(said=self._frame.said())
        except FrameTooLarge:
            self._settle("output_limit")
        except BadFrame:
            self._settle("bad_frame")

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while len(self._stdout) <= self._limits.stdout_bytes:
                piece = os.read(self._worker.stdout, _PIECE)
                if not piece:
                    self._loop.remove_reader(self._worker.stdout)
                    return
                self._stdout += piece
            self._settle("output_limit")


def _of_words(said: FrameMessage) -> str:
    if said.error.startswith("MemoryError"):
        return "memory_limit"
    if said.error.startswith("NotAResult: result is too large"):
        return "output_limit"
    return "error" if said.error else "ok"


def _of_end(status: int) -> str:
    """Of a worker that died before its frame was whole."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        typed = {signal.SIGSYS: "violation", signal.SIGXCPU: "cpu_limit"}
        return typed.get(signal.Signals(number), f"signal_{number}")
    return f"exit_{os.WEXITSTATUS(status)}"
