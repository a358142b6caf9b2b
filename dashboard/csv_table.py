"""Writes rows as CSV that a spreadsheet can open safely."""

import csv
import io
from typing import Any

import orjson

from dashboard.source import Rows

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_table(columns: tuple[str, ...], rows: Rows) -> bytes:
    """Write rows as CSV. A leading quote stops a spreadsheet from running a text as a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return value
