"""Records against a JSON Schema, formats and rules between fields: repaired, or every issue told.

The answer is the records where they hold all that was asked, as they came or put right; else a
report. Either way `validation` beside it says what was found.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from router.backends.given_records import GivenRecords, given_records
from router.config.backends import ValidatorSettings
from router.domain import CHAT, Call, Fault, Reply
from router.records.checking import BadSchema, Wanted, issues_in
from router.records.repairing import repaired
from router.records.rules import parsed
from router.records.schema import of_record, schema_of
from router.request.text import fields_of, prompt_text, tokens_in
from router.request.wants import shape_of
from router.wire.chat_replies import chat_reply

_TOLD_ISSUES = 100


class ValidatorBackend:
    def __init__(self, settings: ValidatorSettings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"the validator answers {CHAT}, not {call.path}")
        fields = fields_of(call)
        text, told = await asyncio.to_thread(self._answer, fields)
        prompt_tokens = tokens_in(prompt_text(fields))
        more = {"validation": told}
        yield chat_reply(call, "waggle-validator", [text], prompt_tokens, more=more)

    async def close(self) -> None:
        pass

    def _answer(self, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        found = given_records(fields)
        wanted = self._wanted(fields)
        try:
            if self._settings.repair:
                made = repaired(found.records, wanted, as_list=found.as_list)
                records, mended, issues = made.records, made.mended, made.issues
            else:
                records, mended = found.records, ()
                issues = issues_in(records, wanted, as_list=found.as_list)
        except BadSchema as error:
            raise Fault("bad_request", f"The schema cannot be used: {error}") from None
        wrong = {issue.at[0] if found.as_list and issue.at else 0 for issue in issues}
        told = {
            "valid": not issues,
            "score": 1 - len(wrong) / len(records),
            "records": len(records),
            "repaired": list(mended[:_TOLD_ISSUES]),
            "issues": [issue.report() for issue in issues[:_TOLD_ISSUES]],
            "issues_in_all": len(issues),
        }
        if issues:
            return orjson.dumps(told).decode(), told
        return self._as_it_came(found, records, changed=bool(mended)), told

    @staticmethod
    def _as_it_came(found: GivenRecords, records: list[Any], *, changed: bool) -> str:
        document = found.document(records)
        if not changed and found.text:
            try:
                if orjson.loads(found.text) == document:
                    return found.text
            except orjson.JSONDecodeError:
                pass
        return orjson.dumps(document).decode()

    def _wanted(self, fields: Mapping[str, Any]) -> Wanted:
        schema = self._settings.schema_
        if schema is None:
            # The JSON in the words of a request is its shape, unless it is the records.
            own = "draft" in fields or fields.get("records") is not None
            shape = shape_of(fields) if own else fields.get("shape") or _asked_schema(fields)
            schema = None if shape is None else schema_of(shape)
        rules = (*self._settings.rules, *_rules_of(fields))
        return Wanted(None if schema is None else of_record(schema), rules, self._settings.formats)


def _asked_schema(fields: Mapping[str, Any]) -> Any:
    wanted = fields.get("response_format")
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        return wanted["json_schema"].get("schema")
    return None


def _rules_of(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Rules of the caller's own, read before anything is asked by them."""
    rules = fields.get("rules") or ()
    if not isinstance(rules, list | tuple) or not all(isinstance(rule, str) for rule in rules):
        raise Fault("bad_request", 'rules must be a list of texts, e.g. ["price <= msrp"]')
    try:
        for rule in rules[:100]:
            parsed(rule)
    except ValueError as error:
        raise Fault("bad_request", f"A rule cannot be read: {error}") from None
    return tuple(rules[:100])
