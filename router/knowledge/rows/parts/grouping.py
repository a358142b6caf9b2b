"""Reads by what rows are grouped: `per city`, `by month`, `for each plan and status`."""

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import Sense, pieces, unit_of_word
from router.knowledge.rows.parts.columns import parent_of
from router.knowledge.rows.parts.days import date_field, days_at, year_column
from router.knowledge.rows.parts.reader import Reader
from router.knowledge.rows.query import Bucket, Group
from router.knowledge.rows.schema import Unclear

BUCKETS: tuple[Bucket, ...] = ("year", "month", "quarter", "weekday", "day")


_ALONE = frozenset(
    (
        "monthly",
        "yearly",
        "annual",
        "annually",
        "quarterly",
        "daily",
        "mensual",
        "mensualmente",
        "anual",
        "anualmente",
        "diario",
    )
)


MOST = ("most", "least", "common", "uncommon", "top", "bottom", "adj_desc", "adj_asc")


_SURE = 6  # of a word that names a column, and not rows
_MOST_GROUPS = 40  # values of a column of numbers by which rows are grouped


def _unit_behind(reader: Reader, place: int) -> bool:
    """Whether a unit only says again what a column holds: `price per kilo`, of `price_kg`."""
    unit = unit_of_word(reader.items[place].words[0]) or reader.items[place].words[0]
    for i in reader.free("col"):
        for sense in reader.items[i].of("col") if i < place else ():
            words = (*name_words(sense.value.name, whole=True), *pieces(sense.value.name))
            if len(words) > 1 and unit in {unit_of_word(word) or word for word in words[1:]}:
                return sense.value.numeric  # type: ignore[no-any-return]
    return False


def read_groups(reader: Reader) -> None:
    for i in reader.free("per", "by"):
        span = reader.items[i]
        j = reader.step(i)
        if j >= 0 and reader.items[j].means("per", "by"):
            reader.take(i)
            continue
        if j < 0:
            raise Unclear(f"nothing follows `{span.text}`")
        if _unit_behind(reader, j):
            reader.take(i, j)
            continue
        if _bucket_group(reader, i, j):
            continue
        ranked = bool(reader.free(*MOST)) and not span.means("per")
        if span.means("by") and not reader.items[j].means("col", "foreign"):
            if days_at(reader, j) is not None:
                raise Unclear(f"`{span.text} {reader.items[j].text}`: say in, before or until")
            reader.take(i)
            span.senses = (Sense("filler"),)  # `handled by Ana`, `by number of orders`
            continue
        each = _rows_behind(reader, i, j) or (None if reader.items[i].used else reader.field_at(j))
        if reader.items[i].used:
            continue
        if each is None:
            raise Unclear(f"`{reader.items[j].text}` is no column to group by")
        if span.means("by") and ((ranked and each.numeric) or _valued(reader, j)):
            reader.take(i)
            continue
        _group(reader, i, j, each)
    _alone(reader)


def _alone(reader: Reader) -> None:
    """`monthly sales`: a span of time that needs no `per`."""
    for i in reader.free(*BUCKETS):
        if reader.items[i].words[0] in _ALONE and not reader.items[i].means("col"):
            if reader.free("avg", "median", "max", "min"):
                raise Unclear(f"`{reader.items[i].text}` may be of each row or of sums")
            _bucket_group(reader, i, i)


def _rows_behind(reader: Reader, place: int, noun: int) -> Field | None:
    """What stands for `per event`: nothing for events themselves, else the label of their table.

    An average per event is an average of events.
    """
    own = reader.names.table.stored
    span = reader.items[noun]
    column = max((s.strength for s in span.of("col") if s.value.table.stored == own), default=0)
    if column >= _SURE or not span.means("entity", "foreign"):
        return None
    if span.means("entity"):
        if reader.free("avg", "median"):
            reader.take(place, noun)
            return None
        raise Unclear(f"`{reader.items[place].text} {span.text}` says each row by itself")
    return parent_of(reader.names, {sense.value for sense in span.of("foreign")})


def _valued(reader: Reader, place: int) -> bool:
    """Whether a span says a value, and not the name of a column: `paid by card`."""
    values = reader.items[place].of("val")
    names = reader.items[place].of("col")
    return bool(values) and max(s.strength for s in values) > max(s.strength for s in names)


def _group(reader: Reader, start: int, place: int, each: Field) -> None:
    while True:
        if each.numeric and (each.distinct > _MOST_GROUPS or each.column.kind == "number"):
            raise Unclear(f"`{each.name}` has {each.distinct} values: too many to group by")
        if each.column.kind == "datetime":
            raise Unclear(f"`{each.name}` is a time: name a span, such as by month")
        reader.groups.append(Group(each))
        reader.take(start, place)
        following = reader.step(place)
        another = reader.step(following) if following >= 0 else -1
        if following < 0 or not reader.items[following].means("and") or another < 0:
            return
        if reader.items[another].means(*BUCKETS):
            _bucket_group(reader, following, another)
            return
        next_field = reader.field_at(another)
        if next_field is None or next_field.numeric or reader.items[another].means("val", "count"):
            return
        start, place, each = following, another, next_field


def _bucket_group(reader: Reader, start: int, place: int) -> bool:
    bucket = next((b for b in BUCKETS if reader.items[place].means(b)), None)
    if bucket is None or (reader.items[place].means("col") and len(reader.items[place].words) > 1):
        return False
    reader.take(start, place)
    years = year_column(reader.names)
    if bucket == "year" and years is not None:
        reader.groups.append(Group(years))
        return True
    reader.groups.append(Group(date_field(reader, place), bucket))
    return True
