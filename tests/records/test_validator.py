"""The validator as a backend: which records of a request it checks, and which rules it refuses."""

import orjson
import pytest

from router.backends.validator_backend import ValidatorBackend
from router.config.backends import ValidatorSettings
from router.domain import CHAT, Call, Fault


async def validated(**fields):
    """The report on the records of a request."""
    backend = ValidatorBackend(ValidatorSettings(kind="validator"))
    call = Call(path=CHAT, body=orjson.dumps(fields), stream=False, request_id="r")
    async with backend.send(call) as reply:
        return orjson.loads(b"".join([piece async for piece in reply.body]))["validation"]


async def test_more_rules_than_fit_one_request_are_refused():
    records = [{"age": 7}]
    report = await validated(records=records, rules=[*["age > 0"] * 99, "age > 18"])
    assert not report["valid"]
    with pytest.raises(Fault, match="101 rules are given, and 100 fit one request"):
        await validated(records=records, rules=["age > 0"] * 101)


async def test_the_newest_turn_that_holds_records_is_checked():
    user = {"role": "user", "content": 'Check [{"age": 7}, {"age": 8}]'}
    draft = {"role": "assistant", "content": 'Here they are: [{"age": 9}]'}
    words = {"role": "assistant", "content": "Shall I go on?"}
    assert (await validated(messages=[user, words]))["records"] == 2
    assert (await validated(messages=[user, draft, words]))["records"] == 1
    with pytest.raises(Fault, match="There are no records to work on"):
        await validated(messages=[user | {"content": "Check them."}, words])


async def test_the_draft_of_a_plan_is_checked_even_if_the_caller_gave_records():
    given = [{"age": 40}, {"age": 41}]
    report = await validated(draft='{"age": 7}', records=given, rules=["age > 18"])
    assert (report["records"], report["valid"]) == (1, False)


async def test_a_draft_without_records_is_not_valid_and_no_fault_of_the_caller():
    report = await validated(draft="She is thirty.", rules=["age > 18"])
    assert (report["valid"], report["score"]) == (False, 0.0)
    assert "no records in the draft" in report["issues"][0]["rule"]
