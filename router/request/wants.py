"""What a request asks of its answer and of the backend: a JSON shape, tools, images."""

from collections.abc import Mapping
from typing import Any

import orjson

from router.request.nesting import nests_too_deep
from router.request.text import last_user_text


def shape_of(fields: Mapping[str, Any]) -> Any:
    """The JSON shape or schema that the answer should have, from a field or from the prompt; None
    if there is none."""
    return shape_for(fields, last_user_text(fields))


def shape_for(fields: Mapping[str, Any], last_words: str) -> Any:
    """Like `shape_of`, for a caller that already has the user's last message."""
    if fields.get("shape") is not None:
        return fields["shape"]
    wanted = fields.get("response_format")
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        return _marked(wanted["json_schema"].get("schema"))
    return shape_in(last_words)


def _marked(schema: Any) -> Any:
    """The schema with `$schema`, without which `{"type": "string"}` would be read as a shape."""
    if isinstance(schema, dict) and schema:
        return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
    return schema


def shape_in(text: str) -> Any:
    """The JSON object or array that a prompt contains, or None."""
    for opening, closing in ("{}", "[]"):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            written = text[start : end + 1]
            try:
                shape = orjson.loads(written)
            except orjson.JSONDecodeError:
                continue
            if nests_too_deep(shape, written):
                continue  # words to be read by a model, not a shape that we could follow
            if shape and isinstance(shape if opening == "{" else shape[0], dict):
                return shape
    return None


def needs(fields: Mapping[str, Any]) -> frozenset[str]:
    """The abilities that a backend needs for this request: `tools`, `images`, `json`."""
    capabilities = set()
    if fields.get("tools") or fields.get("functions"):
        capabilities.add("tools")
    wanted = fields.get("response_format")
    if isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema"):
        capabilities.add("json")
    messages = fields.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and any(
            isinstance(part, dict) and part.get("type") == "image_url" for part in content
        ):
            capabilities.add("images")
    return frozenset(capabilities)
