"""The phrases by which a question can name the tables, columns and values of a store. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from router.knowledge.rows.language.column_words import (
    DATE_WORDS,
    KEYS,
    SMALL,
    WEAK,
    name_words,
)
from router.knowledge.rows.language.profile import Field, Link
from router.knowledge.rows.language.words import (
    Phrase,
    Sense,
    Thing,
    alike_values,
    beside_only,
    canonical,
    canonical_phrase,
    concept_kind,
    concepts_of,
    only_asked,
    pieces,
    things,
    weak_in_names,
)
from router.knowledge.rows.schema import TableSchema

_ROWS = (
    "row",
    "rows",
    "record",
    "records",
    "entry",
    "entries",
    "fila",
    "filas",
    "registros",
    "entradas",
)


def things_of(table: TableSchema, fields: Sequence[Field]) -> tuple[Thing, ...]:
    """What a table's rows are: by its name, else by the name of its key."""
    phrase = canonical_phrase(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", table.name))
    by_name = [t for t in things() if any((word,) in t.nouns for word in phrase[-1:])]
    by_name = by_name or [t for t in things() if any((word,) in t.nouns for word in phrase)]
    if by_name:
        return tuple(by_name)
    keys = [f for f in fields if f.unique and KEYS & {*name_words(f.name)}]
    words = {canonical(word) for f in keys for word in name_words(f.name)}
    return tuple(t for t in things() if any((word,) in t.nouns for word in words))


@dataclass(slots=True)
class Names:
    """What each phrase can name, for questions on one table and the tables that it links to."""

    table: TableSchema
    fields: Sequence[Field]
    links: Sequence[Link]
    things: tuple[Thing, ...]
    concepts: dict[str, frozenset[str]] = field(default_factory=dict)  # by the SQL of a column
    senses: dict[Phrase, list[Sense]] = field(default_factory=dict)
    verbs: set[Phrase] = field(default_factory=set)
    heads: set[str] = field(default_factory=set)  # the words of all phrases, once they are needed
    longest: int = 1

    def add(self, phrase: Iterable[str], sense: Sense) -> None:
        key = tuple(phrase)
        if not key:
            return
        listed = self.senses.setdefault(key, [])
        same = [s for s in listed if (s.kind, s.value) == (sense.kind, sense.value)]
        if same and same[0].strength >= sense.strength:
            return
        for old in same:
            listed.remove(old)
        listed.append(sense)
        self.longest = max(self.longest, len(key))

    @property
    def people(self) -> bool:
        """Whether each row is a person: by the table's name, or by columns of names and ages."""
        if any(thing.person for thing in self.things):
            return True
        return not self.things and all(
            any(self.has(each, concept) for each in self.fields) for concept in ("name", "age")
        )

    @property
    def row_words(self) -> set[str]:
        """The words by which questions call the rows."""
        return self.words_for(self.table)

    def words_for(self, table: TableSchema) -> set[str]:
        """The words by which questions call the rows of this or another table."""
        nouns = [
            noun
            for noun, senses in self.senses.items()
            if any(s.kind in ("entity", "foreign") and s.value == table.stored for s in senses)
        ]
        return {word for noun in nouns for word in noun}

    def has(self, field_: Field, *concepts: str) -> bool:
        return not self.concepts.get(field_.sql, frozenset()).isdisjoint(concepts)


def names_of(
    table: TableSchema,
    by_table: Mapping[str, Sequence[Field]],
    links: Sequence[Link],
    tables: Sequence[TableSchema],
) -> Names:
    own = by_table[table.stored]
    near = [
        link
        for link in links
        if table.stored in (link.source.table.stored, link.target.table.stored)
    ]
    outward = [link for link in near if link.source.table.stored == table.stored]
    names = Names(table, own, near, things_of(table, own))
    called = {_phrase_of(each) for each in tables}
    _name_rows(names, table, names.things, "entity", called)
    for noun in _key_nouns(own, outward) - called:
        names.add(noun, Sense("entity", table.stored, 3))
    for other in tables:
        if other.stored != table.stored:
            kinds = things_of(other, by_table[other.stored])
            _name_rows(names, other, kinds, "foreign", called)
            for verb in {verb for thing in kinds for verb in thing.verbs}:
                names.add(verb, Sense("foreign_verb", other.stored, 1))
    for each in own:
        _name_column(names, each, weaker=0)
    _narrow(names, table)
    if names.people:
        for word in ("person", "persona", "gente"):
            names.add((canonical(word),), Sense("entity", table.stored, 3))
    for link in outward:
        for each in by_table[link.target.table.stored]:
            if each.sql != link.target.sql:
                _name_column(names, each, weaker=6)
    return names


def _phrase_of(table: TableSchema) -> Phrase:
    return canonical_phrase(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", table.name))


def _key_nouns(fields: Sequence[Field], links: Sequence[Link]) -> set[Phrase]:
    """What the name of a table's own key calls the rows: jobs, by `Job #`."""
    linked = {link.source.sql for link in links}
    nouns: set[Phrase] = set()
    for each in fields:
        words = [canonical(word) for word in name_words(each.name) if word not in SMALL]
        rest = tuple(word for word in words if word not in KEYS)
        if each.unique and each.sql not in linked and len(rest) == 1 and len(rest) < len(words):
            nouns.add(rest)
    return nouns


def _name_rows(
    names: Names, table: TableSchema, kinds: Sequence[Thing], kind: str, called: Set[Phrase]
) -> None:
    """Name the rows of a table; a noun that is another table's name means the other's rows."""
    names.add(_phrase_of(table), Sense(kind, table.stored))
    for thing in kinds:
        for noun in thing.nouns - called:
            names.add(noun, Sense(kind, table.stored, 3))
    if kind == "entity":
        for row in _ROWS:
            names.add((canonical(row),), Sense(kind, table.stored, 2))
        names.verbs = {verb for thing in kinds for verb in thing.verbs}


def _narrow(names: Names, table: TableSchema) -> None:
    """A noun for rows that is a value too means the value: a `Casa` is not every property."""
    phrase = _phrase_of(table)
    for key, senses in names.senses.items():
        own = any(s.kind == "val" and s.value[0].table.stored == table.stored for s in senses)
        if own and key != phrase:
            senses[:] = [s for s in senses if s.kind != "entity"]


def _name_column(names: Names, each: Field, *, weaker: int) -> None:
    words = [canonical(word) for word in name_words(each.name)]
    content = [word for word in words if word not in SMALL]
    if each.dated:
        content = [word for word in content if word not in DATE_WORDS] or content
    concepts = names.concepts[each.sql] = _concepts(each, words, content)

    def sense(strength: int) -> Sense:
        return Sense("col", each, strength - weaker)

    dates = each.dated and names.row_words.issuperset(content)  # `visits` is no `visit_date`
    wholes = (words, [w for w in words if w not in SMALL], *([] if dates else [content]))
    for whole in wholes:
        names.add(whole, sense(9))
    if not dates:
        written = [canonical(word) for word in pieces(each.name) if word.isalnum()]
        if len(written) >= len(words):  # `mins` is minutes; `m2` is cut as m, 2
            names.add(written, sense(9))
    if each.dated:
        for first, second in (("date", "of"), ("date", "de"), ("fecha", "de"), ("fecha", "of")):
            names.add((first, second, *content), sense(9))
        names.add((*content, "date"), sense(9))
    for word, strength in _parts_of(names, each, content):
        names.add(word, sense(strength))
    for phrase, shared in concepts_of().items():
        if shared & concepts:
            kin = any(word[:4] == phrase[0][:4] for word in content)  # signups for signed_up
            exact = "price" in shared & concepts and len(content) == 1  # not `closing price`
            strength = 2 if phrase in only_asked() else 5 if kin else 3
            names.add(phrase, sense(strength + (exact and not kin)))
    for value in each.values:
        _name_value(names, each, value, weaker)
    _name_first_names(names, each, weaker)


def _parts_of(names: Names, each: Field, content: Sequence[str]) -> Iterator[tuple[Phrase, int]]:
    """The words of a column's name that name it alone, and how surely."""
    if len(content) < 2:
        return
    entity = names.words_for(each.table)
    if content[0] in entity:
        yield tuple(content[1:]), 8
    key = bool(KEYS & {*content})
    linked = any(link.source.sql == each.sql for link in names.links)
    for word in content:
        weak = word in WEAK
        if (weak and word not in ("name", "nombr") and word not in KEYS) or (
            word in entity and (key or each.unique or word == content[0])
        ):
            continue
        if key and word not in KEYS:
            if not linked:
                yield (word,), 1
            continue
        yield (word,), 4 if weak else 6
        if each.numeric and not weak:
            yield (word + "ed",), 2  # delayed, for `delay_min`


def _concepts(each: Field, words: Sequence[str], content: Sequence[str]) -> frozenset[str]:
    asked_only = only_asked()
    by_phrase = concepts_of()
    result: set[str] = set()
    whole = tuple(map(canonical, pieces(each.name)))  # `m2` is cut as m, 2
    for phrase in {tuple(words), tuple(content), whole}:
        result |= by_phrase.get(phrase, frozenset())
    weak = weak_in_names()
    for listed in ([w for w in content if w not in weak], content):
        if not result:
            for word in listed:
                if word not in WEAK and ((word,) not in asked_only or word in weak):
                    result |= by_phrase.get((word,), frozenset())
    if each.numeric:
        return frozenset(result - concept_kind("dated") - concept_kind("event"))
    if each.dated or each.column.kind == "boolean":
        kinds = concept_kind("event") | (concept_kind("dated") if each.dated else frozenset())
        return frozenset(result & kinds)
    return frozenset(
        result - concept_kind("numeric") - concept_kind("dated") - concept_kind("event")
        | (result & {"referred"})
    )


def _name_value(names: Names, each: Field, value: str, weaker: int) -> None:
    words = pieces(value)
    phrase = tuple(map(canonical, words))
    if not phrase or len(phrase) > 8:
        return
    sense = Sense("val", (each, value), 7 - weaker)
    names.add(phrase, sense)
    names.add(words, sense)
    letter = len(phrase) == 1 and len(phrase[0]) == 1
    if letter and not names.has(each, "gender"):
        return
    if letter and phrase[0] in ("m", "h") and "H" in each.values:
        phrase = ("woman",) if phrase[0] == "m" else ("man",)
    for other in alike_values().get(phrase, ()):
        beside = len(other) == 1 and other[0] in beside_only()
        names.add(other, Sense("beside" if beside else "val", (each, value), 5 - weaker))


def _name_first_names(names: Names, each: Field, weaker: int) -> None:
    """`Ana` for `Ana P.`, where no other value holds this word."""
    phrases = {value: canonical_phrase(value) for value in each.values}
    counts = Counter(word for phrase in phrases.values() for word in phrase)
    for value, phrase in phrases.items():
        initial = len(phrase) == 2 and len(phrase[1]) == 1 and phrase[1].isalpha()
        if initial and counts[phrase[0]] == 1 and len(phrase[0]) > 2:
            names.add(phrase[:1], Sense("val", (each, value), 4 - weaker))
