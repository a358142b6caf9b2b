"""What a worker sent, read as if it wished us harm. Data comes out, or `BadFrame`."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from sandbox.cell.wire import DTYPES, HEADER_SHARE, MAGIC, RESULT

_DEEPEST = 64
_LONGEST = 10**8
_MOST_DIGITS = 4000
_WORDS = 4000  # characters of an error or trace that are kept


class BadFrame(Exception):
    pass


class FrameTooLarge(BadFrame):
    pass


@dataclass(frozen=True, slots=True)
class FrameMessage:
    """A result, or an error in the program's own words."""

    result: Any = None
    error: str = ""
    trace: str = ""


class Assembler:
    """The bytes of one frame as they come. What is too long is refused at its head."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = bytearray()
        self._length: int | None = None
        self._header = 0

    def take(self, piece: bytes) -> bool:
        """Whether the frame is whole. Bytes after its end are no part of it."""
        self._bytes += piece
        if self._length is None:
            if len(self._bytes) < RESULT.size:
                return False
            magic, header, columns = RESULT.unpack_from(self._bytes)
            if magic != MAGIC:
                raise BadFrame("it does not begin as a result does")
            if header > self._most // HEADER_SHARE or columns > self._most:
                raise FrameTooLarge(f"a result of {header + columns} bytes; at most {self._most}")
            self._header, self._length = header, RESULT.size + header + columns
        if len(self._bytes) > self._length:
            raise BadFrame("more came than it announced")
        return len(self._bytes) == self._length

    def said(self) -> FrameMessage:
        start = RESULT.size + self._header
        whole = memoryview(bytes(self._bytes))
        return decoded(bytes(whole[RESULT.size : start]), whole[start:])


def decoded(header: bytes, columns: memoryview) -> FrameMessage:
    try:
        told = orjson.loads(header)  # strict: UTF-8, no NaN, bounded depth
    except orjson.JSONDecodeError as error:
        raise BadFrame(f"its JSON cannot be read: {error}") from None
    if not isinstance(told, dict) or not isinstance(told.get("ok"), bool):
        raise BadFrame("it does not say whether the program ended well")
    if not told["ok"]:
        return FrameMessage(error=_words(told.get("error")), trace=_words(told.get("trace")))
    reader = _FrameReader(columns)
    result = reader.value(told.get("result"), 0)
    if reader.position != len(columns):
        raise BadFrame("it carries bytes that belong to no column")
    return FrameMessage(result)


def _words(value: Any) -> str:
    return value[:_WORDS] if isinstance(value, str) else ""


class _FrameReader:
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

    def _column(self, told: dict[str, Any]) -> Any:
        shape, dtype = told.get("s"), told.get("d")
        if told["$a"] != self._next or not isinstance(dtype, str) or dtype not in DTYPES:
            raise BadFrame(f"there is no column {told['$a']!r} of {dtype!r}")
        if not isinstance(shape, list) or not 1 <= len(shape) <= 2:
            raise BadFrame("a column has one or two dimensions")
        if not all(type(n) is int and 0 <= n <= _LONGEST for n in shape):
            raise BadFrame(f"{shape!r} is no shape")
        self._next += 1
        length = math.prod(shape) * np.dtype(dtype).itemsize
        raw = self._columns[self.position : self.position + length]
        if len(raw) != length:
            raise BadFrame("a column ends before its data")
        self.position += length
        if dtype == "|b1":  # any byte but 0 and 1 would be a boolean that is neither
            made = np.frombuffer(raw, "|u1").reshape(shape) != 0
        else:
            made = np.frombuffer(raw, dtype).reshape(shape)
        return made.tolist() if told.get("l") == 1 else made


def _not_finite(said: Any) -> float:
    if said not in ("nan", "inf", "-inf"):
        raise BadFrame(f"{str(said)[:20]!r} is no number")
    return float(said)


def _large(said: Any) -> int:
    if not isinstance(said, str) or not said.lstrip("-").isdecimal() or len(said) > _MOST_DIGITS:
        raise BadFrame("an integer that is none")
    return int(said)


def json_value(value: Any) -> Any:
    """A result as JSON can say it: arrays are lists, and what is not finite is null."""
    if isinstance(value, np.ndarray):
        return json_value(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {key: json_value(item) for key, item in value.items()}
    return value
