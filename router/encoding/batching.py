"""One encoder for all requests of a process: texts that arrive while it works share a batch."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from router.encoding.encodes import Encodes

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_LARGEST_BATCH = 32


class Batching:
    """Encodes in one thread, because two threads slowed some texts down a hundredfold."""

    def __init__(self, encoder: Encodes) -> None:
        self.encoder = encoder
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")
        self._waiting: list[tuple[str, asyncio.Future[Vectors]]] = []
        self._running: asyncio.Task[None] | None = None

    async def encode(self, text: str) -> "Vectors":
        """The vector of a text. An error of the encoder reaches every caller of the batch."""
        vector: asyncio.Future[Vectors] = asyncio.get_running_loop().create_future()
        self._waiting.append((text, vector))
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._run())
        return await vector

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._waiting[:_LARGEST_BATCH]
            self._waiting = self._waiting[_LARGEST_BATCH:]
            texts = [text for text, _ in batch]
            try:
                vectors = await loop.run_in_executor(self._thread, self.encoder.encode, texts)
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), vector in zip(batch, vectors, strict=True):
                if not future.done():
                    future.set_result(vector)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
