"""Reads the data of a request: lists and tables in the text, or data in a field of its own."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_FIGURE = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_LIST = re.compile(
    rf"(?:(?P<name>[A-Za-z_][\w-]*(?: [A-Za-z0-9_]+)?)\s*(?:=|:|is|are|as|\()\s*)?[\[{{]\s*(?P<list>{_FIGURE}(?:\s*[,;]\s*{_FIGURE}|\s+{_FIGURE}(?=[\s\]])){{1,}})\s*,?\s*[\]}}]"
)
_BARE = re.compile(
    rf"(?:(?P<name>[A-Za-z_][\w]*(?: [A-Za-z0-9_]+)?)\s*(?:=|:|are|is|has|scored|-)\s*)?(?<![\w.,])(?P<list>{_FIGURE}(?:\s*,\s*(?:and\s+)?{_FIGURE}|\s*;\s*{_FIGURE}){{2,}}(?:\s*,?\s*and\s+{_FIGURE})?|{_FIGURE}\s*,\s*{_FIGURE}\s*,?\s*and\s+{_FIGURE})(?![\w%])"
)
_MATRIX = re.compile(r"\[\s*(?:\[[^\[\]]*\]\s*,?\s*){2,}\]")
_TWO_IN_A_ROW = re.compile(r"\d\s*[,;\s]\s*(?:and\s+)?[-+]?\.?\d")
_MOST_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class DataTable:
    """The columns of a request's data, by name, and the request's text without the data."""

    columns: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    text: str = ""
    named: bool = False  # whether the request itself names the columns
    problem: str = ""


def beside(data: Any, text: str) -> DataTable:
    """The table in the field `data` of a request: CSV, records, or columns."""
    if isinstance(data, str):
        columns = _csv(data)
        if columns is None:
            return DataTable(
                text=text,
                problem="data is not CSV: it needs a line of names, and rows of the same length",
            )
        return DataTable(columns, text, named=True)
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        names = list(dict.fromkeys(key for row in data for key in row))
        return DataTable(
            {str(n): tuple(row.get(n) for row in data) for n in names}, text, named=True
        )
    if isinstance(data, dict) and data and all(isinstance(v, list) for v in data.values()):
        return DataTable({str(k): tuple(v) for k, v in data.items()}, text, named=True)
    return DataTable(
        text=text, problem="data must be CSV text, a list of records, or lists by column"
    )


def within(text: str) -> DataTable:
    """Find the table in the text. If the text holds no data, the table has no columns."""
    for find in (_records, _block, _lines, _markdown):
        table = find(text)
        if table is not None:
            return table
    return _lists(text)


_OPENINGS = ((re.compile(r"\[\s*\{"), "]"), (re.compile(r"\{\s*\""), "}"))


def _records(text: str) -> DataTable | None:
    """Read records or columns that the text holds as JSON, from the first bracket to the last."""
    for opening, closing in _OPENINGS:
        first, end = opening.search(text), text.rfind(closing) + 1
        if first is None or end <= first.start():
            continue
        try:
            data = json.loads(text[first.start() : end])
        except (json.JSONDecodeError, RecursionError):
            continue
        table = beside(data, text[: first.start()] + " " + text[end:])
        if table.columns:
            return table
    return None


def _block(text: str) -> DataTable | None:
    match = re.search(r"```(?:csv|text|tsv)?\s*\n(.*?)```", text, re.S)
    columns = _csv(match[1]) if match else None
    if match is None or columns is None:
        return None
    return DataTable(columns, text[: match.start()] + " " + text[match.end() :], named=True)


def _lines(text: str) -> DataTable | None:
    """Read lines with equally many commas as a table. The first line holds the names."""
    lines = text.split("\n")
    for first, line in enumerate(lines):
        parts = line.count(",")
        if parts < 1 or re.match(rf"\s*{_FIGURE}\s*,", line):
            continue
        last = first
        while (
            last + 1 < len(lines)
            and lines[last + 1].count(",") == parts
            and _a_row(lines[last + 1])
        ):
            last += 1
        if last - first < 2:
            continue
        columns = _csv("\n".join(lines[first : last + 1]))
        if columns is not None and any(_numeric(values) for values in columns.values()):
            rest = "\n".join(lines[:first] + lines[last + 1 :])
            return DataTable(columns, rest, named=True)
    return None


def _a_row(line: str) -> bool:
    """Whether a line with commas is a row, and not a sentence after the table."""
    return len(line.split()) <= 3 * (line.count(",") + 1) and not line.rstrip().endswith(("?", "."))


def _markdown(text: str) -> DataTable | None:
    lines = text.split("\n")
    rows = [i for i, line in enumerate(lines) if line.count("|") >= 2]
    if len(rows) < 3 or not re.fullmatch(r"[\s|:\-]+", lines[rows[1]]):
        return None
    cells = [[cell.strip() for cell in lines[i].strip().strip("|").split("|")] for i in rows]
    columns = _columns([cells[0], *cells[2:]])
    if columns is None:
        return None
    rest = "\n".join(line for i, line in enumerate(lines) if i not in rows)
    return DataTable(columns, rest, named=True)


def _lists(text: str) -> DataTable:
    columns: dict[str, tuple[Any, ...]] = {}
    if not _TWO_IN_A_ROW.search(text):
        return DataTable(text=text)
    matrix = _MATRIX.search(text)
    if matrix:
        try:
            rows = json.loads(re.sub(r",\s*\]", "]", matrix[0]))
        except json.JSONDecodeError:
            rows = []
        if rows and all(len(row) == len(rows[0]) and _numeric(row) for row in rows):
            named = {f"row {i + 1}": tuple(row) for i, row in enumerate(rows)}
            return DataTable(named, text[: matrix.start()] + " " + text[matrix.end() :])
    given = False
    for pattern in (_LIST, _BARE):
        while (match := pattern.search(text)) is not None:
            if re.search(r"\d,\d{3}(?!\d)", match["list"]) and pattern is _BARE:
                return DataTable(text=text)  # 3,034 may be one number or two
            figures = re.findall(_FIGURE, match["list"])
            name = (match["name"] or "").strip()
            name = re.sub(
                r"^(?:of|the|and|for|data|list|numbers|values|dataset|with|sample|are|is|between|from|on|in|where|let|given|if|when|using) ",
                "",
                name,
                flags=re.I,
            )
            ours = not name or bool(_NO_NAMES & set(name.lower().split())) or name in columns
            given = given or not ours
            columns[f"x{len(columns) + 1}" if ours else name] = tuple(_plain(f) for f in figures)
            text = text[: match.start()] + f" {name} " + text[match.end() :]
    return DataTable(columns, text, named=given)


# Words that do not name a column, as in `the numbers I gathered are 1, 2, 3`.
_NO_NAMES = frozenset(
    {"of", "the", "data", "list", "numbers", "values", "dataset", "following", "these", "this"}
    | {"array", "for", "and", "with", "mean", "median", "mode", "observations", "gathered", "ve"}
    | {"average", "integers", "points", "below", "variance", "deviation", "sum", "it", "have"}
    | {
        "lists",
        "two",
        "both",
        "groups",
        "samples",
        "collected",
        "measured",
        "recorded",
        "range",
        "constants",
        "tests",
        "figures",
        "that",
    }
)


def _csv(text: str) -> dict[str, tuple[Any, ...]] | None:
    text = text.strip("\n\ufeff ")
    if not text:
        return None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    if not first.count(delimiter):
        return None
    try:
        return _columns(list(csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)))
    except csv.Error:  # for example, because a field is too long
        return None


def _columns(rows: Sequence[Sequence[str]]) -> dict[str, tuple[Any, ...]] | None:
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 3 or len(rows) * len(rows[0]) > _MOST_CELLS:
        return None
    names = [name.strip() or f"column {i + 1}" for i, name in enumerate(rows[0])]
    if len(set(names)) != len(names) or any(len(row) != len(names) for row in rows):
        return None
    return {name: tuple(_value(row[i].strip()) for row in rows[1:]) for i, name in enumerate(names)}


def _value(cell: str) -> Any:
    if cell.lower() in ("", "na", "n/a", "nan", "null", "none", "#n/a", "<na>"):
        return None
    return _plain(cell) if re.fullmatch(_FIGURE, cell, re.I) else cell


def _plain(figure: str) -> int | float:
    value = float(figure)
    return int(value) if re.fullmatch(r"[-+]?\d{1,15}", figure) else value


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(v, int | float) for v in values if v is not None) and any(
        v is not None for v in values
    )
