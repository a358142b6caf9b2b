"""Reads what a question wants of the rows that it means: a figure, groups, an order, a list."""

from dataclasses import replace

from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.spans import Span
from router.knowledge.rows.language.words import Sense, concept_kind
from router.knowledge.rows.parts.figures import read_figure, read_having
from router.knowledge.rows.parts.lists import of_one_row, read_bare, read_list
from router.knowledge.rows.parts.rank_groups import BUSY
from router.knowledge.rows.parts.ranks import read_rank
from router.knowledge.rows.parts.reader import Reader, other_unit
from router.knowledge.rows.parts.shares import read_share
from router.knowledge.rows.parts.target import (
    Target,
    happened,
    made,
    only_column,
    take_columns,
    take_operation,
    use,
)
from router.knowledge.rows.parts.versus import read_versus
from router.knowledge.rows.query import Condition, Form, Measure, Related, RowQuery, Sort
from router.knowledge.rows.schema import Unclear, UnknownWords


def read_target(reader: Reader, related: tuple[Related, ...]) -> RowQuery:
    """The whole question as a query. Raises `Unclear` if something is left over."""
    _owner_asked(reader)
    target = Target(reader)
    take_columns(target)
    yes = target.take("any")
    for reading in (
        read_versus,
        read_having,
        read_share,
        read_rank,
        read_figure,
        read_list,
        read_bare,
    ):
        query = reading(target)
        if query is not None:
            break
    else:
        if left := _left_over(reader):
            raise UnknownWords(left)
        query = made(target, "figure") if yes and reader.placed else None
    if query is None:
        raise Unclear("it does not say what is wanted")
    _redundant(target, query)
    if query.measure.field is not None and any(BUSY & {*s.words} for s in reader.items):
        raise Unclear("busy by the number of rows, or by the column")
    query = _sorted(target, query)
    left = _left_over(reader, measured=query.measure.field is not None)
    if left:
        raise UnknownWords(left)
    if yes and query.form == "groups" and query.rank is not None:
        yes = False  # `are there more members in Leeds or in York`
    if yes and query.form != "figure":
        raise Unclear("only how many rows there are can be answered by yes or no")
    form: Form = "yes" if yes else query.form
    return _complete(reader, query, form, related)


def _owner_asked(reader: Reader) -> None:
    """`whose dog is Rex` asks for the owner; `the members whose city is Leeds` says which."""
    for place, span in enumerate(reader.items):
        if span.means("entity", "col", "foreign", "who", "which"):
            return
        if span.words == ("whose",) and reader.step(place, 1) >= 0:
            owners = [f for f in reader.names.fields if reader.names.has(f, "owner")]
            if len(owners) != 1 or not reader.items[reader.step(place)].means("entity"):
                raise Unclear("not understood: `whose`")
            span.senses = (Sense("col", owners[0], 6),)
            return


def read_closed(reader: Reader, related: tuple[Related, ...]) -> RowQuery:
    """`is P012 insured?`: what is true of the row that a key names. Raises `Unclear`."""
    keys = [placed.where for placed in reader.placed if of_one_row(placed.where)]
    others = [placed.where for placed in reader.placed if placed.where not in keys]
    if len(keys) != 1 or not others or related or reader.groups:
        raise Unclear("it is to be answered by yes or no: ask for a number or a list")
    left = _left_over(reader)
    if left:
        raise UnknownWords(left)
    query = RowQuery(reader.names.table, "yes", share=tuple(others))
    return _complete(reader, query, "yes", ())


def _sorted(target: Target, query: RowQuery) -> RowQuery:
    """`revenue by vet, highest first`: groups in the order of their figures."""
    order: Sort = "desc" if target.take("descending") else ""
    order = "asc" if target.take("ascending") else order
    if order and (query.form != "groups" or query.rank is not None):
        raise Unclear("only figures of groups can be put in an order")
    return replace(query, sort=order)


def _complete(
    reader: Reader, query: RowQuery, form: Form, related: tuple[Related, ...]
) -> RowQuery:
    where = tuple(placed.where for placed in reader.placed)
    own, own_name = reader.names.table.stored, reader.names.table.name
    kept = tuple(each for each in (*where, *related) if each not in query.share)
    query = replace(query, form=form, where=kept)
    measured = query.measure.field
    if measured is not None and measured.table.stored != own:
        raise Unclear(f"`{measured.name}` would be repeated for each of the rows of {own_name}")
    tables = {f.table.stored for f in fields_of_query(query)} - {own}
    links = []
    for stored in sorted(tables):
        ways = [
            link
            for link in reader.names.links
            if link.target.table.stored == stored and link.source.table.stored == own
        ]
        if len(ways) != 1:
            raise Unclear(f"{reader.names.table.name} names no single row of {stored}")
        links.append(ways[0])
    return replace(query, links=tuple(links))


def fields_of_query(query: RowQuery) -> list[Field]:
    fields = [*query.shown, *(group.field for group in query.groups)]
    if query.measure.field is not None:
        fields.append(query.measure.field)
    for where in (*query.where, *query.share):
        parts = getattr(where, "parts", (where,))
        fields += [part.field for part in parts if isinstance(part, Condition)]
    return fields


def _left_over(reader: Reader, *, measured: bool = False) -> list[str]:
    """The words that no part of the query accounts for."""
    return [
        span.text
        for span in reader.items
        if not span.used
        and not span.means("filler", "mark", "entity")
        and not (span.means("linking", "earning") and _links(reader, span, measured=measured))
        and not (
            span.means("and")
            and span.words in ((",",), ("and",), ("y",))
            and _between_used(reader, span)
        )
    ]


def _between_used(reader: Reader, span: object) -> bool:
    """Whether a comma or `and` only separates parts that were understood."""
    place = next(i for i, each in enumerate(reader.items) if each is span)
    return reader.items[place].words == (",",) or place == 0


def _links(reader: Reader, span: Span, *, measured: bool) -> bool:
    """Whether a verb stands right before, or right behind, a part that was understood.

    A verb of amounts says nothing only beside a figure of a column.
    """
    place = next(i for i, each in enumerate(reader.items) if each is span)
    before, after = reader.step(place, -1), reader.step(place)
    if not span.means("linking") and not measured and not _paid_by(reader, place, after):
        return False
    subject = ("entity", "foreign", "col", "val", "who", "un_col", "un_val", "and", "neg")
    needs = span.means("linking") and after >= 0 and reader.items[after].means("val")
    counted = needs and before >= 0 and reader.items[before].means("count")  # `how many grow beans`
    if before < 0 or not (counted or reader.items[before].means(*subject)):
        return False  # a noun: `newest book`, `total visits`
    each = reader.step(before, -1)
    if after < 0 and span.means("linking") and each >= 0 and reader.items[each].means("which"):
        return reader.items[before].used and reader.items[before].means("col")
    if after < 0 and span.means("linking") and each >= 0 and reader.items[each].means("per"):
        return reader.items[each].used and reader.items[before].used  # `did each host do`
    words = ("entity", "mark", "count", "which", "who", "list")
    if after < 0 and not reader.items[before].means("val", "un_val"):
        amount = reader.items[before].used and reader.field_at(before, lambda f: f.numeric)
        return measured and bool(amount)  # `minutes driven`; not `how many hives were treated`
    near = reader.items[before if after < 0 else after]
    return near.used and not near.means(*words) and near.days is None and not near.year


_BY = frozenset(("by", "with", "via", "using", "con", "por"))


def _paid_by(reader: Reader, place: int, after: int) -> bool:
    """Whether a verb of amounts only leads to a value, or to a number of its own column."""
    if after < 0 or not reader.items[after].used:
        return False
    between = {word for span in reader.items[place + 1 : after] for word in span.words}
    amount = reader.field_at(after, lambda f: f.numeric)
    if amount is not None:
        return amount.sql in reader.mentioned()  # `paid a deposit of $60`
    between.add(reader.items[after].words[0])  # `con tarjeta` may be a phrase
    return reader.items[after].means("val") and not _BY.isdisjoint(between)


_MONEY = ("$", "€", "£")


def _beside(target: Target, place: int) -> list[int]:
    return [n for n in (target.reader.step(place, -1), target.reader.step(place)) if n >= 0]


def _redundant(target: Target, query: RowQuery) -> None:
    """Take what says again what is understood: dates that happened, columns named twice."""
    used = {f.sql for f in fields_of_query(query)} | target.reader.mentioned()
    for i, each in target.columns:
        if target.reader.items[i].used:
            continue
        if each.sql in used:
            target.reader.take(i)
        elif each.dated and query.form in ("figure", "groups", "values", "rows", "share"):
            target.reader.take(i)
            target.reader.add(i, i, happened(target, i, each))
    _take_idle_nouns(target, query)
    tables = {f.table.stored for f in fields_of_query(query)} | target.reader.tables()
    for i in target.free("foreign"):
        if any(sense.value in tables for sense in target.reader.items[i].of("foreign")):
            target.reader.take(i)
    for i in target.free("col"):
        words = target.reader.items[i].words
        if any(
            s.value.sql in used and not other_unit(words, s.value)
            for s in target.reader.items[i].of("col")
        ):
            target.reader.take(i)


def _take_idle_nouns(target: Target, query: RowQuery) -> None:
    """Take `people` beside an age, and `money` beside a column of money."""
    names = target.reader.names
    if query.measure.field is not None and names.has(query.measure.field, "age"):
        target.take("person")  # `average age of people with asthma`
    fields = [*fields_of_query(query), *target.reader.fields()]
    if any(names.has(f, *concept_kind("money")) or f.column.unit in _MONEY for f in fields):
        for i in target.free("money"):
            if not any(target.reader.items[n].means("and", "or") for n in _beside(target, i)):
                target.reader.take(i)


def figure_of_rest(reader: Reader, base: RowQuery) -> RowQuery | None:
    """The question before with another figure: `and the average?`, `and the salary?`."""
    _owner_asked(reader)
    target = Target(reader)
    take_columns(target)
    others = [
        i
        for i, span in enumerate(reader.items)
        if not span.used
        and not span.filler
        and not span.means("mark", "entity")
        and i not in target.operations
        and i not in {place for place, _ in target.columns}
    ]
    if others or base.form not in ("figure", "groups", "lookup") or base.rank or base.share:
        return None
    operation = take_operation(target, target.operations) or (
        base.measure.operation if base.form != "lookup" else None
    )
    fields = target.numeric()
    each = only_column(fields, "which column")[1] if fields else base.measure.field
    if len(fields) != len(target.columns) or each is None or operation in ("count", "distinct"):
        return None
    use(target, each)
    if operation is None:
        return RowQuery(base.table, "lookup", where=base.where, shown=(each,), links=base.links)
    form: Form = "figure" if base.form == "lookup" else base.form
    return RowQuery(
        base.table, form, Measure(operation, each), base.where, base.groups, links=base.links
    )


def _table(target: Target) -> RowQuery:
    return RowQuery(target.reader.names.table, "figure", groups=tuple(target.reader.groups))
