"""The enricher as a backend: given values keep their bytes, and new ones stand beside them."""

import orjson
import pytest

from router.backends.enricher_backend import EnricherBackend
from router.config.backends import EnricherSettings
from router.domain import CHAT, Call

RECORD = (
    '{"id": 12345678901234567890123, "name": " ma\\u00e9  X ", "price": 1.10, "w": -0.0, "x":1e5, '
    '"tags": [ 1.50,{"a" : 2.0} ], "nothing": null, "more": {"deep": 3.10}}'
)
SHAPE = {"id": "int", "name": "string", "email": "email", "more": {"city": "string"}}


async def filled(**fields):
    body = orjson.dumps({"messages": [], "seed": 1, "shape": SHAPE})[:-1]
    body += b"".join(b',"%s":%s' % (k.encode(), v.encode()) for k, v in fields.items()) + b"}"
    async with EnricherBackend(EnricherSettings(kind="enricher")).send(
        Call(CHAT, body, False, "r")
    ) as reply:
        whole = orjson.loads(b"".join([piece async for piece in reply.body]))
    return whole["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    "fields",
    [
        {"records": RECORD},
        {"records": f"[{RECORD}, {RECORD}]"},
        {"draft": orjson.dumps(RECORD).decode()},
    ],
)
async def test_a_given_value_keeps_its_bytes(fields):
    text = await filled(**fields)
    for value in (
        *('"id":12345678901234567890123', '"name":" ma\\u00e9  X "', '"price":1.10', '"w":-0.0'),
        *('"x":1e5', '"tags":[ 1.50,{"a" : 2.0} ]', '"nothing":null', '"deep":3.10'),
    ):
        assert value in text
    document = orjson.loads(text)
    record = document[0] if isinstance(document, list) else document
    assert record["email"].startswith("mae.x@")
    assert record["more"]["city"]
