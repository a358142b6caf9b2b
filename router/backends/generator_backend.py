"""Makes mock records for a JSON shape, with Faker and without a model.

The same shape, count, seed and variant always give the same records. A request without a shape is
refused, because the generator writes no text.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any

import orjson

from router.config.backends import GeneratorSettings
from router.domain import CHAT, Call, Fault, Reply
from router.records.mock import Fakers, Maker
from router.records.shapes import Array, Node, parse
from router.request.text import fields_of, last_user_text, prompt_text, tokens_in, whole_number
from router.request.wants import shape_of
from router.wire.chat_replies import chat_reply

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNT = re.compile(
    rf"\b(\d{{1,6}}|{'|'.join(_WORDS)})\s+(?:(?!(?:we|had|have|has|the|our|my|there|were|was|are|is)\b)\w+\s+){{0,3}}?"
    r"(?:records?|rows?|items?|users?|people|persons?|customers?|employees?|orders?|products?|"
    r"entries|examples?|objects?|samples?)\b",
    re.I,
)
_MAX_RECORDS = 10_000


class GeneratorBackend:
    def __init__(self, settings: GeneratorSettings) -> None:
        self._fakers = Fakers(settings.locale)

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"the generator answers {CHAT}, not {call.path}")
        fields = fields_of(call)
        count = record_count(fields)
        wanted = shape_of(fields)
        if wanted is None:
            where = "in `shape`, as a `response_format` with a JSON schema, or in the last message"
            raise Fault("bad_request", f"The generator needs a JSON shape: put one {where}")
        shape = parse(wanted)
        seed = whole_number(fields, "seed", least=-(2**63), most=2**63 - 1)
        variant = whole_number(fields, "variant", least=0, most=10**9)
        if shape.variants:
            # Every replica gives the same few answers to this shape.
            drawn = secrets.randbelow(shape.variants) if variant is None else variant
            seed = _seed(seed or 0, drawn % shape.variants, repr(shape.node))
        with self._fakers.borrowed() as fake:
            maker = Maker(fake, seed)
            pieces = _document(maker, shape.node, count)
            if not call.stream:  # Faker is slow and would block the event loop
                pieces = iter(await asyncio.to_thread(list, pieces))
            yield chat_reply(call, "waggle-generator", pieces, tokens_in(prompt_text(fields)))

    async def close(self) -> None:
        pass


def record_count(fields: Mapping[str, Any]) -> int | None:
    """The number of records, from `count` or the prompt; None for one document of the shape."""
    count = whole_number(dict(fields), "count", least=0, most=_MAX_RECORDS)
    if count is not None:
        return count
    match = _COUNT.search(last_user_text(fields))
    if not match:
        return None
    number = match[1].lower()
    if number in _WORDS:
        return _WORDS.index(number) + 1
    if int(number) > _MAX_RECORDS:
        detail = f"{number} records are wanted, and {_MAX_RECORDS} fit one answer: ask in parts"
        raise Fault("bad_request", detail)
    return int(number)


def _document(maker: Maker, node: Node, count: int | None) -> Iterator[str]:
    """Yield the text of the answer, record by record."""
    if count is None:
        yield orjson.dumps(maker.make(node)).decode()
        return
    item = node.item if isinstance(node, Array) else node
    yield "["
    for index in range(count):
        comma = "," if index else ""
        yield comma + orjson.dumps(maker.make(item, index=index)).decode()
    yield "]"


def _seed(*parts: object) -> int:
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "big")
