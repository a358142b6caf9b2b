"""A verified result as the document that the caller gets: records, or figures; JSON, or CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson

from sandbox.frames import plain
from sandbox.spec import Spec
from sandbox.verify import columns_of

Record = dict[str, Any]


def records(spec: Spec, result: Any) -> list[Record]:
    """The result's columns as records, ids first."""
    found = columns_of(result)
    names = list(found)
    if spec.fields:
        wanted = sorted((f for f in spec.fields if f.role != "text"), key=lambda f: f.role != "id")
        names = [field.name for field in wanted]
    columns = [_listed(found[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def written(spec: Spec, result: Any, *, as_object: bool = False) -> str:
    """`as_object`: where a JSON object was asked for, a list goes below `records`."""
    if spec.kind == "analyse":
        return _figures(plain(result), spec.format)
    return of_records(records(spec, result), spec.format, as_object=as_object)


def of_records(rows: Sequence[Record], format_: str, *, as_object: bool = False) -> str:
    if format_ == "csv":
        return _csv(list(rows[0]) if rows else [], ([row[n] for n in row] for row in rows))
    told = {"records": rows} if as_object else rows
    return orjson.dumps(told).decode()


def _figures(value: Any, format_: str) -> str:
    if format_ != "csv":
        return orjson.dumps(value).decode()
    return _csv(["figure", "value"], _flat(value))


def _flat(value: Any, name: str = "") -> Iterable[list[Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    else:
        yield [name, value]


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


def _listed(values: Any) -> list[Any]:
    listed = plain(values.tolist() if isinstance(values, np.ndarray) else values)
    assert isinstance(listed, list)
    return listed
