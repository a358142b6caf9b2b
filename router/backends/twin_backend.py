"""Writes in a person's voice through another backend, and says that it does.

The writer is told first that it is a twin and no person, then how the person writes, and sees some
of the person's texts. The reply's `twin` says whose voice it is, by which version and until when
the person agreed; a text also ends with a line that says so, unless it must be JSON. When consent
is over or was withdrawn, the next call is refused.

Not covered: answers come whole, also in streams, and tools are the writer's business.
"""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from router.backends.protocol import Backend
from router.backends.request_fields import fields_of_call
from router.config.backends import TwinSettings
from router.domain import CHAT, Call, Fault, Reply
from router.models.card import BrokenModel
from router.models.models import Models, OpenModel
from router.models.registry import NoSuchModel
from router.models.twin import Twin
from router.wire.chat_replies import completion, events, in_one_piece, reply_base, usage_of

_MOST_BYTES = 8 * 2**20  # of a writer's answer


class TwinBackend:
    def __init__(self, settings: TwinSettings, writer: Backend) -> None:
        self._settings, self._writer = settings, writer
        self._models = Models(Path(settings.home or ""))

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"a twin answers {CHAT}, not {call.path}")
        fields = await fields_of_call(call)
        messages = fields.get("messages")
        if not isinstance(messages, list) or not messages:
            raise Fault("bad_request", "`messages` must be a list that is not empty")
        model, twin = self._twin()
        body = orjson.dumps(_asking(fields, twin, self._settings.examples))
        asking = replace(call, body=body, stream=False, native=None, bodies={})
        async with self._writer.send(asking) as reply:
            whole = await _whole(reply)
        if reply.status != 200:
            yield Reply(reply.status, reply.content_type, in_one_piece(whole), reply.headers)
            return
        yield self._signed(call, fields, whole, model, twin)

    async def close(self) -> None:
        await self._writer.close()

    def _twin(self) -> tuple[OpenModel, Twin]:
        if self._settings.home is None:
            wrong = "the settings have no `home` of models: load them from a file"
            raise Fault("unavailable", wrong)
        try:
            model = self._models.get(self._settings.model)
        except (NoSuchModel, BrokenModel) as error:
            raise Fault("no_model", str(error)) from None
        twin = model.model
        if not isinstance(twin, Twin):
            mend = "use a backend of kind `learned`"
            raise Fault("no_model", f"{model.card.reference} is no twin: {mend}")
        if twin.consent.over(dt.datetime.now(dt.UTC).date()):
            over = f"consent for {model.card.reference} ended on {twin.consent.until}"
            raise Fault("no_model", f"{over}: ask the person, and train it again")
        return model, twin

    def _signed(
        self, call: Call, fields: dict[str, Any], whole: bytes, model: OpenModel, twin: Twin
    ) -> Reply:
        """The writer's answer with what says that a twin wrote it."""
        try:
            answer = orjson.loads(whole)
            choice = answer["choices"][0]
            text = str(choice["message"].get("content") or "")
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, AttributeError):
            raise Fault("protocol", "the twin's writer did not answer in OpenAI's format") from None
        notice = (self._settings.notice or "").replace("{name}", twin.consent.by)
        if notice and text and not fields.get("response_format"):
            text = f"{text.rstrip()}\n\n{notice}"
        report = {
            "model": model.card.reference,
            "of": twin.consent.by,
            "scope": twin.consent.scope,
            "until": twin.consent.until,
            "notice": "This text was written by a program, and not by the person.",
        }
        base = {**reply_base(call, model.card.reference), "twin": report}
        used = answer.get("usage") or {}
        usage = usage_of(
            int(used.get("prompt_tokens") or 0), int(used.get("completion_tokens") or 0)
        )
        finish = str(choice.get("finish_reason") or "stop")
        if call.stream:
            stream = events(base, _once(text), lambda: (finish, usage))
            return Reply(200, "text/event-stream", stream)
        body = completion(base, text, finish, usage)
        return Reply(200, "application/json", in_one_piece(body))


def _asking(fields: dict[str, Any], twin: Twin, examples: int) -> dict[str, Any]:
    """The request as the writer gets it: the twin's instruction before the caller's own."""
    own = [m for m in fields["messages"] if isinstance(m, dict)]
    system = [m for m in own if m.get("role") in ("system", "developer")]
    instructions = "\n\n".join([twin.instruction(), *(str(m.get("content") or "") for m in system)])
    rest = [m for m in own if m not in system]
    messages = [{"role": "system", "content": instructions}, *twin.turns(examples), *rest]
    kept = {name: value for name, value in fields.items() if name not in ("stream_options", "n")}
    return {**kept, "messages": messages, "stream": False}


async def _whole(reply: Reply) -> bytes:
    pieces, size = [], 0
    async for piece in reply.body:
        size += len(piece)
        if size > _MOST_BYTES:
            raise Fault("too_large", f"the writer's answer has more than {_MOST_BYTES:,} bytes")
        pieces.append(piece)
    return b"".join(pieces)


async def _once(text: str) -> AsyncIterator[tuple[str, Any]]:
    yield text, None
