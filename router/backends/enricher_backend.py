"""Fills records up to a larger shape, so that every new value agrees with the given values.

The enricher uses no model and alters no given value. What a record's own text says of a missing
field fills that field; the reply names such fields in `enrichment`. A request with a `seed` or
`variant` that is repeated on the same day gets the same answer; without them, the values are new.
"""

import datetime as dt
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
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
from router.records.enriching.reading.fields import FieldRead, with_read
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

_MOST_REPORTED = 1_000  # fields that a reply names as read


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
        answer = partial(self._answer, fields, call.body)
        text, read = await self._work.result(answer, most=most)
        more = {"enrichment": read}
        prompt_tokens = tokens_in(prompt_text(fields))
        yield chat_reply(call, "waggle-enricher", [text], prompt_tokens, more=more)

    async def close(self) -> None:
        self._work.close()

    def _answer(self, fields: dict[str, Any], body: bytes) -> tuple[str, dict[str, Any]]:
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
        stated = [with_read(record, node, plan) for record in given.records]
        records = [record for record, _ in stated]
        with self._fakers.borrowed() as fake:
            made = enriched(records, node, seed=seed, fake=fake, as_of=as_of, plan=plan)
        read = _report([fields for _, fields in stated])
        text = _text_of(given, fields, body)
        if text is None:
            return orjson.dumps(given.document(made)).decode(), read
        return written(given.document(made), given.document(given.records), text), read

    def _plan(self, fields: Mapping[str, Any], given: GivenRecords, node: Object) -> RecordPlan:
        """The plan of the shape; without examples, the given records show what values are like."""
        shown = fields if fields.get("examples") else {**fields, "examples": given.records[:200]}
        return plan_for(shown, node, self._settings)


def _report(read: Sequence[Sequence[FieldRead]]) -> dict[str, Any]:
    """Which fields of which records were read, each from which field of its record."""
    rows = [
        {"record": n, "field": ".".join(map(str, field.path)), "text": field.source}
        for n, fields in enumerate(read)
        for field in fields
    ]
    return {"read_from_text": rows[:_MOST_REPORTED], "fields_read": len(rows)}


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
