"""Holds what is left of a question once its conditions are taken: figures, columns, order."""

from dataclasses import dataclass, field

from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.parts.columns import adds_up, is_cost, is_key, names_row, person_of
from router.knowledge.rows.parts.grouping import MOST
from router.knowledge.rows.parts.reader import Reader, other_unit, vague_amount
from router.knowledge.rows.query import Condition, Form, Operation, RowQuery
from router.knowledge.rows.schema import Unclear

_OPERATIONS: tuple[Operation, ...] = ("sum", "avg", "median", "max", "min")


@dataclass(slots=True)
class Target:
    """What is left of a question once its conditions are taken."""

    reader: Reader
    operations: list[int] = field(default_factory=list)
    columns: list[tuple[int, Field]] = field(default_factory=list)

    def free(self, *kinds: str) -> list[int]:
        return self.reader.free(*kinds)

    def has(self, *kinds: str) -> bool:
        return bool(self.free(*kinds))

    def take(self, *kinds: str) -> bool:
        places = self.free(*kinds)
        self.reader.take(*places)
        return bool(places)

    def numeric(self) -> list[tuple[int, Field]]:
        return [(i, f) for i, f in self.columns if f.numeric and not is_key(self.reader.names, f)]

    def texts(self) -> list[tuple[int, Field]]:
        return [
            (i, f)
            for i, f in self.columns
            if (not f.numeric and not f.dated) or is_key(self.reader.names, f)
        ]

    def dated(self) -> list[tuple[int, Field]]:
        return [(i, f) for i, f in self.columns if f.dated]


def names_rows(target: Target) -> bool:
    return any(span.means("entity") for span in target.reader.items) or target.has("who")


def label_of(target: Target, *, who: bool = False, ranked: bool = False) -> Field:
    """The column that names a row: a name, else its key; or who has the first of them."""
    names = target.reader.names
    if who and not names.people and not (names.has_pets and _means_row(target.reader)):
        holder = _holder(target) if ranked else None
        if holder is None:
            raise Unclear(f"the rows of {names.table.name} are no people: name the column")
        return holder
    texts = [f for f in names.fields if f.column.kind == "text"]
    named = [f for f in texts if f.distinct > 1 and names_row(names, f)]
    person = names.people
    keys = [f for f in names.fields if f.unique and not f.dated and f.column.kind != "number"]
    likely = named if person or not keys else [f for f in named if f.unique]
    for fields in (likely, keys, named):
        if fields:
            return fields[0]
    raise Unclear(f"no column names a row of {names.table.name}")


_IS = frozenset(("is", "was", "are", "were", "es", "era", "son", "fue", "who's"))
_HAS = frozenset(("has", "have", "had", "owns", "own", "owned", "tiene", "tenia", "tuvo"))
_HOLDERS = ("owner", "customer", "guest", "student", "donor", "buyer", "patient", "player")


def _after_who(reader: Reader) -> set[str]:
    """The word `who` and the word behind it."""
    first = next((i for i, span in enumerate(reader.items) if span.means("who")), -1)
    words = {word for span in reader.items[max(first, 0) : first + 2] for word in span.words}
    return words if first >= 0 else set()


def _means_row(reader: Reader) -> bool:
    """Whether `who` means the row itself: `who's the oldest dog`."""
    return not _IS.isdisjoint(_after_who(reader))


def _holder(target: Target) -> Field | None:
    """The only person who has a row: `who has the oldest dog`."""
    names = target.reader.names
    person = person_of(names)
    has = not _HAS.isdisjoint(_after_who(target.reader))
    return person if person is not None and has and names.has(person, *_HOLDERS) else None


def take_columns(target: Target) -> None:
    """The columns that are left, each once; a word that is an operation too stays one if it can."""
    reader = target.reader
    for i in reader.free("col"):
        span = reader.items[i]
        if span.means(*_OPERATIONS, "distinct") and not _column_too(reader, i):
            continue
        if span.means("entity", "foreign") and max(s.strength for s in span.of("col")) < 6:
            continue
        if span.means("unit") and _unit_again(reader, i):
            continue  # `average height in cm`
        _not_value(reader, i)
        each = _fitting(reader, i)
        named = each is not None and (each.unique or names_row(reader.names, each))
        if each is None or (span.means("entity") and named):
            continue
        if each.column.kind == "text" and _second_noun(reader, i, each):
            raise Unclear(
                f"`{reader.items[i - 1].text} {span.text}` may be one noun, or two columns"
            )
        if we_spent(reader) and not is_cost(each) and each.numeric:
            raise Unclear(f"`{each.name}` does not say what was spent")
        if vague_amount(reader, i, each):
            raise Unclear(f"`{span.text}` may be `{each.name}` or a total")
        verb = max(s.strength for s in span.of("col")) <= 2 or span.means("earning", "linking")
        flagged = each.column.kind == "boolean"
        if each.sql in reader.mentioned() and (verb or flagged):
            continue  # `tickets that took between 60 and 120 minutes`
        target.columns.append((i, each))
    weak = [i for i, _ in target.columns if _verb(reader, i)]
    if len(weak) < len(target.columns) or reader.free("count"):
        target.columns = [(i, f) for i, f in target.columns if i not in weak]
    target.operations = [
        i for i in reader.free(*_OPERATIONS) if i not in {place for place, _ in target.columns}
    ]


def _second_noun(reader: Reader, place: int, each: Field) -> bool:
    """Whether a column's name stands right behind a column that a row has, or lacks.

    `gigs without a support act` does not ask for acts.
    """
    return any(
        placed.end == place - 1
        and isinstance(placed.where, Condition)
        and placed.where.field.column.kind == "text"
        and placed.where.field.sql != each.sql
        and reader.items[placed.end].means("col", "held")
        for placed in reader.placed
    )


def _unit_again(reader: Reader, place: int) -> bool:
    """Whether a unit says again what a column that stands before it holds."""
    words = reader.items[place].words
    return any(
        sense.value.numeric and not other_unit(words, sense.value)
        for i in reader.free("col")
        if i < place and not reader.items[i].means("unit")
        for sense in reader.items[i].of("col")
    )


def _not_value(reader: Reader, place: int) -> None:
    """Refuse a word that names a column in other words, and is a value of another column."""
    span, own = reader.items[place], reader.names.table.stored
    values = [s.strength for s in span.of("val") if s.value[0].table.stored == own]
    columns = [s for s in span.of("col") if s.value.table.stored == own]
    named = max((s.strength for s in columns), default=0)
    if columns and max(values, default=0) > max(named, 6) and not span.means("filler"):
        name = columns[0].value.name
        raise Unclear(f"`{span.text}` may be a value, or the column `{name}`")


_SPENT = frozenset(("spend", "spent", "spending", "gastamos", "gastado", "pagamos", "pay", "paid"))
_OURS = frozenset(("we", "our", "us", "hemos", "gastamos", "pagamos", "nos", "nuestro", "nuestra"))


def we_spent(reader: Reader) -> bool:
    """Whether those who ask spent: the total of what others bought or gave is no answer."""
    words = {word for span in reader.items for word in span.words}
    bought = any(thing.name in ("expense", "invoice") for thing in reader.names.things)
    return bool(_SPENT & words and _OURS & words) and not bought


def _fitting(reader: Reader, place: int) -> Field | None:
    """The column that a span names: what is added up behind `how many`, a price if it is dear."""
    names, before = reader.names, reader.step(place, -1)
    leading = reader.items[before] if before >= 0 else None
    each = None
    if leading is not None and leading.means("count"):
        each = reader.field_at(place, lambda f: adds_up(names, f, counted=True))
    elif leading is not None and leading.means("much"):
        each = reader.field_at(place, lambda f: f.numeric)
    elif leading is not None and leading.means("adj_desc", "adj_asc"):
        concepts = [s.value for s in leading.senses if s.kind in ("adj_desc", "adj_asc")]
        each = reader.field_at(place, lambda f: names.has(f, *concepts))
    return each or reader.field_at(place)


def _verb(reader: Reader, place: int) -> bool:
    """Whether a span may be a verb that says nothing: `units sold`."""
    span = reader.items[place]
    return span.means("filler") and max(s.strength for s in span.of("col")) <= 2


def _column_too(reader: Reader, place: int) -> bool:
    """Whether `total` is the column here: behind another operation, or with no other column."""
    others = [i for i in reader.free(*_OPERATIONS, *MOST) if i != place]
    if any(reader.items[i].means(*_OPERATIONS, *MOST) for i in others):
        return True
    columns = [
        i
        for i in reader.free("col")
        if i != place and reader.field_at(i, lambda f: f.numeric) is not None
    ]
    counted = bool(reader.free("count")) or (not reader.groups and not reader.free("which"))
    return not columns and not counted and bool(reader.items[place].of("col"))


def only_column(fields: list[tuple[int, Field]], what: str) -> tuple[int, Field]:
    """The only column of a list, which may stand there twice."""
    by_sql = {each.sql: (i, each) for i, each in fields}
    if len(by_sql) == 1:
        return next(iter(by_sql.values()))
    names = " or ".join(f"`{each.name}`" for _, each in by_sql.values())
    raise Unclear(f"{what}: {names}" if names else what)


def refuse_sum_or_count(target: Target) -> None:
    """`sales by store` may be how many rows there are, or how much they add up to."""
    names = target.reader.names
    for span in target.reader.items:
        columns = [s.value for s in span.of("col")]
        sums = [each for each in columns if each.numeric and not is_key(names, each)]
        if span.means("entity") and sums:
            raise Unclear(
                f"`{span.text}` may be the number of rows of {names.table.name}, "
                f"or the sum of `{sums[0].name}`"
            )


def use(target: Target, *fields: Field) -> None:
    wanted = {each.sql for each in fields}
    target.reader.take(*(i for i, each in target.columns if each.sql in wanted))


def take_operation(target: Target, places: list[int]) -> Operation | None:
    names = {op for i in places for op in _OPERATIONS if target.reader.items[i].means(op)}
    if target.has("count"):
        return None
    if len(names) > 1:
        raise Unclear("it asks for several figures: " + ", ".join(sorted(names)))
    if len(places) > 1 and names & {"avg", "sum"}:
        raise Unclear(f"the {next(iter(names))} of which figure")  # `the average of the averages`
    target.reader.take(*places)
    return next(iter(names), None)


def form_of(target: Target) -> Form:
    return "groups" if target.reader.groups else "figure"


def made(target: Target, form: Form, **parts: object) -> RowQuery:
    given = {"groups": tuple(target.reader.groups), **parts}
    return RowQuery(target.reader.names.table, form, **given)  # type: ignore[arg-type]


def happened(target: Target, place: int, each: Field) -> Condition:
    before = target.reader.step(place, -1)
    negated = before >= 0 and target.reader.items[before].means("neg")
    if negated and not target.reader.items[before].used:
        target.reader.take(before)
        return Condition(each, "missing")
    return Condition(each, "there")
