"""The phrases by which a question can name the tables, columns and values of a store. Pure."""

import re
from collections.abc import Mapping, Sequence, Set

from router.knowledge.rows.language.column_naming import name_column
from router.knowledge.rows.language.column_words import (
    KEYS,
    SMALL,
    name_words,
)
from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.profile import Field, Link
from router.knowledge.rows.language.stems import stem
from router.knowledge.rows.language.words import (
    Phrase,
    Sense,
    Thing,
    canonical,
    canonical_phrase,
    things,
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
            people = any(thing.person for thing in kinds)
            for word in filter(stem, () if people else _phrase_of(other)):
                happened = Sense("foreign_verb", other.stored, 1)
                names.stems.setdefault(stem(word), []).append(happened)  # `never moored`
    for each in own:
        name_column(names, each, weaker=0)
    _narrow(names, table)
    if names.people:
        for word in ("person", "persona", "gente"):
            names.add((canonical(word),), Sense("entity", table.stored, 3))
    for link in outward:
        names.others[link.target.table.stored] = by_table[link.target.table.stored]
        for each in by_table[link.target.table.stored]:
            if each.sql != link.target.sql:
                name_column(names, each, weaker=6)
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
        nouns = [] if any(thing.person for thing in kinds) else _phrase_of(table)
        for word in filter(stem, nouns):
            names.stems.setdefault(stem(word), []).append(Sense("filler"))  # `recogieron`
        for row in _ROWS:
            names.add((canonical(row),), Sense(kind, table.stored, 2))
        names.verbs = {verb for thing in kinds for verb in thing.verbs}


def _narrow(names: Names, table: TableSchema) -> None:
    """A noun for rows that is a value too means the value: a `Casa` is not every property."""
    phrase = _phrase_of(table)
    for key, senses in names.senses.items():
        own = any(
            s.kind == "val"
            and s.value[0].table.stored == table.stored
            and names.has(s.value[0], "kind", "category", "species", "product")
            for s in senses
        )
        if own and key != phrase:
            senses[:] = [s for s in senses if s.kind != "entity"]
