"""Finds the second meaning of `which pets were never seen by Ana`, where a pet has several rows.

It may mean each pet with a row of somebody else, or each pet without a row of Ana. `Which owners
have only cats` is alike. An answer is sure only if both meanings agree.
"""

from dataclasses import replace

from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.parts.reader import Reader
from router.knowledge.rows.query import Condition, RowQuery, Where
from router.knowledge.rows.schema import Unclear

_ALL = frozenset(("all", "todos", "todas"))
_DENIED = ("missing", "false")


def with_rival(reader: Reader, query: RowQuery) -> RowQuery:
    """The query with its second meaning, if its words have one. Raises `Unclear`."""
    for where in query.where if len(query.where) > 1 else ():
        if isinstance(where, Condition) and _never_missing(where):
            raise Unclear(f"`{where.field.name}` is never empty: what did not happen")
    each = _listed(query)
    if each is None or each.unique:
        return query
    denied = tuple(where for where in query.where if _denies(where))
    if _whole(reader, each):
        if len(query.where) != 1 or denied:
            raise Unclear(f"`only` or `all` of the rows of each `{each.name}` is not read")
        return replace(query, rival=replace(query, where=(), none=(_opposite(query.where[0]),)))
    if not denied:
        return query
    rest = tuple(where for where in query.where if where not in denied)
    return replace(query, rival=replace(query, where=rest, none=tuple(map(_opposite, denied))))


def _never_missing(where: Condition) -> bool:
    """Whether a day is said to be missing that each row has: `customers who never booked`."""
    missing = where.relation == "missing" and not where.negated
    return missing and where.field.dated and not where.field.gaps


def _listed(query: RowQuery) -> Field | None:
    """The column of which different values are listed or counted."""
    if query.form == "values" and len(query.shown) == 1:
        return query.shown[0]
    if query.form == "figure" and query.measure.operation == "distinct":
        return query.measure.field
    return None


def _denies(where: Where) -> bool:
    return isinstance(where, Condition) and (where.negated or where.relation in _DENIED)


def _opposite(where: Where) -> Where:
    if not isinstance(where, Condition):
        raise Unclear("a choice of conditions for each value is not read")
    return replace(where, negated=not where.negated)


def _whole(reader: Reader, each: Field) -> bool:
    """Whether `only` or `all` stands behind the name of the values that are listed."""
    places = [
        i
        for i, span in enumerate(reader.items)
        if any(sense.value.sql == each.sql for sense in span.of("col"))
    ]
    behind = reader.items[min(places, default=len(reader.items)) + 1 :]
    return any(span.means("only") or not _ALL.isdisjoint(span.words) for span in behind)
