"""The exchange with one locked worker that keeps a function: one call, one answer with its number.

A call takes tens of microseconds and never more than its deadline. An answer that nobody asked for,
or CPU time that the worker uses between calls, ends the trust in the worker: its owner replaces it.
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
from sandbox.supervisor.parent import Worker, readable

_MOST_BYTES = 64 << 10
_LOAD_SECONDS = 2.0
_FINISH_SECONDS = 0.0005  # of CPU, in which a worker ends its answer and waits for the next call
_SPARE_SECONDS = 0.005  # of CPU, that all waits of a worker may take beyond that
_GROWTH_BYTES = 64 << 20


class FunctionFailed(Exception):
    """The function returned no value; the message says why."""


class CallTimedOut(FunctionFailed):
    """The function did not return before its deadline. Its worker is replaced."""


class FunctionWorker:
    """A locked worker: `load` a function into it, then `call` the function."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        os.set_blocking(worker.socket, False)
        self._poll = select.poll()  # select() fails for descriptors above 1023
        self._poll.register(worker.socket, select.POLLIN)
        self._clock = ~worker.process_id << 3 | 2  # the kernel's number of a process's CPU clock
        self._number = 0
        self._waiting_since = 0.0  # on the worker's CPU clock
        self._spared = 0.0
        self._least_bytes = 0

    async def load(self, job: Mapping[str, Any]) -> None:
        """Load the function. Raises `FunctionFailed` if the source fails or lacks the function."""
        self._send(json.dumps(job).encode())
        content = b""
        try:
            async with asyncio.timeout(_LOAD_SECONDS):
                while (answer := self._complete(content)) is None:
                    await readable(self._worker.socket)
                    content += self._piece()
        except TimeoutError:
            raise CallTimedOut("the function did not answer before its deadline") from None
        if not answer.get("ok"):
            raise FunctionFailed(f"the function cannot be loaded: {answer.get('error')}")
        usage = self._worker.usage()
        self._least_bytes = usage.peak_bytes if usage is not None else 0
        self._waiting_since = time.clock_gettime(self._clock)

    def call(self, body: bytes, seconds: float) -> dict[str, Any]:
        """The answer to a call. Blocks for at most `seconds`."""
        until = time.monotonic() + seconds
        self.check()
        self._number += 1
        self._send(body)
        content = b""
        while (answer := self._complete(content)) is None:
            left = until - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise CallTimedOut("the function did not answer before its deadline")
            content += self._piece()
        self._waiting_since = time.clock_gettime(self._clock)
        return answer

    def check(self) -> None:
        """Raise `FunctionFailed` if the worker did anything but wait since its last answer."""
        if self._poll.poll(0):
            self._piece()
            raise FunctionFailed("the function sent an answer that nobody asked for")
        now = time.clock_gettime(self._clock)
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
        self._worker.kill()
        self._worker.close()

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
