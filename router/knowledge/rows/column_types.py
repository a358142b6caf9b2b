"""Finds the type of a column from its cells as people write them, and reads the cells. Pure.

A column has one type for all of its cells. Where a cell does not fit, or where two readings fit all
cells and nothing tells them apart (03/04/2024 alone), the column stays text: no value is guessed.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from router.knowledge.rows.schema import Cell, Column, Kind
from router.request.plain import folded
from sandbox.reading.tokens import MONTHS

Order = Literal["", "dmy", "mdy", "ymd"]
Mark = Literal["", ".", ","]

_NULLS = frozenset(
    ("", "na", "n/a", "n.a.", "nan", "null", "nil", "#n/a", "<na>", "(null)", "(blank)")
)
# Marks that stand for nothing among numbers and dates; among texts they may be values.
_SOFT_NULLS = frozenset(
    (
        "none",
        "-",
        "--",
        "—",
        "\u2013",
        "?",
        ".",
        "s/d",
        "n/d",
        "sin datos",
        "unknown",
        "desconocido",
        "tbd",
    )
)
_TRUE = frozenset(("yes", "y", "true", "t", "si", "s", "verdadero", "x", "✓"))
_FALSE = frozenset(("no", "n", "false", "f", "falso", "✗"))
_MONEY = r"US\$|[$€£¥]|USD|EUR|GBP"
_SIGNS = {"US$": "$", "USD": "$", "EUR": "€", "GBP": "£"}
_AMOUNT = re.compile(
    rf"(?P<open>\()?(?P<minus>[-\u2212+])?\s?(?P<before>{_MONEY})?\s?(?P<inner>[-\u2212])?"
    rf"(?P<digits>\d[\d.,'\u00a0\u202f ]*|\.\d+)\s?(?P<after>{_MONEY}|%)?(?(open)\))",
    re.I,
)
_SPACES = "'\u00a0\u202f "
_INTEGER = re.compile(r"0|[1-9]\d{0,17}")
_STYLES: dict[Mark, re.Pattern[str]] = {
    ".": re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?"),
    ",": re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?"),
}


@dataclass(frozen=True, slots=True)
class Habits:
    """How a file writes numbers and dates, where its other columns show it."""

    mark: Mark = ""
    order: Order = ""


def typed_column(
    name: str, cells: Sequence[str | None], habits: Habits
) -> tuple[Column, list[Cell]]:
    """A column of texts with its type, and its values."""
    texts = [None if cell is None else " ".join(cell.split(" ")).strip() for cell in cells]
    texts = [None if text is None or folded(text) in _NULLS else text for text in texts]
    distinct = {text for text in texts if text is not None}
    if not distinct:
        return Column(name, "text"), [None] * len(texts)
    firm = {text for text in distinct if folded(text) not in _SOFT_NULLS} or distinct
    for result in (_booleans(firm), _numbers(firm, habits), _dates(firm, habits)):
        if result is not None:
            kind, unit, values = result
            return Column(name, kind, unit), [
                None if text is None else values.get(text) for text in texts
            ]
    return Column(name, "text"), list(texts)


_Read = tuple[Kind, str, dict[str, Cell]]


def _booleans(distinct: set[str]) -> _Read | None:
    small = {text: folded(text) for text in distinct}
    if len({*small.values()} & _TRUE) > 1 or len({*small.values()} & _FALSE) > 1:
        return None
    if not {*small.values()} <= _TRUE | _FALSE or {*small.values()} <= {"x", "s", "n", "f", "t"}:
        return None
    return "boolean", "", {text: int(word in _TRUE) for text, word in small.items()}


def _numbers(distinct: set[str], habits: Habits) -> _Read | None:
    amounts = {}
    for text in distinct:
        match = _AMOUNT.fullmatch(text)
        if match is None or sum(bool(match[g]) for g in ("open", "minus", "inner")) > 1:
            return None
        amounts[text] = match
    units = {unit_of(match) for match in amounts.values()}
    if len(units - {""}) > 1:
        return None  # euros and dollars are not added up
    mark = _mark({_digits(match) for match in amounts.values()}, habits.mark)
    if mark is None or any(_coded(_digits(match)) for match in amounts.values()):
        return None
    values: dict[str, Cell] = {}
    whole = mark == "" or all(mark not in _digits(match) for match in amounts.values())
    for text, match in amounts.items():
        digits = _digits(match)
        digits = digits.replace("." if mark == "," else ",", "").replace(",", ".")
        value = int(digits) if whole else float(digits)
        negative = match["open"] or match["inner"] or (match["minus"] or "+") != "+"
        values[text] = -value if negative else value
    return "integer" if whole else "number", max(units), values


def unit_of(match: re.Match[str]) -> str:
    unit = (match["before"] or match["after"] or "").upper()
    return _SIGNS.get(unit, unit)


def _digits(match: re.Match[str]) -> str:
    digits: str = match["digits"].strip()
    if re.fullmatch(rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d+)?", digits):
        return re.sub(rf"[{_SPACES}]", "", digits)
    return digits


def _coded(digits: str) -> bool:
    """Whether digits are a code, such as a post code with a leading zero, and no number."""
    return (len(digits) > 1 and digits[0] == "0" and digits.isdigit()) or len(digits) > 18


def _mark(digits: set[str], usual: Mark) -> Mark | None:
    """The decimal mark that all numbers of a column fit; None if they fit none, or either."""
    if all(text.isdigit() for text in digits):
        return ""
    fitting = [
        mark
        for mark, style in _STYLES.items()
        if all(text and style.fullmatch(text) for text in digits)
    ]
    bare = [text for text in digits if text.isdigit()]
    if len(fitting) == 2 and bare and all(len(text) <= 3 for text in bare):
        return "." if any("," in text for text in digits) else ","  # 950 and 1,250
    if len(fitting) == 2:  # 1.250 and 3.125 alone may be thousands or decimals
        return usual or None
    return fitting[0] if fitting else None


def shown_mark(cells: Sequence[str | None]) -> Mark:
    """The decimal mark that a column shows without a doubt, or nothing."""
    digits = set()
    for cell in cells:
        match = _AMOUNT.fullmatch(cell.strip()) if cell else None
        if match is not None:
            digits.add(_digits(match))
        elif cell and folded(cell.strip()) not in _NULLS | _SOFT_NULLS:
            return ""
    return _mark(digits, "") or "" if digits else ""


_TIME = (
    r"(?:[T ,]\s?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?"
    r"\s?(?P<half>[AaPp]\.?[Mm]\.?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_WEEKDAY = r"(?:[^\W\d]{2,10}\.?,?\s)?"
_NUMERIC = re.compile(rf"(\d{{1,4}})([/.\-])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
_NAMED = (
    re.compile(
        rf"{_WEEKDAY}(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:[\s\-/.]|\sde\s)(?P<m>[^\W\d]{{3,10}})\.?"
        rf"(?:[\s\-/.,]\s?|\sde(?:l)?\s)(?P<y>\d{{4}}|\d{{2}}){_TIME}"
    ),
    re.compile(
        rf"{_WEEKDAY}(?P<m>[^\W\d]{{3,10}})\.?\s(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<y>\d{{4}}){_TIME}"
    ),
)


def _dates(distinct: set[str], habits: Habits) -> _Read | None:
    order = _order(distinct) or habits.order
    moments = {text: _moment(text, order) for text in distinct}
    if any(moment is None for moment in moments.values()):
        return None
    timed = any(moment is not None and moment[1] for moment in moments.values())
    values: dict[str, Cell] = {}
    for text, moment in moments.items():
        if moment is not None:
            values[text] = moment[0].isoformat(" ") if timed else moment[0].date().isoformat()
    return "datetime" if timed else "date", "", values


def _order(distinct: set[str]) -> Order:
    """Whether days or months come first in dates of numbers: only if a number above 12 shows it."""
    days = months = 0
    for text in distinct:
        match = _NUMERIC.fullmatch(text)
        if match is not None and len(match[1]) <= 2:
            days += int(match[1]) > 12
            months += int(match[3]) > 12
    if days and months:
        return ""
    return "dmy" if days else "mdy" if months else ""


def shown_order(cells: Sequence[str | None]) -> Order:
    return _order({cell.strip() for cell in cells if cell})


def _moment(text: str, order: Order) -> tuple[dt.datetime, bool] | None:
    match = _NUMERIC.fullmatch(text)
    if match is not None:
        first, mark, second, third = (match[i] for i in range(1, 5))
        if len(first) == 4:
            year, month, day = first, second, third
        elif len(first) > 2:
            return None
        elif order == "mdy":
            month, day, year = first, second, third
        elif order == "dmy" or mark == ".":
            day, month, year = first, second, third
        else:
            return None
        return _built(match, int(year), int(month), int(day), short=len(year) == 2)
    for pattern in _NAMED:
        match = pattern.fullmatch(text)
        if match is not None:
            month_number = MONTHS.get(folded(match["m"]))
            if month_number is not None:
                year = match["y"]
                return _built(match, int(year), month_number, int(match["d"]), short=len(year) == 2)
    return None


def _built(
    match: re.Match[str], year: int, month: int, day: int, *, short: bool
) -> tuple[dt.datetime, bool] | None:
    if short:
        year += 1900 if year >= 70 else 2000
    hour, half = int(match["hour"] or 0), (match["half"] or "").lower()[:1]
    if half:
        hour = hour % 12 + 12 * (half == "p")
    try:
        moment = dt.datetime(  # noqa: DTZ001 (a file's own clock)
            year, month, day, hour, int(match["minute"] or 0), int(match["second"] or 0)
        )
    except ValueError:
        return None
    return moment, match["hour"] is not None
