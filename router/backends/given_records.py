"""Finds the records in a request: in the draft of a plan, in `records`, or in the messages."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from router.backends.request_fields import check_values
from router.domain import Fault
from router.records.json_text import NoJson, json_in
from router.request.text import last_user_text

_MOST = 10_000


class NoRecords(Fault):
    """The draft of a plan holds no records, which is not the fault of the caller."""


@dataclass(frozen=True, slots=True)
class GivenRecords:
    """Records, and their form in the request: a list, or one object."""

    records: list[Any]
    as_list: bool
    text: str = ""  # the text that holds the records, if they were not in `records`

    def document(self, records: list[Any]) -> Any:
        return records if self.as_list else records[0]


def given_records(fields: Mapping[str, Any]) -> GivenRecords:
    """Find the records; a `Fault` says where the request must give them. In a plan they are in the
    draft: what the caller gave was the work of an earlier step."""
    given, text = None if fields.get("draft") else fields.get("records"), ""
    if given is None:
        given, text = _newest(fields)
    if isinstance(given, dict):
        return GivenRecords([given], False, text)
    if not isinstance(given, list) or not given:
        raise Fault("bad_request", "records must be an object or a list that is not empty")
    if len(given) > _MOST:
        detail = f"{len(given)} records are given, and {_MOST} fit one request: send them in parts"
        raise Fault("bad_request", detail)
    return GivenRecords(given, True, text)


def _newest(fields: Mapping[str, Any]) -> tuple[Any, str]:
    """The newest text of the request that holds records: the records, and the text itself."""
    for text in _texts(fields):
        check_values(text.encode("utf-8", "replace"), "the text with the records")
        with suppress(NoJson):
            given = json_in(text)
            if isinstance(given, dict | list):
                return given, text
    if fields.get("draft"):
        raise NoRecords("bad_request", "There are no records in the draft: it must hold JSON")
    where = "in `records`, or as JSON in the last message"
    raise Fault("bad_request", f"There are no records to work on: put them {where}")


def _texts(fields: Mapping[str, Any]) -> Iterator[str]:
    """The draft of a plan; without a draft, the messages from the last back to the user's last."""
    draft = fields.get("draft")
    if isinstance(draft, str) and draft:
        yield draft
        return
    messages = fields.get("messages")
    for message in reversed(messages) if isinstance(messages, list) else ():
        if isinstance(message, Mapping) and message.get("role") == "assistant":
            yield str(message.get("content") or "")
        if isinstance(message, Mapping) and message.get("role") == "user":
            break
    yield last_user_text(fields)
