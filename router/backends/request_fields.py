"""Reads the JSON of a call for a backend of our own, within a bound on the number of values.

A value of a few bytes takes a hundred in memory, so a body's length does not bound its memory.
"""

from functools import partial
from typing import Any

from router.domain import Call, Fault
from router.request.outline import values_in
from router.request.text import fields_of
from router.wire.beside import beside
from router.wire.splice import replaced_only

MOST_VALUES = 1_000_000


async def fields_of_call(call: Call) -> dict[str, Any]:
    """The fields of a call; those of a long one are read beside the event loop."""
    return await beside(len(call.body), partial(fields_in, call))


def fields_in(call: Call) -> dict[str, Any]:
    check_values(call.body, "the request")
    return fields_of(call)


def check_values(text: bytes, name: str) -> None:
    """Refuse a JSON text that has too many values, before it is parsed."""
    if text.count(b",") + text.count(b"[") + text.count(b"{") <= MOST_VALUES:
        return
    count = values_in(text)  # a comma in a string begins no value
    if count > MOST_VALUES:
        detail = f"{name} holds about {count:,} JSON values, and {MOST_VALUES:,} fit one request"
        raise Fault("bad_request", f"{detail}: send them in parts")


def with_model(body: bytes, model: str) -> bytes:
    """A request with another model's name, and every other byte as it came."""
    escaped = model.replace("\\", "\\\\").replace('"', '\\"')
    return replaced_only(body, b'"model"', f'"{escaped}"'.encode())
