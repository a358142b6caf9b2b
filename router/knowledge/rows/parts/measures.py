"""Finds the column that a number of a question is about: beside it, by its unit, or by an age."""

from dataclasses import replace

from router.knowledge.rows.language.column_words import KEYS, name_words
from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import Sense, concept_kind, pieces, unit_of_word
from router.knowledge.rows.parts.reader import Reader, either, other_unit, vague_amount
from router.knowledge.rows.schema import Unclear

_CURRENCIES = {"eur": "€", "dol": "$", "usd": "$", "pou": "£", "gbp": "£", "lib": "£"}


_ALONG = frozenset(("long", "wide", "high", "tall", "deep", "largo", "ancho", "alto"))
_CONVERTED = {
    "hour": (("minute", 60.0),),
    "week": (("night", 7.0), ("day", 7.0)),
    "minute": (("hour", 1 / 60),),
    "meter": (("cm", 100.0),),
    "kg": (("gram", 1000.0),),
    "gram": (("kg", 0.001),),
    "km": (("meter", 1000.0),),
    "tonne": (("kg", 1000.0),),
}


def convert_units(reader: Reader) -> None:
    """Say a number in the unit of the only column that it can be about: 120 minutes for 2 hours."""
    for i in reader.free("unit"):
        span, before = reader.items[i], reader.step(i, -1)
        unit = unit_of_word(span.words[0])
        if before < 0 or reader.items[before].number is None:
            continue
        for other, factor in _CONVERTED.get(unit, ()):
            columns = [f for f in reader.names.fields if f.numeric and other in _units_of(f)]
            exact = [f for f in reader.names.fields if f.numeric and unit in _units_of(f)]
            concepts = [s.value for s in reader.items[max(before - 1, 0)].senses if s.value]
            if len(columns) > 1:
                columns = [f for f in columns if reader.names.has(f, *filter(_is_text, concepts))]
            if len(columns) == 1 and not exact:
                number = reader.items[before].number or 0
                reader.items[before].piece = replace(
                    reader.items[before].piece, number=number * factor, unit=""
                )
                span.senses, span.words = (Sense("col", columns[0], 6),), (other,)
                break


def lasting(names: Names, each: Field) -> bool:
    """Whether a column of numbers says how long something took."""
    timed = {"minute", "hour", "second"} & _units_of(each)
    return each.numeric and (bool(timed) or names.has(each, "duration"))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _units_of(each: Field) -> set[str]:
    words = (*name_words(each.name, whole=True), *pieces(each.name))
    days = {"day"} if {"day", "days", "dia", "dias"} & {*words} else set()
    return {unit_of_word(word) for word in words} - {""} | days


def measured(reader: Reader, place: int, number: int, concept: str) -> tuple[Field, int]:
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
    along = reader.items[end + 1 : end + 2]
    if along and not _ALONG.isdisjoint(along[0].words):
        reader.take(end + 1)  # `12 metres long`
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
    before = reader.step(place, -1)
    if beside and before >= 0 and any(s.value == beside[0] for s in reader.items[before].of("col")):
        reader.take(before)  # `a response under 8 minutes`
    near = [n for n in (before, after) if n >= 0]
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
    return by_unit(reader, unit) or _age(reader, number, unit) or _again(reader, number)


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


def by_unit(reader: Reader, unit: str) -> Field | None:
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
        message = f"the amount may be {either(f.name for f in money)}"
        columns = {f.sql: f for f in money}
        return columns[reader.choose(columns, message)]
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
