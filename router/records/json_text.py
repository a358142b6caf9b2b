"""TODO: what this module promises."""

import re
from typing import Any

import json_repair
import orjson

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.S)


_LONGEST_TORN = 500_000  # characters; what is mended is read letter by letter


class NoJson(ValueError):
    pass


def json_in(text: str) -> Any:
    """The JSON of an answer: all of it, in a fence, or between words; mended where it is torn."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    fenced = _FENCE.search(text)
    inner = fenced[1] if fenced else text
    starts = [at for at in (inner.find("{"), inner.find("[")) if at >= 0]
    if not starts:
        raise NoJson("the answer holds no JSON")
    if len(inner) > _LONGEST_TORN:
        raise NoJson(f"the answer holds no JSON that can be read, in {len(inner):,} characters")
    found = json_repair.loads(inner[min(starts) :])
    if not isinstance(found, dict | list) or not found:
        raise NoJson("the answer holds no JSON that can be read")
    return found
