"""Reads whether rows of another table must name a row: `members who never placed an order`."""

from collections.abc import Sequence

from router.knowledge.rows.language.profile import Link
from router.knowledge.rows.parts.reader import Placed, Reader
from router.knowledge.rows.query import Condition, Having, Related, Relation
from router.knowledge.rows.schema import Unclear


def read_related(reader: Reader) -> tuple[Related, ...]:
    entities = [i for i, span in enumerate(reader.items) if span.means("entity")]
    related = []
    for i in reader.free("foreign"):
        if not entities or entities[0] > i or reader.items[i].means("entity", "col"):
            continue
        stored = {sense.value for sense in reader.items[i].of("foreign")}
        links = _links_to(reader, stored)
        if len(links) != 1:
            continue
        verbs = []
        before = reader.step(i, -1)
        while before >= 0 and reader.items[before].means("foreign_verb"):
            verbs.append(before)
            before = reader.step(before, -1)
        negated = before >= 0 and reader.items[before].means("neg")
        having = {word for span in reader.items[max(before, 0) : i] for word in span.words}
        if not negated and not verbs and not having & {"with", "con", "have", "has", "tienen"}:
            continue
        reader.take(i, *verbs, *([before] if negated else []))
        related.append(Related(links[0], negated))
    if entities:
        related += _never(reader, entities[0])
    day_of_which(reader, related)
    reader.related = bool(related)
    return tuple(related)


def _never(reader: Reader, first: int) -> list[Related]:
    """`boats that have never moored`: no row of the table that the verb is of."""
    never = []
    for i in reader.free("foreign_verb"):
        before = reader.step(i, -1)
        verb = all(sense.kind == "foreign_verb" for sense in reader.items[i].senses)
        if not verb or before < first or not reader.items[before].means("neg"):
            continue
        links = _links_to(reader, {sense.value for sense in reader.items[i].senses})
        if len(links) == 1 and not reader.items[before].used and not reader.placed:
            reader.take(i, before)
            never.append(Related(links[0], True))
    return never


def _links_to(reader: Reader, stored: set[str]) -> list[Link]:
    """The keys by which rows of other tables name rows of this table."""
    own = reader.names.table.stored
    return [
        link
        for link in reader.names.links
        if link.source.table.stored in stored and link.target.table.stored == own
    ]


def day_of_which(reader: Reader, related: Sequence[Related]) -> None:
    """Refuse a day beside rows of two tables, of which each may have one."""
    counted = [placed.where for placed in reader.placed if isinstance(placed.where, Related)]
    days = any(
        isinstance(placed.where, Condition)
        and (placed.where.days is not None or placed.where.field.yearly)
        for placed in reader.placed
    )
    for where in (*related, *counted) if days and not reader.events else ():
        tables = f"{where.link.target.table.name} or {where.link.source.table.name}"
        raise Unclear(f"the day may be of the rows of {tables}: name the column")


def _so_often(reader: Reader, start: int, relation: Relation, amount: float) -> bool:
    """`boats that moored more than 10 times`: how many rows the verb's table has for each."""
    verbs = [i for i in reader.free("foreign_verb") if i < start]
    if not verbs or not any(span.means("entity") for span in reader.items[: verbs[-1]]):
        return False
    links = _links_to(reader, {s.value for s in reader.items[verbs[-1]].of("foreign_verb")})
    if len(links) != 1 or reader.step(verbs[-1]) != start:
        return False
    reader.take(verbs[-1])
    reader.placed.append(Placed(verbs[-1], start, Related(links[0], False, relation, amount)))
    return True


def read_so_many(
    reader: Reader, start: int, number: int, relation: Relation, amount: float
) -> bool:
    """Read `more than 3 orders` of members, or `more than 3 pets` of owners in a table of pets."""
    after = reader.step(number)
    if after < 0 or reader.items[after].used or reader.items[start].piece.unit:
        return False
    if amount != int(amount) or reader.field_at(after, lambda f: f.numeric) is not None:
        return False
    before = [span for span in reader.items[:start] if not span.filler]
    if reader.items[after].means("times") and _so_often(reader, start, relation, amount):
        reader.take(start, number, after)
        return True
    if reader.items[after].means("entity", "times"):
        named = any(
            s.value.column.kind == "text" and s.value.table.stored == reader.names.table.stored
            for span in before
            for s in span.of("col")
        )
        if not named or reader.having is not None:
            return False
        reader.take(start, number, after)
        reader.having = Having(relation, amount)
        return True
    stored = {sense.value for sense in reader.items[after].of("foreign")}
    links = _links_to(reader, stored)
    if len(links) != 1 or not any(span.means("entity") for span in before):
        return False
    reader.take(start, number, after)
    reader.placed.append(Placed(start, after, Related(links[0], False, relation, amount)))
    return True
