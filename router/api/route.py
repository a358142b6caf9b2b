"""`POST /v1/route`: the decision for a request, with its reasons and without an answer.

The endpoint calls no backend and charges nothing.
"""

from dataclasses import dataclass

from router.api.explanation import explained
from router.api.incoming import Admission, Incoming
from router.api.parse import parse_chat
from router.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class RouteEndpoint:
    engine: Engine
    admission: Admission

    async def post(self, incoming: Incoming) -> None:
        key, request = await self.admission.request(incoming, parse_chat)
        decision = self.engine.decide(request, backend=incoming.backend, allowed=key.plans)
        await incoming.reply.json(200, {"object": "route", **explained(decision, request)})
