"""Reads figures: how many, how much, sums and averages."""

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import pieces, unit_of_word
from router.knowledge.rows.parts.columns import (
    adds_up,
    figures,
    is_cost,
    is_money,
    never_added,
    only_total,
    person_of,
    size_of,
    takings,
)
from router.knowledge.rows.parts.reader import Reader
from router.knowledge.rows.parts.target import (
    Target,
    form_of,
    label_of,
    made,
    names_rows,
    only_column,
    refuse_sum_or_count,
    take_operation,
    use,
    we_spent,
)
from router.knowledge.rows.query import Condition, Form, Group, Measure, Operation, Rank, RowQuery
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
    if not numeric and not target.texts():
        query = _rows_figured(target, operation, places)
        if query is not None:
            return query
    dated = target.dated()
    if not numeric and operation in ("max", "min") and dated:
        numeric = dated
    if not numeric:
        names = ", ".join(f"`{f.name}`" for f in figures(reader.names))
        raise Unclear(f"the {operation} of which column: {names}")
    _, each = only_column(numeric, f"the {operation} of which column")
    use(target, each)
    if operation == "sum":
        _refuse_sum_of(target, each)
    if operation == "median" and reader.groups:
        raise Unclear("a median of each group is not read")
    return made(target, form_of(target), measure=Measure(operation, each))


_COSTS = frozenset(("coste", "costo", "costes", "costos", "cost", "costs"))


def _refuse_sum_of(target: Target, each: Field) -> None:
    """Refuse sums that say nothing: of marks, years, percentages, and prices that are no cost."""
    names = target.reader.names
    named = [target.reader.items[i] for i, f in target.columns if f.sql == each.sql and i >= 0]
    priced = names.has(each, "price") and not is_cost(each)
    rate = len(name_words(each.name)) > 1 and any(map(unit_of_word, pieces(each.name)))
    costs = any(span.means("money") or _COSTS & {*span.words} for span in named)
    if priced and (costs or rate):
        raise Unclear(f"a cost of all rows is not the sum of `{each.name}`")
    if never_added(names, each):
        raise Unclear(f"values such as `{each.name}` are not added up")
    if each.column.unit == "%":
        raise Unclear(f"percentages such as `{each.name}` are not added up")


def _rows_figured(target: Target, operation: Operation, places: list[int]) -> RowQuery | None:
    """A figure of rows that names no column: `the total for Roof`, `the biggest donation`."""
    names = target.reader.names
    total, size = only_total(names), size_of(names)
    if operation == "sum":
        if names_rows(target):
            return _rows_summed(target, places)
    elif target.dated() or not _single(target.reader):
        return None
    elif operation in ("max", "min") and size is not None and not target.reader.groups:
        shown, rank = (label_of(target),), Rank(1, operation == "max")
        return made(target, "rows", measure=Measure("max", size), rank=rank, shown=shown)
    lasting = ("duration", "night", "distance", "pages")
    if total is None or (operation != "sum" and any(names.has(f, *lasting) for f in names.fields)):
        return None  # `the average stay` may be so many nights
    return made(target, form_of(target), measure=Measure(operation, total))


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


def _single(reader: Reader) -> bool:
    """Whether one row is named: `the average donation`, not `average donations per month`."""
    rows = [span.words[-1] for span in reader.items if span.means("entity")]
    return bool(rows) and not any(word.endswith("s") for word in rows)


def _total_for(target: Target, places: list[int]) -> bool:
    """`the total for loans`, `total of all loans`; `total loans` may be a number of rows."""
    items = target.reader.items
    for i in places:
        behind = [word for span in items[i + 1 : i + 3] for word in span.words]
        of_all = items[i].words[-1] == "of" and behind[:1] in (["all"], ["the"])
        if not (of_all or behind[:1] == ["for"]):
            return False
    return True


def read_having(target: Target) -> RowQuery | None:
    """`how many owners have more than 3 pets`: groups of rows, by how many rows they have."""
    reader = target.reader
    if reader.having is None:
        return None
    counted = target.take("count")
    target.take("which", "who", "list", "distinct")
    if reader.groups or target.operations or target.numeric():
        raise Unclear("groups with so many rows, and another figure, are not read")
    _, each = only_column(target.texts(), "so many rows of which column")
    use(target, each)
    form: Form = "figure" if counted else "groups"
    return made(target, form, groups=(Group(each),), having=reader.having)


_TIME_OR_MONEY = frozenset(("spent", "spend", "spends", "spending", "took", "takes"))


def _how_much(target: Target) -> RowQuery:
    names = target.reader.names
    target.take("much")
    numeric = target.numeric()
    if numeric and any(target.reader.items[i].means("avg") for i in target.operations):
        operation = take_operation(target, target.operations) or "avg"
        _, each = only_column(numeric, "how much may be")
        use(target, each)
        return made(target, form_of(target), measure=Measure(operation, each))
    if not numeric:
        numeric = [(-1, f) for f in names.fields if f.numeric and names.has(f, "total")]
        numeric = numeric or [(-1, f) for f in names.fields if is_cost(f)]
        brought = takings(names)
        if not numeric and brought is not None:
            numeric = [(-1, brought)]
        if we_spent(target.reader) and not all(is_cost(each) for _, each in numeric):
            raise Unclear("no column says what was spent")
        if not target.operations and not (len(numeric) == 1 and _earned(target)):
            return _priced(target)
    target.reader.take(*target.operations)
    place, each = only_column(numeric, "how much may be")
    if place >= 0 and not _TIME_OR_MONEY.isdisjoint(target.reader.items[place].words):
        money = [f for f in figures(names) if f.sql != each.sql and is_money(names, f)]
        if money and not is_money(names, each):
            raise Unclear(f"how much may be `{each.name}` or `{money[0].name}`")
    use(target, each)
    if adds_up(names, each) or (_due(target.reader) and is_money(names, each)):
        return made(target, form_of(target), measure=Measure("sum", each))
    return made(target, "lookup", shown=(each,))


def _due(reader: Reader) -> bool:
    """Whether the rows are those that are paid, or not, or paid in a way."""
    wheres = [placed.where for placed in reader.placed]
    names = reader.names
    return any(isinstance(w, Condition) and names.has(w.field, "paid", "payment") for w in wheres)


_BROUGHT = frozenset(
    (
        *("money", "dinero", "charged", "billed", "cobrado", "cobrada", "cobramos", "cobraron"),
        *("facturado", "facturada", "facturamos"),
    )
)


def _earned(target: Target) -> bool:
    """Whether a verb of amounts, or of these rows, says of what: `how much was donated`."""
    reader = target.reader
    verbs = any(span.words in reader.names.verbs for span in reader.items)
    money = [i for i in target.free("money") if not _BROUGHT.isdisjoint(reader.items[i].words)]
    reader.take(*money)
    return target.take("earning") or verbs or _due(reader) or bool(money)


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


_TAKEN = frozenset(("took", "take", "takes"))
_TIMES = frozenset(("times", "veces"))
# Rows for each value of a column from which `how many vehicles have left` may mean rows, too.
_REPEATED = 3


def _counted(target: Target) -> RowQuery:
    reader = target.reader
    times = any(_TIMES & {*reader.items[i].words} for i in target.free("count"))
    target.take("count", "which", "list")
    different = target.take("distinct")
    if target.operations:
        extra = [i for i in target.operations if not reader.items[i].means("sum")]
        if extra and all(reader.items[i].means("avg") for i in extra):
            return _averaged(target, extra)
        if extra:
            raise Unclear("a count and another figure together are not read")
        reader.take(*target.operations)
    used = reader.mentioned()
    texts = target.texts()
    numeric = [(i, f) for i, f in target.numeric() if f.sql not in used]
    if times:
        if different or numeric or any(f.sql not in used for _, f in texts):
            raise Unclear("how many times what happened")
        return made(target, form_of(target), measure=Measure("count"))
    person = person_of(reader.names)
    bare = person is not None and not (texts or numeric or names_rows(target))
    if bare and _people_asked(reader):
        return made(target, form_of(target), measure=Measure("distinct", person))
    units = _units_of_product(target)
    if units is not None and not (different or texts or numeric):
        return made(target, form_of(target), measure=Measure("sum", units))
    if different or (texts and not names_rows(target)):
        fields = texts or numeric or target.dated()
        _, each = only_column(fields, "different what")
        if not different and reader.placed and each.present >= _REPEATED * each.distinct:
            raise Unclear(f"rows, or different values of `{each.name}`: say `different` for these")
        use(target, each)
        return made(target, form_of(target), measure=Measure("distinct", each))
    if numeric:
        return _summed(target, numeric)
    return made(target, form_of(target), measure=Measure("count"))


def _averaged(target: Target, places: list[int]) -> RowQuery:
    """`how many seats does a booking have on average` asks for the mean of a column."""
    reader = target.reader
    used = reader.mentioned()
    numeric = [(i, f) for i, f in target.numeric() if f.sql not in used]
    counts = [i for i, span in enumerate(reader.items) if span.means("count")]
    if len(numeric) != 1 or target.texts() or reader.step(counts[0]) != numeric[0][0]:
        raise Unclear("a count and another figure together are not read")
    _, each = numeric[0]
    if not adds_up(reader.names, each, counted=True):
        raise Unclear("a count and another figure together are not read")
    reader.take(*places)
    use(target, each)
    return made(target, form_of(target), measure=Measure("avg", each))


def _summed(target: Target, numeric: list[tuple[int, Field]]) -> RowQuery:
    """`how many children are coming` adds up a column."""
    reader = target.reader
    _, each = only_column(numeric, "how many of which column")
    rows = [i for i, span in enumerate(reader.items) if span.means("entity")]
    taken = all(_TAKEN & {*reader.items[i].words} for i, _ in numeric)
    counts = [i for i, span in enumerate(reader.items) if span.means("count")]
    if taken and rows and counts and reader.step(counts[0]) == rows[0]:
        use(target, each)  # `how many trips students took`
        return made(target, form_of(target), measure=Measure("count"))
    if rows and 0 <= rows[0] < min(i for i, _ in numeric):
        raise Unclear(f"how many rows, or how much `{each.name}`")
    verbs = all(s.strength <= 2 for i, _ in numeric for s in reader.items[i].of("col"))
    if verbs and names_rows(target):
        raise Unclear(f"how many rows, or how much `{each.name}`")
    if adds_up(reader.names, each, counted=True):
        use(target, each)
        return made(target, form_of(target), measure=Measure("sum", each))
    raise Unclear(f"how many `{each.name}` may be a sum or a number of rows")


def _people_asked(reader: Reader) -> bool:
    """Whether people are counted, where the rows are what people did."""
    people = [i for i, span in enumerate(reader.items) if span.means("person")]
    reader.take(*people)
    return bool(people)


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
