"""`POST /v1/embeddings`: vectors from the backend that the caller names.

No policy chooses the backend, because vectors of two models must not be mixed. The model `auto`
means the first backend that makes embeddings and is part of a plan that the key may use.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from router.api.incoming import Admission, Incoming
from router.api.parse import model_in, parse_body
from router.api.replies import send_whole
from router.domain import Decision, Request
from router.engine.engine import Engine
from router.request.kind_of_value import kind_of_value
from router.request.reading import reading_of
from router.routing.named import AUTO, may_use
from router.wire.asgi import WhileConnected
from router.wire.errors import BadRequest, NotFound


@dataclass(frozen=True, slots=True)
class EmbeddingsEndpoint:
    engine: Engine
    admission: Admission

    async def post(self, incoming: Incoming) -> None:
        key, request = await self.admission.request(incoming, parse_embeddings)
        decision = self._decide(request, incoming.backend, key.plans)
        async with WhileConnected(incoming.receive):
            answer = await self.engine.answer(request, decision)
            await send_whole(incoming.reply, answer, explain=False)

    def _decide(self, request: Request, backend: str, allowed: tuple[str, ...]) -> Decision:
        backends = self.engine.config.backends
        able = [name for name, b in backends.items() if "embeddings" in b.capabilities]
        if not backend and request.model == AUTO:
            if not able:
                message = "No backend makes embeddings: configure one of kind `encoder`."
                raise NotFound("no_embedding_backend", message, "model")
            plans = self.engine.plans
            enabled = [name for name in able if backends[name].enabled]
            usable = [name for name in enabled or able if may_use(plans, name, allowed)]
            backend = (usable or able)[0]
        decision = self.engine.decide(request, backend=backend, allowed=allowed)
        if decision.plan not in able:
            message = f"The model `{request.model}` makes no embeddings here."
            raise NotFound("model_not_found", message, "model")
        return decision


def parse_embeddings(
    body: bytes,
    headers: Mapping[bytes, bytes],  # noqa: ARG001 - every parser is called in the same way
    *,
    request_id: str,
    key_id: str,
) -> Request:
    fields = parse_body(body)
    texts = fields.get("input")
    if not isinstance(texts, str | list) or not texts:
        rule = "a string or a list that is not empty"
        raise BadRequest(f"`input` must be {rule}, not {kind_of_value(texts)}.", "input")
    return Request(
        id=request_id,
        body=body,
        fields=fields,
        model=model_in(fields),
        stream=False,
        include_usage=False,
        session="",
        session_given=False,
        continues=False,
        reading=reading_of(fields),
        key_id=key_id,
        operation="embeddings",
        task="embeddings",
    )
