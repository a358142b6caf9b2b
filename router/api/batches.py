"""`/v1/batches`: many requests of one file, carried out beside the callers who wait.

The endpoints only write down what is wished; `router.batches.owner` carries it out.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from router.api.files import keep_seconds_in, storing
from router.api.incoming import Admission, Incoming
from router.api.listing import Query, listed, page
from router.api.parse import parse_body
from router.api.routes import Routes
from router.batches.jobs import ENDPOINTS
from router.batches.owner import BatchOwner
from router.batches.records import BatchRecord
from router.batches.stored_files import new_file_id
from router.domain import new_id
from router.engine.engine import Engine
from router.request.kind_of_value import kind_of_value
from router.wire.errors import BadRequest

_HOUR, _MOST_HOURS = 3600, 7 * 24
_WINDOW = re.compile(r"([1-9][0-9]{0,2})h")
_MOST_LISTED, _USUALLY_LISTED = 100, 20
_MOST_METADATA, _LONGEST_NAME, _LONGEST_VALUE = 16, 64, 512  # as OpenAI has it


@dataclass(slots=True)
class BatchesEndpoint:
    engine: Engine
    admission: Admission
    batches: BatchOwner
    routes: Routes | None = None  # those of this router: a batch asks only what there is

    async def post(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        fields = parse_body(await self.admission.body(incoming))
        record = self._record(fields, key.id)
        files, store, now = self.batches.files, self.batches.store, self.engine.wall()
        file = await asyncio.to_thread(files.get, key.id, record.input_file_id, now=now)
        if file.purpose != "batch":
            message = f"The file `{file.id}` has the purpose {file.purpose}: upload it for batch."
            raise BadRequest(message, "input_file_id")
        most = self.engine.config.server.batches.open
        held = await asyncio.to_thread(store.held_bytes, key.id)
        await asyncio.to_thread(files.check_room, key.id, 0, now=now, held_beside=held)
        create = partial(store.create, record, files.path(key.id, file.id), most_open=most)
        with storing():
            await asyncio.to_thread(create)
        self.batches.wake()
        await incoming.reply.json(200, record.json())

    async def get(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        query = Query.of(incoming)
        limit = query.number("limit", default=_USUALLY_LISTED, most=_MOST_LISTED)
        records = await asyncio.to_thread(self.batches.store.all, key.id)
        items, more = page(query, records, limit=limit)
        rows = await asyncio.to_thread(lambda: [self._shown(each) for each in items])
        await incoming.reply.json(200, listed(rows, more=more))

    async def get_one(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        get = partial(self.batches.store.get, key.id, incoming.params["id"])
        record = await asyncio.to_thread(get)
        await incoming.reply.json(200, await asyncio.to_thread(self._shown, record))

    async def cancel(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        store = self.batches.store
        record = await asyncio.to_thread(store.get, key.id, incoming.params["id"])
        with storing():
            await asyncio.to_thread(store.wish_cancelled, record, self.engine.wall())
        self.batches.wake()
        await incoming.reply.json(200, await asyncio.to_thread(self._shown, record))

    def _shown(self, record: BatchRecord) -> dict[str, Any]:
        return record.json(cancelling_at=self.batches.store.cancelling_at(record))

    def _record(self, fields: Mapping[str, Any], key_id: str) -> BatchRecord:
        """The batch that a request wishes; `BadRequest` names what is wrong."""
        now = self.engine.wall()
        endpoint, file_id = fields.get("endpoint"), fields.get("input_file_id")
        endpoints = [path for path in ENDPOINTS if self._has(path)]
        if endpoint not in endpoints:
            rule = f"one of {', '.join(endpoints)}"
            raise BadRequest(f"`endpoint` must be {rule}, not {endpoint!r:.80}.", "endpoint")
        if not isinstance(file_id, str) or not file_id:
            kind = kind_of_value(file_id)
            rule = "the id of a file with the purpose batch"
            raise BadRequest(f"`input_file_id` must be {rule}, not {kind}.", "input_file_id")
        keep = fields.get("output_expires_after")
        if keep is not None and not isinstance(keep, dict):
            raise BadRequest("`output_expires_after` must be an object.", "output_expires_after")
        hours, unique = _hours(fields.get("completion_window")), new_id(now).replace("-", "")
        return BatchRecord(
            id=f"batch_{unique}",
            key_id=key_id,
            endpoint=endpoint,
            input_file_id=file_id,
            completion_window=f"{hours}h",
            created_at=int(now),
            expires_at=int(now) + hours * _HOUR,
            output_file_id=new_file_id(f"{unique}o"),
            error_file_id=new_file_id(f"{unique}e"),
            keep_seconds=None if keep is None else keep_seconds_in(keep.get("seconds")),
            metadata=_metadata(fields.get("metadata")),
        )

    def _has(self, path: str) -> bool:
        route = None if self.routes is None else self.routes.find(path)[0]
        return route is not None and "POST" in route.methods


def _hours(window: object) -> int:
    match = _WINDOW.fullmatch(window) if isinstance(window, str) else None
    if match is None or int(match[1]) > _MOST_HOURS:
        rule = f"24h, or another number of hours up to {_MOST_HOURS}h"
        raise BadRequest(
            f"`completion_window` must be {rule}, not {window!r:.80}.", "completion_window"
        )
    return int(match[1])


def _metadata(value: Any) -> Mapping[str, str]:
    """At most 16 short texts, by names."""
    pairs = {} if value is None else value
    if not isinstance(pairs, dict) or len(pairs) > _MOST_METADATA:
        raise BadRequest(f"`metadata` must be at most {_MOST_METADATA} texts by name.", "metadata")
    for name, text in pairs.items():
        right = isinstance(text, str) and len(text) <= _LONGEST_VALUE
        if not right or len(name) > _LONGEST_NAME:
            rule = f"names of {_LONGEST_NAME} characters, and texts of {_LONGEST_VALUE}, at most"
            raise BadRequest(f"`metadata` must have {rule}: see {name[:80]!r}.", "metadata")
    return pairs
