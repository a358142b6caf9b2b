"""`POST /v1/sql`: one query over telemetry, for analysts. At most two queries run at once."""

import asyncio
from dataclasses import dataclass, field

from router.api.incoming import Admission, Incoming
from router.api.parse import parse_body
from router.api.replies import JSON, request_id_header
from router.engine.engine import Engine
from router.request.kind_of_value import kind_of_value
from router.telemetry.analyst import Bounds, QueryRefused, ask
from router.wire.asgi import WhileConnected
from router.wire.errors import BadRequest, Limited

_MOST_QUERIES = 2


@dataclass(frozen=True, slots=True)
class Query:
    sql: str
    rows: int


@dataclass(frozen=True, slots=True)
class SqlEndpoint:
    engine: Engine
    admission: Admission
    _free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_QUERIES))

    async def post(self, incoming: Incoming) -> None:
        await self.admission.admit(incoming, "analyst")
        config = self.engine.config
        settings = config.telemetry
        query = parse_query(await self.admission.body(incoming), most_rows=settings.sql_rows)
        if self._free.locked():
            message = f"{_MOST_QUERIES} queries are running on this router: wait for one to end."
            raise Limited(message, 1.0)
        bounds = Bounds(query.rows, settings.sql_seconds, settings.sql_memory_bytes)
        async with self._free, WhileConnected(incoming.receive):
            try:
                rows = await ask(config.telemetry_folder, query.sql, bounds)
            except QueryRefused as refusal:
                raise BadRequest(str(refusal), "sql") from None
            await incoming.reply.whole(200, rows, [JSON, request_id_header(incoming.id)])


def parse_query(body: bytes, *, most_rows: int) -> Query:
    fields = parse_body(body)
    sql, rows = fields.get("sql"), fields.get("rows", most_rows)
    if not isinstance(sql, str) or not sql.strip():
        raise BadRequest(f"`sql` must be a query, not {kind_of_value(sql)}.", "sql")
    if not isinstance(rows, int) or isinstance(rows, bool) or not 1 <= rows <= most_rows:
        shown = rows if isinstance(rows, int) else kind_of_value(rows)
        message = f"`rows` must be 1 to telemetry.sql_rows = {most_rows}, not {shown}."
        raise BadRequest(message, "rows")
    return Query(sql, rows)
