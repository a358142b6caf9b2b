"""`GET /v1/trials` lists trials and strategies; `POST /v1/trials` changes them; `/v1/growth` does
the same for made plans, `/v1/routes` for written functions and nodes, and `/v1/learned` for models.

A command about trials is `{"do": "new" | "stop" | "adopt" | "rollback" | "register" | "simplify",
...}`. A command about a made plan is `{"do": "approve" | "forbid" | "remove", "name": ...}`, and a
command about a function or a node is `{"do": "approve" | "remove", "name": ...}`, and about a model
`{"do": "promote" | "rollback", "name": ...}`. This module passes each command to the learner, which
carries it out; commands about models change their registry here.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from router.api.auditing import record_act
from router.api.incoming import Admission, Incoming
from router.api.learned import TrainedModels
from router.api.learner import LearnerClient, reached
from router.api.parse import parse_body
from router.audit_log import AuditLog
from router.keys import Key
from router.wire.errors import BadRequest, Refused
from router.wire.plain_text import one_line


@dataclass(frozen=True, slots=True)
class TrialsEndpoint:
    admission: Admission
    learner: LearnerClient | None
    audit: AuditLog | None = None
    wall: Callable[[], float] = time.time
    about: Literal["trials", "growth", "routes", "learned"] = "trials"
    models: TrainedModels | None = None  # of `learned`

    async def get(self, incoming: Incoming) -> None:
        """Answer with every trial and its numbers, every strategy, and the strategy that serves; or
        with every made plan; or with every written function and node; or with every model."""
        await self.admission.admit(incoming, "analyst")
        await incoming.reply.json(200, await self._ask({"do": "list"}))

    async def post(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "admin")
        command = parse_body(await self.admission.body(incoming))
        if command.get("do") != "list":
            await self._record(key, command)
        try:
            answer = await self._ask(command)
        except Refused as error:
            await self._record(key, command, failed=error.message)
            raise
        if "rejected" in answer:
            why = one_line(str(answer["rejected"]))  # it may quote a name that nothing has
            await self._record(key, command, failed=why)
            raise BadRequest(why, "do")
        await incoming.reply.json(200, answer)

    async def _record(self, key: Key, command: Mapping[str, Any], *, failed: str = "") -> None:
        """Write the command to the audit log before it is carried out, and again if it fails."""
        what = f"{self.about} {command.get('do', '')!s:.40}" + (" failed" if failed else "")
        fields = {name: value for name, value in command.items() if name != "do"}
        after = {"why": failed} if failed else fields
        subject = str(command.get("name") or command.get("to") or "")[:100]
        await record_act(self.audit, key, what, subject, wall=self.wall(), after=after)

    async def _ask(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.models is not None:
            return await self.models.carry_out(command)
        with reached(self.learner, advice="ask again") as learner:
            if self.about == "growth":
                return await learner.growth(command)
            if self.about == "routes":
                return await learner.routes(command)
            return await learner.trials(command)
