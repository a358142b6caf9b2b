"""Reads orders by a figure, of rows or of groups: `which agent handled the most tickets`."""

from dataclasses import dataclass, replace

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.parts.columns import (
    adds_up,
    names_row,
    never_added,
    only_total,
    parent_of,
    person_of,
    size_of,
    takings,
)
from router.knowledge.rows.parts.days import date_field, year_column
from router.knowledge.rows.parts.grouping import BUCKETS
from router.knowledge.rows.parts.target import (
    Target,
    label_of,
    made,
    names_rows,
    only_column,
    refuse_sum_or_count,
    use,
)
from router.knowledge.rows.query import Group, Measure, Operation, Rank, RowQuery
from router.knowledge.rows.schema import Unclear


@dataclass(frozen=True, slots=True)
class Order:
    """By what rows or groups are ordered, and which words ask for it."""

    rank: Rank
    figure: Field | None
    operation: Operation | None
    most: bool  # `most` and `least` count or add up
    counted: bool  # `by number of tickets`
    common: bool  # `most common`
    extreme: bool  # `highest`, which needs a figure


def rank_by_figure(
    target: Target,
    rank: Rank,
    operation: Operation | None,
    *,
    common: bool,
    most: bool,
    extreme: bool,
) -> RowQuery:
    reader = target.reader
    bucket = _bucket(target)
    texts, numeric = target.texts(), target.numeric()
    counted = target.take("count")
    who = target.take("who")
    target.take("which", "list", "by", "sorted")
    if most or common:
        target.take("using")
    figure = only_column(numeric, "the order may be by")[1] if numeric else None
    if figure is not None:
        use(target, figure)
        years = year_column(target.reader.names)
        if years is not None and figure.sql == years.sql and most and names_rows(target):
            texts, figure = [(-1, figure)], None  # `the year with most books`
    texts = _heads(target, texts, who=who) if most else texts
    if figure is None and most:
        figure = _money_behind(target)
    if texts and who:
        who = False
    if figure is None and extreme and bucket is None and not (texts or who or counted):
        figure = size_of(target.reader.names) if names_rows(target) else None
    order = Order(rank, figure, operation, most or counted, counted, common, extreme)
    if bucket is None and not texts and len(reader.groups) == 1 and not who:
        return _ranked_groups(target, reader.groups[0], order)
    if reader.groups:
        raise Unclear("the first of each group is not read")
    if bucket is not None:
        return _ranked_groups(target, bucket, order)
    if texts:
        return _of_column(target, only_column(texts, "the order may be of")[1], order)
    return _of_rows(target, order, who=who)


_MONEY = frozenset(("money", "dinero"))


def _money_behind(target: Target) -> Field | None:
    """What there is most of, if that is money: `which pontoon makes the most money`."""
    if not names_rows(target) and target.has("earning"):
        total = only_total(target.reader.names)
        if total is not None:
            target.take("earning")
            return total
    money = [i for i in target.free("money") if not _MONEY.isdisjoint(target.reader.items[i].words)]
    target.reader.take(*money)
    return takings(target.reader.names) if money else None


def _heads(target: Target, texts: list[tuple[int, Field]], *, who: bool) -> list[tuple[int, Field]]:
    """What is ranked: not the names of the rows that are counted, and the person behind `who`."""
    names = target.reader.names
    if len(texts) > 1:
        labels = [each for _, each in texts if each.unique and names_row(names, each)]
        use(target, *labels)
        texts = [(i, f) for i, f in texts if f not in labels] or texts
    parents = target.free("foreign")
    if not texts and len(parents) == 1 and target.reader.step(parents[0]) >= 0:
        stored = {s.value for s in target.reader.items[parents[0]].of("foreign")}
        parent = parent_of(names, stored)
        if parent is not None:
            target.reader.take(parents[0])
            return [(-1, parent)]
    person = person_of(names)
    if who and not texts and not names.people and person is not None:
        return [(-1, person)]
    return texts


def _of_column(target: Target, text: Field, order: Order) -> RowQuery:
    """The first values of a column, or the first rows if each row has its own value."""
    use(target, text)
    figure, rank = order.figure, order.rank
    if text.unique and text.table.stored == target.reader.names.table.stored:
        if figure is None or order.operation is not None or order.counted:
            raise Unclear(f"each row has its own `{text.name}`")
        return made(target, "rows", measure=Measure("max", figure), rank=rank, shown=(text,))
    if figure is None and not (order.common or order.most or names_rows(target)):
        raise Unclear(f"it does not say by what `{text.name}` is ordered")
    return _ranked_groups(target, Group(text), replace(order, most=order.most or rank.count > 1))


def _of_rows(target: Target, order: Order, *, who: bool) -> RowQuery:
    figure = order.figure
    if order.common or figure is None:
        raise Unclear("it does not say which column is ordered")
    if order.most and not (who or names_rows(target)):
        raise Unclear(f"what has the most `{figure.name}`")
    if order.operation is not None or order.counted:
        raise Unclear("an order and a figure together are not read")
    shown = label_of(target, who=who, ranked=True) if who or names_rows(target) else figure
    return made(target, "rows", measure=Measure("max", figure), rank=order.rank, shown=(shown,))


def _either_units(target: Target, group: Group) -> None:
    """`the most popular item` may be the item in most rows, or the item with most units."""
    names = target.reader.names
    units = [f for f in names.fields if f.numeric and names.has(f, "quantity")]
    nouns = any(s.means("entity") and not s.means("filler") for s in target.reader.items)
    if units and names.has(group.field, "product") and not nouns:
        raise Unclear(f"it may count rows, or add up `{units[0].name}`")


BUSY = frozenset(("busiest", "quietest"))
_OFTEN = BUSY | {"often", "frequently", "times", "veces", "frecuencia"}


def _refuse_amounts(target: Target, order: Order) -> None:
    """Refuse `who has given the most`, which may count rows, or add up amounts."""
    items, total = target.reader.items, only_total(target.reader.names)
    often = any(span.means("using") or _OFTEN & {*span.words} for span in items)
    verbs = target.reader.names.verbs
    often = often or any(span.words in verbs and not span.means("earning") for span in items)
    often = often or any(
        items[i].means("most", "least") and items[i + 1].means("val", "col", "un_val")
        for i in range(len(items) - 1)
    )  # `the fewest cancellations`
    if order.most and total is not None and not (names_rows(target) or order.common or often):
        raise Unclear(f"it may count rows, or add up `{total.name}`")
    if order.most and not (names_rows(target) or order.common or often or target.reader.placed):
        raise Unclear("it does not say which rows are counted")


_MEANS = frozenset(("avg", "average", "mean", "media", "medio", "promedio"))


def _bucket(target: Target) -> Group | None:
    for i in target.free(*BUCKETS):
        span = target.reader.items[i]
        if not span.means("col"):
            bucket = next(b for b in BUCKETS if span.means(b))
            target.reader.take(i)
            each = date_field(target.reader, i)
            use(target, each)
            return Group(each, bucket)
    return None


def _ranked_groups(target: Target, group: Group, order: Order) -> RowQuery:
    names, figure, operation = target.reader.names, order.figure, order.operation
    if figure is None:
        if operation is not None:
            raise Unclear(f"the {operation} of which column")
        if order.extreme and not (order.counted or order.most):
            raise Unclear("it does not say of which column the extreme is wanted")
        if not order.counted:
            _refuse_amounts(target, order)
            refuse_sum_or_count(target)
            _either_units(target, group)
        return made(target, "groups", groups=(group,), rank=order.rank)
    other: Operation | None = None
    if operation is None:
        additive = adds_up(names, figure, counted=order.most)
        if order.most and not additive:
            message = f"`{figure.name}` may be added up or averaged"
            if never_added(names, figure) or figure.column.unit == "%":
                raise Unclear(message)
            operation = "sum" if target.reader.choose(("sum", "avg"), message) == "sum" else "avg"
            measure = Measure(operation, figure)
            return made(target, "groups", groups=(group,), rank=order.rank, measure=measure)
        if not order.most and not _MEANS.isdisjoint(name_words(figure.name)):
            measure = Measure("avg", figure)  # the greatest `avg_rating`, of groups
            return made(target, "groups", groups=(group,), rank=order.rank, measure=measure)
        operation = "sum" if order.most else "max" if order.rank.descending else "min"
        other = None if order.most else "sum" if additive else "avg"
    measure = Measure(operation, figure)
    return made(target, "groups", groups=(group,), rank=order.rank, measure=measure, other=other)
