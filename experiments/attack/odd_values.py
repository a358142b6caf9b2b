"""Values that JSON allows and that code seldom expects: odd numbers, odd text, odd nesting."""

import random
from typing import Any

_NUMBERS = (
    *(0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 2**64, 10**30, -(10**30)),
    *(0.1, -0.0, 1e-320, 1e308, -1e308, 1e16),
)
_TEXTS = (
    *("", " ", "\0", "\x1b[2J", "\r\n", "\u202e", "\ufeff", "\ud83d\ude00", "e\u0301", "ß" * 300),
    *("null", "NaN", "-Infinity", "1e400", "../../etc/passwd", "%s%n", "{}", "[[", '"', "\\"),
    *("int 1..1e999", "int -99999999999999999999..0", "number 1..", "a|b|" * 50, "$count", "$ref"),
    *("a.a." * 50, "9" * 300, "x" * 5000, "'; drop table requests; --", "{{7*7}}", "a\u2028b"),
    *("Draw 10 values from N(0, 1) as CSV, seed 1", 'Two of {"a": {"b": [[["int"]]]}}'),
)
_KEYS = (
    *("a", "", "type", "properties", "items", "$ref", "$count", "$cache", "enum", "minimum"),
    *("maximum", "minItems", "maxItems", "minLength", "pattern", "format", "required", "anyOf"),
    *("role", "content", "name", "session_id", "task", "tests", "id", "property", "value"),
)
_TYPES = ("object", "array", "string", "integer", "number", "null", "boolean")


def odd_text(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return chance.choice(_TEXTS)
    points = (chance.randrange(0x20000) for _ in range(chance.randrange(40)))
    return "".join(chr(point) for point in points if not 0xD800 <= point < 0xE000)


def odd_value(chance: random.Random, depth: int = 0) -> Any:
    """A value of any kind; below it, other such values."""
    draw = chance.random()
    if depth > 3 or draw < 0.25:
        return chance.choice(_NUMBERS)
    if draw < 0.45:
        return odd_text(chance)
    if draw < 0.55:
        return chance.choice((None, True, False, [], {}, [[]], [{}], {"": {}}))
    if draw < 0.6:
        return _nested(chance)
    if draw < 0.75:
        return [odd_value(chance, depth + 1) for _ in range(chance.randrange(6))]
    if draw < 0.8:
        return {"type": chance.choice(_TYPES), chance.choice(_KEYS): odd_value(chance, depth + 1)}
    keys = [chance.choice(_KEYS) for _ in range(chance.randrange(5))]
    return {key: odd_value(chance, depth + 1) for key in keys}


def _nested(chance: random.Random) -> Any:
    value: Any = odd_text(chance)
    kind = chance.randrange(3)
    for level in range(chance.choice((5, 39, 60, 95, 101, 300))):
        inner = kind if kind < 2 else level % 2
        value = [value] if inner == 0 else {chance.choice(_KEYS): value}
    return value
