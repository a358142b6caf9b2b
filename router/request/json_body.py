"""Parses the JSON of a body."""

import gc
from typing import Any

import orjson

_LONG_BYTES = 16_384


def json_of(body: bytes) -> Any:
    """The value of a body. Raises `orjson.JSONDecodeError`.

    The collector of garbage rests meanwhile: JSON holds no cycles, and the collector would go
    through a million new lists again and again.
    """
    if len(body) <= _LONG_BYTES or not gc.isenabled():
        return orjson.loads(body)
    gc.disable()
    try:
        return orjson.loads(body)
    finally:
        gc.enable()
