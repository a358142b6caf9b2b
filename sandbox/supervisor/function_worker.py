"""The exchange with one locked worker that keeps a function: one call, one answer with its number.

A call takes tens of microseconds and never more than its deadline. An answer that nobody asked for,
or CPU time that the worker uses between calls, ends the trust in the worker: its owner replaces it.
A call that is late because the machine was busy is no fault: the worker stays, and calls are held
up until its answer has come.
"""

import asyncio
import json
import os
import select
import time
from collections.abc import Mapping
from typing import Any

import orjson

from sandbox.cell.wire import CALL
from sandbox.supervisor.lateness import CallStart, OwnTime
from sandbox.supervisor.parent import Worker, readable

_MOST_BYTES = 64 << 10
_LOAD_SECONDS = 2.0  # of the worker's own time
_LONGEST_LOAD_SECONDS = 60.0
# Who sleeps on a busy processor wakes late, so the last part of a wait is spent awake.
_AWAKE_SECONDS, _AWAKE_SHARE = 0.0015, 0.4
_END_SECONDS, _END_SHARE = 0.0002, 0.05  # of a deadline, kept to find out whose fault it was
_FINISH_SECONDS = 0.0005  # of CPU, in which a worker ends its answer and waits for the next call
_SPARE_SECONDS = 0.005  # of CPU, that all waits of a worker may take beyond that
_GROWTH_BYTES = 64 << 20
_TIMED_OUT = "the function did not answer before its deadline"
_HELD_UP = "the machine was too busy for an answer in time"


class FunctionFailed(Exception):
    """The function returned no value; the message says why."""


class CallTimedOut(FunctionFailed):
    """The function itself took too long to return. Its worker is replaced."""


class CallOverslept(CallTimedOut):
    """The function slept past its deadline, with CPU time left. Its worker is replaced."""


class CallHeldUp(FunctionFailed):
    """The machine was too busy for an answer in time. This is no fault, and the worker stays."""


class FunctionWorker:
    """A locked worker: `load` a function into it, then `call` the function."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        os.set_blocking(worker.socket, False)
        self._poll = select.poll()  # select() fails for descriptors above 1023
        self._poll.register(worker.socket, select.POLLIN)
        self._own = OwnTime(worker)
        self._call: CallStart | None = None  # a call whose answer has not come yet
        self._content = b""  # the part of the answer that has come
        self._number = 0
        self._waiting_since = 0.0  # on the worker's CPU clock
        self._spared = 0.0
        self._least_bytes = 0

    async def load(self, job: Mapping[str, Any]) -> None:
        """Load the function. Raises `FunctionFailed` if the source fails or lacks the function."""
        load = self._own.begin(_LOAD_SECONDS)  # first: a source may end its process at once
        self._send(json.dumps(job).encode())
        answer = None
        while answer is None:
            try:
                async with asyncio.timeout(_LOAD_SECONDS):
                    await readable(self._worker.socket)
            except TimeoutError:
                if time.monotonic() > load.at + _LONGEST_LOAD_SECONDS:
                    raise CallHeldUp(_HELD_UP) from None
                answer = self._late_answer(load)
            else:
                answer = self._next_piece()
        if not answer.get("ok"):
            raise FunctionFailed(f"the function cannot be loaded: {answer.get('error')}")
        usage = self._worker.usage()
        self._least_bytes = usage.peak_bytes if usage is not None else 0
        self._waiting_since = self._own.cpu_seconds()

    def call(self, body: bytes, seconds: float, patience_seconds: float = 0.0) -> dict[str, Any]:
        """The answer to a call. Blocks for at most `seconds`, or for `patience_seconds` while the
        worker is late through no fault of its own."""
        until = time.monotonic() + seconds - min(_END_SECONDS, _END_SHARE * seconds)
        self.check()
        self._number += 1
        self._call = call = self._own.begin(seconds)
        self._send(body)
        answer = self._answer_before(until)
        while answer is None:
            answer = self._late_answer(call)
            if answer is None:
                if until >= call.at + patience_seconds:
                    raise CallHeldUp(_HELD_UP)
                until = time.monotonic() + seconds
                answer = self._answer_before(until, awake_seconds=0.0)
        if until > call.at + seconds and self._own.ran_too_long(call):
            raise CallTimedOut(_TIMED_OUT)
        self._call, self._waiting_since = None, self._own.cpu_seconds()
        return answer

    def check(self) -> None:
        """Raise `FunctionFailed` if the worker did anything but wait since its last answer, and
        `CallHeldUp` if its last answer has not come yet."""
        if self._call is not None:
            self._drain(self._call)
        if self._poll.poll(0):
            self._piece()
            raise FunctionFailed("the function sent an answer that nobody asked for")
        now = self._own.cpu_seconds()
        self._spared += max(now - self._waiting_since - _FINISH_SECONDS, 0.0)
        self._waiting_since = now
        if self._spared > _SPARE_SECONDS:
            raise FunctionFailed("the function worked on after its answer")

    def check_memory(self) -> None:
        """Raise `FunctionFailed` if the calls so far left too much memory in the worker."""
        usage = self._worker.usage()
        if usage is not None and usage.peak_bytes > self._least_bytes + _GROWTH_BYTES:
            raise FunctionFailed(f"the function grew by more than {_GROWTH_BYTES >> 20} MB")

    def end(self) -> None:
        self._own.close()
        self._worker.kill()
        self._worker.close()

    def _drain(self, call: CallStart) -> None:
        """Take the answer to a call that was held up, if it has come; nobody waits for it now."""
        if self._late_answer(call) is None:
            raise CallHeldUp(_HELD_UP)
        if self._own.ran_too_long(call):
            raise CallTimedOut(_TIMED_OUT)
        self._call, self._waiting_since = None, self._own.cpu_seconds()

    def _late_answer(self, call: CallStart) -> dict[str, Any] | None:
        """An answer that has just come; None if only the machine is to blame that none has."""
        at_fault = self._own.at_fault(call)  # first: a worker that has answered sleeps, too
        answer = self._next_piece() if self._poll.poll(0) else None
        if answer is None and at_fault:
            raise (CallTimedOut if self._own.ran_too_long(call) else CallOverslept)(_TIMED_OUT)
        return answer

    def _answer_before(
        self, until: float, *, awake_seconds: float = _AWAKE_SECONDS
    ) -> dict[str, Any] | None:
        while self._readable(until, awake_seconds):
            answer = self._next_piece()
            if answer is not None:
                return answer
        return None

    def _readable(self, until: float, awake_seconds: float) -> bool:
        """Wait until bytes have come; False if none came before this moment."""
        left = until - time.monotonic()
        awake = min(awake_seconds, _AWAKE_SHARE * left)
        while left > 0:
            asleep = max(left - awake, 0.0)
            if self._poll.poll(int(1000 * asleep)):
                return True
            left = until - time.monotonic()
        return False

    def _next_piece(self) -> dict[str, Any] | None:
        """Read what has come. Returns the answer, or None while bytes of it are missing."""
        self._content += self._piece()
        answer = self._complete(self._content)
        if answer is not None:
            self._content = b""
        return answer

    def _send(self, body: bytes) -> None:
        message = CALL.pack(len(body), self._number) + body
        if os.write(self._worker.socket, message) != len(message):
            raise FunctionFailed(f"a call of {len(body)} bytes is too long, or nobody reads it")

    def _piece(self) -> bytes:
        piece = os.read(self._worker.socket, _MOST_BYTES)
        if not piece:
            raise FunctionFailed("the function ended its worker")
        return piece

    def _complete(self, content: bytes) -> dict[str, Any] | None:
        """The answer, or None while bytes of it are missing."""
        if len(content) < CALL.size:
            return None
        length, number = CALL.unpack_from(content)
        if length > _MOST_BYTES:
            raise FunctionFailed(f"the function returned {length} bytes; at most {_MOST_BYTES}")
        if number != self._number or len(content) > CALL.size + length:
            raise FunctionFailed("the function sent an answer that nobody asked for")
        if len(content) < CALL.size + length:
            return None
        try:
            answer = orjson.loads(content[CALL.size :])
        except orjson.JSONDecodeError as error:
            raise FunctionFailed(f"the function's answer is not JSON: {error}") from None
        if not isinstance(answer, dict):
            raise FunctionFailed("the function's answer is not an object")
        return answer
