"""Reads the JSON of a call for a backend of our own, within a bound on the number of values.

A value of a few bytes takes a hundred in memory, so a body's length does not bound its memory.
"""

import re
from typing import Any

from router.domain import Call, Fault
from router.request.text import fields_of

MOST_VALUES = 1_000_000
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"')


def fields_in(call: Call) -> dict[str, Any]:
    check_values(call.body, "the request")
    return fields_of(call)


def check_values(text: bytes, name: str) -> None:
    """Refuse a JSON text that has too many values, before it is parsed."""
    if _counted(text) <= MOST_VALUES:
        return
    count = _counted(_STRING.sub(b"", text))  # a comma in a string begins no value
    if count > MOST_VALUES:
        detail = f"{name} holds about {count:,} JSON values, and {MOST_VALUES:,} fit one request"
        raise Fault("bad_request", f"{detail}: send them in parts")


def _counted(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")
