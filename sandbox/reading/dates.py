"""Reads dates and periods in the forms in which people write them."""

import calendar
import datetime as dt
import re

from sandbox.reading import patterns

_MONTHS = {name.lower(): i for i, name in enumerate(calendar.month_name) if name} | {
    name.lower(): i for i, name in enumerate(calendar.month_abbr) if name
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
DATE = (
    rf"(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{4}}/\d{{1,2}}/\d{{1,2}}|(?:{_MONTH})\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|"
    rf"\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTH})\.?,? \d{{4}}|(?:{_MONTH})\.? \d{{4}}|\b(?:19|20)\d\d\b)"
)


def first_and_last(text: str) -> tuple[dt.date, dt.date] | None:
    """The first and last day of a day, month or year; None if the text names no real date."""
    text = text.strip().lower()
    try:
        if patterns.fullmatch(r"\d{4}", text):
            return dt.date(int(text), 1, 1), dt.date(int(text), 12, 31)
        if patterns.match(r"\d{4}[-/]", text):
            year, month, day = map(int, patterns.split("[-/]", text))
            return (dt.date(year, month, day),) * 2
        month = next(_MONTHS[word] for word in patterns.findall(r"[a-z]+", text) if word in _MONTHS)
        figures = [int(figure) for figure in patterns.findall(r"\d+", text)]
        if len(figures) == 1:
            last = calendar.monthrange(figures[0], month)[1]
            return dt.date(figures[0], month, 1), dt.date(figures[0], month, last)
        year, day = max(figures), min(figures)
        return (dt.date(year, month, day),) * 2
    except (ValueError, StopIteration):
        return None


def period(text: str) -> tuple[dt.date, dt.date] | None:
    """Read a period such as `between A and B`, `from A to B`, `in 2024` or `during March 2023`."""
    both = patterns.search(rf"({DATE})\s*+(?:and|to|-|through|until|till)\s*+({DATE})", text, re.I)
    if both:
        first, last = first_and_last(both[1]), first_and_last(both[2])
        return (first[0], last[1]) if first and last and first[0] <= last[1] else None
    single = patterns.search(
        rf"\b(?:in|during|within|of|for|over|throughout)\s++(?:the year )?({DATE})", text, re.I
    )
    return first_and_last(single[1]) if single else None
