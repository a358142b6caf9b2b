"""Finds the members of long JSON with NumPy: in time that depends on its length, not its structure.

It works through the text in pieces of 256 KB, because no other thread runs inside of a call of C.
The text must be valid JSON; what is said of other text means nothing.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int32]
Span = tuple[int, int]

_PIECE = 2**18
_QUOTE, _COMMA, _COLON = b'",:'
_OPEN, _CLOSE, _FOLD = 0x7B, 0x7D, 0x20  # folded, `[` is `{` and `]` is `}`


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    chars: NDArray[np.uint8]
    outside: NDArray[np.bool_]  # of strings; a string's closing quote is outside
    depths: NDArray[np.int32]

    def positions(self, mask: NDArray[np.bool_]) -> Positions:
        return (np.flatnonzero(mask) + self.start).astype(np.int32)


def _pieces(raw: bytes, start: int) -> Iterator[_Piece]:
    plain = raw
    if b"\\" in raw:  # no escaped quote may end a string
        plain = raw.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    whole = np.frombuffer(plain, np.uint8)
    open_quotes, depth = 0, 0
    for at in range(start, len(whole), _PIECE):
        chars = whole[at : at + _PIECE]
        parity = (np.cumsum(chars == _QUOTE, dtype=np.int32) + open_quotes) & 1
        outside = parity == 0
        folded = chars | _FOLD
        steps = ((folded == _OPEN) & outside).astype(np.int8)
        steps -= (folded == _CLOSE) & outside
        depths = np.cumsum(steps, dtype=np.int32) + depth
        yield _Piece(at, chars, outside, depths)
        open_quotes, depth = int(parity[-1]), int(depths[-1])


def values_in(raw: bytes) -> int:
    """About how many values there are: the commas and opening brackets outside of strings."""
    count = 0
    for piece in _pieces(raw, 0):
        begins = (piece.chars == _COMMA) | ((piece.chars | _FOLD) == _OPEN)
        count += int(np.count_nonzero(begins & piece.outside))
    return count


def commas_of(raw: bytes) -> tuple[Positions, NDArray[np.int32]]:
    """Where the commas outside of strings stand, and how deep."""
    places, depths = [], []
    for piece in _pieces(raw, 0):
        mask = (piece.chars == _COMMA) & piece.outside
        places.append(piece.positions(mask))
        depths.append(piece.depths[mask])
    return np.concatenate(places), np.concatenate(depths)


def spans_of(raw: bytes, keys: Collection[bytes]) -> dict[bytes, Span]:
    """The span of the value of each key, with its white space, in the first object of `raw`.

    Keys keep their quotes. If a key occurs twice, its last value counts.
    """
    begin = raw.index(b"{")
    commas, colons, quotes, end = _members(raw, begin)
    starts = np.concatenate([[begin], commas])
    ends = np.concatenate([commas, [end]])
    first_quotes = np.searchsorted(quotes, starts)
    if len(colons) != len(starts) or first_quotes[-1] >= len(quotes):
        return {}  # an empty object, or no JSON
    keys_at = quotes[first_quotes]
    chars = np.frombuffer(raw, np.uint8)
    values = {}
    for key in keys:
        members = np.flatnonzero(keys_at + len(key) < end)
        for offset, char in enumerate(key):
            members = members[chars[keys_at[members] + offset] == char]
        if len(members):
            last = members[-1]
            values[key] = (int(colons[last]) + 1, int(ends[last]))
    return values


def _members(raw: bytes, begin: int) -> tuple[Any, Any, Any, int]:
    """The commas, colons and opening quotes directly inside of an object, and its end."""
    commas, colons, quotes = [], [], []
    end = len(raw)
    for piece in _pieces(raw, begin):
        inside = piece.depths == 1
        closed = np.flatnonzero(piece.depths == 0)
        if len(closed):
            end = piece.start + int(closed[0])
            inside[closed[0] :] = False
        commas.append(piece.positions((piece.chars == _COMMA) & piece.outside & inside))
        colons.append(piece.positions((piece.chars == _COLON) & piece.outside & inside))
        quotes.append(piece.positions((piece.chars == _QUOTE) & ~piece.outside & inside))
        if len(closed):
            break
    return np.concatenate(commas), np.concatenate(colons), np.concatenate(quotes), end
