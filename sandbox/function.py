"""A function that nobody vouches for, kept in a locked worker and called for its opinion.

Made for routing functions: a call takes tens of microseconds, blocks the caller for no longer than
its deadline, and a worker that is late, wrong or dead is replaced. It answers with JSON, no more.
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
    """The function gave no answer; the message says why."""


class CallTimedOut(FunctionFailed):
    """It had not answered by its deadline. Its worker is gone; the next call finds a new one."""


class Function:
    """`open` it, then `call` it; after `Late` or a death it is opened again in the background."""

    def __init__(self, pool: Pool, source: str, name: str = "route", *, seed: int = 0) -> None:
        self._pool, self._source, self._name, self._seed = pool, source, name, seed
        self._worker: Worker | None = None
        self._calls = 0
        self._opening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """`Failed` where the source cannot be loaded, or has no such function."""
        worker = await self._pool.order("stdlib", _SETTINGS)
        told = {"source": self._source, "name": self._name, "seed": self._seed}
        body = json.dumps(told).encode()
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
        """What the function returns. Blocks for at most `seconds`."""
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
        raise FunctionFailed(f"it answered with {length} bytes; at most {_MOST_BYTES}")
    try:
        told = orjson.loads(_exactly(worker, length, until))
    except orjson.JSONDecodeError as error:
        raise FunctionFailed(f"its answer is not JSON: {error}") from None
    if not isinstance(told, dict):
        raise FunctionFailed("its answer is no object")
    return told


def _exactly(worker: Worker, count: int, until: float) -> bytes:
    found = b""
    while len(found) < count:
        left = until - time.monotonic()
        if left <= 0 or not _readable(worker.socket, left):
            raise CallTimedOut("no answer by its deadline")
        piece = os.read(worker.socket, count - len(found))
        if not piece:
            raise FunctionFailed("the function ended its worker")
        found += piece
    return found


def _end(worker: Worker) -> None:
    worker.kill()
    worker.close()


def _readable(descriptor: int, seconds: float) -> bool:
    poll = select.poll()  # select() knows no descriptor past 1023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
