"""Finds the JSON document in a model's answer, even among other words.

A document with syntax errors is mended by guessing, so its content is uncertain. A correct document
is never changed.
"""

import re
from typing import Any

import json_repair
import orjson

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.S)
_MOST_MENDED = 500_000  # characters; the parser that mends is slow


class NoJson(ValueError):
    """The text has no JSON object or array that can be read."""


def json_in(text: str) -> Any:
    """Read the JSON of an answer: the whole text, its first fenced block, or a part of the text."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    fenced = _FENCE.search(text)
    inner = fenced[1] if fenced else text
    starts = [at for at in (inner.find("{"), inner.find("[")) if at >= 0]
    if not starts:
        raise NoJson("the answer holds no JSON")
    if len(inner) > _MOST_MENDED:
        raise NoJson(f"the answer holds no JSON that can be read, in {len(inner):,} characters")
    document = json_repair.loads(inner[min(starts) :])
    if not isinstance(document, dict | list) or not document:
        raise NoJson("the answer holds no JSON that can be read")
    return document
