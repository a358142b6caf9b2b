"""Writes records as JSON or CSV, the document that a caller gets."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

Record = dict[str, Any]


def format_records(rows: Sequence[Record], format_: str, *, as_object: bool = False) -> str:
    if format_ == "csv":
        return csv_text(list(rows[0]) if rows else [], ([row[n] for n in row] for row in rows))
    return json_text({"records": rows} if as_object else rows)


def json_text(value: Any) -> str:
    """JSON of plain values. orjson refuses integers beyond 64 bits, which JSON itself allows."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def csv_text(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()
