"""Finds the keys by which the rows of one table name the rows of another. Pure."""

from collections.abc import Mapping, Sequence

from router.knowledge.rows.language.column_words import key_name
from router.knowledge.rows.language.naming import things_of
from router.knowledge.rows.language.profile import Field, Link
from router.knowledge.rows.language.words import canonical, canonical_phrase

_BARE = frozenset(("id", "cod", "code", "codigo", "number", "numero", "key", "clave", "ref"))
_KEYS = frozenset(
    map(canonical, (*_BARE, "reference", "referencia", "uuid", "sku", "isbn", "ean", "matricula"))
)
_SHARED = 0.5  # of the source's texts, which the target must have

_ALL = 0.9  # where a name says no key, but the texts do


def links_of(tables: Mapping[str, Sequence[Field]]) -> tuple[Link, ...]:
    """The keys by which each row of a table finds at most one row of another."""
    links = []
    for stored, fields in tables.items():
        for other, targets in tables.items():
            if stored != other:
                links += [
                    Link(source, target)
                    for source in fields
                    for target in targets
                    if _joins(source, target)
                ]
    return tuple(links)


def _joins(source: Field, target: Field) -> bool:
    if not target.unique or source.column.kind != target.column.kind:
        return False
    name, key = key_name(source.name), key_name(target.name)
    called = {canonical_phrase(target.table.name)}
    called |= {noun for thing in things_of(target.table, ()) for noun in thing.nouns}
    rest = tuple(word for word in name.split() if word != key)
    if name == key and source.values and not source.unique:
        least = _SHARED if _KEYS & {*key.split()} else _ALL
        return _shared(source, target, least)
    if key in _BARE:  # `volunteer_id` names the `id` of volunteers; two columns `id` are no key
        return key in name.split() and rest in called and _shared(source, target)
    return name == key and bool(_KEYS & {*key.split()}) and _shared(source, target)


def _shared(source: Field, target: Field, least: float = _SHARED) -> bool:
    """Whether texts of the source are texts of the target; numbers are known by their name."""
    if not source.values:
        return source.column.kind != "text"
    every = {*target.values}
    return sum(value in every for value in source.values) >= least * len(source.values)
