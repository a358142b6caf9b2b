"""`POST /v1/chat/completions`: an answer from memory or from the plan that was chosen."""

from dataclasses import dataclass, replace

from router.api.explanation import with_explanation
from router.api.incoming import Admission, Incoming
from router.api.parse import parse_chat
from router.api.replies import SSE, ReplyWriter, answer_headers, send_whole
from router.engine.engine import Engine
from router.engine.progress import Answer
from router.wire.asgi import WhileConnected


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    engine: Engine
    admission: Admission

    async def post(self, incoming: Incoming) -> None:
        key, request = await self.admission.request(incoming, parse_chat)
        request = replace(request, scope=key.remembers_as)
        backend, allowed = incoming.backend, key.plans
        lookup = await self.engine.look(request, backend=backend, allowed=allowed)
        if lookup is not None and lookup.answers:
            answering = self.engine.remembered(request, lookup)
        else:
            decision = self.engine.decide(request, backend=backend, allowed=allowed, lookup=lookup)
            answering = self.engine.answer(request, decision, lookup)
        async with WhileConnected(incoming.receive):
            answer = await answering
            explain = incoming.wants_explanation
            if answer.stream is None:
                await send_whole(incoming.reply, answer, explain=explain)
            else:
                await _send_stream(incoming.reply, answer, explain=explain)


async def _send_stream(reply: ReplyWriter, answer: Answer, *, explain: bool) -> None:
    stream = answer.stream
    assert stream is not None
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
    finally:
        await stream.aclose()  # type: ignore[attr-defined]  # every stream is an async generator
