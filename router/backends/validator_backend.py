"""Checks records against a JSON Schema, formats and rules between fields, and may repair them.

If the records are valid, perhaps after a repair, the answer is the records; otherwise the answer is
a report of the issues. The reply holds the report in `validation` in both cases.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import orjson

from router.backends.given_records import GivenRecords, NoRecords, given_records
from router.backends.request_fields import fields_of_call
from router.backends.work import Work
from router.config.backends import ValidatorSettings
from router.domain import CHAT, Call, Fault, Reply
from router.records.checking import Issue, Wanted, issues_in
from router.records.repairing import Repaired, repaired
from router.records.rules import parsed
from router.records.schema import of_record, schema_of
from router.records.validating import BadSchema
from router.request.text import prompt_text, tokens_in
from router.request.wants import shape_of
from router.wire.chat_replies import chat_reply

_MOST_REPORTED, _MOST_RULES = 100, 100


class ValidatorBackend:
    def __init__(self, settings: ValidatorSettings) -> None:
        self._settings = settings
        self._work = Work(mend="Send the records in parts, or drop some rules of the schema.")

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"the validator answers {CHAT}, not {call.path}")
        fields = await fields_of_call(call)
        answer = partial(self._answer, fields)
        text, report = await self._work.result(answer, most=self._settings.most_steps)
        prompt_tokens = tokens_in(prompt_text(fields))
        more = {"validation": report}
        yield chat_reply(call, "waggle-validator", [text], prompt_tokens, more=more)

    async def close(self) -> None:
        self._work.close()

    def _answer(self, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        wanted = self._wanted(fields)
        try:
            given = given_records(fields)
        except NoRecords as error:
            return _nothing_valid(error.detail)
        try:
            if self._settings.repair:
                result = repaired(given.records, wanted, as_list=given.as_list)
            else:
                issues = issues_in(given.records, wanted, as_list=given.as_list)
                result = Repaired(given.records, (), issues)
        except BadSchema as error:
            raise Fault("bad_request", f"The schema cannot be used: {error}") from None
        wrong = {issue.at[0] if given.as_list and issue.at else 0 for issue in result.issues}
        report = _report(
            result.issues,
            score=1 - len(wrong) / len(result.records),
            records=len(result.records),
            mended=result.mended,
        )
        if result.issues:
            return orjson.dumps(report).decode(), report
        return _text(given, result), report

    def _wanted(self, fields: Mapping[str, Any]) -> Wanted:
        schema = self._settings.schema_
        if schema is None:
            # JSON in the prompt is the shape, unless the prompt holds the records.
            elsewhere = "draft" in fields or fields.get("records") is not None
            shape = shape_of(fields) if elsewhere else _stated_shape(fields)
            schema = None if shape is None else schema_of(shape)
        rules = (*self._settings.rules, *_rules_of(fields))
        return Wanted(None if schema is None else of_record(schema), rules, self._settings.formats)


def _nothing_valid(problem: str) -> tuple[str, dict[str, Any]]:
    """The report on a draft without records: whoever wrote it hears of it as of any issue."""
    issue = Issue("$", problem, "text", "answer with the records as JSON")
    report = _report([issue], score=0.0, records=0)
    return orjson.dumps(report).decode(), report


def _report(
    issues: Sequence[Issue], *, score: float, records: int, mended: Sequence[Any] = ()
) -> dict[str, Any]:
    return {
        "valid": not issues,
        "score": score,
        "records": records,
        "repaired": list(mended[:_MOST_REPORTED]),
        "issues": [issue.report() for issue in issues[:_MOST_REPORTED]],
        "issues_in_all": len(issues),
    }


def _text(given: GivenRecords, result: Repaired) -> str:
    """The caller's own text if it is only the records, unchanged; otherwise the records as JSON."""
    document = given.document(result.records)
    if not result.mended and given.text:
        try:
            if orjson.loads(given.text) == document:
                return given.text
        except orjson.JSONDecodeError:
            pass
    return orjson.dumps(document).decode()


def _stated_shape(fields: Mapping[str, Any]) -> Any:
    """The shape in a field of the request, not in the prompt."""
    if fields.get("shape"):
        return fields["shape"]
    wanted = fields.get("response_format")
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        return wanted["json_schema"].get("schema")
    return None


def _rules_of(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The caller's own rules; each rule is parsed before any record is checked."""
    rules = fields.get("rules") or ()
    if not isinstance(rules, list | tuple) or not all(isinstance(rule, str) for rule in rules):
        raise Fault("bad_request", 'rules must be a list of texts, e.g. ["price <= msrp"]')
    if len(rules) > _MOST_RULES:
        detail = (
            f"{len(rules)} rules are given, and {_MOST_RULES} fit one request: join or drop some"
        )
        raise Fault("bad_request", detail)
    try:
        for rule in rules:
            parsed(rule)
    except ValueError as error:
        raise Fault("bad_request", f"A rule cannot be read: {error}") from None
    return tuple(rules)
