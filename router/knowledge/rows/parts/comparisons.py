"""Reads what numbers of rows are compared with: `over 60`, `between 100 and 200`, `2 or more`."""

from router.knowledge.rows.language.column_words import KEYS, name_words
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.tokens import Days
from router.knowledge.rows.language.words import Sense, concept_kind
from router.knowledge.rows.parts.columns import is_key
from router.knowledge.rows.parts.days import date_field, days_at, in_year, year_column
from router.knowledge.rows.parts.reader import (
    Reader,
    either,
    other_unit,
    take_negation,
    vague_amount,
)
from router.knowledge.rows.parts.relating import read_so_many
from router.knowledge.rows.query import Condition, Relation
from router.knowledge.rows.schema import Unclear

_SIGNS: dict[str, Relation] = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


_WHEN: dict[str, Relation] = {
    **{"after": "after", "before": "before", "since": "since", "until": "until"},
    **{"gt": "after", "ge": "since", "lt": "before", "le": "until"},
}


_WITH = frozenset(
    (
        *("with", "having", "of", "have", "has", "had", "got", "get", "gets", "gave"),
        *("con", "de", "tiene", "tienen", "tuvo", "tuvieron"),
    )
)


_CURRENCIES = {"eur": "€", "dol": "$", "usd": "$", "pou": "£", "gbp": "£", "lib": "£"}


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


def _after_year(reader: Reader, place: int) -> bool:
    """Whether the column of years stands before a comparison: `published before 1980`."""
    years, before = year_column(reader.names), reader.step(place, -1)
    if years is None:
        return False
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
    each, end = _measured(reader, place, number, adjective.value if adjective else "")
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
    each, end = _measured(reader, place, high, "")
    negated = take_negation(reader, place)
    reader.add(place, end, Condition(each, "between", (min(a, b), max(a, b)), negated=negated))


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


def _measured(reader: Reader, place: int, number: int, concept: str) -> tuple[Field, int]:
    """The column that a number is compared with, and the last span that names it."""
    each, end = _named_measure(reader, place, number, concept)
    unit = reader.items[number].piece.unit or next(
        (
            _CURRENCIES[s.words[0][:3]]
            for s in reader.items[number : end + 2]
            if s.means("currency")
        ),
        "",
    )
    key = each.unique and not KEYS.isdisjoint(name_words(each.name))
    if unit and unit != each.column.unit and (unit == "%" or each.column.unit or key):
        raise Unclear(f"`{each.name}` is not in {unit}")
    return each, end


def _named_measure(reader: Reader, place: int, number: int, concept: str) -> tuple[Field, int]:
    """The column that stands beside a number, or that its unit or adjective says."""
    if concept:
        fields = [f for f in reader.names.fields if f.numeric and reader.names.has(f, concept)]
        if len(fields) == 1:
            after = reader.step(number)
            if after >= 0 and reader.field_at(after, lambda f: f.sql == fields[0].sql):
                reader.take(after)
                return fields[0], after
            return fields[0], number
        beside = _behind(reader, number, reader.step(number)) if not fields else None
        if beside is not None and concept == "duration":
            return beside  # `longer than 800 pages`
        if concept != "age" or len(fields) > 1:
            raise Unclear(f"`{reader.items[place].text}` fits no single column")
    unit = reader.items[number].piece.unit
    after = reader.step(number)
    if after >= 0 and reader.items[after].means("currency"):
        unit = _CURRENCIES[reader.items[after].words[0][:3]]
        reader.take(after)
        number, after = after, reader.step(after)
    beside = _behind(reader, number, after) or _in_front(reader, place, number)
    if beside and after >= 0 and reader.items[after].means("unit") and not reader.items[after].used:
        if other_unit(reader.items[after].words, beside[0]):
            raise Unclear(
                f"`{beside[0].name}` does not say that it is in {reader.items[after].text}"
            )
        reader.take(after)
        beside = beside[0], max(after, beside[1])
    near = [n for n in (reader.step(place, -1), after) if n >= 0]
    if beside and any(vague_amount(reader, n, beside[0]) for n in near):
        raise Unclear(f"the amount may be `{beside[0].name}` or a total")
    each = beside[0] if beside else _unnamed(reader, number, unit)
    if each is None:
        amount = reader.items[number].text
        raise Unclear(f"it does not say which column `{amount}` is compared with")
    return each, beside[1] if beside else number


def _again(reader: Reader, number: int) -> Field | None:
    """The column of the question before, if no noun behind the number says another."""
    after = reader.step(number)
    noun = after >= 0 and reader.items[after].means("entity", "foreign")
    return None if noun else reader.base_amount


def _unnamed(reader: Reader, number: int, unit: str) -> Field | None:
    """The column of a number that stands alone: of money, of ages, or of the question before."""
    return _by_unit(reader, unit) or _age(reader, number, unit) or _again(reader, number)


def _behind(reader: Reader, number: int, after: int) -> tuple[Field, int] | None:
    """The column behind a number: `more than 5 units`, `60 minutes spent`."""
    if not 0 <= after <= number + 2 or reader.items[after].used:
        return None
    each = reader.field_at(after, lambda f: f.numeric)
    if each is None:
        return None
    reader.take(after)
    again = reader.step(after)
    if again >= 0 and reader.field_at(again, lambda f: f.sql == each.sql) is not None:
        reader.take(again)
        return each, again
    return each, after


def _in_front(reader: Reader, place: int, number: int) -> tuple[Field, int] | None:
    """The column in front of a comparison: `total over 100`."""
    before = reader.step(place, -1)
    if before >= 0 and reader.items[before].means("neg"):
        before = reader.step(before, -1)
    each = reader.field_at(before, lambda f: f.numeric)
    if each is None:
        return None
    reader.take(before)
    return each, number


def _by_unit(reader: Reader, unit: str) -> Field | None:
    """The only column of money, or the only total, for an amount of money."""
    if unit not in ("€", "$", "£"):
        return None
    names = reader.names
    numeric = [f for f in names.fields if f.numeric]
    money = [f for f in numeric if f.column.unit == unit]
    money = money or [f for f in numeric if names.has(f, *concept_kind("money"))]
    totals = [f for f in money if names.has(f, "total")]
    for fields in (money, totals):
        if len(fields) == 1:
            return fields[0]
    if money:
        raise Unclear(f"the amount may be {either(f.name for f in money)}")
    return None


_ANYONE = frozenset(("anyone", "anybody", "everyone", "everybody", "someone"))


def _age(reader: Reader, number: int, unit: str) -> Field | None:
    """`members over 60`: a bare number of people is their age."""
    names = reader.names
    ages = [f for f in names.fields if f.numeric and names.has(f, "age")]
    person = names.people
    named = any(
        span.means("entity", "who") or not _ANYONE.isdisjoint(span.words)
        for span in reader.items[:number]
    )
    amount = reader.items[number].piece.number or 0
    return ages[0] if person and named and len(ages) == 1 and not unit and amount <= 120 else None


def read_numbers(reader: Reader) -> None:
    """`CSAT of 1 or 2`, `with 2 children`, `3 or more units`."""
    for i, span in enumerate(reader.items):
        if span.used or span.number is None:
            continue
        after = reader.step(i)
        if _from_to(reader, i, span.number):
            continue
        if after >= 0 and reader.items[after].means("or_more", "or_less"):
            sign: Relation = ">=" if reader.items[after].means("or_more") else "<="
            reader.take(i, after)
            if read_so_many(reader, i, after, sign, span.number):
                continue
            each, end = _measured(reader, i, after, "")
            reader.add(i, end, Condition(each, sign, (span.number,)))
        elif not _equal_before(reader, i) and not _of_amount(reader, i, span.number):
            _equal_behind(reader, i, span.number)


def _equal_before(reader: Reader, place: int) -> bool:
    """Read a number behind the name of its column: `age 30`, `CSAT of 1 or 2`."""
    before = reader.step(place, -1)
    equal = before >= 0 and reader.items[before].means("eq")
    named = reader.step(before, -1) if equal else before
    column = reader.field_at(named, lambda f: f.numeric) if named >= 0 else None
    if column is None and named == place - 1 >= 0 and reader.items[named].means("entity"):
        column = _key_of_rows(reader, place)
    if column is None or reader.items[named].used:
        return False
    if is_key(reader.names, column) and named != place - 1 and not equal:
        return False  # `shifts in 2024`
    values, end = _listed_numbers(reader, place)
    reader.take(named, *([before] if equal else []))
    negated = take_negation(reader, named)
    reader.add(named, end, Condition(column, "in", values, negated=negated))
    return True


def _from_to(reader: Reader, place: int, low: float) -> bool:
    """Read `from 300 to 400 pages`."""
    high = place + 2
    if high >= len(reader.items) or reader.items[place + 1].words not in (("to",), ("a",)):
        return False
    last = reader.items[high].number
    if last is None or reader.items[high].used or last < low:
        return False
    reader.take(place, high)
    each, end = _measured(reader, place, high, "")
    reader.add(place, end, Condition(each, "between", (low, last)))
    return True


def _of_amount(reader: Reader, place: int, number: float) -> bool:
    """Read an amount of money behind the rows: `donations of $100`."""
    before = {word for span in reader.items[max(place - 1, 0) : place] for word in span.words}
    if not before & {"of", "for", "de", "por"} or reader.step(place, -1) < 0:
        return False
    rows = reader.items[reader.step(place, -1)].means("entity")
    each = _by_unit(reader, reader.items[place].piece.unit) if rows else None
    if each is None:
        return False
    reader.take(place)
    reader.add(place, place, Condition(each, "in", (number,)))
    return True


def _key_of_rows(reader: Reader, place: int) -> Field | None:
    """The number by which rows are told apart, for `receipt 70012`."""
    keys = [f for f in reader.names.fields if f.unique and is_key(reader.names, f)]
    bare = not reader.items[place].piece.unit and not reader.free("top", "bottom")
    return keys[0] if len(keys) == 1 and bare else None


def _equal_behind(reader: Reader, place: int, number: float) -> None:
    """Read a number in front of the name of its column: `with 2 children`."""
    before, after = reader.step(place, -1), reader.step(place)
    equal = before >= 0 and reader.items[before].means("eq")
    words = {word for span in reader.items[before + 1 : place] for word in span.words}
    column = reader.field_at(after, lambda f: f.column.kind == "integer")
    if column is None and (words & _WITH or equal):
        read_so_many(reader, place, place, "in", number)
        return
    if column is not None and not reader.items[after].used and (words & _WITH or equal):
        reader.take(place, after, *([before] if equal else []))
        reader.add(place, after, Condition(column, "in", (number,)))


def _listed_numbers(reader: Reader, place: int) -> tuple[tuple[float, ...], int]:
    values, end = [], place
    while True:
        number = reader.items[place].number
        if number is None:
            break
        values.append(number)
        end = place
        reader.take(place)
        joint = reader.step(place)
        following = reader.step(joint) if joint >= 0 else -1
        if joint < 0 or not reader.items[joint].means("or", "and") or following < 0:
            break
        if reader.items[following].number is None or reader.items[following].used:
            break
        reader.take(joint)
        place = following
    return tuple(values), end
