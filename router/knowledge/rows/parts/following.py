"""Reads a question that goes on from the one before: `and in April?`, `only the paid ones`."""

from dataclasses import replace

from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.spans import Span
from router.knowledge.rows.language.tokens import Days, month_span
from router.knowledge.rows.parts.conditions import read_conditions
from router.knowledge.rows.parts.reader import Reader
from router.knowledge.rows.parts.relating import read_related
from router.knowledge.rows.parts.target import Target, label_of
from router.knowledge.rows.parts.targets import figure_of_rest, read_target
from router.knowledge.rows.query import AnyOf, Condition, Measure, Rank, RowQuery, Where
from router.knowledge.rows.schema import Unclear

_SPANS = ("during", "after", "before", "since", "until")


def goes_on(reader: Reader) -> bool:
    """Whether a question's first word, or a word such as `those`, looks back."""
    first = reader.step(-1)
    return first >= 0 and (
        reader.items[first].means("follow", "only")
        or _in_how_many(reader, first)
        or any(span.means("those") for span in reader.items)
    )


_WITHIN = frozenset(("in", "across", "over", "en"))


def _in_how_many(reader: Reader, first: int) -> bool:
    """`in how many gifts?`, which counts the rows of the question before."""
    rest = [s for s in reader.items[first + 1 :] if not s.filler and not s.means("mark")]
    leading = reader.items[first]
    within = first > 0 and not _WITHIN.isdisjoint(reader.items[0].words)
    return within and leading.means("count") and all(s.means("entity") for s in rest)


def amount_of(query: RowQuery) -> Field | None:
    """The only column of numbers with which a question compared a number."""
    wheres = [where for where in query.where if isinstance(where, Condition)]
    fields = {w.field.sql: w.field for w in wheres if w.relation in _SIGNS and w.field.numeric}
    return next(iter(fields.values())) if len(fields) == 1 else None


_SIGNS = (">", ">=", "<", "<=", "between")


def date_of(query: RowQuery) -> Field | None:
    """The column of dates that a question used."""
    for where in (*query.where, *query.share):
        for part in where.parts if isinstance(where, AnyOf) else (where,):
            if isinstance(part, Condition) and part.field.dated:
                return part.field
    dated = [group.field for group in query.groups if group.bucket]
    return dated[0] if dated else None


def follow(base: RowQuery, reader: Reader) -> RowQuery:
    """The question before with what this one changes. Raises `Unclear`."""
    first = reader.step(-1)
    narrows = bool(reader.free("those", "only")) or not reader.items[first].means("follow")
    if first >= 0 and reader.items[first].means("follow"):
        reader.take(first)
    reader.take(*reader.free("those", "only"))
    read_conditions(reader)
    related = read_related(reader)
    rest = [
        i
        for i in range(len(reader.items))
        if not reader.items[i].used
        and not reader.items[i].filler
        and not reader.items[i].means("mark")
    ]
    new = tuple(placed.where for placed in reader.placed) + related
    entities = all(reader.items[i].means("entity") for i in rest)
    flipped = _flipped(reader, base, rest) if not new and not reader.groups else None
    if flipped is not None:
        return flipped
    counts = [i for i in rest if reader.items[i].means("count")]
    if counts and len(counts) == len(rest) and (not new or base.form != "figure"):
        raise Unclear("how many of what")
    if not rest or entities:
        if not new and not reader.groups:
            raise Unclear("it does not say what changes")
        target = replace(base)
    else:
        changed = figure_of_rest(reader, base)
        target = changed if changed is not None else read_target(reader, related)
        if changed is None:
            new = tuple(where for where in target.where)
            target = replace(target, where=base.where, links=base.links)
            if target.share:
                raise Unclear("a share after another question: ask it in full")
    if reader.groups:
        if base.form not in ("figure", "groups") or base.rank is not None:
            raise Unclear("the question before cannot be grouped")
        target = replace(target, form="groups", groups=tuple(reader.groups))
    for where in new:
        target = _with(target, where, narrows=narrows)
    return target


def _flipped(reader: Reader, base: RowQuery, rest: list[int]) -> RowQuery | None:
    """`and the least?` turns an order around; `and how many are not?` a single condition."""
    spans = [reader.items[i] for i in rest]
    if base.rank is not None and len(spans) == 1 and _turns(reader, base, spans[0]):
        descending = spans[0].means("most", "max", "adj_desc")
        return replace(base, rank=Rank(base.rank.count, descending))
    numbers = [span.number for span in spans if span.number is not None]
    tops = [span for span in spans if span.means("top")]
    if base.rank is not None and len(tops) == len(numbers) == 1 and len(spans) == 2:
        return replace(base, rank=Rank(int(numbers[0]), base.rank.descending))
    if spans and all(span.means("which", "list") for span in spans) and base.form == "figure":
        return replace(
            base, form="rows", measure=Measure("count"), shown=(label_of(Target(reader)),)
        )
    negations = [i for i in rest if reader.items[i].means("neg")]
    others = [i for i in rest if not reader.items[i].means("neg", "count", "entity")]
    if len(negations) == 1 and not others and len(base.where) == 1 and base.form == "figure":
        where = base.where[0]
        if isinstance(where, Condition):
            return replace(base, where=(replace(where, negated=not where.negated),))
    return None


def _turns(reader: Reader, base: RowQuery, span: Span) -> bool:
    """Whether a word names an order by the figure of the question before."""
    if span.means("most", "least", "max", "min"):
        return True
    figure = base.measure.field
    concepts = [s.value for s in span.senses if s.kind in ("adj_desc", "adj_asc")]
    return figure is not None and any(
        reader.names.has(figure, concept) or (concept == "date" and figure.dated)
        for concept in concepts
    )


def _with(query: RowQuery, where: Where, *, narrows: bool) -> RowQuery:
    """The query with one condition more, or with the condition on the same column replaced."""
    columns = _columns(where)
    for listed in (query.share, query.where):
        same = [each for each in listed if _columns(each) & columns]
        if same:
            if len(same) > 1 or _columns(same[0]) != columns:
                raise Unclear("it is not clear which condition changes")
            new = _same_year(same[0], where)
            parts = tuple(new if each is same[0] else each for each in listed)
            return (
                replace(query, share=parts)
                if listed is query.share
                else replace(query, where=parts)
            )
    if _dated(where):
        others = [each for each in query.where if _dated(each)]
        if others and not narrows:
            new = _same_year(others[0], where)
            return replace(
                query, where=tuple(new if each is others[0] else each for each in query.where)
            )
    elif not narrows:
        others = [
            each for each in query.where if isinstance(each, Condition | AnyOf) and not _dated(each)
        ]
        if others or query.share:
            raise Unclear("it may add a condition, or replace one: ask it in full")
    return replace(query, where=(*query.where, where))


def _columns(where: Where) -> set[str]:
    if isinstance(where, Condition):
        return {where.field.sql}
    return {part.field.sql for part in where.parts} if isinstance(where, AnyOf) else set()


def _dated(where: Where) -> bool:
    parts = where.parts if isinstance(where, AnyOf) else (where,)
    return all(isinstance(part, Condition) and part.relation in _SPANS for part in parts)


def _same_year(old: Where, new: Where) -> Where:
    """`and April?` after `March 2023` is April 2023."""
    if not isinstance(old, Condition) or not isinstance(new, Condition):
        return new
    before, days = old.days, new.days
    if before is None or days is None or before.first is None or days.first is not None:
        return new
    if old.last is not None or before.whole_year:
        year = before.first.year
        if old.last is not None and old.last.last is not None and old.last.last.year != year:
            raise Unclear(f"{days.words} of which year")
    year = before.first.year
    first, last = days.months
    spanned = Days(
        month_span("", year, first).first,
        month_span("", year, last).last,
        words=f"{days.words} {year}",
    )
    return replace(new, days=spanned)
