"""Keeps an untrusted function in a locked worker and calls it.

A call takes tens of microseconds, as routing functions need, and never blocks the caller for longer
than its deadline. A worker that is late, sends nonsense or dies is replaced. A function can return
only JSON values.
"""

import asyncio
import contextlib
import json
import os
import select
import struct
import time
from typing import Any

import orjson

from sandbox.pool import Pool
from sandbox.supervisor.parent import Worker, ZygoteLost

_HEAD = struct.Struct("<I")
_MOST_BYTES = 64 << 10
_LOAD_SECONDS = 2.0
_SETTINGS = {"kind": "function", "memory_bytes": 128 << 20, "cpu_seconds": None}


class FunctionFailed(Exception):
    """The function returned no value; the message says why."""


class CallTimedOut(FunctionFailed):
    """The function did not return before its deadline. Its worker is replaced."""


class Function:
    """An untrusted function: first `open` it, then `call` it. It replaces a failed worker."""

    def __init__(self, pool: Pool, source: str, name: str = "route", *, seed: int = 0) -> None:
        self._pool, self._source, self._name, self._seed = pool, source, name, seed
        self._worker: Worker | None = None
        self._calls = 0
        self._opening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Load the function. Raises `FunctionFailed` if the source fails or lacks the function."""
        worker = await self._pool.order("stdlib", _SETTINGS)
        job = {"source": self._source, "name": self._name, "seed": self._seed}
        body = json.dumps(job).encode()
        try:
            os.set_blocking(worker.socket, False)
            os.write(worker.socket, _HEAD.pack(len(body)) + body)
            answer = await asyncio.to_thread(_answer, worker, time.monotonic() + _LOAD_SECONDS)
            if not answer.get("ok"):
                raise FunctionFailed(f"the function cannot be loaded: {answer.get('error')}")
        except (OSError, FunctionFailed) as error:
            _end(worker)
            raise (
                error if isinstance(error, FunctionFailed) else FunctionFailed(str(error))
            ) from error
        self._worker = worker

    def call(self, *arguments: Any, seconds: float) -> Any:
        """Call the function and return its value. Blocks for at most `seconds`."""
        worker = self._worker
        if worker is None:
            raise FunctionFailed("the function is being loaded again")
        self._calls += 1
        body = orjson.dumps({"arguments": arguments, "seed": self._seed + self._calls})
        try:
            os.write(worker.socket, _HEAD.pack(len(body)) + body)
            answer = _answer(worker, time.monotonic() + seconds)
        except (OSError, FunctionFailed) as error:
            self._replace()
            raise (
                error if isinstance(error, FunctionFailed) else FunctionFailed(str(error))
            ) from error
        if answer.get("ok") is not True:
            raise FunctionFailed(str(answer.get("error"))[:500])
        return answer.get("value")

    def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        if self._worker is not None:
            _end(self._worker)
            self._worker = None

    def _replace(self) -> None:
        self.close()
        self._opening = asyncio.ensure_future(self._reopen())

    async def _reopen(self) -> None:
        with contextlib.suppress(FunctionFailed, ZygoteLost):
            await self.open()


def _answer(worker: Worker, until: float) -> dict[str, Any]:
    head = _exactly(worker, _HEAD.size, until)
    (length,) = _HEAD.unpack(head)
    if length > _MOST_BYTES:
        raise FunctionFailed(f"the function returned {length} bytes; at most {_MOST_BYTES}")
    try:
        answer = orjson.loads(_exactly(worker, length, until))
    except orjson.JSONDecodeError as error:
        raise FunctionFailed(f"the function's answer is not JSON: {error}") from None
    if not isinstance(answer, dict):
        raise FunctionFailed("the function's answer is not an object")
    return answer


def _exactly(worker: Worker, count: int, until: float) -> bytes:
    content = b""
    while len(content) < count:
        left = until - time.monotonic()
        if left <= 0 or not _readable(worker.socket, left):
            raise CallTimedOut("the function did not answer before its deadline")
        piece = os.read(worker.socket, count - len(content))
        if not piece:
            raise FunctionFailed("the function ended its worker")
        content += piece
    return content


def _end(worker: Worker) -> None:
    worker.kill()
    worker.close()


def _readable(descriptor: int, seconds: float) -> bool:
    poll = select.poll()  # select() fails for descriptors above 1023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
