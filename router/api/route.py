"""`POST /v1/route`: the decision for a request, with its reasons and without an answer.

The endpoint calls no backend and charges nothing.
"""

from dataclasses import dataclass

from router.api.explanation import explained
from router.api.incoming import Admission, Incoming
from router.api.parse import parse_chat
from router.engine.bounds import most_usd
from router.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class RouteEndpoint:
    engine: Engine
    admission: Admission

    async def post(self, incoming: Incoming) -> None:
        key, request = await self.admission.request(incoming, parse_chat, asks=False)
        decision = await self.engine.decided(
            request, backend=incoming.backend, allowed=key.plans, scope=key.remembers_as
        )
        plans, estimates = self.engine.plans, self.engine.allowances.estimates
        names = (*decision.probabilities, *decision.ineligible)
        most = {name: most_usd(plans, name, request, estimates) for name in names}
        route = {"object": "route", **explained(decision, request), "most_usd": most}
        await incoming.reply.json(200, route)
