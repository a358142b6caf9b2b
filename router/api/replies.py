"""Sends answers to callers, whole or in pieces, with x-waggle-* headers."""

from typing import Any

import orjson

from router.api.dialects.dialect import OPENAI_ERRORS, ErrorForm
from router.api.explanation import explained_trace, partly
from router.domain import Decision, Trace
from router.engine.progress import Answer
from router.guardrails.refusals import guard_headers
from router.wire.asgi import HeaderList, Send, respond
from router.wire.errors import retry_after_header
from router.wire.splice import replaced

JSON = (b"content-type", b"application/json")
SSE = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


class ReplyWriter:
    """Sends one reply, and remembers whether it has begun: a reply can have only one head."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False
        self.also: HeaderList = []  # headers of every reply, such as the caller's limits
        self.marks: HeaderList = []  # those by which a dialect's clients know the request
        self.form: ErrorForm = OPENAI_ERRORS  # the form that the caller's dialect gives an error

    async def whole(self, status: int, body: bytes, headers: HeaderList) -> None:
        self._begun = True
        await respond(self._send, status, body, self._with_also(headers))

    async def begin(self, status: int, headers: HeaderList) -> None:
        self._begun = True
        head = {"type": "http.response.start", "status": status}
        await self._send({**head, "headers": self._with_also(headers)})

    def _with_also(self, headers: HeaderList) -> HeaderList:
        """These headers, and those of every reply that they do not replace."""
        if not self.also:
            return [*headers, *self.marks]
        names = {name for name, _ in headers}
        further = (header for header in self.also if header[0] not in names)
        return [*headers, *self.marks, *further]

    async def json(self, status: int, value: Any) -> None:
        await self.whole(status, orjson.dumps(value), [JSON])

    async def more(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def error(
        self, status: int, body: bytes, headers: HeaderList, *, request_id: str
    ) -> None:
        """Send an error; `body` has OpenAI's form."""
        if not self._begun:
            written = self.form.error(status, body, request_id)
            await self.whole(status, written, [JSON, request_id_header(request_id), *headers])
        else:  # The stream has begun, so the error becomes its last event.
            await self.more(self.form.broken(body))
            await self.end()


async def send_whole(reply: ReplyWriter, answer: Answer, *, explain: bool) -> None:
    headers = [JSON, *answer_headers(answer.trace)]
    if answer.retry_after is not None:
        headers.append(retry_after_header(answer.retry_after))
    body, trace = answer.body, answer.trace
    if body.startswith(b"{") and (explain or trace.partial):
        explanation = explained_trace(trace) if explain else partly(trace)
        body = replaced(body, {b'"waggle"': orjson.dumps(explanation)})
    await reply.whole(answer.status, body, headers)


def answer_headers(trace: Trace, *, streaming: bool = False, pending: bool = False) -> HeaderList:
    """The x-waggle-* headers of an answer.

    The headers leave out what is not known yet: the cost of a stream, and the backend and the
    attempts while a plan is `pending`. The last chunk of the stream carries these values.
    """
    decision = trace.decision
    headers = [
        request_id_header(trace.request.id),
        (b"x-waggle-plan", decision.plan.encode()),
        (b"x-waggle-strategy", decision.strategy.encode()),
        (b"x-waggle-propensity", f"{decision.propensity:.6g}".encode()),
        (b"x-waggle-reuse", trace.tier.encode()),
        (b"x-waggle-experiment", _trial_sides(decision)),
    ]
    headers += guard_headers(trace.guards)
    if not pending:
        headers.append((b"x-waggle-backend", trace.backend.encode()))
        headers.append((b"x-waggle-attempts", str(len(trace.attempts)).encode()))
    verified = trace.verified
    if verified is not None:
        headers.append((b"x-waggle-verified", verified.header.encode()))
    if trace.stores:
        headers.append((b"x-waggle-stores", ",".join(trace.stores).encode()))
    if trace.partial:
        headers.append((b"x-waggle-partial", trace.partial.encode()))
    if not streaming:
        cost = trace.cost_usd
        if cost is not None:
            headers.append((b"x-waggle-cost-usd", f"{cost:.10g}".encode()))
        headers.append((b"x-waggle-overhead-ms", f"{1000 * trace.overhead_seconds:.3f}".encode()))
    return headers


def _trial_sides(decision: Decision) -> bytes:
    """`trial:side` for each trial that the request was part of."""
    if not decision.exposures:
        return b"none"
    sides = ", ".join(f"{exposure.name}:{exposure.side}" for exposure in decision.exposures)
    return sides.encode("ascii", "replace") or b"none"


def request_id_header(request_id: str) -> tuple[bytes, bytes]:
    return b"x-waggle-request-id", request_id.encode()
