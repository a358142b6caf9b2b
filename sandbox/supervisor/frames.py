"""Reads the frames that workers send, as if every worker were hostile.

The reader returns plain data or raises `BadFrame`; it never unpickles or executes anything. What a
result takes here, in cells, in values and in memory, is bounded before any of it is built.
"""

import gc
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from sandbox.cell.wire import DTYPES, HEADER_SHARE, MAGIC, RESULT
from sandbox.supervisor.json_size import json_size

Bytes = npt.NDArray[np.uint8]

_DEEPEST = 64
_LONGEST = 10**8
_MOST_VALUES = 300_000  # of JSON; a value in a column is a cell
_LISTED_BYTES = 40  # that one cell of a column takes in a list
_CELL_BYTES = 8  # the widest cell, so that this many bytes of a frame's limit allow one cell
_MEMORY_SHARE = 2  # a result may take this many times the limit for a frame
_MOST_DIGITS = 4000  # Python refuses to write more than 4300
_MOST_CHARACTERS = 4000  # of an error or a trace; the rest is cut off
_MEND = "return columns as numpy arrays, or fewer of them"


class BadFrame(Exception):
    """The bytes are not a result."""


class FrameTooLarge(BadFrame):
    """The result takes more room than a result may take."""


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
        self._start = b""
        self._body: Bytes | None = None
        self._header = self._filled = 0

    @property
    def size(self) -> int:
        """How many bytes the frame announced."""
        return 0 if self._body is None else len(self._body)

    def take(self, piece: bytes) -> bool:
        """Add bytes. Returns whether the frame is complete."""
        if self._body is None:
            self._start += piece
            if len(self._start) < RESULT.size:
                return False
            self._body, piece = self._announced(), self._start[RESULT.size :]
        if len(piece) > len(self._body) - self._filled:
            raise BadFrame("it is longer than it announced")
        self._body[self._filled : self._filled + len(piece)] = np.frombuffer(piece, np.uint8)
        self._filled += len(piece)
        return self._filled == len(self._body)

    def _announced(self) -> Bytes:
        magic, header, columns = RESULT.unpack_from(self._start)
        if magic != MAGIC:
            raise BadFrame("it does not begin like a result")
        if header > self._most // HEADER_SHARE or columns > self._most:
            raise FrameTooLarge(
                f"result is too large: {header} bytes of JSON and {columns} of columns, at most "
                f"{self._most // HEADER_SHARE} and {self._most}: {_MEND}"
            )
        self._header = header
        return np.empty(header + columns, np.uint8)

    def message(self) -> FrameMessage:
        assert self._body is not None
        return decode(self._body[: self._header], self._body[self._header :], self._most)


def decode(header: Bytes, columns: Bytes, most_bytes: int) -> FrameMessage:
    """Read a frame's JSON and columns. Its CPU seconds are bounded, but not small: use a thread."""
    size = json_size(header)
    if size.depth > _DEEPEST:
        raise BadFrame("it is nested too deep")
    if size.values > _MOST_VALUES:
        raise FrameTooLarge(
            f"result is too large: {size.values} values in JSON, at most {_MOST_VALUES}: {_MEND}"
        )
    room = _Room(most_bytes // _CELL_BYTES, _MEMORY_SHARE * most_bytes)
    room.take(memory_bytes=len(header) + len(columns) + size.memory_bytes)
    message = _loaded(header)
    if not isinstance(message, dict) or not isinstance(message.get("ok"), bool):
        raise BadFrame("it does not say whether the program ended well")
    if not message["ok"]:
        return FrameMessage(error=_text(message.get("error")), trace=_text(message.get("trace")))
    reader = _FrameReader(columns, room)
    result = reader.value(message.get("result"))
    if reader.position != len(columns):
        raise BadFrame("it carries bytes that belong to no column")
    return FrameMessage(result)


def _loaded(header: Bytes) -> Any:
    """The JSON, whose reader is strict: only UTF-8, no NaN."""
    collecting = gc.isenabled()
    gc.disable()  # the collector would walk all of the new lists and objects many times
    try:
        return orjson.loads(header.data)
    except orjson.JSONDecodeError as error:
        raise BadFrame(f"its JSON cannot be read: {error}") from None
    finally:
        if collecting:
            gc.enable()


def _text(value: Any) -> str:
    return value[:_MOST_CHARACTERS] if isinstance(value, str) else ""


class _Room:
    """How many cells, and how much memory, the rest of a result may still take."""

    def __init__(self, cells: int, memory_bytes: int) -> None:
        self._most_cells = self._cells = cells
        self._most_memory = self._memory = memory_bytes

    def take(self, *, memory_bytes: int, cells: int = 0) -> None:
        self._cells -= cells
        self._memory -= memory_bytes
        if self._cells < 0:
            problem = f"more than {self._most_cells} cells (rows times columns)"
        elif self._memory < 0:
            problem = f"more than {self._most_memory >> 20} MB of memory"
        else:
            return
        raise FrameTooLarge(f"result is too large: it takes {problem}: {_MEND}")


class _FrameReader:
    """Puts the columns of a frame back into their places in the frame's JSON."""

    def __init__(self, columns: Bytes, room: _Room) -> None:
        self._columns, self._room = columns, room
        self._next = 0
        self.position = 0

    def value(self, tree: Any) -> Any:
        """The tree with its columns. Changes lists and objects in place, to need no second tree."""
        if isinstance(tree, list):
            for place, item in enumerate(tree):
                if isinstance(item, list | dict):
                    tree[place] = self.value(item)
        elif isinstance(tree, dict):
            if "$a" in tree:
                return self._column(tree)
            if len(tree) == 1:
                if "$f" in tree:
                    return _not_finite(tree["$f"])
                if "$i" in tree:
                    return _large(tree["$i"])
            for key, item in tree.items():
                if isinstance(item, list | dict):
                    tree[key] = self.value(item)
        return tree

    def _column(self, mark: dict[str, Any]) -> Any:
        shape, dtype, listed = mark.get("s"), mark.get("d"), mark.get("l") == 1
        if mark["$a"] != self._next or not isinstance(dtype, str) or dtype not in DTYPES:
            raise BadFrame(f"there is no column {str(mark['$a'])[:20]!r} of {str(dtype)[:20]!r}")
        if not isinstance(shape, list) or not 1 <= len(shape) <= (1 if listed else 2):
            raise BadFrame("a column has one or two dimensions, and one if it becomes a list")
        if not all(type(n) is int and 0 <= n <= _LONGEST for n in shape):
            raise BadFrame(f"{str(shape)[:60]} is not the shape of a column")
        self._next += 1
        cells = math.prod(shape)
        # Rows without cells, or columns without rows, count too: whoever lists them builds each.
        self._room.take(
            cells=max(cells, *shape), memory_bytes=_LISTED_BYTES * cells if listed else 0
        )
        length = cells * np.dtype(dtype).itemsize
        raw = self._columns[self.position : self.position + length]
        if len(raw) != length:
            raise BadFrame("a column ends before its data")
        self.position += length
        if dtype == "|b1":  # numpy expects only the bytes 0 and 1 in booleans
            np.minimum(raw, 1, out=raw)
        values = np.ndarray(tuple(shape), dtype, raw)
        values.flags.writeable = False
        return values.tolist() if listed else values


def _not_finite(text: Any) -> float:
    if text not in ("nan", "inf", "-inf"):
        raise BadFrame(f"{str(text)[:20]!r} is no number")
    return float(text)


def _large(text: Any) -> int:
    if (
        not isinstance(text, str)
        or len(text) > _MOST_DIGITS
        or not (text.isascii() and text.removeprefix("-").isdecimal())
    ):
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
