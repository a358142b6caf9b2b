"""Runs models from Hugging Face folders in this process, with transformers.

The models share one accelerator: one answer is written at a time, and models are swapped in and out
of memory. A header of each reply gives the time that the call waited for its model.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from router.backends.chat_form import content_text, prompt_tokens
from router.backends.local_models import (
    Load,
    LoadedModel,
    ModelShelf,
    bytes_free,
    bytes_needed,
    load_model,
    shelf_name,
)
from router.backends.local_writing import Writing, options_of
from router.backends.request_fields import fields_of_call
from router.config.backends import LocalSettings
from router.domain import CHAT, Call, Fault, Reply
from router.wire.chat_replies import Usage, completion, events, in_one_piece, reply_base, usage_of
from router.wire.replica_headers import SWAP

_CHARACTERS_A_TOKEN = 100  # no text has fewer tokens than this says


class LocalBackend:
    """`get` gives a loaded model; the process that runs the backend may replace `get`."""

    def __init__(self, settings: LocalSettings) -> None:
        self.settings = settings
        most = None if settings.at_once == "fit" else settings.at_once
        need = partial(bytes_needed, settings=settings)
        self.get: Load = ModelShelf(self.load, most, need, partial(bytes_free, settings)).get
        self._turn = asyncio.Lock()  # held by the call that uses the accelerator

    async def load(self, stands_as: str) -> LoadedModel:
        return await load_model(stands_as, self.settings)

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"a local model answers {CHAT}, not {call.path}")
        fields = await fields_of_call(call)
        options = options_of(fields, self.settings.max_new_tokens)
        async with self._turn:
            begun = time.monotonic()
            name = self.settings.model_of(fields)
            loaded = await self.get(shelf_name(name, self.settings))
            swap_seconds = time.monotonic() - begun
            prompt = await asyncio.to_thread(_prompt, loaded, fields["messages"])
            room = loaded.most_tokens - prompt.shape[1]
            if room < 1:
                detail = (
                    f"the prompt has {prompt.shape[1]} tokens, {loaded.most_tokens} is the most"
                )
                raise Fault("bad_request", detail)
            writing = Writing(loaded, prompt, options, min(options.most_tokens, room))
            try:
                yield await _reply(call, writing, swap_seconds)
            finally:
                await writing.stop()

    async def close(self) -> None:
        self.get = _closed


async def _closed(name: str) -> LoadedModel:
    raise Fault("unavailable", f"{name} was closed")


def _prompt(loaded: LoadedModel, messages: list[dict[str, Any]]) -> Any:
    length, most = sum(len(content_text(m.get("content"))) for m in messages), loaded.most_tokens
    if length > most * _CHARACTERS_A_TOKEN:  # splitting a long text takes much memory
        detail = f"the prompt has {length:,} characters, and {most} tokens are the most"
        raise Fault("bad_request", detail)
    import torch

    return torch.tensor([prompt_tokens(loaded.tokenizer, messages)], device=loaded.device)


async def _reply(call: Call, writing: Writing, swap_seconds: float) -> Reply:
    base = reply_base(call, writing.loaded.name)
    headers = {SWAP: f"{swap_seconds:.6f}"}
    if call.stream:
        stream = events(base, _texts(writing), lambda: (writing.finish, _usage(writing)))
        return Reply(200, "text/event-stream", stream, headers)
    texts = [text async for text in writing.texts()]
    logprobs = [entry for text in texts for entry in text.logprobs if entry]
    content = "".join(text.text for text in texts)
    shown = {"content": logprobs} if writing.options.logprobs else None
    body = completion(base, content, writing.finish, _usage(writing), shown)
    return Reply(200, "application/json", in_one_piece(body), headers)


async def _texts(writing: Writing) -> AsyncIterator[tuple[str, Any]]:
    async for text in writing.texts():
        logprobs = {"content": list(text.logprobs)} if writing.options.logprobs else None
        yield text.text, logprobs


def _usage(writing: Writing) -> Usage:
    return usage_of(int(writing.prompt.shape[1]), writing.tokens_written)
