"""Computes embeddings of texts, by a sentence-transformers model in a local folder.

The first request loads the model, so a service without such requests does not load torch.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from router.domain import EMBEDDINGS, Call, Fault, Reply
from router.request.text import fields_of
from router.wire.chat_replies import in_one_piece

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_MOST_TEXTS = 2048


class EncoderBackend:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: SentenceTransformer | None = None
        # With two threads on the same cores, the slowest answers took twenty times as long.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != EMBEDDINGS:
            raise Fault("bad_request", f"the encoder answers {EMBEDDINGS}, not {call.path}")
        fields = fields_of(call)
        texts = _texts(fields.get("input"))
        encode = partial(self._encode, texts, fields.get("dimensions"))
        vectors, tokens = await asyncio.get_running_loop().run_in_executor(self._thread, encode)
        as_base64 = fields.get("encoding_format") == "base64"
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
        yield Reply(200, "application/json", in_one_piece(orjson.dumps(whole)))

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _encode(self, texts: list[str], dimensions: Any) -> tuple[Any, int]:
        model = self._loaded()
        size = model.get_embedding_dimension()
        if dimensions is not None and dimensions != size:
            detail = f"dimensions = {dimensions!r}, but this model has {size}: leave it out"
            raise Fault("bad_request", detail)
        # The tokenizer cuts a text to the length that the model can read, as documented.
        lengths = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)
        tokens = sum(len(ids) for ids in lengths["input_ids"])
        vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return vectors.astype("<f4"), tokens

    def _loaded(self) -> "SentenceTransformer":
        if self._model is None:
            if not (self._folder / "config.json").is_file():
                raise Fault("unavailable", f"folder = {self._folder} holds no model (config.json)")
            import torch
            from sentence_transformers import SentenceTransformer

            torch.set_num_threads(1)
            self._model = SentenceTransformer(
                str(self._folder), device="cpu", local_files_only=True
            )
        return self._model


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
