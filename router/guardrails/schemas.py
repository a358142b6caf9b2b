"""The gate of a JSON Schema: whether an answer, or a part of a request, fits it.

The rule of a miss names the place and the keyword, and quotes no value.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from router.records.checking import Wanted, issues_in
from router.records.validating import BadSchema

MISSING = object()


def part_of(fields: Mapping[str, Any], part: str) -> Any:
    """The value at a path such as `messages.-1.content`; `MISSING` if there is none."""
    value: Any = fields
    for step in part.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.lstrip("-").isdigit() and _there(value, int(step)):
            value = value[int(step)]
        else:
            return MISSING
    return value


def _there(items: list[Any], index: int) -> bool:
    return -len(items) <= index < len(items)


def miss(schema: Mapping[str, Any], value: Any) -> str:
    """The first rule of the schema that a value or a text of JSON breaks; empty if none."""
    if value is MISSING:
        return "it is missing"
    if isinstance(value, str) and schema.get("type") != "string":
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return "it is not JSON"
    try:
        issues = issues_in([value], Wanted(schema), as_list=False)
    except BadSchema as bad:
        return f"the schema itself is wrong: {bad}"
    return f"{issues[0].path}: {issues[0].keyword}" if issues else ""
