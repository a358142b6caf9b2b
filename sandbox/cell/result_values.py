"""Turns a program's `result` into JSON and raw columns.

The program could tamper with this code, so the code protects nothing: it accepts many types, and
the reader outside the sandbox checks strictly.
"""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import itertools
import json
import math
import pathlib
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sandbox.cell.wire import DTYPES

_DEEPEST = 32
_WORTH_A_COLUMN = 16  # lists with fewer numbers stay JSON
_MOST_ITEMS = 5_000_000  # the most items to read from an iterator, which may be endless
_INT64 = range(-(2**63), 2**63)


class NotAResult(Exception):
    """The program's `result` cannot be sent; the message says why."""


def encode(value: Any) -> tuple[bytes, list[bytes]]:
    """Return the JSON header and the raw columns of the frame that carries a result."""
    columns: list[bytes] = []
    tree = _Encoder(columns).tree(value, 0)
    return json.dumps({"ok": True, "result": tree}, allow_nan=False).encode(), columns


class _Encoder:
    def __init__(self, columns: list[bytes]) -> None:
        self._columns = columns

    def tree(self, value: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            raise NotAResult(f"result is nested more than {_DEEPEST} deep")
        kind = type(value)
        if kind in (bool, str) or value is None:
            return value
        if kind is float:
            return value if math.isfinite(value) else {"$f": repr(value)}
        if kind is int:
            return value if value in _INT64 else {"$i": str(value)}
        if kind is list or kind is tuple:
            return self._list(value, depth)
        if kind is dict:
            return self._object(value.items(), depth)
        return self._other(value, depth)

    def _object(self, items: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        return {_key(key): self.tree(value, depth + 1) for key, value in items}

    def _list(self, values: Any, depth: int) -> Any:
        if len(values) > _WORTH_A_COLUMN:
            kinds = set(map(type, values))
            if kinds == {float}:
                return self._column(array.array("d", values).tobytes(), "<f8", (len(values),), 1)
            if kinds == {int} and all(value in _INT64 for value in values):
                return self._column(array.array("q", values).tobytes(), "<i8", (len(values),), 1)
        return [self.tree(value, depth + 1) for value in values]

    def _column(self, raw: bytes, dtype: str, shape: tuple[int, ...], as_list: int = 0) -> Any:
        self._columns.append(raw)
        return {"$a": len(self._columns) - 1, "d": dtype, "s": list(shape), "l": as_list}

    def _other(self, value: Any, depth: int) -> Any:
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            if isinstance(value, numpy.generic) and value.dtype.kind not in "MmV":
                return self.tree(value.item(), depth + 1)
            if isinstance(value, numpy.ndarray | numpy.generic):
                return self._array(numpy, numpy.asanyarray(value), depth)
        for kinds, plain in _PLAIN:
            if isinstance(value, kinds):
                return self.tree(plain(value), depth + 1)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            return self._object(((name, getattr(value, name)) for name in names), depth)
        raise NotAResult(
            f"result contains a {type(value).__name__}: use numbers, text, lists, dicts with text "
            "keys, or numpy arrays"
        )

    def _array(self, numpy: Any, value: Any, depth: int) -> Any:
        if isinstance(value, numpy.ma.MaskedArray):
            return self.tree(value.tolist(), depth + 1)
        kind = value.dtype.kind
        if kind == "V" and value.dtype.names:
            rows = [dict(zip(value.dtype.names, row, strict=True)) for row in value.tolist()]
            return self.tree(rows, depth + 1)
        if kind == "M":
            return self.tree(numpy.datetime_as_string(value).tolist(), depth + 1)
        if kind == "m":
            return self.tree((value / numpy.timedelta64(1, "s")).tolist(), depth + 1)
        if kind == "f" and value.dtype.itemsize not in (4, 8):
            value = value.astype("<f8")
        if kind in "fiub" and 1 <= value.ndim <= 2:
            value = numpy.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
            if value.dtype.str in DTYPES:
                return self._column(value.tobytes(), value.dtype.str, value.shape)
        return self.tree(value.tolist(), depth + 1)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, enum.Enum):
        return _key(key.value)
    if isinstance(key, tuple):
        return ", ".join(map(_key, key))
    if isinstance(key, datetime.date):
        return key.isoformat()
    return str(key)


def _decimal(value: Any) -> float | str:
    near = float(value)
    return near if decimal.Decimal(repr(near)) == value or not math.isfinite(near) else str(value)


def _listed(values: Iterable[Any]) -> list[Any]:
    items = list(itertools.islice(values, _MOST_ITEMS + 1))
    if len(items) > _MOST_ITEMS:
        raise NotAResult(f"result contains an iterator of more than {_MOST_ITEMS} items")
    return items


def _sorted(values: Iterable[Any]) -> list[Any]:
    items = list(values)
    try:
        return sorted(items)
    except TypeError:
        return items


def _named(value: Any) -> Any:
    """Turn a named tuple into a dict, and any other tuple into a list."""
    names = getattr(value, "_fields", None)
    if isinstance(names, tuple) and len(names) == len(value):
        return dict(zip(names, value, strict=True))
    return list(tuple.__iter__(value))


# The first match counts, so `Enum` stands before `int`: an `IntEnum` is both.
_PLAIN: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (enum.Enum, lambda v: v.value),
    (bool, bool),
    (int, lambda v: int.__add__(v, 0)),
    (float, lambda v: float.__add__(v, 0.0)),
    (str, str.__str__),
    (dict, lambda v: dict(dict.items(v))),
    (tuple, _named),
    (list, lambda v: list(list.__iter__(v))),
    (set | frozenset, _sorted),
    (datetime.date | datetime.time, lambda v: v.isoformat()),
    (datetime.timedelta, lambda v: v.total_seconds()),
    (decimal.Decimal, _decimal),
    (fractions.Fraction, float),
    (complex, lambda v: {"real": v.real, "imag": v.imag}),
    (bytes | bytearray | memoryview, lambda v: bytes(v).decode("utf-8", "backslashreplace")),
    (uuid.UUID | pathlib.PurePath, str),
    (array.array, lambda v: v.tolist()),
    (collections.abc.Mapping, lambda v: dict(v.items())),
    (range | collections.deque | collections.abc.KeysView, list),
    (collections.abc.ValuesView | collections.abc.ItemsView, list),
    (Iterator, _listed),
)
