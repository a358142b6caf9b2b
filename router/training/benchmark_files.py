"""Reads the texts of a benchmark's file: JSON lines, CSV or Parquet. Only what is asked is read,
not the answers, as those are often a word or two."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from router.training.data_query import DataRefused

_NAMES = (
    "question", "prompt", "problem", "instruction", "query", "input", "ask", "asked", "text",
    "message", "messages", "conversations", "turns", "content", "request", "goal", "task",
    "sentence", "premise", "passage", "body", "title",
)  # fmt: skip
_MOST = 200_000  # texts of a file
_MOST_FIELD = 2**27  # characters of a field of CSV
_TYPES = (".jsonl", ".ndjson", ".json", ".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A text that no row for training may hold, and where it stands."""

    place: str  # the name of the file or data set, and the number of the line or the id of the row
    text: str


def held_out_texts(given: str) -> list[HeldOut]:
    """The texts of `FILE` or `FILE:COLUMN`."""
    path, column = _path_and_column(given)
    rows = _rows(path)
    texts = []
    for number, row in enumerate(rows, 1):
        text = _text(row, column, path)
        if text.strip():
            texts.append(HeldOut(f"{path.name}:{number}", text))
        if len(texts) > _MOST:
            raise DataRefused(f"{path} has more than {_MOST:,} texts: take a part of it")
    if not texts:
        raise DataRefused(f"{path} holds no text to compare with: name its column, {path}:COLUMN")
    return texts


def _path_and_column(given: str) -> tuple[Path, str]:
    path = Path(given)
    column = ""
    if not path.is_file() and ":" in given:
        before, _, column = given.rpartition(":")
        path = Path(before)
    if not path.is_file():
        raise DataRefused(
            f"--against {given}: neither a file (FILE or FILE:COLUMN) nor a data set; "
            "`waggle data show` lists the data sets"
        )
    if path.suffix.lower() not in _TYPES:
        raise DataRefused(f"--against {given}: files of {', '.join(_TYPES)} can be read")
    return path, column


def _rows(path: Path) -> Iterator[Any]:
    try:
        match path.suffix.lower():
            case ".csv":
                csv.field_size_limit(_MOST_FIELD)
                with path.open(newline="", encoding="utf-8-sig") as file:
                    yield from csv.DictReader(file)
            case ".parquet":
                yield from _parquet(path)
            case _:
                yield from _json(path.read_bytes())
    except (ValueError, OSError, csv.Error) as error:
        if isinstance(error, DataRefused):
            raise
        raise DataRefused(f"{path} cannot be read as {path.suffix}: {error}") from None


def _json(content: bytes) -> Iterator[Any]:
    """Lines of JSON, or one list."""
    if content.lstrip()[:1] == b"[":
        yield from orjson.loads(content)
        return
    for line in content.splitlines():
        if line.strip():
            yield orjson.loads(line)


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    import duckdb

    with duckdb.connect(config={"threads": 1}) as con:
        try:
            cursor = con.execute("SELECT * FROM read_parquet(?)", [str(path)])
            names = [column[0] for column in cursor.description or ()]
            while rows := cursor.fetchmany(1000):
                yield from (dict(zip(names, row, strict=True)) for row in rows)
        except duckdb.Error as error:
            raise DataRefused(f"{path} cannot be read as .parquet: {error}") from None


def _text(row: Any, column: str, path: Path) -> str:
    if not isinstance(row, Mapping):
        return _words(row)
    if column:
        if column not in row:
            there = ", ".join(map(str, row))
            raise DataRefused(f"{path} has no column {column!r}; it has {there}")
        return _words(row[column])
    names = {str(name).lower(): name for name in row}
    if "instruction" in names and "input" in names:
        return f"{_words(row[names['instruction']])}\n{_words(row[names['input']])}"
    for name in _NAMES:
        if name in names and (text := _words(row[names[name]])):
            return text
    return max((_words(value) for value in row.values()), key=len, default="")


def _words(value: Any) -> str:
    """The words of a value; of messages, those that are not an assistant's."""
    match value:
        case str():
            return value
        case list():
            return "\n".join(filter(None, map(_words, value)))
        case Mapping():
            speaker = str(value.get("role", value.get("from", "user"))).lower()
            if speaker in ("assistant", "gpt"):
                return ""
            return _words(value.get("content", value.get("value", value.get("text", ""))))
    return ""
