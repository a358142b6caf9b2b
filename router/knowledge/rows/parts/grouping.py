"""Reads by what rows are grouped: `per city`, `by month`, `for each plan and status`."""

from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import Sense
from router.knowledge.rows.parts.days import date_field, days_at
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


def read_groups(reader: Reader) -> None:
    for i in reader.free("per", "by"):
        span = reader.items[i]
        j = reader.step(i)
        if j >= 0 and reader.items[j].means("per", "by"):
            reader.take(i)
            continue
        if j < 0:
            raise Unclear(f"nothing follows `{span.text}`")
        if _bucket_group(reader, i, j):
            continue
        ranked = bool(reader.free(*MOST)) and not span.means("per")
        if span.means("by") and not reader.items[j].means("col", "foreign"):
            if days_at(reader, j) is not None:
                raise Unclear(f"`{span.text} {reader.items[j].text}`: say in, before or until")
            reader.take(i)
            span.senses = (Sense("filler"),)  # `handled by Ana`, `by number of orders`
            continue
        each = reader.field_at(j)
        if each is None:
            raise Unclear(f"`{reader.items[j].text}` is no column to group by")
        if span.means("by") and ((ranked and each.numeric) or _valued(reader, j)):
            reader.take(i)
            continue
        _group(reader, i, j, each)
    for i in reader.free(*BUCKETS):
        if reader.items[i].words[0] in _ALONE and not reader.items[i].means("col"):
            if reader.free("avg", "median", "max", "min"):
                raise Unclear(f"`{reader.items[i].text}` may be of each row or of sums")
            _bucket_group(reader, i, i)


def _valued(reader: Reader, place: int) -> bool:
    """Whether a span says a value, and not the name of a column: `paid by card`."""
    values = reader.items[place].of("val")
    names = reader.items[place].of("col")
    return bool(values) and max(s.strength for s in values) > max(s.strength for s in names)


def _group(reader: Reader, start: int, place: int, each: Field) -> None:
    while True:
        if each.numeric and each.distinct > 30 and each.unique:
            raise Unclear(f"each row has its own `{each.name}`")
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
    reader.groups.append(Group(date_field(reader, place), bucket))
    return True
