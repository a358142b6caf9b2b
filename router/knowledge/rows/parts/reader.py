"""Holds a question while it is read: its words, what each may name, and what is taken so far."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.spans import Span, Spans
from router.knowledge.rows.language.words import Language, Sense, pieces, unit_of_word
from router.knowledge.rows.query import AnyOf, Condition, Group, Having, Where
from router.knowledge.rows.schema import Choice, Unclear

_CALLED = frozenset(("name", "nombre"))


@dataclass(slots=True)
class Placed:
    """A condition, and the spans from which it was read."""

    start: int
    end: int
    where: Where


@dataclass(slots=True)
class Reader:
    """A question that is being read; each step takes the spans that it understands."""

    names: Names
    spans: Spans
    language: Language
    preferred: str = ""  # the key of a reading that is taken where several fit
    base_date: Field | None = None  # of the question before, in a question that goes on from it
    base_amount: Field | None = None  # likewise, of a number that was compared
    events: bool = False  # whether a day was named of a column of dates by its name
    placed: list[Placed] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    having: Having | None = None
    related: bool = False  # whether rows of another table must, or must not, name the rows

    def __post_init__(self) -> None:
        """A column of another table counts only where the question names that table's rows.

        Its labels count too beside rows or a figure of this table: `visits by cats`.
        """
        named = any(span.means("entity") for span in self.items)
        rows_named = named or self._measured() or self._valued()
        own = self.names.table.stored
        near = {own} | {s.value for span in self.items for s in span.of("foreign")}
        for span in self.items:
            kept = tuple(s for s in span.senses if _table_of(s, own) in near)
            if not kept and rows_named:
                kept = tuple(s for s in span.senses if _tells_apart(s))
            if span.senses and not kept:
                self.spans.unknown.append(span.text)
            span.senses = kept

    def _valued(self) -> bool:
        """Whether the question names a value of this table's rows in several words."""
        own = self.names.table.stored
        senses = [s for span in self.items if len(span.words) > 1 for s in span.of("val")]
        return any(s.value[0].table.stored == own and s.strength >= 7 for s in senses)

    def _measured(self) -> bool:
        """Whether the question names a figure of this table's rows."""
        own = self.names.table.stored
        senses = [s for span in self.items for s in span.of("col")]
        return any(s.value.numeric and s.value.table.stored == own for s in senses)

    @property
    def items(self) -> list[Span]:
        return self.spans.items

    def step(self, at: int, by: int = 1) -> int:
        """The next span that is no filler, or -1."""
        at += by
        while 0 <= at < len(self.items):
            if not self.items[at].filler and not self.items[at].means("mark"):
                return at
            at += by
        return -1

    def take(self, *places: int) -> None:
        for place in places:
            self.items[place].used = True

    def free(self, *kinds: str) -> list[int]:
        return [i for i, span in enumerate(self.items) if not span.used and span.means(*kinds)]

    def choose(self, keys: Collection[str], message: str) -> str:
        """The key of the reading that is preferred among those that fit. Raises `Choice`."""
        if self.preferred in keys:
            return self.preferred
        raise Choice(message, keys)

    def field_at(
        self, place: int, wanted: Callable[[Field], bool] = lambda _: True, kind: str = "col"
    ) -> Field | None:
        """The column that a span names; raises `Unclear` if it may be several."""
        if place < 0 or not self.items[place].means(kind):
            return None
        words = self.items[place].words
        senses = [
            s
            for s in self.items[place].of(kind)
            if wanted(s.value) and not other_unit(words, s.value)
        ]
        if not senses:
            return None
        best = max(sense.strength for sense in senses)
        fields = [sense.value for sense in senses if sense.strength == best]
        if len(fields) > 1:
            used = [f for f in fields if f.sql in self.mentioned()]
            written = [f for f in fields if {*words} <= {*pieces(f.name)}]  # `tickets_sold`
            called = [f for f in fields if not _CALLED.isdisjoint(name_words(f.name))]
            for narrower in (used, written, called):
                if len(narrower) == 1:
                    return narrower[0]  # type: ignore[no-any-return]
            text = self.items[place].text
            columns: dict[str, Field] = {f.sql: f for f in fields}
            message = f"`{text}` may be the column {either(f.name for f in fields)}"
            return columns[self.choose(columns, message)]
        return fields[0]  # type: ignore[no-any-return]

    def fields(self) -> list[Field]:
        """The columns that conditions and groups use so far."""
        fields = [group.field for group in self.groups]
        for placed in self.placed:
            parts = placed.where.parts if isinstance(placed.where, AnyOf) else (placed.where,)
            fields += [part.field for part in parts if isinstance(part, Condition)]
        return fields

    def mentioned(self) -> set[str]:
        return {each.sql for each in self.fields()}

    def tables(self) -> set[str]:
        return {each.table.stored for each in self.fields()}

    def add(self, start: int, end: int, condition: Condition) -> None:
        self.placed.append(Placed(start, end, condition))


def other_unit(words: Sequence[str], each: Field) -> bool:
    """Whether words name a unit that the column's name does not."""
    units = {unit for word in words if (unit := unit_of_word(word))}
    words_of_name = (*name_words(each.name, whole=True), *pieces(each.name))
    named = (unit_of_word(word) for word in words_of_name)
    return bool(units) and units.isdisjoint(named)


def _tells_apart(sense: Sense) -> bool:
    """Whether a sense is a value, or a column of few texts, by which rows can be told apart."""
    match sense.value:
        case Field() as each:
            return sense.kind == "col" and each.column.kind == "text"
        case (Field(), _):
            return sense.kind == "val"
        case _:
            return False


def _table_of(sense: Sense, own: str) -> str:
    """The table of a sense that is a column or a value."""
    each = sense.value[0] if isinstance(sense.value, tuple) else sense.value
    return each.table.stored if isinstance(each, Field) else own


def either(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in dict.fromkeys(names))


def only_joins(span: Span) -> bool:
    """Whether a verb says nothing but that a value or column follows."""
    kinds = ("linking", "using", "filler")
    return span.means("linking") and all(s.kind in kinds for s in span.senses)


def vague_amount(reader: Reader, place: int, each: Field) -> bool:
    """Whether a word such as `cost` may be this column, or the total that rows have too."""
    span = reader.items[place]
    if not span.means("money") or name_words(each.name) == span.words:
        return False
    totals = [f for f in reader.names.fields if f.numeric and reader.names.has(f, "total")]
    return any(f.sql != each.sql for f in totals) and not reader.names.has(each, "total")


def take_negation(reader: Reader, place: int, *, through: bool = False) -> bool:
    """Take the negation right before a span, if there is one.

    `through`: also before a verb that only joins: `that do not need shade`.
    """
    before = reader.step(place, -1)
    if through and before >= 0 and only_joins(reader.items[before]):
        earlier = reader.step(before, -1)
        if earlier >= 0 and reader.items[earlier].means("neg"):
            before = earlier
    if before >= 0 and reader.items[before].means("neg", "nor") and not reader.items[before].used:
        reader.take(before)
        again = reader.step(before, -1)
        if again >= 0 and again == before - 1 and reader.items[again].means("neg"):
            raise Unclear(f"`{reader.items[again].text} {reader.items[before].text}` negates twice")
        return True
    return False
