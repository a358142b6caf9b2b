"""`GET /v1/proposals` lists what housekeeping proposes to the caller; `POST` accepts or refuses it.

A new store is listed for the readers of its locale; what becomes of a store that exists, for its
owner alone. The owner or an admin decides: `{"do": "accept" | "refuse", "name": NUMBER}`. A store
is made under its usual name, or under that in `store`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from router.api.auditing import record_act
from router.api.incoming import Admission, Incoming
from router.api.parse import parse_body
from router.audit_log import AuditLog
from router.engine.engine import Engine
from router.keys import Key
from router.knowledge.house.archive import CannotMove
from router.knowledge.house.deciding import accept, refuse
from router.knowledge.house.proposals import NoSuchProposal, ProposalBook
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rights import NotOwner
from router.wire.errors import BadRequest, NotFound, Refused

_Outcome = TypeVar("_Outcome")


@dataclass(slots=True)
class ProposalsEndpoint:
    engine: Engine
    admission: Admission
    audit: AuditLog | None = None
    _shelf: StoreShelf | None = None

    async def get(self, incoming: Incoming) -> None:
        """The proposals that wait; with `?all=true`, those that were decided, too."""
        reader, _ = await self._caller(incoming)
        waiting = incoming.query.get("all", "") != "true"

        def read(shelf: StoreShelf) -> list[dict[str, Any]]:
            proposals = ProposalBook(shelf.rights).listed(reader, waiting=waiting)
            return [each.shown(reader) for each in proposals]

        await incoming.reply.json(200, {"object": "list", "data": await self._beside(read)})

    async def post(self, incoming: Incoming) -> None:
        reader, key = await self._caller(incoming)
        do, number, name = _wish(parse_body(await self.admission.body(incoming)))
        by, config = f"key {key.name}", self.engine.config
        await self._beside(lambda shelf: ProposalBook(shelf.rights).waiting(reader, number))
        await self._record(key, do, number)

        def act(shelf: StoreShelf) -> str:
            if do == "refuse":
                refuse(shelf, reader, number, by=by)
                return f"Proposal {number} is refused."
            return accept(shelf, config, reader, number, by=by, name=name)

        done = await self._beside(act)
        state = "accepted" if do == "accept" else "refused"
        await incoming.reply.json(200, {"number": number, "state": state, "done": done})

    async def _caller(self, incoming: Incoming) -> tuple[Reader, Key]:
        key = await self.admission.admit(incoming, "app")
        return await asyncio.to_thread(self.engine.rights.reader, key.id), key

    async def _beside(self, work: Callable[[StoreShelf], _Outcome]) -> _Outcome:
        if self._shelf is None:
            folder = self.engine.config.knowledge_folder
            self._shelf = StoreShelf(folder, self.engine.rights.rights)
        try:
            return await asyncio.to_thread(work, self._shelf)
        except NoSuchProposal as missing:
            message = f"No proposal {missing} waits for you to decide."
            raise NotFound("proposal_not_found", message, "name") from None
        except NotOwner as error:
            raise NotFound("store_not_found", f"{error} is no store of yours.", "name") from None
        except CannotMove as error:
            advice = "On the machine of the service, `waggle knowledge accept` takes a --folder."
            message = f"This cannot be done now: {error}. {advice}"
            raise Refused(409, "proposal_not_possible", message) from None

    async def _record(self, key: Key, do: str, number: int) -> None:
        """Write the decision to the audit log before it is carried out."""
        what, wall = f"knowledge proposal {do}", self.engine.wall()
        await record_act(self.audit, key, what, str(number), wall=wall)


def _wish(fields: Mapping[str, Any]) -> tuple[str, int, str | None]:
    """What to do with which proposal, and the name of a store to make."""
    do, number, name = fields.get("do"), str(fields.get("name", "")), fields.get("store")
    if do not in ("accept", "refuse"):
        raise BadRequest("`do` is accept or refuse.", "do")
    if not number.isdigit() or len(number) > 15:
        raise BadRequest(f"`name` is the number of a proposal, and not {number[:40]!r}.", "name")
    if name is not None and not isinstance(name, str):
        raise BadRequest("`store` is the name of the store to make.", "store")
    return do, int(number), name
