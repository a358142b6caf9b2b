"""Reads figures: how many, how much, sums and averages."""

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import concept_kind
from router.knowledge.rows.parts.target import (
    Target,
    figures,
    form_of,
    made,
    names_rows,
    only_column,
    refuse_sum_or_count,
    take_operation,
    use,
)
from router.knowledge.rows.query import Condition, Measure, RowQuery
from router.knowledge.rows.schema import Unclear

_WORTH = frozenset(("value", "values", "valor", "valores", "sum", "suma"))


def read_figure(target: Target) -> RowQuery | None:
    reader = target.reader
    if target.has("much"):
        return _how_much(target)
    if target.has("count"):
        return _counted(target)
    places = target.operations
    operation = take_operation(target, places)
    if operation is None:
        return None
    target.take("which", "list")
    numeric = target.numeric()
    if not numeric and operation == "sum" and names_rows(target) and not target.texts():
        return _rows_summed(target, places)
    dated = target.dated()
    if not numeric and operation in ("max", "min") and dated:
        numeric = dated
    if not numeric:
        names = ", ".join(f"`{f.name}`" for f in figures(reader.names))
        raise Unclear(f"the {operation} of which column: {names}")
    _, each = only_column(numeric, f"the {operation} of which column")
    use(target, each)
    if operation == "sum" and each.column.unit == "%":
        raise Unclear(f"percentages such as `{each.name}` are not added up")
    if operation == "median" and reader.groups:
        raise Unclear("a median of each group is not read")
    return made(target, form_of(target), measure=Measure(operation, each))


def _rows_summed(target: Target, places: list[int]) -> RowQuery:
    """`total orders` is how many there are, unless the rows have a total too."""
    reader = target.reader
    if any(_WORTH & {*span.words} for span in reader.items):
        raise Unclear("the value of which column")
    refuse_sum_or_count(target)
    totals = [f for f in reader.names.fields if f.numeric and reader.names.has(f, "total")]
    if _total_for(target, places):
        if len(totals) != 1:
            raise Unclear("the total of which column")
        return made(target, form_of(target), measure=Measure("sum", totals[0]))
    if totals:
        raise Unclear(f"it may ask for the sum of `{totals[0].name}`, or for the number of rows")
    return made(target, form_of(target), measure=Measure("count"))


def _total_for(target: Target, places: list[int]) -> bool:
    """`the total for loans`, where `total loans` may be a number of rows."""
    items = target.reader.items
    return all(i + 1 < len(items) and items[i + 1].words == ("for",) for i in places)


def _how_much(target: Target) -> RowQuery:
    names = target.reader.names
    target.take("much")
    numeric = target.numeric()
    if not numeric:
        numeric = [(-1, f) for f in names.fields if f.numeric and names.has(f, "total")]
        if not target.operations:
            return _priced(target)
    target.reader.take(*target.operations)
    _, each = only_column(numeric, "how much may be")
    use(target, each)
    if names.has(each, *concept_kind("additive")):
        return made(target, form_of(target), measure=Measure("sum", each))
    return made(target, "lookup", shown=(each,))


def _priced(target: Target) -> RowQuery:
    """`how much is B003`: the price of the row that a key names."""
    names = target.reader.names
    prices = [f for f in names.fields if f.numeric and names.has(f, "price")]
    exact = [f for f in prices if len(name_words(f.name)) == 1]
    wheres = [placed.where for placed in target.reader.placed]
    keys = [w for w in wheres if isinstance(w, Condition) and w.field.unique and not w.negated]
    if len(exact) != 1 or not keys or any(names.has(f, "total") for f in names.fields):
        raise Unclear("how much of what")
    return made(target, "lookup", shown=(exact[0],))


def _counted(target: Target) -> RowQuery:
    reader = target.reader
    target.take("count", "which")
    different = target.take("distinct")
    if target.operations:
        extra = [i for i in target.operations if not reader.items[i].means("sum")]
        if extra:
            raise Unclear("a count and another figure together are not read")
        reader.take(*target.operations)
    used = reader.mentioned()
    texts = target.texts()
    numeric = [(i, f) for i, f in target.numeric() if f.sql not in used]
    units = _units_of_product(target)
    if units is not None and not (different or texts or numeric):
        return made(target, form_of(target), measure=Measure("sum", units))
    if different or (texts and not names_rows(target)):
        fields = texts or numeric or target.dated()
        _, each = only_column(fields, "different what")
        use(target, each)
        return made(target, form_of(target), measure=Measure("distinct", each))
    if numeric:
        _, each = only_column(numeric, "how many of which column")
        names = reader.names
        parts = concept_kind("additive") | {"children", "adults", "employees"}
        if each.column.kind == "integer" and names.has(each, *parts):
            use(target, each)
            return made(target, form_of(target), measure=Measure("sum", each))
        raise Unclear(f"how many `{each.name}` may be a sum or a number of rows")
    return made(target, form_of(target), measure=Measure("count"))


def _units_of_product(target: Target) -> Field | None:
    """`how many hoodies were sold` adds up units, where each row says how many."""
    reader, names = target.reader, target.reader.names
    units = [f for f in names.fields if f.numeric and names.has(f, "quantity")]
    if len(units) != 1 or any(s.means("entity") and not s.means("filler") for s in reader.items):
        return None
    for placed in reader.placed:
        where = placed.where
        head = reader.step(placed.start, -1)
        if isinstance(where, Condition) and where.relation == "in" and not where.negated:
            product = names.has(where.field, "product", "category")
            if product and head >= 0 and reader.items[head].means("count"):
                return units[0]
    return None
