"""Reads dates and times as people write them, in a stated order of day and month. Pure."""

import datetime as dt
import re
from typing import Any

from router.records.catalogue.tables import plain
from router.records.migrating.unfit import Unfit

DAY_FIRST, MONTH_FIRST = "day/month/year", "month/day/year"
SECONDS, MILLISECONDS = "seconds since 1970", "milliseconds since 1970"
EXCEL = "days of a spreadsheet"  # since 30 December 1899, as Excel counts them
_FIRST = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)
PARTS = ("year", "month", "day", "hour", "time")
_MONTHS = (
    "jan january ene enero", "feb february febrero", "mar march marzo", "apr april abr abril",
    "may mayo", "jun june junio", "jul july julio", "aug august ago agosto",
    "sep sept september septiembre setiembre", "oct october octubre", "nov november noviembre",
    "dec december dic diciembre",
)  # fmt: skip
_MONTH = {word: at for at, words in enumerate(_MONTHS, 1) for word in words.split()}
_PARTED = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})")
_YEAR_FIRST = re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})")
_TOGETHER = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_TIME = re.compile(
    r"(\d{1,2})(?::|h|\.)(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)? ?(a\.?m\.?|p\.?m\.?)? ?"
    r"(z|utc|gmt|[+-]\d\d:?\d\d)?h?\.?",
    re.I,
)
_HOUR = re.compile(r"(\d{1,2}) ?(a\.?m\.?|p\.?m\.?)", re.I)
_LONGEST = 60


def orders(text: str) -> frozenset[str]:
    """The orders of day and month in which a text with slashes, dots or dashes is a date."""
    match = _PARTED.match(text.strip())
    if match is None:
        return frozenset()
    return frozenset(o for o in (DAY_FIRST, MONTH_FIRST) if _parted(match, o) is not None)


def is_parted(text: str) -> bool:
    return _PARTED.match(text.strip()) is not None


def short_year(text: str) -> bool:
    match = _PARTED.match(text.strip())
    return match is not None and len(match[3]) == 2


def _parted(match: re.Match[str], order: str) -> dt.date | None:
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    day, month = (first, second) if order == DAY_FIRST else (second, first)
    if len(match[3]) == 2:
        year += 2000 if year < 70 else 1900
    return _date(year, month, day)


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def moment(value: Any, order: str = "") -> tuple[dt.date, dt.time | None]:
    """The date and, where there is any, the time of a value; `Unfit` if that is not certain."""
    if order in (SECONDS, MILLISECONDS, EXCEL):
        return _counted(value, order)
    if not isinstance(value, str) or len(value) > _LONGEST:
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and _TOGETHER.fullmatch(str(value))
        ):
            value = str(value)
        else:
            raise Unfit(f"{value!r:.60} is no date")
    text = " ".join(value.split())
    date, rest = _date_and_rest(text, order)
    if date is None:
        raise Unfit(f"{value!r:.60} is no date" + (f" as {order}" if is_parted(text) else ""))
    rest = rest.strip(" ,Tt").removeprefix("a las ").removeprefix("at ")
    if not rest:
        return date, None
    time = time_of(rest)
    if time is None:
        raise Unfit(f"{value!r:.60} is no date: {rest!r:.30} is beside it")
    return date, time


def _counted(value: Any, order: str) -> tuple[dt.date, dt.time | None]:
    try:
        count = float(value)
        if order == EXCEL:
            day = _FIRST + dt.timedelta(seconds=round(count * 86400))
            return day.date(), None if count == int(count) else day.time()
        at = dt.datetime.fromtimestamp(count / (1000 if order == MILLISECONDS else 1), dt.UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise Unfit(f"{value!r:.60} counts no {order}") from None
    return at.date(), at.timetz()


_YEAR_MONTH = re.compile(r"(\d{4})[/.\-](\d{1,2})|(\d{1,2})[/.\-](\d{4})")


def year_and_month(value: Any) -> tuple[int, int]:
    """The month that a text such as `05/2025`, `2025-5` or `Mar 2019` names."""
    text = plain(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST else ""
    match, words = _YEAR_MONTH.fullmatch(text), re.findall(r"[^\s,./\-]+", text)
    words = [word for word in words if word not in ("de", "del", "of")]
    if match:
        year, month = (match[1], match[2]) if match[1] else (match[4], match[3])
        if 1 <= int(month) <= 12:
            return int(year), int(month)
    elif len(words) == 2:
        for name, year in (words, words[::-1]):
            if name in _MONTH and re.fullmatch(r"[12]\d{3}", year):
                return int(year), _MONTH[name]
    raise Unfit(f"{value!r:.60} is no month of a year")


def is_month(text: str) -> bool:
    try:
        return bool(year_and_month(text))
    except Unfit:
        return False


def part_of(value: Any, part: str, order: str = "") -> int | str:
    """The year, month, day, hour or time of a date; also of `Mar 2019`, which has no day."""
    if part == "year" and re.fullmatch(r"[12]\d{3}", str(value).strip()):
        return int(str(value))
    try:
        date, time = moment(value, order)
    except Unfit:
        if part not in ("year", "month"):
            raise
        return year_and_month(value)[("year", "month").index(part)]
    if part in ("year", "month", "day"):
        return int(getattr(date, part))
    if time is None:
        raise Unfit(f"{value!r:.60} has no time of day")
    return time.hour if part == "hour" else time.isoformat("minutes" if not time.second else "auto")


def _date_and_rest(text: str, order: str) -> tuple[dt.date | None, str]:
    if match := _YEAR_FIRST.match(text):
        return _date(int(match[1]), int(match[2]), int(match[3])), text[match.end() :]
    if match := _PARTED.match(text):
        return (_parted(match, order) if order else None), text[match.end() :]
    if match := _TOGETHER.match(text):
        return _date(int(match[1]), int(match[2]), int(match[3])), text[match.end() :]
    return _in_words(text)


def _in_words(text: str) -> tuple[dt.date | None, str]:
    """`5 Mar 2024`, `March 5th, 2024`, `lunes, 5 de marzo de 2024`, `05-mar-24`."""
    text = plain(text)
    day = month = year = 0
    for place in re.finditer(r"[^ ,./\-]+", text):
        token = place[0]
        digits = re.match(r"(\d{1,4})(?:st|nd|rd|th|o)?\Z", token)
        if token in _MONTH and not month:
            month = _MONTH[token]
        elif digits and len(digits[1]) == 4 and not year:
            year = int(digits[1])
        elif digits and not day and len(digits[1]) <= 2:
            day = int(digits[1])
        elif digits and day and month and not year and len(digits[1]) == 2:
            year = int(digits[1]) + (2000 if int(digits[1]) < 70 else 1900)
        elif token not in ("de", "del", "of", "the") and token[:3] not in _DAYS:
            return None, ""
        if day and month and year:
            return _date(year, month, day), text[place.end() :]
    return None, ""


_DAYS = frozenset([
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "lun", "mar", "mie", "jue", "vie", "sab",
    "dom"
])  # fmt: skip


def time_of(text: str) -> dt.time | None:
    """The time of day that a text holds; None if it holds none."""
    text = text.strip()
    if match := _HOUR.fullmatch(text):
        hour, minute, second, micro, half, zone = int(match[1]), 0, 0, 0, match[2], None
    elif match := _TIME.fullmatch(text):
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        micro = int((match[4] or "0")[:6].ljust(6, "0"))
        half, zone = match[5], match[6]
    else:
        return None
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower().startswith("p") else 0)
    try:
        return dt.time(hour, minute, second, micro, tzinfo=_zone(zone))
    except ValueError:
        return None


def _zone(text: str | None) -> dt.tzinfo | None:
    if not text:
        return None
    if text.lower() in ("z", "utc", "gmt"):
        return dt.UTC
    digits = text[1:].replace(":", "")
    offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-offset if text[0] == "-" else offset)


def written(date: dt.date, time: dt.time | None, *, zone: str = "") -> str:
    """A moment in ISO 8601; a time without a zone gets `zone`."""
    clock = (time or dt.time()).isoformat()
    if (time is None or time.tzinfo is None) and zone:
        clock += zone
    return f"{date.isoformat()}T{clock.replace('+00:00', 'Z')}"
