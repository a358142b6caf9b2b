"""The tags of a request: the words by which a caller wants to see what it spends.

Tags stand in the header `x-waggle-tags: a, b`, or in the field `metadata.tags` of the body.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from router.config.values import TAG_PATTERN, TAG_RULE
from router.wire.errors import BadRequest

MOST_TAGS = 16
HEADER = b"x-waggle-tags"
_TAG = re.compile(TAG_PATTERN)


def tags_in_header(headers: Mapping[bytes, bytes]) -> tuple[str, ...]:
    """The tags of the header. Raises `BadRequest`."""
    if HEADER not in headers:
        return ()
    text = headers[HEADER].decode("utf-8", "replace")
    return _checked(_parts(text), HEADER.decode())


def tags_of(headers: Mapping[bytes, bytes], fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The tags of the header and of `metadata.tags`, each once. Raises `BadRequest`."""
    metadata = fields.get("metadata")
    value = metadata.get("tags") if isinstance(metadata, dict) else None
    if value is None:
        return tags_in_header(headers)
    if isinstance(value, str):  # the values in OpenAI's `metadata` are strings
        value = _parts(value)
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        rule = "must be a list of strings, or a string with commas between the tags"
        raise BadRequest(f"`metadata.tags` {rule}, not {value!r:.80}.", "metadata.tags")
    return _checked([*tags_in_header(headers), *value], "metadata.tags")


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _checked(tags: Iterable[str], place: str) -> tuple[str, ...]:
    each = tuple(dict.fromkeys(tags))
    for tag in each:
        if not _TAG.match(tag):
            raise BadRequest(f"`{place}` has the tag {tag!r:.80}: {TAG_RULE}.", place)
    if len(each) > MOST_TAGS:
        rule = f"a request has at most {MOST_TAGS} tags, and this has {len(each)}"
        raise BadRequest(f"`{place}`: {rule}.", place)
    return each
