"""Answers what is passed through to a backend: see `doors.py` for the paths.

No bandit chooses: see `router.routing.passing`. `model` names a backend or a plan, or is `auto`.
"""

from dataclasses import dataclass

from router.api.doors import Door
from router.api.incoming import Admission, Incoming
from router.api.replies import JSON, SSE, ReplyWriter, answer_headers
from router.engine.engine import Engine
from router.engine.passing import BrokenOff
from router.engine.progress import Answer
from router.wire.asgi import WhileConnected
from router.wire.errors import retry_after_header


@dataclass(frozen=True, slots=True)
class PassThroughEndpoint:
    engine: Engine
    admission: Admission
    door: Door

    async def post(self, incoming: Incoming) -> None:
        key, request = await self.admission.request(incoming, self.door.parse)
        async with WhileConnected(incoming.receive):
            answer = await self.engine.passed_on(
                request, backend=incoming.backend, allowed=key.plans
            )
            if answer.stream is not None:
                await _send_stream(incoming.reply, answer)
            else:
                await _send_whole(incoming.reply, answer)


async def _send_whole(reply: ReplyWriter, answer: Answer) -> None:
    kind = JSON if not answer.content_type else _kind(answer)
    headers = [kind, *answer_headers(answer.trace)]
    if answer.retry_after is not None:
        headers.append(retry_after_header(answer.retry_after))
    await reply.whole(answer.status, answer.body, headers)


async def _send_stream(reply: ReplyWriter, answer: Answer) -> None:
    """Send an answer in pieces. One that breaks off stays without an end, and so is not whole."""
    stream = answer.stream
    assert stream is not None
    kinds = [_kind(answer)] if answer.content_type else SSE
    headers = [*kinds, *answer_headers(answer.trace, streaming=True)]
    try:
        # Take the first piece before the head: a generator that has not started runs no clean-up.
        piece = await anext(stream, b"")
        await reply.begin(200, headers)
        while piece:
            await reply.more(piece)
            piece = await anext(stream, b"")
        await reply.end()
    except BrokenOff:
        return
    finally:
        await stream.aclose()  # type: ignore[attr-defined]  # every stream is an async generator


def _kind(answer: Answer) -> tuple[bytes, bytes]:
    return b"content-type", answer.content_type.encode("latin-1", "replace")
