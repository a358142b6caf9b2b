"""`GET /v1/trials` lists trials and strategies; `POST /v1/trials` changes them.

A command is `{"do": "new" | "stop" | "adopt" | "rollback" | "register" | "simplify", ...}`. This
module passes each command to the learner, which carries it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.api.incoming import Admission, Incoming
from router.api.learner import LearnerClient, reached
from router.api.parse import parse_body
from router.wire.errors import BadRequest


@dataclass(frozen=True, slots=True)
class TrialsEndpoint:
    admission: Admission
    learner: LearnerClient | None

    async def get(self, incoming: Incoming) -> None:
        """Answer with every trial and its numbers, every strategy, and the strategy that serves."""
        await self.admission.admit(incoming, "analyst")
        await incoming.reply.json(200, await self._ask({"do": "list"}))

    async def post(self, incoming: Incoming) -> None:
        await self.admission.admit(incoming, "admin")
        command = parse_body(await self.admission.body(incoming))
        answer = await self._ask(command)
        if "rejected" in answer:
            raise BadRequest(str(answer["rejected"]), "do")
        await incoming.reply.json(200, answer)

    async def _ask(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        with reached(self.learner, advice="ask again") as learner:
            return await learner.trials(command)
