"""Fills records up to a larger shape, so that every new value agrees with the given values.

The enricher uses no model and alters no given value. A request with a `seed` or `variant` that is
repeated on the same day gets the same answer; without them, the values are new each time.
"""

import datetime as dt
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from hashlib import blake2b
from typing import Any

import orjson

from router.backends.given_records import GivenRecords, given_records
from router.backends.record_plans import plan_for
from router.backends.request_fields import fields_of_call
from router.backends.work import Work
from router.config.backends import EnricherSettings
from router.domain import CHAT, Call, Fault, Reply
from router.records.enriching.filler import enriched
from router.records.given_text import written
from router.records.mock import Fakers
from router.records.nodes import Array, Object
from router.records.planning import RecordPlan
from router.records.shapes import parse
from router.records.size import NOTHING, MissingSizes, check_size
from router.request.text import prompt_text, tokens_in, whole_number
from router.request.wants import shape_of
from router.wire.chat_replies import chat_reply
from router.wire.splice import spans


class EnricherBackend:
    def __init__(self, settings: EnricherSettings) -> None:
        self._settings = settings
        self._fakers = Fakers(settings.locale)
        self._work = Work(mend="Send the records in parts, or ask for fewer fields.")

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"the enricher answers {CHAT}, not {call.path}")
        fields = await fields_of_call(call)
        most = 4 * self._settings.most_values  # made, read again, and written
        text = await self._work.result(partial(self._answer, fields, call.body), most=most)
        yield chat_reply(call, "waggle-enricher", [text], tokens_in(prompt_text(fields)))

    async def close(self) -> None:
        self._work.close()

    def _answer(self, fields: dict[str, Any], body: bytes) -> str:
        shape = shape_of(fields)
        if shape is None:
            where = "in `shape`, or as a `response_format` with a JSON schema"
            raise Fault(
                "bad_request", f"The enricher needs the shape of full records: put it {where}"
            )
        node = parse(shape).node
        while isinstance(node, Array):
            node = node.item
        given = given_records(fields)
        if not isinstance(node, Object) or not all(isinstance(r, dict) for r in given.records):
            raise Fault("bad_request", "The shape and each record must be JSON objects with fields")
        sizes, missing = MissingSizes(), NOTHING
        for record in given.records:
            missing += sizes.of(record, node)
            check_size(
                missing, values=self._settings.most_values, text_mb=self._settings.most_text_mb
            )
        plan = self._plan(fields, given, node)
        seed = _seed_of(fields)
        as_of = self._settings.as_of or dt.datetime.now(dt.UTC).date()
        with self._fakers.borrowed() as fake:
            made = enriched(given.records, node, seed=seed, fake=fake, as_of=as_of, plan=plan)
        text = _text_of(given, fields, body)
        if text is None:
            return orjson.dumps(given.document(made)).decode()
        return written(given.document(made), given.document(given.records), text)

    def _plan(self, fields: Mapping[str, Any], given: GivenRecords, node: Object) -> RecordPlan:
        """The plan of the shape; without examples, the given records show what values are like."""
        shown = fields if fields.get("examples") else {**fields, "examples": given.records[:200]}
        return plan_for(shown, node, self._settings)


def _text_of(given: GivenRecords, fields: Mapping[str, Any], body: bytes) -> str | None:
    """The JSON in which the records came; None where a text holds more than JSON."""
    if fields.get("records") is not None:
        start, end = spans(body, (b'"records"',))[b'"records"']
        return body[start:end].decode()
    try:
        return given.text if orjson.loads(given.text) == given.document(given.records) else None
    except orjson.JSONDecodeError:
        return None


def _seed_of(fields: Mapping[str, Any]) -> int:
    """The seed that the request names, each variant of it another; without both, a new one."""
    seed = whole_number(fields, "seed", least=-(2**63), most=2**63 - 1)
    variant = whole_number(fields, "variant", least=0, most=10**9)
    if seed is None and variant is None:
        return secrets.randbits(63)
    if variant is None:
        return seed or 0
    content = f"{seed or 0} {variant}".encode()
    return int.from_bytes(blake2b(content, digest_size=7).digest(), "big")
