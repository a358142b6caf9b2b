"""Reads which days rows are of: `in March 2024`, `since 2022`, `from May to July 2023`."""

import datetime as dt

from router.knowledge.rows.language.column_words import DATE_WORDS, SMALL, name_words
from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.tokens import Days, month_span
from router.knowledge.rows.language.words import canonical, concept_kind
from router.knowledge.rows.parts.reader import Reader, either, take_negation
from router.knowledge.rows.query import AnyOf, Condition
from router.knowledge.rows.schema import Cell, Unclear

_THROUGH = frozenset(("to", "a", "al", "through", "until", "hasta", "till", "and", "y", "thru"))


def date_field(reader: Reader, place: int) -> Field:
    """The column of dates that a day or span of time is about."""
    for near in (reader.step(place, -1), reader.step(place)):
        each = reader.field_at(near, lambda f: f.dated)
        if each is not None and not reader.items[near].means("per"):
            reader.take(near)
            reader.events = True
            return each
    elsewhere: dict[str, tuple[int, Field]] = {}
    for i in reader.free("col"):
        each = reader.field_at(i, lambda f: f.dated)
        if each is not None:
            elsewhere[each.sql] = i, each
    if len(elsewhere) == 1:
        i, each = next(iter(elsewhere.values()))
        reader.take(i)
        reader.events = True
        return each
    if reader.base_date is not None:
        return reader.base_date
    before = reader.step(place, -1)
    if before >= 0 and _happening(reader, before):
        raise Unclear(f"no column says when `{reader.items[before].text}` was")
    return default_date(reader.names)


def _happening(reader: Reader, place: int) -> bool:
    """Whether a span says what became of a row, of which a day may then be the day."""
    span = reader.items[place]
    yes = any(
        s.value.column.kind == "boolean" and _event(reader.names, s.value)
        for s in (*span.of("col"), *span.of("un_col"))
    )
    states = any(
        reader.names.has(s.value[0], "status") for s in (*span.of("val"), *span.of("un_val"))
    )
    return yes or states


def _event(names: Names, each: Field) -> bool:
    """Whether yes or no says that something was done, which may have a day of its own."""
    done = name_words(each.name)[-1].endswith(("ed", "ado", "ada", "ido", "ida"))
    return done or names.has(each, *concept_kind("event"))


def default_date(names: Names) -> Field:
    """The column of dates of a table, or the one by which each of its rows began."""
    dated = [f for f in names.fields if f.dated]
    dated = [f for f in dated if not names.has(f, "birth")] or dated
    if len(dated) == 1 and not _later(names, dated[0]):
        return dated[0]
    plain = names.row_words | DATE_WORDS | SMALL
    own = [f for f in dated if plain.issuperset(map(canonical, name_words(f.name)))]
    if len(own) == 1:
        return own[0]  # `visit_date` of visits
    begun = [f for f in dated if names.has(f, *concept_kind("beginning"))]
    begun = begun or [f for f in dated if names.has(f, "start") and not f.gaps]
    if not begun:
        begun = [f for f in dated if not names.has(f, *concept_kind("ending")) and not f.gaps]
    if len(begun) == 1 and all(
        names.has(f, *concept_kind("ending")) for f in dated if f.sql != begun[0].sql
    ):
        return begun[0]
    if not dated:
        raise Unclear(f"{names.table.name} has no column of dates")
    raise Unclear(f"the date may be {either(f.name for f in dated)}: name the column")


_LATER = frozenset(
    (
        *("next", "proximo", "proxima", "last", "ultimo", "ultima", "until", "hasta", "inspection"),
        *("updated", "modified", "review", "revision", "renewal", "renovacion", "expires"),
    )
)


def _later(names: Names, each: Field) -> bool:
    """Whether a date is no day by which rows are known: `next_inspection`, `born`."""
    concepts = (*concept_kind("ending"), "birth")
    return names.has(each, *concepts) or not _LATER.isdisjoint(name_words(each.name))


_YEAR = frozenset(("year", "ano"))
_YEARS = frozenset(
    map(
        canonical,
        (
            *("year", "ano", "of", "de", "published", "publication", "publicacion", "model"),
            *("release", "released", "made", "built", "construction", "construccion"),
            *("manufacture", "manufactured", "fabricacion", "modelo", "edition", "edicion"),
            *("founded", "established", "planted", "vintage", "anada", "fundacion", "plantacion"),
        ),
    )
)


def year_column(names: Names) -> Field | None:
    """The only column of numbers that are years."""
    plain = _YEARS | names.row_words
    years = [
        f
        for f in names.fields
        if f.numeric
        and (f.yearly or _YEAR & {*name_words(f.name)})
        and plain.issuperset(map(canonical, name_words(f.name)))
    ]
    return years[0] if len(years) == 1 else None


def days_at(reader: Reader, place: int) -> Days | None:
    """The day, month or year that a span says."""
    if place < 0 or reader.items[place].used:
        return None
    span = reader.items[place]
    if span.days is not None:
        return span.days
    if span.year and not span.means("val", "col") and any(f.dated for f in reader.names.fields):
        return _year(span.year, span.text)
    return None


def _year(year: int, words: str) -> Days:
    return Days(dt.date(year, 1, 1), dt.date(year, 12, 31), words=words)


def in_year(days: Days, year: int) -> Days:
    first, last = days.months
    words = days.words
    return Days(
        month_span(words, year, first).first, month_span(words, year, last).last, words=words
    )


_WEEK = ("su do", "mo lu", "tu ma", "we mi", "th ju", "fr vi", "sa sá")


def _weekdays(words: tuple[str, ...]) -> tuple[Cell, ...]:
    """The numbers of the days that words name, Sunday being 0."""
    if any(word.startswith(("weekend", "fin")) for word in words):
        return (6, 0)
    return tuple(day for day, starts in enumerate(_WEEK) if words[0][:2] in starts.split())


def _read_weekdays(reader: Reader) -> None:
    """`on Saturdays`: the dates of rows, on a day of the week."""
    for i in reader.free("on_weekday"):
        if reader.items[i].used or reader.items[i].means("val", "col"):
            continue
        each = date_field(reader, i)
        negated = take_negation(reader, i)
        reader.take(i)
        days = _weekdays(reader.items[i].words)
        end = i
        joint = reader.step(i)
        joined = joint >= 0 and reader.items[joint].means("or", "and")
        following = reader.step(joint) if joined else -1
        if following >= 0 and reader.items[following].means("on_weekday"):
            reader.take(joint, following)
            days, end = (*days, *_weekdays(reader.items[following].words)), following
        reader.add(i, end, Condition(each, "weekday", days, negated=negated))


def _last_year(reader: Reader, place: int) -> int:
    """The end of `1990 to 1999`, or 0."""
    following = reader.items[place + 1 : place + 3]
    if len(following) < 2 or following[0].words not in (("to",), ("a",)) or following[1].used:
        return 0
    return following[1].year


def of_year_column(reader: Reader, start: int, end: int, *, ranged: bool = False) -> bool:
    """Whether a year is one of the column of years, and not of the days of another column.

    `acquired in 2022` is a day; with two years, a column must stand beside each.
    """
    several = sum(1 for span in reader.items if span.year) > 1 and not ranged
    near = [reader.step(start, -1), *([] if several else [reader.step(end)])]
    dated = [i for i, s in enumerate(reader.items) if any(c.value.dated for c in s.of("col"))]
    if not dated:
        return True
    if not {*near}.isdisjoint(dated):
        return False
    if several:
        names = [s.value.name for i in dated for s in reader.items[i].of("col") if s.value.dated]
        raise Unclear(f"{reader.items[end].text} may be a year of the rows, or of `{names[0]}`")
    return False


def read_days(reader: Reader) -> None:
    _read_weekdays(reader)
    for i in range(len(reader.items)):
        days = days_at(reader, i)
        if days is None:
            continue
        before = reader.step(i, -1)
        years = year_column(reader.names)
        year_alone = years is not None and reader.items[i].days is None
        if years is not None and year_alone and of_year_column(reader, i, i):
            named = reader.items[before].of("col") if before >= 0 else []
            if any(sense.value.sql == years.sql for sense in named):
                reader.take(before)
            negated = take_negation(reader, i)
            reader.take(i)
            year = float(reader.items[i].year)
            final = _last_year(reader, i)
            if final:
                reader.take(i + 2)
                span = (year, float(final))
                reader.add(i, i + 2, Condition(years, "between", span, negated=negated))
                continue
            reader.add(i, i, Condition(years, "in", (year,), negated=negated))
            continue
        each = date_field(reader, i)
        negated = take_negation(reader, i)
        reader.take(i)
        following = reader.step(i)
        if following >= 0 and reader.items[following].means("onwards"):
            if days.first is None:
                raise Unclear(f"`{days.words} {reader.items[following].text}` needs a year")
            reader.take(following)
            reader.add(i, following, Condition(each, "since", days=days, negated=negated))
            continue
        last, end = _range_end(reader, i, days)
        joined = last is None and before >= 0 and reader.items[before].means("or", "and")
        if joined and _alternative(reader, before, i, each, days):
            continue
        reader.add(i, end, Condition(each, "during", days=days, last=last, negated=negated))


def _range_end(reader: Reader, place: int, first: Days) -> tuple[Days | None, int]:
    """The second end of `from 1 March 2024 to 3 May 2024`, and where it stands."""
    words = [span.words[0] for span in reader.items[place + 1 : place + 3]]
    if not words or words[0] not in _THROUGH - {"and", "y"}:
        return None, place
    end = next(
        (i for i in range(place + 1, min(place + 4, len(reader.items))) if days_at(reader, i)), -1
    )
    days = days_at(reader, end)
    if days is None:
        return None, place
    if first.first is None or days.first is None:
        raise Unclear(f"{first.words} to {days.words}: name the year of both")
    reader.take(*range(place + 1, end + 1))
    return days, end


def _alternative(reader: Reader, joint: int, place: int, each: Field, days: Days) -> bool:
    """`in March or April`: both days of one column."""
    previous = reader.placed[-1] if reader.placed else None
    if (
        previous is None
        or previous.end >= joint
        or not isinstance(previous.where, Condition | AnyOf)
    ):
        return False
    parts = previous.where.parts if isinstance(previous.where, AnyOf) else (previous.where,)
    if any(
        part.field.sql != each.sql or part.relation != "during" or part.negated for part in parts
    ):
        return False
    reader.take(joint)
    previous.where = AnyOf((*parts, Condition(each, "during", days=days)))
    previous.end = place
    return True
