"""Ages, dates of birth, and moments that follow each other, such as order and delivery."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from router.records.concepts import ORDERED
from router.records.enriching.facts import Facts, bounds, check_year
from router.records.nodes import Node, ShapeLeaf

# The most days between a moment and the moment before it.
_GAPS = {"hired": 20_000, "end": 60, "updated": 400, "shipped": 5, "delivered": 14}
_EARLIEST = dt.date(2021, 1, 1)
_OLDEST = 1_500  # years; the calendar of `datetime` begins with the year 1


def _age(facts: Facts, node: Node) -> int:
    born, year = facts.day("birth_date"), facts.values.get("birth_year")
    if born is not None:
        return _years(born, facts.as_of)
    if isinstance(year, int):
        return facts.as_of.year - year
    low, high = bounds(node, 18, 90)
    return facts.random.randint(round(low), round(high))


def _birth_date(facts: Facts, _: Node) -> str:
    age, year = facts.values.get("age"), facts.values.get("birth_year")
    if not isinstance(age, int) or isinstance(age, bool) or not 0 <= age <= 150:
        if isinstance(year, int):
            check_year("birth_year", year)
            return dt.date(year, 1, 1 + facts.random.randint(0, 27)).isoformat()
        low, high = bounds(facts.nodes.get("age"), 18, 90)
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


def moment(facts: Facts, concept: str, node: Node) -> str:
    """A day after every earlier moment of the record, and before every later moment."""
    earliest, latest = _EARLIEST, facts.as_of
    for before, after in ORDERED:
        if after == concept and (day := facts.day(before)) is not None:
            gap = 18 * 366 if before == "birth_date" else 0
            earliest = max(earliest if gap == 0 else day, day + dt.timedelta(days=gap))
            latest = min(max(latest, earliest), earliest + dt.timedelta(days=_GAPS[concept]))
        if before == concept and (day := facts.day(after)) is not None:
            latest = day
            earliest = day - dt.timedelta(days=30)
    day = _day_between(facts, min(earliest, latest), latest)
    neighbours = (facts.values.get(name) for pair in ORDERED if concept in pair for name in pair)
    neighbour = next((value for value in neighbours if value), "")
    if (isinstance(node, ShapeLeaf) and node.kind == "datetime") or "T" in str(neighbour):
        comes_later = any(concept == after for _, after in ORDERED)
        clock = "23:59:59" if comes_later else "00:00:00"
        return f"{day.isoformat()}T{clock}+00:00"
    return day.isoformat()


def _day_between(facts: Facts, first: dt.date, last: dt.date) -> dt.date:
    return first + dt.timedelta(days=facts.random.randint(0, (last - first).days))


def _years(born: dt.date, day: dt.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _years_before(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # born on the 29th of February
        return day.replace(year=day.year - years, day=28)
