"""Reads what rows are compared with: `over 60`, `between 100 and 200`, `since 2022`."""

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.tokens import Days
from router.knowledge.rows.language.words import Sense
from router.knowledge.rows.parts.days import (
    date_field,
    days_at,
    in_year,
    of_year_column,
    year_column,
)
from router.knowledge.rows.parts.measures import measured
from router.knowledge.rows.parts.reader import Reader, take_negation
from router.knowledge.rows.parts.relating import read_so_many
from router.knowledge.rows.query import Condition, Relation
from router.knowledge.rows.schema import Unclear

_SIGNS: dict[str, Relation] = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


_WHEN: dict[str, Relation] = {
    **{"after": "after", "before": "before", "since": "since", "until": "until"},
    **{"gt": "after", "ge": "since", "lt": "before", "le": "until"},
}


def read_comparisons(reader: Reader) -> None:
    kinds = (
        "gt",
        "ge",
        "lt",
        "le",
        "between",
        "after",
        "before",
        "since",
        "until",
        "adj_gt",
        "adj_lt",
    )
    for i in reader.free(*kinds):
        span = reader.items[i]
        if span.used:
            continue
        if span.means("between"):
            _between(reader, i)
            continue
        j = reader.step(i)
        if span.means("lt") and reader.field_at(j, lambda f: f.column.kind == "boolean"):
            reader.take(i)
            span.senses = (Sense("filler"),)  # `not under warranty`
            continue
        if _since_itself(reader, i, j):
            continue
        days = days_at(reader, j)
        amount = reader.items[j].number if j >= 0 else None
        ordered = amount is not None and _after_year(reader, i)
        if days is not None and not ordered and (amount is None or _about_days(reader, i, j)):
            relation = next(_WHEN[k] for k in _WHEN if span.means(k))
            if days.first is None:
                raise Unclear(f"`{span.text} {days.words}` needs a year")
            reader.take(i, j)
            each = date_field(reader, i)
            negated = take_negation(reader, i)
            reader.add(i, j, Condition(each, relation, days=days, negated=negated))
        elif (days is None or ordered) and amount is not None and span.means(*_ORDER):
            _in_order(reader, i, j, amount)
        elif (
            amount is not None
            and j >= 0
            and span.means("gt", "ge", "lt", "le", "adj_gt", "adj_lt", "since", "until")
        ):
            _amount(reader, i, j, amount)


def _since_itself(reader: Reader, place: int, number: int) -> bool:
    """Read `since 2005` of a column of years that is called `Since`."""
    if number < 0 or not reader.items[number].year or not reader.items[place].means(*_ORDER):
        return False
    each = reader.field_at(place, lambda f: f.yearly)
    if each is None:
        return False
    sign = next(_ORDER[k] for k in _ORDER if reader.items[place].means(k))
    reader.take(place, number)
    year = float(reader.items[number].year)
    negated = take_negation(reader, place)
    reader.add(place, number, Condition(each, sign, (year,), negated=negated))
    return True


def _after_year(reader: Reader, place: int) -> bool:
    """Whether the column of years stands before a comparison: `published before 1980`."""
    years, before = year_column(reader.names), reader.step(place, -1)
    if years is None:
        return False
    number = reader.step(place)
    if number >= 0 and reader.items[number].year and of_year_column(reader, place, number):
        return True
    again = reader.base_amount is not None and reader.base_amount.sql == years.sql
    return again or reader.field_at(before, lambda f: f.sql == years.sql) is not None


def _about_days(reader: Reader, place: int, number: int) -> bool:
    """Whether a number such as 2023 after a comparison is a year."""
    span = reader.items[place]
    if span.means("after", "before", "since", "until"):
        return True
    near = [reader.step(place, -1), reader.step(number)]
    return any(reader.field_at(n, lambda f: f.dated) is not None for n in near)


_ORDER: dict[str, Relation] = {"after": ">", "before": "<", "since": ">=", "until": "<="}


def _in_order(reader: Reader, place: int, number: int, amount: float) -> None:
    """`published after 2000`, where a column of numbers holds years."""
    each = reader.field_at(reader.step(place, -1), lambda f: f.column.kind == "integer")
    years = year_column(reader.names)
    if each is None and years is not None and reader.items[number].year:
        reader.take(place, number)
        sign = next(_ORDER[k] for k in _ORDER if reader.items[place].means(k))
        negated = take_negation(reader, place)
        reader.add(place, number, Condition(years, sign, (amount,), negated=negated))
        return
    if (
        each is None
        and reader.base_amount is not None
        and reader.base_amount.column.kind == "integer"
    ):
        reader.take(place, number)
        sign = next(_ORDER[k] for k in _ORDER if reader.items[place].means(k))
        reader.add(place, number, Condition(reader.base_amount, sign, (amount,)))
        return
    if each is None or not amount.is_integer() or not 1000 <= amount <= 2200:
        return
    sign = next(_ORDER[k] for k in _ORDER if reader.items[place].means(k))
    start = reader.step(place, -1)
    reader.take(start, place, number)
    negated = take_negation(reader, start)
    reader.add(start, number, Condition(each, sign, (amount,), negated=negated))


def _amount(reader: Reader, place: int, number: int, amount: float) -> None:
    span = reader.items[place]
    adjective = next((s for s in span.senses if s.kind in ("adj_gt", "adj_lt")), None)
    sign = next((_SIGNS[k] for k in _SIGNS if span.means(k)), None)
    if sign is None:
        if adjective is None:
            return
        sign = ">" if adjective.kind == "adj_gt" else "<"
    reader.take(place, number)
    if adjective is None and read_so_many(reader, place, number, sign, amount):
        return
    each, end = measured(reader, place, number, adjective.value if adjective else "")
    if adjective is not None and {"year", "ano"} & {*name_words(each.name)}:
        raise Unclear(f"`{span.text} {reader.items[number].text}`: say before or after")
    following = end + 1
    negated = take_negation(reader, place)
    reader.add(place, max(end, following - 1), Condition(each, sign, (amount,), negated=negated))


def _between(reader: Reader, place: int) -> None:
    low = reader.step(place)
    joint = reader.step(low) if low >= 0 else -1
    if joint >= 0 and not reader.items[joint].means("and") and reader.items[joint].means("col"):
        joint = reader.step(joint)
    ranged = joint >= 0 and reader.items[joint - 1].words in (("to",), ("a",))
    if ranged and reader.items[joint].number is not None:
        joint -= 1  # `between 300 and 400` as `between 300-400`
    high = reader.step(joint) if joint >= 0 else -1
    if high < 0 or not (ranged or reader.items[joint].means("and")):
        raise Unclear(f"`{reader.items[place].text}` needs two ends")
    first, last = days_at(reader, low), days_at(reader, high)
    first = first or _day_of_month(reader.items[low].number, last)
    a, b = reader.items[low].number, reader.items[high].number
    by_days = first is not None and last is not None
    if by_days and (a is None or b is None or _year_like(reader, place, high)):
        if first is None or last is None:
            raise Unclear("a span of days needs two ends")
        if a is not None and b is not None and _between_years(reader, place, high, (a, b)):
            reader.take(low, joint, high)
            return
        if first.first is None and last.first is not None:
            first = in_year(first, last.first.year)
        if first.first is None or last.first is None:
            raise Unclear(f"{first.words} to {last.words}: name the year")
        reader.take(place, low, joint, high)
        each = date_field(reader, place)
        negated = take_negation(reader, place)
        reader.add(place, high, Condition(each, "during", days=first, last=last, negated=negated))
        return
    if a is None or b is None:
        raise Unclear(f"`{reader.items[place].text}` needs two numbers or two dates")
    reader.take(place, low, joint, high)
    each, end = measured(reader, place, high, "")
    negated = take_negation(reader, place)
    reader.add(place, end, Condition(each, "between", (min(a, b), max(a, b)), negated=negated))


def _between_years(reader: Reader, place: int, high: int, span: tuple[float, float]) -> bool:
    """Read `between 1950 and 1960` where a column of numbers holds years."""
    years = year_column(reader.names)
    if years is None or not of_year_column(reader, place, high, ranged=True):
        return False
    reader.take(place)
    negated = take_negation(reader, place)
    reader.add(place, high, Condition(years, "between", span, negated=negated))
    return True


def _day_of_month(number: float | None, last: Days | None) -> Days | None:
    """The first day of `between 19 and 22 June 2025`."""
    if number is None or last is None or last.first is None or last.first != last.last:
        return None
    if not number.is_integer() or not 1 <= number <= last.first.day:
        return None
    day = last.first.replace(day=int(number))
    return Days(day, day, words=day.isoformat())


def _year_like(reader: Reader, place: int, number: int) -> bool:
    near = [reader.step(place, -1), reader.step(number)]
    return not any(reader.field_at(n, lambda f: f.numeric) is not None for n in near)
