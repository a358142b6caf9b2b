"""Members beside OpenAI's that a translated request has in its chat form. Pure.

A request of Anthropic's dialect keeps in its chat form what only Anthropic's API reads: thoughts
with their signatures, and marks for its prompt cache. No other kind of backend is sent them,
because a strict server refuses what it does not know. They change no answer there.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from router.domain import Call

OF_REQUESTS = frozenset({"thinking", "cache_control", "inference_geo"})
OF_MESSAGES = frozenset({"thinking_blocks", "cache_control"})
OF_PARTS = frozenset({"cache_control"})


def without_extensions(call: Call) -> Call:
    fields = orjson.loads(call.body)
    return replace(call, body=orjson.dumps(plain(fields)), extended=False)


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request without extensions."""
    kept = {name: value for name, value in fields.items() if name not in OF_REQUESTS}
    for name in ("messages", "tools"):
        if isinstance(kept.get(name), list):
            kept[name] = [_plain_item(item) for item in kept[name]]
    return kept


def _plain_item(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    kept = {name: value for name, value in item.items() if name not in OF_MESSAGES}
    content = kept.get("content")
    if isinstance(content, list):
        kept["content"] = [_plain_part(part) for part in content]
    return kept


def _plain_part(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    return {name: value for name, value in part.items() if name not in OF_PARTS}
