"""Finds how a column becomes a date or a moment; asks where day and month can be either. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.migrating import moments
from router.records.migrating.fields import Column, Conversion, step
from router.records.migrating.unfit import Unfit

_FIRST_DAY, _LAST_DAY = 10_000, 60_000  # of a spreadsheet: 1927 to 2064
_SPANISH_DATES = frozenset(
    ["fecha", "alta", "nacimiento", "dia", "inicio", "fin", "vencimiento", "entrega"]
)


def to_moment(column: Column, form: str) -> Conversion:
    orders, warning = orders_of(column)
    name = column.name
    if form == "date" and _has_times(column, orders[0]):
        warning = "; ".join(filter(None, (warning, "the time of day is left out")))
    if form == "date-time" and not _has_zones(column, orders[0]):
        warning = "; ".join(filter(None, (warning, "times without a zone are taken as UTC")))
    made = {order or "as written": (step(form, order=order),) for order in orders}
    if len(made) == 1:
        return Conversion(next(iter(made.values())), warning=warning)
    example = next(t for t in column.texts if moments.is_parted(t))
    question = f"Is {example} in {name} the day first or the month first? No record decides."
    return Conversion(question=question, choices=made, warning=warning)


def certain_order(values: Sequence[Any]) -> str:
    """The order of day and month that these values show; empty if they show none, or both."""
    texts = [value for value in values if isinstance(value, str)]
    shown = {order for text in texts if len(its := moments.orders(text)) == 1 for order in its}
    return shown.pop() if len(shown) == 1 else ""


def orders_of(column: Column) -> tuple[list[str], str]:
    """The orders of day and month that all values allow; a warning where habit decides."""
    if (counted := _counted(column)) is not None:
        return [counted], f"numbers are taken as {counted}"
    parted = [text for text in column.texts if moments.is_parted(text)]
    warning = "years of two digits are taken as 1970 to 2069"
    warning = warning if any(map(moments.short_year, parted)) else ""
    readings = [moments.orders(text) for text in parted if moments.orders(text)]
    day = any(r == {moments.DAY_FIRST} for r in readings)
    month = any(r == {moments.MONTH_FIRST} for r in readings)
    if not readings:
        return [""], warning
    if day != month:
        return [moments.DAY_FIRST if day else moments.MONTH_FIRST], warning
    both = [moments.DAY_FIRST, moments.MONTH_FIRST]
    if not day and column.order:
        habit = "day and month stand as in the other dates of the source"
        return [column.order], "; ".join(filter(None, (warning, habit)))
    if not day:
        same = all(
            moments.moment(text.split()[0], both[0]) == moments.moment(text.split()[0], both[1])
            for text in parted
            if len(moments.orders(text)) == 2
        )
        if same:
            return both[:1], warning
        spanish = column.spanish or bool(set(words_of(column.path[-1])) & _SPANISH_DATES)
        if spanish or all("." in text.split()[0] for text in parted):
            habit = "the day is taken to stand first, as in Spanish or with dots"
            return both[:1], "; ".join(filter(None, (warning, habit)))
    return both, warning


def _counted(column: Column) -> str | None:
    """What the values count: seconds or milliseconds since 1970, or a spreadsheet's days."""
    counts: list[float] = []
    others = 0
    for value in column.tried:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        if isinstance(value, str) and not re.fullmatch(r"\d{5,13}(?:\.\d{1,9})?|0", value):
            others += 1
            continue
        counts.append(float(value))
    large = [count for count in counts if count]
    if others >= len(large):
        return None
    if large and all(1e8 <= count < 5e9 for count in large):
        return moments.SECONDS
    if large and all(1e11 <= count < 5e12 for count in large):
        return moments.MILLISECONDS
    if large and all(_FIRST_DAY <= count < _LAST_DAY for count in large):
        return moments.EXCEL
    return None


def _has_times(column: Column, order: str) -> bool:
    return any(
        time and time.replace(tzinfo=None).isoformat() != "00:00:00"
        for time in _times(column, order)
    )


def _has_zones(column: Column, order: str) -> bool:
    times = _times(column, order)
    return bool(times) and all(time and time.tzinfo for time in times)


def _times(column: Column, order: str) -> list[Any]:
    times = []
    for value in column.tried:
        try:
            times.append(moments.moment(value, order)[1])
        except Unfit:
            continue
    return times
