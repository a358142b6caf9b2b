"""One encoder for all requests of a process: those that come while it is busy go in together."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.encoding.encoder import Vectors

_MOST = 32


class Encodes(Protocol):
    name: str
    folder: Path
    dimensions: int

    def encode(self, texts: "Sequence[str]") -> "Vectors": ...


class Batching:
    """One thread: two that share the cores made the slowest vectors a hundred times slower."""

    def __init__(self, encoder: Encodes) -> None:
        self.encoder = encoder
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")
        self._waiting: list[tuple[str, asyncio.Future[Vectors]]] = []
        self._running: asyncio.Task[None] | None = None

    async def encode(self, text: str) -> "Vectors":
        """The vector of a text, of length one."""
        told: asyncio.Future[Vectors] = asyncio.get_running_loop().create_future()
        self._waiting.append((text, told))
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._run())
        return await told

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            some, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            texts = [text for text, _ in some]
            try:
                vectors = await loop.run_in_executor(self._thread, self.encoder.encode, texts)
            except Exception as error:
                for _, told in some:
                    if not told.done():
                        told.set_exception(error)
                continue
            for (_, told), vector in zip(some, vectors, strict=True):
                if not told.done():
                    told.set_result(vector)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
