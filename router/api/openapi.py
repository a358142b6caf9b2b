"""`GET /openapi.json`: what the routes take and answer, as an OpenAPI 3.1 document.

The document describes Waggle's own protocol, not the configuration: it says nothing of the plans
and backends of this service, so it needs no key.
"""

import asyncio
from functools import lru_cache
from importlib.resources import files

import orjson
import yaml

from router.api.incoming import Incoming
from router.api.replies import JSON
from router.version import version


@lru_cache(maxsize=1)
def document() -> bytes:
    text = (files("router") / "api" / "openapi.yaml").read_text()
    described = yaml.safe_load(text)
    described["info"]["version"] = version()
    return orjson.dumps(described)


class OpenApiEndpoint:
    async def get(self, incoming: Incoming) -> None:
        body = await asyncio.to_thread(document)  # reading it takes a moment, the first time
        await incoming.reply.whole(200, body, [JSON])
