"""Parses the JSON of a body.

A huge body is parsed in pieces, because no other thread runs inside of a call of C. The value is
the same, and so is the error.
"""

import gc
from typing import Any

import orjson

_LONG_BYTES = 16_384
_HUGE_BYTES = 2**20


def json_of(body: bytes) -> Any:
    """The value of a body. Raises `orjson.JSONDecodeError`.

    The collector of garbage rests meanwhile: JSON holds no cycles, and the collector would go
    through a million new lists again and again.
    """
    if len(body) <= _LONG_BYTES or not gc.isenabled():
        return _value(body)
    gc.disable()
    try:
        return _value(body)
    finally:
        gc.enable()


def _value(body: bytes) -> Any:
    if len(body) <= _HUGE_BYTES:
        return orjson.loads(body)
    from router.request.huge_json import Pieces  # loads NumPy, which commands need not

    try:
        return Pieces.of(body).value()
    except ValueError:  # whoever parses the whole body knows where the mistake is
        return orjson.loads(body)
