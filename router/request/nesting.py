"""How deep JSON may be nested that somebody else wrote, so that all later code can carry it.

Reading a value again, writing it, printing or comparing it takes a stack as deep as the value, and
each library ends somewhere else. One bound for all of them, far above any real request.
"""

from typing import Any

import orjson

MOST_LEVELS = 100
_WRITERS_LEVELS = 254  # orjson writes no deeper; a test holds this number to the installed version


def nests_too_deep(value: Any, written: bytes | str) -> bool:
    """Whether a value, which was read from `written`, is nested deeper than `MOST_LEVELS`.

    With few brackets it cannot be. Otherwise orjson writes it once, inside of as many lists as make
    up the difference to orjson's own bound: that is ten times as fast as any loop here.
    """
    if isinstance(written, str):
        brackets = written.count("{") + written.count("[")
    else:
        brackets = written.count(b"{") + written.count(b"[")
    if brackets <= MOST_LEVELS:
        return False
    for _ in range(_WRITERS_LEVELS - MOST_LEVELS):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return True
    return False
