"""Reads shares: `what percentage of urgent tickets were escalated`."""

from router.knowledge.rows.parts.target import Target, happened, made, only_column, use
from router.knowledge.rows.query import Form, Measure, RowQuery
from router.knowledge.rows.schema import Unclear


def read_share(target: Target) -> RowQuery | None:
    reader = target.reader
    places = target.free("share")
    if not places:
        return None
    target.take("share", "count")
    for i, each in target.dated():
        reader.take(i)
        reader.add(i, i, happened(target, i, each))
    reader.placed.sort(key=lambda placed: placed.start)
    placed = reader.placed
    if not placed:
        raise Unclear("it does not say the share of what")
    numeric = target.numeric()
    measure = Measure("count")
    if numeric:
        _, each = only_column(numeric, "a share of which column")
        measure = Measure("sum", each)
        use(target, each)
        target.take("sum")
    heads = [i for i, span in enumerate(reader.items) if span.means("entity") and i > places[0]]
    head = heads[0] if heads else -1
    base = [p for p in placed if head > p.start]
    part = [p for p in placed if p not in base]
    if not part:
        if reader.groups:
            raise Unclear("it may be a share in each group, or of each group in all")
        base, part = [], base
    if len(part) > 1:
        base, part = _parted(target, base, part)
    target.take("which")
    form: Form = "groups" if reader.groups else "share"
    return made(target, form, measure=measure, share=tuple(p.where for p in part))


def _parted(target: Target, base: list, part: list) -> tuple[list, list]:  # type: ignore[type-arg]
    """Of several conditions behind the rows, those behind the verb are the share."""
    verbs = frozenset(
        (
            "are",
            "is",
            "was",
            "were",
            "got",
            "have",
            "has",
            "had",
            "get",
            "that were",
            "estan",
            "son",
            "fueron",
            "fue",
            "han",
            "that are",
            "that have",
        )
    )
    reader = target.reader
    for number in range(1, len(part)):
        between = reader.items[part[number - 1].end + 1 : part[number].start]
        spans = [*between, reader.items[part[number].start]]  # or `has keys`, a column's name
        if any(" ".join(span.words) in verbs or {*span.words} & verbs for span in spans):
            return [*base, *part[:number]], part[number:]
    raise Unclear("it does not say clearly which condition is the share")
