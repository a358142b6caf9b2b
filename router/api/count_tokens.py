"""`POST /v1/messages/count_tokens`: how many tokens a request of Anthropic's dialect has.

Where the plan that would answer simply asks a backend of Anthropic's dialect, that backend counts.
Else the count is our estimate, as good as any limit of ours; the header `x-waggle-counted-by` says
which. Nothing is answered, stored or charged. What guards redact leaves the router for no count.
"""

from dataclasses import dataclass

import orjson

from router.api.dialects.messages import MessagesDialect, passed_on
from router.api.incoming import Admission, Incoming
from router.api.parse import parse_body
from router.api.replies import JSON
from router.config.plans import Ask
from router.dialects.token_estimate import tokens_of
from router.domain import COUNT_TOKENS, Call, Request
from router.engine.engine import Engine

_PATIENCE = 0.5  # seconds to wait for a replica: the estimate is there at once
_COUNTED_BY = b"x-waggle-counted-by"


@dataclass(frozen=True, slots=True)
class CountTokensEndpoint:
    engine: Engine
    admission: Admission

    async def post(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app", count="count_tokens")
        body = await self.admission.body(incoming)
        fields = {"max_tokens": 1} | parse_body(body)
        written = orjson.dumps(fields)
        request = MessagesDialect().parse(
            written, incoming.headers, request_id=incoming.id, key_id=key.id
        )
        engine = self.engine
        request = await engine.guarding.before(engine.config, request, asks=False)
        decision = await self.engine.decided(
            request, backend=incoming.backend, allowed=key.plans, scope=key.remembers_as
        )
        backend = self._speaking(decision.plan)
        passes = request.passed_on is not None  # else its words must not leave as they are
        if backend and passes and await self._counted(incoming, backend, body):
            return
        await self._estimated(incoming, request)

    def _speaking(self, plan: str) -> str:
        """The backend of Anthropic's dialect that the plan simply asks; empty if it asks none."""
        tree = self.engine.plans[plan].tree
        if not isinstance(tree, Ask) or not tree.plain:
            return ""
        settings = self.engine.config.backends.get(tree.ask)
        speaks = settings is not None and settings.enabled and "messages" in settings.speaks
        return tree.ask if speaks else ""

    async def _counted(self, incoming: Incoming, backend: str, body: bytes) -> bool:
        """Send what the backend says, if it can count."""
        headers = passed_on(incoming.headers)
        call = Call(COUNT_TOKENS, body, False, incoming.id, dialect="messages", headers=headers)
        outcome = await self.engine.attempts.try_once(backend, call, patience=_PATIENCE)
        if not outcome.answered or outcome.attempt.status == 404:
            return False
        counted_by = (_COUNTED_BY, backend.encode())
        await incoming.reply.whole(outcome.attempt.status, outcome.body, [JSON, counted_by])
        return True

    async def _estimated(self, incoming: Incoming, request: Request) -> None:
        body = orjson.dumps({"input_tokens": tokens_of(request.fields)})
        await incoming.reply.whole(200, body, [JSON, (_COUNTED_BY, b"estimate")])
