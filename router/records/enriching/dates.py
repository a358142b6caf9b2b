"""Ages, dates of birth, and moments that follow each other, such as order and delivery."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from router.records.concepts import ORDERED
from router.records.enriching.facts import Facts, bounds, check_year
from router.records.nodes import Node, OneOf, ShapeLeaf

# The most days between a moment and the moment before it.
_GAPS = {
    "hired": 20_000, "end": 21, "updated": 400, "shipped": 5, "delivered": 7, "due": 45,
    "created": 20_000, "response": 2, "paid": 30, "terminated": 4_000, "cancelled": 300,
    "next_date": 180,
}  # fmt: skip
_EARLIEST = dt.date(2021, 1, 1)
_OLDEST = 1_500  # years; the calendar of `datetime` begins with the year 1
_AT_WORK = frozenset(("job", "department", "salary", "hired", "contract_type"))
_MOMENTS = frozenset(("date", "datetime"))
_MOST_DAYS = 40_000  # of a span
Window = tuple[dt.datetime, dt.datetime]


def _age(facts: Facts, node: Node) -> int:
    born, year = facts.day("birth_date"), facts.values.get("birth_year")
    if born is not None:
        return _years(born, facts.as_of)
    if isinstance(year, int):
        return facts.as_of.year - year
    low, high = bounds(node, *_usual_ages(facts))
    return facts.random.randint(round(low), round(high))


def _usual_ages(facts: Facts) -> tuple[int, int]:
    """Pupils go to school, and employees are not retired."""
    here = {*facts.nodes, *facts.values}
    if "school_year" in here:
        return 7, 17
    return (21, 64) if _AT_WORK & here else (18, 90)


def _birth_date(facts: Facts, _: Node) -> str:
    age, year = facts.values.get("age"), facts.values.get("birth_year")
    if not isinstance(age, int) or isinstance(age, bool) or not 0 <= age <= 150:
        if isinstance(year, int):
            check_year("birth_year", year)
            return dt.date(year, 1, 1 + facts.random.randint(0, 27)).isoformat()
        low, high = bounds(facts.nodes.get("age"), *_usual_ages(facts))
        low, high = (min(max(round(years), 0), _OLDEST) for years in (low, high))
        age = facts.random.randint(low, high)
        hired = facts.day("hired")
        if hired is not None:
            age = max(age, _years(hired, facts.as_of) + 19)
    last = _years_before(facts.as_of, age)
    first = _years_before(facts.as_of, age + 1) + dt.timedelta(days=1)
    return _day_between(facts, first, last).isoformat()


def _birth_year(facts: Facts, node: Node) -> int:
    born = facts.values.get("birth_date") or _birth_date(facts, node)
    facts.values.setdefault("birth_date", born)
    return int(str(born)[:4])


AGES: Mapping[str, Callable[[Facts, Node], Any]] = {
    "age": _age,
    "birth_date": _birth_date,
    "birth_year": _birth_year,
}


def moment(facts: Facts, concept: str, node: Node, window: Window | None = None) -> str:
    """A moment after every earlier moment of the record, and before every later moment; where it
    has no neighbours, in the window."""
    if concept == "end" and (end := _end_of_span(facts, node)) is not None:
        return end
    earlier = [_adult(before, m) for before, m in _neighbours(facts, concept, earlier=True)]
    later = [m for _, m in _neighbours(facts, concept, earlier=False)]
    first = window[0] if window else dt.datetime.combine(_EARLIEST, dt.time())
    last = window[1] if window else dt.datetime.combine(facts.as_of, dt.time())
    if earlier:
        first = max(earlier)
        last = first + dt.timedelta(days=_GAPS.get(concept, 30))
        if concept in ("hired", "created") and window is not None:
            first, last = max(first, window[0]), max(window[1], first)
        elif concept not in ("due", "end", "next_date"):
            last = min(last, max(first, dt.datetime.combine(facts.as_of, dt.time())))
    if later:
        last = min(later) if not earlier else min(last, min(later))
        if not earlier:
            days = 30 if concept != "birth_date" else 9_000
            first = last - dt.timedelta(days=days)
    first = min(first, last)
    whole_days = not _has_clock(node, facts, concept)
    if whole_days:
        return _day_between(facts, first.date(), last.date()).isoformat()
    seconds = int((last - first).total_seconds())
    made = first + dt.timedelta(seconds=facts.random.randint(0, seconds // 60) * 60)
    return f"{made.isoformat(timespec='seconds')}+00:00"


def _end_of_span(facts: Facts, node: Node) -> str | None:
    """The end of what starts, where the record says how long it lasts."""
    start = _moment_of(facts, "start")
    if start is None:
        return None
    days, weeks, months, minutes = (
        facts.number(concept) for concept in ("days", "weeks", "months", "duration")
    )
    clock = _has_clock(node, facts, "end")
    if minutes is not None and clock:
        return f"{(start + dt.timedelta(minutes=minutes)).isoformat(timespec='seconds')}+00:00"
    if weeks is not None and days is None:
        days = weeks * 7
    if days is not None and 0 <= days <= _MOST_DAYS:
        end = start + dt.timedelta(days=days - facts.both_ends)
    elif months is not None and 0 <= months <= _MOST_DAYS / 30:
        end = _months_later(start, int(months))
    else:
        return None
    return f"{end.isoformat(timespec='seconds')}+00:00" if clock else end.date().isoformat()


def _months_later(start: dt.datetime, months: int) -> dt.datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    try:
        return start.replace(year=year, month=month + 1)
    except ValueError:  # the 31st
        return start.replace(year=year, month=month + 1, day=28)


def _days(facts: Facts, _: Node) -> int | None:
    start, end = facts.day("start"), facts.day("end")
    return None if start is None or end is None else (end - start).days + facts.both_ends


def _body_weight(facts: Facts, _: Node) -> float | None:
    """A weight that goes with the height, in centimetres or metres."""
    height = facts.number("height")
    if height is None or height <= 0:
        return None
    metres = height if height < 3 else height / 100
    return round(facts.random.uniform(19, 31) * metres**2, 1)


def _weeks(facts: Facts, node: Node) -> int | None:
    days = _days(facts, node)
    return None if days is None else round(days / 7)


def _months(facts: Facts, node: Node) -> int | None:
    days = _days(facts, node)
    return None if days is None else round(days / 30.44)


def _minutes(facts: Facts, _: Node) -> int | None:
    start, end = _moment_of(facts, "start"), _moment_of(facts, "end")
    if start is None or end is None or not all(_says_time(facts, c) for c in ("start", "end")):
        return None
    return int((end - start).total_seconds() // 60)


def _says_time(facts: Facts, concept: str) -> bool:
    return "T" in str(facts.values.get(concept))


def _days_late(facts: Facts, _: Node) -> int | None:
    due, end = facts.day("due"), facts.day("end") or facts.day("delivered")
    return None if due is None or end is None else max((end - due).days, 0)


def _resolution_hours(facts: Facts, _: Node) -> float | None:
    opened, end = (
        _moment_of(facts, "created") or _moment_of(facts, "start"),
        _moment_of(facts, "end"),
    )
    if opened is None or end is None or not _says_time(facts, "end"):
        return None
    return round((end - opened).total_seconds() / 3600, 1)


SPANS: Mapping[str, Callable[[Facts, Node], Any]] = {
    "days": _days,
    "weeks": _weeks,
    "months": _months,
    "duration": _minutes,
    "days_late": _days_late,
    "resolution_hours": _resolution_hours,
    "body_weight": _body_weight,
}


def _neighbours(facts: Facts, concept: str, *, earlier: bool) -> list[tuple[str, dt.datetime]]:
    """The known moments that must come before, or after, this concept's moment."""
    pairs = ((a, b) if earlier else (b, a) for a, b in ORDERED)
    names = [other for other, own in pairs if own == concept]
    moments = ((name, _moment_of(facts, name)) for name in names)
    return [(name, moment) for name, moment in moments if moment is not None]


def _adult(concept: str, moment: dt.datetime) -> dt.datetime:
    return moment + dt.timedelta(days=18 * 366) if concept == "birth_date" else moment


def _moment_of(facts: Facts, concept: str) -> dt.datetime | None:
    day = facts.day(concept)
    if day is None:
        return None
    text = str(facts.values[concept]).replace("Z", "").partition("+")[0]
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return dt.datetime.combine(day, dt.time())


def _has_clock(node: Node, facts: Facts, concept: str) -> bool:
    node = moment_leaf(node) or node
    if isinstance(node, ShapeLeaf) and node.kind == "datetime":
        return True
    if isinstance(node, ShapeLeaf) and any(":" in str(e) for e in node.examples):
        return True
    if isinstance(node, ShapeLeaf) and node.kind == "date":
        return False
    neighbours = (facts.values.get(name) for pair in ORDERED if concept in pair for name in pair)
    return any("T" in str(value) for value in neighbours if value)


def moment_leaf(node: Node) -> ShapeLeaf | None:
    """The leaf of a day or moment that a field is, perhaps beside null."""
    leaves = node.nodes if isinstance(node, OneOf) else (node,)
    return next((n for n in leaves if isinstance(n, ShapeLeaf) and n.kind in _MOMENTS), None)


def _day_between(facts: Facts, first: dt.date, last: dt.date) -> dt.date:
    return first + dt.timedelta(days=facts.random.randint(0, max((last - first).days, 0)))


def _years(born: dt.date, day: dt.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _years_before(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # born on the 29th of February
        return day.replace(year=day.year - years, day=28)
