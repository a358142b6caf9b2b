"""The phrases by which a question can name the tables, columns and values of a store. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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
    long_form,
    only_asked,
    pieces,
    things,
    weak_in_names,
)
from router.knowledge.rows.schema import TableSchema
from router.request.plain import folded

_SMALL = frozenset(
    ("of", "by", "de", "del", "the", "el", "la", "los", "in", "en", "at", "on", "per", "por", "a")
)
_DATE_WORDS = frozenset(
    ("date", "fecha", "time", "hora", "datetime", "timestamp", "dt", "ts", "dia", "day", "was")
)
_WEAK = frozenset(
    (
        "id",
        "number",
        "name",
        "nombre",
        "code",
        "codigo",
        "numero",
        "type",
        "tipo",
        "full",
        "key",
        "completo",
        "date",
        "fecha",
        "value",
        "valor",
        "level",
        "flag",
        "is",
        "has",
        "es",
        "tiene",
    )
)
_KEYS = frozenset(("id", "number", "code", "codigo", "numero", "key", "clave", "uuid", "reference"))
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


def name_words(name: str, *, whole: bool = False) -> tuple[str, ...]:
    """The words of a column's name: `Cust. Name` and `custName` are customer, name.

    `whole`: with the words in brackets, such as a unit.
    """
    bare = name if whole else re.sub(r"\([^()]*+\)|\[[^\[\]]*+\]", " ", name) or name
    parted = re.sub(r"(?<=[a-z0-9áéíóúñ])(?=[A-ZÁÉÍÓÚÑ])", " ", bare)
    parted = re.sub(r"#|\bnº|\bNº|\bN°|\bn°", " number ", parted)
    words = re.findall(r"[^\W_]+", folded(parted))
    return tuple(part for word in words for part in long_form(word).split())


def key_name(name: str) -> str:
    """A column's name as keys are compared: `Member ID` and `member_id` are alike."""
    return " ".join(canonical(word) for word in name_words(name) if word not in _SMALL)


def things_of(table: TableSchema, fields: Sequence[Field]) -> tuple[Thing, ...]:
    """What a table's rows are: by its name, else by the name of its key."""
    phrase = canonical_phrase(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", table.name))
    by_name = [t for t in things() if any((word,) in t.nouns for word in phrase[-1:])]
    by_name = by_name or [t for t in things() if any((word,) in t.nouns for word in phrase)]
    if by_name:
        return tuple(by_name)
    keys = [f for f in fields if f.unique and _KEYS & {*name_words(f.name)}]
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
    _name_rows(names, table, names.things, "entity")
    for other in tables:
        if other.stored != table.stored:
            kinds = things_of(other, by_table[other.stored])
            _name_rows(names, other, kinds, "foreign")
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


def _name_rows(names: Names, table: TableSchema, kinds: Sequence[Thing], kind: str) -> None:
    phrase = canonical_phrase(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", table.name))
    names.add(phrase, Sense(kind, table.stored))
    for thing in kinds:
        for noun in thing.nouns:
            names.add(noun, Sense(kind, table.stored, 3))
    if kind == "entity":
        for row in _ROWS:
            names.add((canonical(row),), Sense(kind, table.stored, 2))
        names.verbs = {verb for thing in kinds for verb in thing.verbs}


def _narrow(names: Names, table: TableSchema) -> None:
    """A noun for rows that is a value too means the value: a `Casa` is not every property."""
    phrase = canonical_phrase(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", table.name))
    for key, senses in names.senses.items():
        own = any(s.kind == "val" and s.value[0].table.stored == table.stored for s in senses)
        if own and key != phrase:
            senses[:] = [s for s in senses if s.kind != "entity"]


def _name_column(names: Names, each: Field, *, weaker: int) -> None:
    words = [canonical(word) for word in name_words(each.name)]
    content = [word for word in words if word not in _SMALL]
    if each.dated:
        content = [word for word in content if word not in _DATE_WORDS] or content
    concepts = names.concepts[each.sql] = _concepts(each, words, content)

    def sense(strength: int) -> Sense:
        return Sense("col", each, strength - weaker)

    for whole in (words, [w for w in words if w not in _SMALL], content):
        names.add(whole, sense(9))
    if each.dated:
        for first, second in (("date", "of"), ("date", "de"), ("fecha", "de"), ("fecha", "of")):
            names.add((first, second, *content), sense(9))
        names.add((*content, "date"), sense(9))
    for word, strength in _parts_of(names, each, content):
        names.add(word, sense(strength))
    for phrase, shared in concepts_of().items():
        if shared & concepts:
            kin = any(word[:4] == phrase[0][:4] for word in content)  # signups for signed_up
            names.add(phrase, sense(2 if phrase in only_asked() else 5 if kin else 3))
    for value in each.values:
        _name_value(names, each, value, weaker)
    _name_first_names(names, each, weaker)


def _parts_of(names: Names, each: Field, content: Sequence[str]) -> Iterator[tuple[Phrase, int]]:
    """The words of a column's name that name it alone, and how surely."""
    if len(content) < 2:
        return
    entity = {word for thing in names.things for noun in thing.nouns for word in noun}
    if content[0] in entity:
        yield tuple(content[1:]), 8
    key = bool(_KEYS & {*content})
    linked = any(link.source.sql == each.sql for link in names.links)
    for word in content:
        weak = word in _WEAK
        if (weak and word not in ("name", "nombr") and word not in _KEYS) or (
            word in entity and (key or each.unique)
        ):
            continue
        if key and word not in _KEYS:
            if not linked:
                yield (word,), 1
            continue
        yield (word,), 4 if weak else 6


def _concepts(each: Field, words: Sequence[str], content: Sequence[str]) -> frozenset[str]:
    asked_only = only_asked()
    by_phrase = concepts_of()
    result: set[str] = set()
    for phrase in {tuple(words), tuple(content)}:
        result |= by_phrase.get(phrase, frozenset())
    weak = weak_in_names()
    for listed in ([w for w in content if w not in weak], content):
        if not result:
            for word in listed:
                if word not in _WEAK and ((word,) not in asked_only or word in weak):
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
