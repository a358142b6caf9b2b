"""Reads numbers that no word compares: `CSAT of 1 or 2`, `with 2 children`, `300 to 400 pages`."""

from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.parts.columns import is_key
from router.knowledge.rows.parts.measures import by_unit, measured
from router.knowledge.rows.parts.reader import Reader, take_negation
from router.knowledge.rows.parts.relating import read_so_many
from router.knowledge.rows.query import Condition, Relation

_WITH = frozenset(
    (
        *("with", "having", "of", "have", "has", "had", "got", "get", "gets", "gave"),
        *("con", "de", "tiene", "tienen", "tuvo", "tuvieron"),
    )
)


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
            each, end = measured(reader, i, after, "")
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
    each, end = measured(reader, place, high, "")
    reader.add(place, end, Condition(each, "between", (low, last)))
    return True


def _of_amount(reader: Reader, place: int, number: float) -> bool:
    """Read an amount of money behind the rows: `donations of $100`."""
    before = {word for span in reader.items[max(place - 1, 0) : place] for word in span.words}
    if not before & {"of", "for", "de", "por"} or reader.step(place, -1) < 0:
        return False
    rows = reader.items[reader.step(place, -1)].means("entity")
    each = by_unit(reader, reader.items[place].piece.unit) if rows else None
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


def read_key(reader: Reader) -> None:
    """Read the number by which a row is told apart, alone: `was 5010 paid?`."""
    numbers = [i for i, span in enumerate(reader.items) if not span.used and span.number]
    key = _key_of_rows(reader, numbers[0]) if len(numbers) == 1 else None
    if key is not None:
        reader.take(*numbers)
        value = reader.items[numbers[0]].number
        reader.add(numbers[0], numbers[0], Condition(key, "in", (value,)))
