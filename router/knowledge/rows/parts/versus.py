"""Reads values side by side: `more members in Leeds or in York`, `average age, Leeds vs York`."""

from router.knowledge.rows.parts.columns import adds_up
from router.knowledge.rows.parts.reader import Placed
from router.knowledge.rows.parts.target import Target, made, names_rows, use
from router.knowledge.rows.query import Condition, Group, Measure, Rank, RowQuery
from router.knowledge.rows.schema import Unclear

_STARTS = frozenset(("did", "do", "does", "have", "has", "are", "were", "was", "is"))


def read_versus(target: Target) -> RowQuery | None:
    """Of which of several values there are more rows; a figure beside `versus` is of each value."""
    reader = target.reader
    sides = [placed for placed in reader.placed if _several(target, placed, "versus")]
    for placed in sides:
        if reader.groups or not isinstance(placed.where, Condition):
            raise Unclear("values side by side in each group are not read")
        reader.groups.append(Group(placed.where.field))
    more = target.free("more")
    started = bool(reader.items) and not _STARTS.isdisjoint(reader.items[0].words)
    either = [placed for placed in reader.placed if _several(target, placed, "or")]
    either_way = any(span.means("which", "who", "any") for span in reader.items)
    if not more or len(either) != 1 or sides or reader.groups:
        return None
    if target.has("count") or not (either_way or started):
        return None  # `how many more members are in Leeds or York`
    where, behind = either[0].where, reader.step(more[0])
    if target.operations or not isinstance(where, Condition):
        return None
    measure = _compared(target, behind)
    if measure is None:
        return None
    descending = reader.items[more[0]].words == ("more",)
    target.take("more", "which", "who")
    return made(
        target,
        "groups",
        groups=(Group(where.field),),
        rank=Rank(1, descending),
        measure=measure,
    )


def _compared(target: Target, place: int) -> Measure | None:
    """What there is more of: rows, or a column that adds up."""
    reader, numeric = target.reader, target.numeric()
    if place < 0:
        return None
    if not target.columns:
        counted = reader.items[place].means("entity") and names_rows(target)
        return Measure("count") if counted else None
    if len(target.columns) > 1 or [i for i, _ in numeric] != [place]:
        return None
    each = numeric[0][1]
    if reader.items[place].means("entity") or not adds_up(reader.names, each, counted=True):
        return None
    use(target, each)
    return Measure("sum", each)


def _several(target: Target, placed: Placed, joint: str) -> bool:
    """Whether a condition names several values with such a word between them."""
    where, items = placed.where, target.reader.items[placed.start : placed.end + 1]
    plain = isinstance(where, Condition) and where.relation == "in" and not where.negated
    several = plain and isinstance(where, Condition) and len(where.values) > 1
    return several and any(span.used and span.means(joint) for span in items)
