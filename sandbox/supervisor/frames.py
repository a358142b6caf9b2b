"""Reads the frames that workers send, as if every worker were hostile.

The reader returns plain data or raises `BadFrame`; it never unpickles or executes anything.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from sandbox.cell.wire import DTYPES, HEADER_SHARE, MAGIC, RESULT

_DEEPEST = 64
_LONGEST = 10**8
_MOST_DIGITS = 4000
_MOST_CHARACTERS = 4000  # of an error or a trace; the rest is cut off


class BadFrame(Exception):
    """The bytes are not a result."""


class FrameTooLarge(BadFrame):
    """The frame announces more bytes than a result may have."""


@dataclass(frozen=True, slots=True)
class FrameMessage:
    """A result, or an error in the program's own words."""

    result: Any = None
    error: str = ""
    trace: str = ""


class Assembler:
    """Collects the bytes of one frame. Refuses a frame that announces too many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = bytearray()
        self._length: int | None = None
        self._header = 0

    def take(self, piece: bytes) -> bool:
        """Add bytes. Returns whether the frame is complete."""
        self._bytes += piece
        if self._length is None:
            if len(self._bytes) < RESULT.size:
                return False
            magic, header, columns = RESULT.unpack_from(self._bytes)
            if magic != MAGIC:
                raise BadFrame("it does not begin like a result")
            if header > self._most // HEADER_SHARE or columns > self._most:
                raise FrameTooLarge(f"a result of {header + columns} bytes; at most {self._most}")
            self._header, self._length = header, RESULT.size + header + columns
        if len(self._bytes) > self._length:
            raise BadFrame("it is longer than it announced")
        return len(self._bytes) == self._length

    def message(self) -> FrameMessage:
        start = RESULT.size + self._header
        whole = memoryview(bytes(self._bytes))
        return decode(bytes(whole[RESULT.size : start]), whole[start:])


def decode(header: bytes, columns: memoryview) -> FrameMessage:
    try:
        message = orjson.loads(header)  # strict: only UTF-8, no NaN, limited depth
    except orjson.JSONDecodeError as error:
        raise BadFrame(f"its JSON cannot be read: {error}") from None
    if not isinstance(message, dict) or not isinstance(message.get("ok"), bool):
        raise BadFrame("it does not say whether the program ended well")
    if not message["ok"]:
        return FrameMessage(error=_text(message.get("error")), trace=_text(message.get("trace")))
    reader = _FrameReader(columns)
    result = reader.value(message.get("result"), 0)
    if reader.position != len(columns):
        raise BadFrame("it carries bytes that belong to no column")
    return FrameMessage(result)


def _text(value: Any) -> str:
    return value[:_MOST_CHARACTERS] if isinstance(value, str) else ""


class _FrameReader:
    """Puts the columns of a frame back into their places in the frame's JSON."""

    def __init__(self, columns: memoryview) -> None:
        self._columns = columns
        self._next = 0
        self.position = 0

    def value(self, tree: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            raise BadFrame("it is nested too deep")
        if isinstance(tree, list):
            return [self.value(item, depth + 1) for item in tree]
        if not isinstance(tree, dict):
            return tree
        if "$a" in tree:
            return self._column(tree)
        if tree.keys() == {"$f"}:
            return _not_finite(tree["$f"])
        if tree.keys() == {"$i"}:
            return _large(tree["$i"])
        return {key: self.value(item, depth + 1) for key, item in tree.items()}

    def _column(self, mark: dict[str, Any]) -> Any:
        shape, dtype = mark.get("s"), mark.get("d")
        if mark["$a"] != self._next or not isinstance(dtype, str) or dtype not in DTYPES:
            raise BadFrame(f"there is no column {mark['$a']!r} of {dtype!r}")
        if not isinstance(shape, list) or not 1 <= len(shape) <= 2:
            raise BadFrame("a column has one or two dimensions")
        if not all(type(n) is int and 0 <= n <= _LONGEST for n in shape):
            raise BadFrame(f"{shape!r} is not the shape of a column")
        self._next += 1
        length = math.prod(shape) * np.dtype(dtype).itemsize
        raw = self._columns[self.position : self.position + length]
        if len(raw) != length:
            raise BadFrame("a column ends before its data")
        self.position += length
        if dtype == "|b1":  # numpy expects only the bytes 0 and 1 in booleans
            values = np.frombuffer(raw, "|u1").reshape(shape) != 0
        else:
            values = np.frombuffer(raw, dtype).reshape(shape)
        return values.tolist() if mark.get("l") == 1 else values


def _not_finite(text: Any) -> float:
    if text not in ("nan", "inf", "-inf"):
        raise BadFrame(f"{str(text)[:20]!r} is no number")
    return float(text)


def _large(text: Any) -> int:
    if not isinstance(text, str) or not text.lstrip("-").isdecimal() or len(text) > _MOST_DIGITS:
        raise BadFrame("its large integer is not written in digits")
    return int(text)


def json_value(value: Any) -> Any:
    """Make a result JSON: arrays become lists, and numbers that are not finite become null."""
    if isinstance(value, np.ndarray):
        return json_value(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {key: json_value(item) for key, item in value.items()}
    return value
