"""Reads whether rows of another table must name a row: `members who never placed an order`."""

from router.knowledge.rows.parts.reader import Reader
from router.knowledge.rows.query import Related


def read_related(reader: Reader) -> tuple[Related, ...]:
    own = reader.names.table.stored
    entities = [i for i, span in enumerate(reader.items) if span.means("entity")]
    related = []
    for i in reader.free("foreign"):
        if not entities or entities[0] > i or reader.items[i].means("entity", "col"):
            continue
        stored = {sense.value for sense in reader.items[i].of("foreign")}
        links = [
            link
            for link in reader.names.links
            if link.source.table.stored in stored and link.target.table.stored == own
        ]
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
    return tuple(related)
