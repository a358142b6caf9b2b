"""Reads orders: `the oldest member`, `the 3 cheapest items`, `who has the highest salary`."""

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.parts.columns import takings
from router.knowledge.rows.parts.days import default_date, year_column
from router.knowledge.rows.parts.grouping import MOST
from router.knowledge.rows.parts.rank_groups import rank_by_figure
from router.knowledge.rows.parts.reader import Reader
from router.knowledge.rows.parts.target import (
    Target,
    form_of,
    label_of,
    made,
    names_rows,
    only_column,
    take_operation,
    use,
)
from router.knowledge.rows.query import Condition, Group, Measure, Operation, Rank, RowQuery
from router.knowledge.rows.schema import Unclear


def read_rank(target: Target) -> RowQuery | None:
    """`the oldest member`, `top 3 items by quantity`, `which city has the most members`."""
    reader = target.reader
    places = target.free(*MOST)
    maxima = [i for i in target.operations if reader.items[i].means("max", "min")]
    wants_row = target.has("which", "who") or bool(target.free("top", "bottom"))
    number = _count(target)
    if not places and not (maxima and (wants_row or number or _labelled(target, maxima[0]))):
        return None
    if (
        not places
        and maxima
        and not (number or target.has("who", "top"))
        and _plain_extreme(target)
    ):
        return None
    tops = target.free("top", "bottom")
    marks = [i for i in places if not reader.items[i].means("top", "bottom")] or maxima
    descending = not any(reader.items[i].means("bottom") for i in tops)
    concept = ""
    if marks:
        if len(marks) > 1 and not _agree(target, marks):
            raise Unclear(
                "it names two orders: " + ", ".join(f"`{reader.items[i].text}`" for i in marks)
            )
        span = reader.items[marks[0]]
        adjective = next((s for s in span.senses if s.kind in ("adj_desc", "adj_asc")), None)
        concept = adjective.value if adjective is not None else ""
        descending = span.means("most", "common", "max") or (
            adjective is not None and adjective.kind == "adj_desc"
        )
    common = any(reader.items[i].means("common", "uncommon") for i in marks)
    reader.take(*tops, *marks)
    if number is not None:
        reader.take(number)
    rank = Rank(_rank_size(reader, number), descending)
    extreme = _adjective_of(target, marks[0], concept) if concept and number is None else None
    if extreme is not None:
        use(target, extreme)
        target.take("which", "list")
        return made(
            target, form_of(target), measure=Measure("max" if descending else "min", extreme)
        )
    averages = [i for i in target.operations if not reader.items[i].used]
    operation = take_operation(target, averages)
    if concept:
        plural = number is not None
        return _by_adjective(target, rank, concept, operation, plural=plural, mark=marks[0])
    words = [reader.items[i] for i in marks]
    return rank_by_figure(
        target,
        rank,
        operation,
        common=common,
        most=any(span.means("most", "least") for span in words),
        extreme=any(span.means("max", "min") for span in words),
    )


_MEASURED = ("duration", "weight", "height")  # adjectives that fit any figure that is named


def _adjective_of(target: Target, mark: int, concept: str) -> Field | None:
    """The column whose extreme an adjective asks for: `the longest time`, `the cheapest price`."""
    reader = target.reader
    following = reader.step(mark)
    fields = [
        f
        for i, f in target.numeric()
        if i == following and (reader.names.has(f, concept) or concept in _MEASURED)
    ]
    earlier = any(span.means("entity", "which", "who") for span in reader.items[:mark])
    rows = any(span.means("entity") for span in reader.items[:mark])
    plain = not rows and (not earlier or _plain_extreme(target))
    return fields[0] if fields and plain and not target.texts() else None


def _rank_size(reader: Reader, number: int | None) -> int:
    if number is None:
        return 1
    size = reader.items[number].piece.number or 0
    if reader.items[number].piece.unit or size != int(size) or not 1 <= size <= 1000:
        raise Unclear(f"`{reader.items[number].text}` is no number of rows")
    return int(size)


def _agree(target: Target, marks: list[int]) -> bool:
    texts = {tuple(s.kind for s in target.reader.items[i].senses) for i in marks}
    return len(texts) == 1


def _count(target: Target) -> int | None:
    """How many are wanted: the only number that no condition took."""
    numbers = [
        i
        for i, span in enumerate(target.reader.items)
        if not span.used and span.piece.number is not None and not span.means("val", "col")
    ]
    return numbers[0] if len(numbers) == 1 else None


def _labelled(target: Target, place: int) -> bool:
    """Whether the row with a greatest value is wanted: `the member with the highest fee`."""
    reader = target.reader
    return (
        any(
            (span.means("entity") or any(i == k for k, _ in target.texts())) and i < place
            for i, span in enumerate(reader.items)
        )
        and not reader.groups
        and not target.has("count")
    )


def _plain_extreme(target: Target) -> bool:
    """`what is the highest fee`: which and what ask for a value, and no other column is named."""
    words = {word for i in target.free("which") for word in target.reader.items[i].words}
    entity = [i for i, s in enumerate(target.reader.items) if s.means("entity")]
    first = min(target.operations, default=0)
    named_first = any(i < first for i in entity) or any(i < first for i, _ in target.texts())
    return "which" not in words and not named_first and not target.texts()


def _ages(target: Target) -> Field | None:
    names = target.reader.names
    fields = [f for f in names.fields if f.numeric and names.has(f, "age")]
    return fields[0] if len(fields) == 1 else None


def _concept_field(target: Target, concept: str) -> Field | None:
    """The column by which an adjective ranks rows."""
    names = target.reader.names
    named = [f for _, f in target.numeric() if names.has(f, concept)]
    if concept in ("date", "age") and not named:
        return year_column(names) if concept == "date" or not names.people else _ages(target)
    if not named and concept in _MEASURED:
        named = [f for _, f in target.numeric()]
    fields = named or [f for f in names.fields if f.numeric and names.has(f, concept)]
    others = ("pages", "distance", *(("height",) if names.people else ()))
    for other in others if concept == "duration" and not fields else ():
        fields = fields or [f for f in names.fields if f.numeric and names.has(f, other)]
    exact = [f for f in fields if concept == "price" and len(name_words(f.name)) == 1]
    fields = exact if len(exact) == 1 else fields
    if len({f.sql for f in fields}) > 1:
        raise Unclear(f"the order may be by {' or '.join(f'`{f.name}`' for f in fields)}")
    totals = [f for f in names.fields if f.numeric and names.has(f, "total")]
    if concept == "price" and fields and not named and totals and not target.texts():
        raise Unclear(f"the order may be by `{fields[0].name}` or `{totals[0].name}`")
    brought = takings(names) if concept == "price" and not fields and not names.people else None
    return fields[0] if fields else brought


def _best_rated(target: Target, rank: Rank, rating: Field) -> RowQuery:
    """`the best rated technician`, by the mean of all ratings."""
    _, text = only_column(target.texts(), "the order may be of")
    if target.reader.groups:
        raise Unclear("the first of each group is not read")
    use(target, text)
    target.take("which", "who", "list")
    return made(target, "groups", groups=(Group(text),), rank=rank, measure=Measure("avg", rating))


def _head_value(reader: Reader, mark: int) -> bool:
    """Whether a value behind an adjective stands for a row: `the heaviest dog`."""
    behind = mark + 1
    return (
        any(
            isinstance(p.where, Condition) and p.start == behind and p.where.relation == "in"
            for p in reader.placed
        )
        and not reader.items[behind].words[0].isdigit()
    )


def _ordered_by(target: Target, concept: str, rank: Rank) -> tuple[Field, Rank]:
    """The column that an adjective orders by, and the order in it: the older, the earlier."""
    reader = target.reader
    each = _concept_field(target, concept)
    if each is None:
        if concept not in ("date", "age") or target.numeric():
            raise Unclear(f"no column says the {concept} of a row")
        dated = target.dated()
        born = [f for f in reader.names.fields if f.dated and reader.names.has(f, "birth")]
        if concept == "age" and len(born) == 1 and not dated:
            each = born[0]
        else:
            each = only_column(dated, "which date")[1] if dated else default_date(reader.names)
        if concept == "age":
            birth = reader.names.has(each, "birth")
            person = reader.names.people
            if person and not birth:
                raise Unclear("no column says how old a person is")
            rank = Rank(rank.count, not rank.descending)  # the older, the earlier
    elif concept == "age" and not reader.names.has(each, "age"):
        rank = Rank(rank.count, not rank.descending)
    return each, rank


def _by_adjective(
    target: Target,
    rank: Rank,
    concept: str,
    operation: Operation | None,
    *,
    plural: bool,
    mark: int,
) -> RowQuery:
    reader = target.reader
    if operation is not None:
        raise Unclear("an order and a figure together are not read")
    each, rank = _ordered_by(target, concept, rank)
    use(target, each)
    texts = target.texts()
    if concept == "rating" and texts and not texts[0][1].unique:
        return _best_rated(target, rank, each)
    kinds = [f for _, f in texts if not f.unique and not reader.names.has(f, "product")]
    rows_named = names_rows(target) and not target.has("who")
    if kinds and (each.numeric or concept == "age") and not rows_named:
        raise Unclear(f"`{kinds[0].name}` may be ordered by single rows or by averages")
    entity = names_rows(target) or _head_value(reader, mark)
    who = target.take("who")
    target.take("which", "list", *(("much",) if concept == "price" else ()))
    when = target.take("when")
    if reader.groups:
        raise Unclear("the first of each group is not read")
    if when or (not texts and not entity and not plural):
        operation = "max" if rank.descending else "min"
        if when and rank.count > 1:
            raise Unclear("only one date can be answered")
        return made(target, "figure", measure=Measure(operation, each))
    shown = tuple(dict.fromkeys(f for _, f in texts)) or (label_of(target, who=who, ranked=True),)
    use(target, *shown)
    return made(target, "rows", measure=Measure("max", each), rank=rank, shown=shown)
