"""Parses huge JSON in pieces, which NumPy finds: other threads run in between."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from router.request.outline import Positions, commas_of

_PIECE = 2**18
_DEEPEST = 100  # levels; a body that is nested deeper is parsed whole, and refused
_KEY = re.compile(rb'\s*+("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*+:')


@dataclass(frozen=True, slots=True)
class Pieces:
    body: bytes
    commas: Positions
    depths: Any

    @classmethod
    def of(cls, body: bytes) -> "Pieces":
        commas, depths = commas_of(body)
        if len(depths) and int(depths.max()) > _DEEPEST:
            raise ValueError("nested too deep")
        return cls(body, commas, depths)

    def value(self) -> Any:
        return self._value(0, len(self.body), 0)

    def _value(self, start: int, end: int, depth: int) -> Any:
        text = self.body[start:end]
        start, end = end - len(text.lstrip()), start + len(text.rstrip())
        if end - start <= _PIECE or self.body[start] not in b"{[":
            return orjson.loads(text)
        closing = {0x5B: 0x5D, 0x7B: 0x7D}[self.body[start]]
        if self.body[end - 1] != closing:
            raise ValueError("it is not closed")
        low, high = np.searchsorted(self.commas, (start, end))
        commas = self.commas[low:high][self.depths[low:high] == depth + 1]
        return self._members(start, end - 1, commas, depth)

    def _members(self, start: int, end: int, commas: Positions, depth: int) -> Any:
        is_list = self.body[start] == 0x5B
        items: list[Any] = []
        fields: dict[str, Any] = {}
        at = start
        while at < end:
            stop = _stop(at, end, commas)
            if stop - at > _PIECE:  # a single member
                if is_list:
                    items.append(self._value(at + 1, stop, depth + 1))
                else:
                    key = _KEY.match(self.body, at + 1, stop)
                    if key is None:
                        raise ValueError("a field lacks its name")
                    name = orjson.loads(key[1])
                    fields[name] = self._value(key.end(), stop, depth + 1)
            else:
                text = self.body[at + 1 : stop]
                if not text.strip():
                    raise ValueError("a member is missing")
                if is_list:
                    items += orjson.loads(b"[%b]" % text)
                else:
                    fields |= orjson.loads(b"{%b}" % text)
            at = stop
        return items if is_list else fields


def _stop(at: int, end: int, commas: Positions) -> int:
    """The end of the next members that together fit into a piece; at least of a single member."""
    if end - at <= _PIECE:
        return end
    index = int(np.searchsorted(commas, at + _PIECE, "right")) - 1
    if index >= 0 and commas[index] > at:
        return int(commas[index])
    return int(commas[index + 1]) if index + 1 < len(commas) else end
