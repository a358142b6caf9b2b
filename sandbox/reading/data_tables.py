"""Reads the table of a request: in its text, or in a field of its own."""

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


def whole_table(text: str) -> DataTable:
    """Find a table in the text: records, CSV, markdown, pairs, or rows; a list is no table."""
    for find in (_records, _block, _lines, _markdown, _pairs, _spaced):
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
        rest = text[: first.start()] + " " + text[end:]
        table = beside(data, rest) if not isinstance(data, dict) else _of_object(data, rest)
        if table.columns:
            return table
    return None


def _of_object(data: Mapping[str, Any], text: str) -> DataTable:
    """The lists of an object as columns; what else it holds joins the request's words."""
    columns, words = {}, [text]
    for name, value in data.items():
        if isinstance(value, list) and value and _numeric(value):
            columns[str(name)] = tuple(value)
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            words.append(f"{name}: {', '.join(value)}.")
        elif isinstance(value, str | int | float):
            words.append(f"{name}: {value}.")
        else:
            return DataTable(text=text)
    if len(columns) == len(data):
        return beside(data, text)
    return DataTable(columns, "\n".join(words), named=True)


def _block(text: str) -> DataTable | None:
    match = patterns.search(r"```(?:csv|text|tsv)?[^\S\n]*+\n(.*?)```", text, re.S)
    columns = _csv(match[1]) if match else None
    if match is None or columns is None:
        return None
    return DataTable(columns, text[: match.start()] + " " + text[match.end() :], named=True)


_DELIMITERS = (",", "|", "\t", ";")


def _lines(text: str) -> DataTable | None:
    """Read lines with equally many delimiters as a table. The first line holds the names."""
    present = [mark for mark in _DELIMITERS if mark in text]
    return next((table for mark in present if (table := _delimited(text, mark)) is not None), None)


def _delimited(text: str, mark: str) -> DataTable | None:
    lines = text.split("\n")
    block, ends = -1, 0  # the last line of the present block, and how many of its lines were tried
    for first, line in enumerate(lines):
        parts = line.count(mark)
        if parts < 1 or _FIGURE_ALONE.fullmatch(line.partition(mark)[0].strip()):
            continue
        if first > block:
            block, ends = _last_row(lines, first, mark), 0
        ends += 1
        if block - first < 2 or ends > _MOST_HEADS:
            continue
        spend()
        columns = _csv("\n".join(lines[first : block + 1]), mark)
        if any(_FIGURE_ALONE.fullmatch(cell.strip()) for cell in line.split(mark)):
            continue  # the first line is a row, and no line of names
        if columns is not None and any(_numeric(values) for values in columns.values()):
            rest = "\n".join(lines[:first] + lines[block + 1 :])
            return DataTable(columns, rest, named=True)
    return None


def _last_row(lines: Sequence[str], first: int, mark: str) -> int:
    last, parts = first, lines[first].count(mark)
    while (
        last + 1 < len(lines)
        and lines[last + 1].count(mark) == parts
        and _a_row(lines[last + 1], mark)
    ):
        last += 1
    return last


def _a_row(line: str, mark: str) -> bool:
    """Whether a line with delimiters is a row, and not a sentence after the table."""
    return len(line.split()) <= 3 * (line.count(mark) + 1) + (mark == "|") * line.count(
        mark
    ) and not line.rstrip().endswith(("?", "."))


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


_HEAD_WORD = re.compile(r"\A[^\W\d]\w*+$")
_PAIR = rf"\([^\S\n]*({_FIGURE})[^\S\n]*[,;][^\S\n]*({_FIGURE})[^\S\n]*\)"
_ARROW = rf"({_FIGURE})[^\S\n]*(?:->|→|=>)[^\S\n]*({_FIGURE})"
_ARROWS = re.compile(rf"(?<![\w.]){_ARROW}(?:[^\S\n]*[,;][^\S\n]*{_ARROW}){{2,}}")
_PAIRS = re.compile(rf"{_PAIR}(?:(?:\s*[,;]\s*|\s+)(?:and\s+|y\s+)?{_PAIR}){{2,}}")


def _spaced(text: str) -> DataTable | None:
    """Read lines of cells that blanks separate, all numbers but a first name in each line.

    A line of as many words right above holds the names.
    """
    lines = text.split("\n")
    widths = [_row_width(line) for line in lines]
    first = -1
    while first + 3 < len(lines):
        first += 1
        width, last = widths[first], first
        while width and last + 1 < len(lines) and widths[last + 1] == width:
            spend()
            last += 1
        if last - first < 2:
            first = last
            continue
        head = lines[first - 1].split() if first else []
        named = len(head) == width and all(map(_HEAD_WORD.match, head)) and len(set(head)) == width
        names = head if named else [f"column {i + 1}" for i in range(width)]
        cells = [names, *(line.split() for line in lines[first : last + 1])]
        columns = _columns(cells)
        if columns is None:
            continue
        rest = "\n".join(lines[: first - named] + lines[last + 1 :])
        return DataTable(columns, rest, named=True)
    return None


def _arrows(text: str) -> tuple[list[tuple[str, str]], str]:
    """The pairs of lines such as `1 -> 2`, and the text without the lines."""
    pairs, rest = [], []
    for line in text.split("\n"):
        ends = [part.strip() for part in line.replace("→", "->").replace("=>", "->").split("->")]
        if len(ends) == 2 and all(map(_FIGURE_ALONE.fullmatch, ends)):
            pairs.append((ends[0], ends[1]))
        else:
            rest.append(line)
    return pairs, "\n".join(rest)


def _row_width(line: str) -> int:
    """How many cells a line has, if all are numbers but a first name; 0 if it is no such row."""
    if not any(c.isdigit() for c in line):
        return 0
    cells = line.split()
    numbers = cells[1:] if cells and _HEAD_WORD.match(cells[0]) else cells
    if len(numbers) < 2 or not all(map(_FIGURE_ALONE.fullmatch, numbers)):
        return 0
    return len(cells)


def _pairs(text: str) -> DataTable | None:
    """Read at least three pairs such as `(1, 2)`, or lines such as `1 -> 2`, as x and y."""
    match = _PAIRS.search(text)
    arrows = _ARROWS.search(text) if match is None else None
    if arrows is not None:
        pairs = patterns.findall(_ARROW, arrows[0])
        rest = text[: arrows.start()] + " " + text[arrows.end() :]
    elif match is not None:
        pairs = patterns.findall(_PAIR, match[0])
        rest = text[: match.start()] + " " + text[match.end() :]
    else:
        pairs, rest = _arrows(text)
    if len(pairs) < 3:
        return None
    first, second = zip(*pairs, strict=True)
    columns = {"x": tuple(map(_plain, first)), "y": tuple(map(_plain, second))}
    return DataTable(columns, rest, named=True)


def _csv(text: str, delimiter: str = "") -> dict[str, tuple[Any, ...]] | None:
    text = text.strip("\n\ufeff ")
    if not text:
        return None
    first = text.split("\n", 1)[0]
    delimiter = delimiter or max(",;\t|", key=first.count)
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
    kinds = {cell: cell for cell in set(cells)}  # labels repeat
    for pattern, mark in _AMOUNTS:
        if all(pattern.fullmatch(cell) or cell.lower() in _MISSING for cell in kinds):
            kinds = {cell: _bare(cell, mark) for cell in kinds}
            break
    read = {cell: _value(bare) for cell, bare in kinds.items()}
    return tuple([read[cell] for cell in cells])


# Columns of amounts of money, and of numbers with a decimal comma that is no mark for thousands.
_AMOUNTS = (
    (re.compile(r"-?[$€£]\s?\d+(?:\.\d{1,2})?|(?<!\d)-?\d+(?:\.\d{1,2})?\s?[$€£]"), ""),
    (re.compile(r"-?[$£]\s?\d{1,3}(?:,\d{3})*(?:\.\d{1,2})?"), ","),
    (re.compile(r"-?[$€]?\s?\d+(?:,\d{1,2})?\s?[$€]?"), "."),
)


def _bare(cell: str, mark: str) -> str:
    """The digits of an amount; `mark` says whether its commas are for thousands or decimal."""
    digits = cell.strip("$€£ ").replace("-$", "-").replace("-€", "-").replace("-£", "-")
    return digits.replace(",", "." if mark == "." else "").replace(" ", "")


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
