"""Writes a verified result (records or figures) as the JSON or CSV that the caller gets."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from sandbox.records import Record, csv_text, format_records, json_text
from sandbox.spec import Spec
from sandbox.supervisor.frames import json_value
from sandbox.verify import columns_of


def records(spec: Spec, result: Any) -> list[Record]:
    """Turn the result's columns into records. Columns of ids come first."""
    values = columns_of(result)
    names = list(values)
    if spec.fields:
        wanted = sorted((f for f in spec.fields if f.role != "text"), key=lambda f: f.role != "id")
        names = [field.name for field in wanted]
    columns = [_listed(values[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def write_document(spec: Spec, result: Any, *, as_object: bool = False) -> str:
    """Write the JSON or CSV. `as_object` wraps records in an object with the key `records`."""
    if spec.kind != "generate":
        return _figures(json_value(result), spec.format)
    return format_records(records(spec, result), spec.format, as_object=as_object)


def _figures(value: Any, format_: str) -> str:
    if format_ != "csv":
        return json_text(value)
    return csv_text(["figure", "value"], _flat(value))


def _flat(value: Any, name: str = "") -> Iterable[list[Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    else:
        yield [name, value]


def _listed(values: Any) -> list[Any]:
    listed = json_value(values.tolist() if isinstance(values, np.ndarray) else values)
    assert isinstance(listed, list)
    return listed
