"""Writes the rows of a result as JSON, one by one, up to a number of bytes.

What JSON has no number for comes as text: NaN, infinities, and integers of more than 64 bits.
Times are ISO 8601; decimals, intervals and UUIDs are text; a BLOB is text as DuckDB writes it, with
`\\xFF` for bytes that are not ASCII.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import duckdb
import orjson

from router.telemetry.query.tree import QueryRefused

_NEEDS_CARE = re.compile("DOUBLE|FLOAT|HUGEINT|VARIANT|MAP|UNION")
_OPTIONS = orjson.OPT_NON_STR_KEYS
_LONG = 2**16  # for long texts orjson reserves eight times their length, or crashes
_INT64 = range(-(2**63), 2**63)


def encoded(cursor: duckdb.DuckDBPyConnection, *, most_rows: int, most_bytes: int) -> bytes:
    """`{"columns": ..., "rows": ..., "truncated": ...}`, cut at the first row beyond a bound."""
    columns = [{"name": str(name), "type": str(type_)} for name, type_, *_ in cursor.description]
    careful = [i for i, column in enumerate(columns) if _NEEDS_CARE.search(column["type"])]
    content = bytearray(b'{"columns":' + orjson.dumps(columns) + b',"rows":[')
    truncated, rows = False, 0
    while (row := cursor.fetchone()) is not None:
        too_long = len(content) + _characters(row) > most_bytes
        line = b"" if too_long else _line(row, careful)
        truncated = too_long or rows == most_rows or len(content) + len(line) > most_bytes
        if truncated:
            break
        content += line if rows == 0 else b"," + line
        rows += 1
    if truncated and not rows:
        raise QueryRefused(
            f"The first row alone has more than {most_bytes // 2**20} MiB: select fewer columns, "
            "or the beginning of a text, left(prompt, 1000)."
        )
    content += b'],"truncated":true}' if truncated else b'],"truncated":false}'
    return bytes(content)


def _line(row: Sequence[Any], careful: Sequence[int]) -> bytes:
    values = list(row)
    for index in careful:
        values[index] = _exact(values[index])
    try:
        if _characters(values) > _LONG:
            return json.dumps(values, default=_text, ensure_ascii=False).encode()
        return orjson.dumps(values, default=_text, option=_OPTIONS)
    except (TypeError, ValueError) as error:
        wrong = f"A value cannot be shown as JSON ({error}): cast it to VARCHAR."
        raise QueryRefused(wrong) from None


def _characters(values: Sequence[Any]) -> int:
    return sum(len(value) for value in values if isinstance(value, str | bytes))


def _exact(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case int() if value not in _INT64:
            return str(value)
        case list() | tuple():
            return [_exact(part) for part in value]
        case dict():
            return {_key(key): _exact(part) for key, part in value.items()}
        case _:
            return value


def _key(key: Any) -> Any:
    return key if isinstance(key, str) else _text(key)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return "".join(chr(b) if 32 <= b < 127 and b != 92 else f"\\x{b:02X}" for b in value)
    return str(value)
