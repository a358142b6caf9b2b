"""Reads the data of a request: lists and tables in the text, or data in a field of its own."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.reading import patterns
from sandbox.reading.budget import spend

_FIGURE = r"(?>[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
# The lists have no name in these patterns: a search for a name before each list, in few characters,
# stays linear where one pattern for both would not.
_LIST = re.compile(
    rf"[\[{{]\s*+(?P<list>{_FIGURE}(?:\s*+[,;]\s*+{_FIGURE}|\s++{_FIGURE}(?=[\s\]])){{1,}})\s*+,?\s*+[\]}}]"
)
_BARE = re.compile(
    rf"(?<![\w.,])(?P<list>{_FIGURE}(?:\s*+,\s*+(?:and\s++)?{_FIGURE}|\s*+;\s*+{_FIGURE}){{2,}}(?:\s*+,?\s*+and\s++{_FIGURE})?|{_FIGURE}\s*+,\s*+{_FIGURE}\s*+,?\s*+and\s++{_FIGURE})(?![\w%])"
)
_NAME_OF_LIST = re.compile(
    r"(?P<name>[A-Za-z_][\w-]*(?: [A-Za-z0-9_]+)?)\s*+(?:=|:|is|are|as|\()\s*+$"
)
_NAME_OF_BARE = re.compile(
    r"(?P<name>[A-Za-z_][\w]*(?: [A-Za-z0-9_]+)?)\s*+(?:=|:|are|is|has|scored|-)\s*+$"
)
_LONGEST_NAME = 80
_MATRIX = re.compile(r"\[\s*+(?:\[[^\[\]]*+\]\s*+,?\s*+){2,}+\]")
_TWO_IN_A_ROW = re.compile(r"\d(?:\s*+[,;]\s*+|\s++)(?:and\s++)?[-+]?\.?\d")
_NUMBERS = re.compile(rf"(?:{_FIGURE}\n)++", re.I)
_FIGURE_ALONE = re.compile(_FIGURE, re.I)
_MOST_CELLS = 2_000_000
_MOST_HEADS = 8  # lines of a block that are tried as the line of names


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
        return _of_records(data, text)
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


def whole_table(text: str) -> DataTable:
    """Find a table with named columns in the text: records, CSV or markdown; a list is no table."""
    for find in (_records, _block, _lines, _markdown):
        table = find(text)
        if table is not None:
            return table
    return DataTable(text=text)


def _of_records(rows: Sequence[Mapping[str, Any]], text: str) -> DataTable:
    names = list(dict.fromkeys(key for row in rows for key in row))
    if len(names) * len(rows) > _MOST_CELLS:
        return DataTable(text=text, problem=f"data has more than {_MOST_CELLS} cells")
    columns = {}
    for name in names:
        spend()
        columns[str(name)] = tuple(row.get(name) for row in rows)
    return DataTable(columns, text, named=True)


_OPENINGS = ((re.compile(r"\[\s*+\{"), "]"), (re.compile(r"\{\s*+\""), "}"))


def _records(text: str) -> DataTable | None:
    """Read records or columns that the text holds as JSON, from the first bracket to the last."""
    for opening, closing in _OPENINGS:
        first, end = opening.search(text), text.rfind(closing) + 1
        if first is None or end <= first.start():
            continue
        try:
            data = json.loads(text[first.start() : end])
        except (ValueError, RecursionError):  # also for an integer of too many digits
            continue
        table = beside(data, text[: first.start()] + " " + text[end:])
        if table.columns:
            return table
    return None


def _block(text: str) -> DataTable | None:
    match = patterns.search(r"```(?:csv|text|tsv)?[^\S\n]*+\n(.*?)```", text, re.S)
    columns = _csv(match[1]) if match else None
    if match is None or columns is None:
        return None
    return DataTable(columns, text[: match.start()] + " " + text[match.end() :], named=True)


_STARTS_WITH_FIGURE = re.compile(rf"\s*+{_FIGURE}\s*+,")


def _lines(text: str) -> DataTable | None:
    """Read lines with equally many commas as a table. The first line holds the names."""
    lines = text.split("\n")
    block, ends = -1, 0  # the last line of the present block, and how many of its lines were tried
    for first, line in enumerate(lines):
        parts = line.count(",")
        if parts < 1 or _STARTS_WITH_FIGURE.match(line):
            continue
        if first > block:
            block, ends = _last_row(lines, first, parts), 0
        ends += 1
        if block - first < 2 or ends > _MOST_HEADS:
            continue
        spend()
        columns = _csv("\n".join(lines[first : block + 1]))
        if columns is not None and any(_numeric(values) for values in columns.values()):
            rest = "\n".join(lines[:first] + lines[block + 1 :])
            return DataTable(columns, rest, named=True)
    return None


def _last_row(lines: Sequence[str], first: int, parts: int) -> int:
    last = first
    while last + 1 < len(lines) and lines[last + 1].count(",") == parts and _a_row(lines[last + 1]):
        last += 1
    return last


def _a_row(line: str) -> bool:
    """Whether a line with commas is a row, and not a sentence after the table."""
    return len(line.split()) <= 3 * (line.count(",") + 1) and not line.rstrip().endswith(("?", "."))


def _markdown(text: str) -> DataTable | None:
    lines = text.split("\n")
    rows = [i for i, line in enumerate(lines) if line.count("|") >= 2]
    if len(rows) < 3 or not patterns.fullmatch(r"[\s|:\-]++", lines[rows[1]]):
        return None
    cells = [[cell.strip() for cell in lines[i].strip().strip("|").split("|")] for i in rows]
    columns = _columns([cells[0], *cells[2:]])
    if columns is None:
        return None
    rest = "\n".join(line for line in lines if line.count("|") < 2)
    return DataTable(columns, rest, named=True)


def _lists(text: str) -> DataTable:
    if not _TWO_IN_A_ROW.search(text):
        return DataTable(text=text)
    matrix = _MATRIX.search(text)
    if matrix:
        try:
            rows = json.loads(patterns.sub(r",\s*+\]", "]", matrix[0]))
        except (ValueError, RecursionError):
            rows = []
        if rows and all(len(row) == len(rows[0]) and _numeric(row) for row in rows):
            named = {f"row {i + 1}": tuple(row) for i, row in enumerate(rows)}
            return DataTable(named, text[: matrix.start()] + " " + text[matrix.end() :])
    columns: dict[str, tuple[Any, ...]] = {}
    given = False
    for pattern, named_by in ((_LIST, _NAME_OF_LIST), (_BARE, _NAME_OF_BARE)):
        pieces, end = [], 0
        for match in pattern.finditer(text):
            spend()
            if pattern is _BARE and _THOUSANDS.search(match["list"]):
                return DataTable(text=text)  # 3,034 may be one number or two
            start, name, figures = _named_list(text, match, named_by, end)
            ours = not name or bool(_NO_NAMES & set(name.lower().split())) or name in columns
            given = given or not ours
            columns[f"x{len(columns) + 1}" if ours else name] = tuple(_plain(f) for f in figures)
            pieces += [text[end:start], f" {name} "]
            end = match.end()
        text = "".join((*pieces, text[end:]))
    return DataTable(columns, text, named=given)


_THOUSANDS = re.compile(r"\d,\d{3}(?!\d)")
_NOT_NAMES = re.compile(
    r"^(?:of|the|and|for|data|list|numbers|values|dataset|with|sample|are|is|between|from|on|in|where|let|given|if|when|using) ",
    re.I,
)


def _named_list(
    text: str, match: "re.Match[str]", named_by: "re.Pattern[str]", least: int
) -> tuple[int, str, list[str]]:
    """Where a list begins with its name, the name or "", and the list's figures."""
    figures, start = patterns.findall(_FIGURE, match["list"]), match.start()
    least = max(least, start - _LONGEST_NAME)
    named = named_by.search(text, least, start)
    if named is None and text[start] == "-":  # perhaps a dash between a name and its list
        named = named_by.search(text, least, start + 1)
        figures[0] = figures[0].removeprefix("-") if named else figures[0]
    if named is None:
        return start, "", figures
    return named.start(), _NOT_NAMES.sub("", named["name"].strip()), figures


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
    columns = {}
    for name, column in zip(names, zip(*rows[1:], strict=True), strict=True):
        spend()
        columns[name] = _values([cell.strip() for cell in column])
    return columns


_MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "#n/a", "<na>"))


def _values(cells: Sequence[str]) -> tuple[Any, ...]:
    """The values of a column: numbers, texts, and None for a cell that says nothing."""
    if _NUMBERS.fullmatch("\n".join((*cells, ""))):
        return tuple(map(_plain, cells))
    read = {cell: _value(cell) for cell in set(cells)}  # labels repeat
    return tuple([read[cell] for cell in cells])


def _value(cell: str) -> Any:
    if cell.lower() in _MISSING:
        return None
    return _plain(cell) if _FIGURE_ALONE.fullmatch(cell) else cell


def _plain(figure: str) -> int | float:
    digits = figure.lstrip("+-")
    return int(figure) if len(digits) <= 15 and digits.isdigit() else float(figure)


def _numeric(values: Sequence[Any]) -> bool:
    types = {*map(type, values)} - {type(None)}
    return bool(types) and types <= {int, float, bool}
