"""Computes embeddings of texts, and ranks documents by them.

The model is one of sentence-transformers that was exported to ONNX.

A model without an export is exported first, which needs torch; the running backend does not. `warm`
loads the model before the first request, which otherwise loads it and waits. A text is cut to what
the model can read before it is split into tokens. A request takes turns with others after a few
texts, and ends when its caller leaves.
"""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from router.backends.ranking import ranking_of
from router.backends.request_fields import fields_of_call
from router.domain import EMBEDDINGS, RERANK, Call, Fault, Reply
from router.encoding.encoder import PRECISE, CannotEncode, Encoder, prepared
from router.wire.beside import beside
from router.wire.chat_replies import in_one_piece

_MOST_TEXTS = 2048
_TURN_TOKENS = 256  # about a tenth of a second
_ANY_TEXT = "warm"
_WRITTEN_BYTES = 4_096  # about, of one vector as JSON


class EncoderBackend:
    def __init__(self, folder: Path, home: Path) -> None:
        self._folder, self._home = folder, home
        self._encoder: Encoder | None = None
        # With two threads on the same cores, the slowest answers took twenty times as long.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path not in (EMBEDDINGS, RERANK):
            rule = f"the encoder answers {EMBEDDINGS} and {RERANK}, not {call.path}"
            raise Fault("bad_request", rule)
        fields = await fields_of_call(call)
        if call.path == RERANK:
            yield Reply(200, "application/json", in_one_piece(await self._ranked(call, fields)))
            return
        texts = _texts(fields.get("input"))
        vectors, tokens = await self._encoded(texts, fields.get("dimensions"))
        as_base64 = fields.get("encoding_format") == "base64"
        write = partial(self._written, vectors, tokens, as_base64=as_base64)
        body = await beside(len(vectors) * _WRITTEN_BYTES, write)
        yield Reply(200, "application/json", in_one_piece(body))

    async def _ranked(self, call: Call, fields: dict[str, Any]) -> bytes:
        """The documents, the most similar to the query first."""
        ranking = ranking_of(fields)
        vectors, tokens = await self._encoded([ranking.query, *ranking.texts], None)
        return ranking.answer(vectors, tokens, model=self._folder.name, name=call.request_id)

    def _written(self, vectors: list[Any], tokens: int, *, as_base64: bool) -> bytes:
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(v.tobytes()).decode() if as_base64 else v.tolist(),
            }
            for index, v in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        whole = {"object": "list", "data": data, "model": self._folder.name, "usage": usage}
        return orjson.dumps(whole)

    async def warm(self) -> None:
        """Load the model. A call that comes meanwhile waits for its turn; a failure is for it."""
        texts, vectors = [_ANY_TEXT], [None]
        with contextlib.suppress(Fault):
            async for _ in self._taken(self._steps(texts, None, vectors)):
                pass

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _encoded(self, texts: list[str], dimensions: Any) -> tuple[list[Any], int]:
        """A vector for each text, and the number of tokens that were read."""
        vectors: list[Any] = [None] * len(texts)
        # Between two steps, other requests get their turn; a small request has one step.
        steps = self._steps(texts, dimensions, vectors)
        tokens = [count async for count in self._taken(steps)]
        return vectors, sum(tokens)

    async def _taken(self, steps: Iterator[int]) -> AsyncIterator[int]:
        loop = asyncio.get_running_loop()
        while (count := await loop.run_in_executor(self._thread, next, steps, -1)) >= 0:
            yield count

    def _steps(self, texts: list[str], dimensions: Any, vectors: list[Any]) -> Iterator[int]:
        """Fill in the vectors, step by step; each step gives the number of tokens it read."""
        encoder = self._loaded()
        size = encoder.dimensions
        if dimensions is not None and dimensions != size:
            detail = f"dimensions = {dimensions!r:.80}, but this model has {size}: leave it out"
            raise Fault("bad_request", detail)
        tokens = 0
        for number, text in enumerate(texts):
            vector, read = encoder.read(text)
            vectors[number] = vector.astype("<f4")
            tokens += read
            if tokens >= _TURN_TOKENS:
                yield tokens
                tokens = 0
        yield tokens

    def _loaded(self) -> Encoder:
        if self._encoder is None:
            try:
                self._encoder = Encoder(prepared(self._folder, self._home), PRECISE)
            except CannotEncode as error:
                raise Fault("unavailable", str(error)) from None
        return self._encoder


def _texts(given: Any) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if (
        not isinstance(texts, list)
        or not 1 <= len(texts) <= _MOST_TEXTS
        or not all(isinstance(text, str) and text for text in texts)
    ):
        rule = f"a string that is not empty, or a list of 1 to {_MOST_TEXTS} such strings"
        raise Fault("bad_request", f"input must be {rule} (token ids are not supported)")
    return texts
