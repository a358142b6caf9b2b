"""Whether a body of JSON names a member twice, which a parser hides and a backend may read."""

import re
from typing import Any

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"(\s{0,8}:)?', re.S)


def says_twice(body: bytes, value: Any) -> bool:
    """Whether the body names more members than the value that was read from it. Unusual blanks
    before a colon count as a difference too."""
    return sum(map(bool, _STRING.findall(body))) != _names(value)


def _names(value: Any) -> int:
    match value:
        case dict():
            return len(value) + sum(map(_names, value.values()))
        case list():
            return sum(map(_names, value))
    return 0
