"""Requests for an answer, in each dialect: from memory, or from the plan that was chosen."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from router.api.dialects.dialect import Dialect
from router.api.explanation import with_explanation
from router.api.incoming import Admission, Incoming
from router.api.replies import SSE, ReplyWriter, answer_headers, send_whole
from router.domain import Request
from router.engine.engine import Engine
from router.engine.progress import Answer
from router.keys import Key
from router.wire.asgi import WhileConnected


class Keeps(Protocol):
    """Keeps answers before the caller gets them, in the caller's dialect. `idle`: nothing of this
    answer is kept, and nothing is written into one that goes out as it came."""

    @property
    def idle(self) -> bool: ...

    def of_stores(self, stores: Sequence[str]) -> None:
        """The stores of knowledge whose words the answer may hold; said before the answer."""

    async def whole(self, body: bytes) -> bytes:
        """An answer as it goes out."""

    def events(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A stream as it goes out."""


@dataclass(frozen=True, slots=True)
class AskEndpoint:
    engine: Engine
    admission: Admission
    dialect: Dialect

    async def post(self, incoming: Incoming) -> None:
        key, request = await self.admission.request(incoming, self.dialect.parse)
        await self.answer(incoming, key, request)

    async def answer(
        self, incoming: Incoming, key: Key, request: Request, keeping: Keeps | None = None
    ) -> None:
        """Answer a request that was parsed, and send the answer in the caller's dialect."""
        request = await self.engine.with_sources(request)
        backend, allowed, scope = incoming.backend, key.plans, key.remembers_as
        lookup = await self.engine.look(request, scope=scope, backend=backend, allowed=allowed)
        if lookup is not None and lookup.answers:
            answering = self.engine.remembered(request, lookup)
        else:
            decision = await self.engine.decided(
                request, backend=backend, allowed=allowed, lookup=lookup, scope=scope
            )
            answering = self.engine.answer(request, decision, lookup)
        async with WhileConnected(incoming.receive):
            answer = await answering
            explain = incoming.wants_explanation
            await send_answer(
                incoming.reply, answer, self.dialect, explain=explain, keeping=keeping
            )


async def send_answer(
    reply: ReplyWriter,
    answer: Answer,
    dialect: Dialect,
    *,
    explain: bool,
    keeping: Keeps | None = None,
) -> None:
    """Send an answer in a dialect, whole or as a stream. An answer from a backend that speaks the
    dialect goes out as it came."""
    request, native = answer.trace.request, answer.dialect == dialect.name
    if request.left_out and not native:
        names = ", ".join(request.left_out).encode("ascii", "replace")
        reply.also = [*reply.also, (b"x-waggle-left-out", names)]
    if keeping is not None:
        keeping.of_stores(answer.trace.sources)
    if native and keeping is not None and keeping.idle:
        keeping = None
    if answer.stream is not None:
        await _send_stream(reply, answer, dialect, explain=explain, keeping=keeping)
        return
    if not native and answer.status >= 400:
        body = dialect.error(answer.status, answer.body, request.id)
    else:
        body = answer.body if native else dialect.whole(request, answer.body)
        body = await keeping.whole(body) if keeping is not None and answer.status < 300 else body
    answer.body = body
    await send_whole(reply, answer, explain=explain)


async def _send_stream(
    reply: ReplyWriter, answer: Answer, dialect: Dialect, *, explain: bool, keeping: Keeps | None
) -> None:
    chunks = answer.stream
    assert chunks is not None
    native = answer.dialect == dialect.name
    stream = chunks if native else dialect.events(answer.trace.request, chunks)
    stream = stream if keeping is None else keeping.events(stream)
    headers = [*SSE, *answer_headers(answer.trace, streaming=True, pending=answer.pending)]
    try:
        # Take the first piece before the head: a generator that has not started runs no clean-up.
        piece = await anext(stream)
        await reply.begin(200, headers)
        while piece:
            if explain:  # the first event with data carries the explanation
                plain, piece = piece, with_explanation(piece, answer.trace)
                explain = piece is plain
            await reply.more(piece)
            piece = await anext(stream, b"")
        await reply.end()
    finally:  # every stream is an async generator, and the outer one does not close the inner one
        await stream.aclose()  # type: ignore[attr-defined]
        await chunks.aclose()  # type: ignore[attr-defined]
