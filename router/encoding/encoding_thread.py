"""The one thread of a process that encodes the texts of requests, each text in its turn."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from router.encoding.encodes import Encodes

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors


class EncodingThread:
    """Encodes in one thread, because two threads slowed some texts down a hundredfold."""

    def __init__(self, encoder: Encodes) -> None:
        self.encoder = encoder
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")

    async def encode(self, text: str) -> "Vectors":
        """The vector of a text. A caller who leaves before its turn costs the encoder nothing."""
        loop = asyncio.get_running_loop()
        vectors = await loop.run_in_executor(self._thread, self.encoder.encode, [text])
        vector: Vectors = vectors[0]
        return vector

    async def probability(
        self, judge: Callable[[str, str], float], first: str, second: str
    ) -> float:
        """What the pair verifier says of two texts, in this thread and in its turn."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, judge, first, second)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
