"""Changes single fields of a JSON object, and keeps every other byte.

Parsing and rewriting the object would lose duplicate keys, big integers and the caller's way of
writing numbers.
"""

import re
from collections.abc import Collection, Mapping

from router.request.outline import Span, spans_of

# Matches a string or a structural character. Only scalars and white space lie between matches.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]')
# Matches everything up to the next bracket that opens or closes more than a flat value; inside a
# value, only brackets matter.
_INSIDE = re.compile(
    rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"|\[[^"{}\[\]]*+\]|\{[^"{}\[\]]*+\})*+'
)
_STRING_VALUE = re.compile(rb'\s*+:\s*+("[^"\\]*+(?:\\.[^"\\]*+)*+")')
_OBJECT_VALUE = re.compile(rb"\s*+:\s*+\{")
_OPEN, _CLOSE = frozenset(b"{["), frozenset(b"}]")

_LONG_BYTES = 16_384  # NumPy finds the fields of longer text faster


def spans(raw: bytes, keys: Collection[bytes]) -> dict[bytes, Span]:
    """The span of the value of each of these keys that the first object in `raw` has.

    Keys keep their quotes. If a key occurs twice, its last value counts, as in every parser. `raw`
    must be valid JSON.
    """
    if len(raw) > _LONG_BYTES:
        return {key: _trimmed(raw, *span) for key, span in spans_of(raw, keys).items()}
    return {key: span for key, span in _all_spans(raw).items() if key in keys}


def _all_spans(raw: bytes) -> dict[bytes, Span]:
    values: dict[bytes, Span] = {}
    depth, key, value_from = 0, b"", -1
    at = raw.index(b"{")
    while (match := _TOKEN.search(raw, at)) is not None:
        at, end = match.span()
        char = raw[at]
        if char in _OPEN:
            depth += 1
        elif depth == 1 and char == 0x22 and value_from < 0:
            key = match.group()
        elif depth == 1 and char == 0x3A:
            value_from = at + 1
        elif char in _CLOSE or char == 0x2C:
            if depth == 1 and value_from >= 0:
                values[key] = _trimmed(raw, value_from, at)
                value_from = -1
            if char in _CLOSE:
                depth -= 1
                if depth == 0:
                    break
        at = end if depth < 2 else _INSIDE.match(raw, end).end()  # type: ignore[union-attr]
    return values


def _trimmed(raw: bytes, start: int, end: int) -> Span:
    value = raw[start:end]
    return end - len(value.lstrip()), start + len(value.rstrip())


def replaced(raw: bytes, changes: Mapping[bytes, bytes]) -> bytes:
    """`raw` with new values for these quoted keys; missing keys come first in the object."""
    at = spans(raw, changes)
    pieces, last = [], 0
    for (start, end), key in sorted((at[key], key) for key in changes if key in at):
        pieces += [raw[last:start], changes[key]]
        last = end
    pieces.append(raw[last:])
    whole = b"".join(pieces)
    new = [key + b":" + value for key, value in changes.items() if key not in at]
    return inserted(whole, whole.index(b"{"), b",".join(new)) if new else whole


def replaced_only(raw: bytes, key: bytes, value: bytes) -> bytes:
    """Like `replaced`, for one key that must exist; fast if the key occurs only once in `raw`."""
    if raw.count(key) == 1:
        match = _STRING_VALUE.match(raw, raw.index(key) + len(key))
        if match:
            return raw[: match.start(1)] + value + raw[match.end(1) :]
    return replaced(raw, {key: value})


def object_at(raw: bytes, key: bytes) -> int:
    """The offset at which the value of a key opens as an object; -1 if the value is no object."""
    if raw.count(key) == 1:
        match = _OBJECT_VALUE.match(raw, raw.index(key) + len(key))
        return match.end() - 1 if match else -1
    start, _ = spans(raw, (key,)).get(key, (-1, -1))
    return start if raw[start : start + 1] == b"{" else -1


def inserted(raw: bytes, brace: int, members: bytes) -> bytes:
    """`raw` with `members` as the first members of the object that opens at `brace`."""
    rest = raw[brace + 1 :]
    comma = b"" if rest.lstrip()[:1] == b"}" else b","
    return raw[: brace + 1] + members + comma + rest
