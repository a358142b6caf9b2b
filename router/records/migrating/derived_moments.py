"""Rules for dates and times that are a part of a source's field, or made of two of them. Pure."""

from collections.abc import Mapping, Sequence

from router.records.catalogue.naming import named, words_of
from router.records.migrating import moments
from router.records.migrating.converting import conversion
from router.records.migrating.fields import Column, Leaf, Steps, share_of, step
from router.records.migrating.mapping import FieldRule
from router.records.migrating.meaning import KeyPath
from router.records.migrating.to_moments import orders_of

_JOIN_SHARE, _LEAST_SHARE = 0.8, 0.5
_ENDS = frozenset([
    "end", "until", "due", "checkout", "departure", "return", "expiry", "expires", "fin", "hasta",
    "vencimiento", "salida", "devolucion", "caducidad", "deadline", "finish", "valid",
])  # fmt: skip
_DAYS = frozenset([
    "days", "day", "nights", "night", "dias", "dia", "noches", "noche", "term", "plazo", "duration",
    "duracion", "terms",
])  # fmt: skip
_PARTS = {
    "year": "year", "ano": "year", "anio": "year", "month": "month", "mes": "month",
    "day": "day", "hour": "hour", "hora": "time", "time": "time",
}  # fmt: skip
Made = Mapping[KeyPath, FieldRule]


def parts_of_moments(
    source: Sequence[Column], target: Sequence[Leaf], made: Made
) -> list[FieldRule]:
    """Open fields: a moment of a date and a time, a part of a date, a date some days after."""
    rules: dict[KeyPath, FieldRule] = {}
    for rules_of in (_date_and_time, _days_after, _date_parts):
        for rule in rules_of(source, target, {**made, **rules}):
            rules[rule.to] = rule
    return list(rules.values())


def _free(source: Sequence[Column], made: Made) -> list[Column]:
    used = {path for rule in made.values() for path in rule.sources}
    return [column for column in source if column.path not in used]


def _date_parts(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    """The year, the month or the time of the only column that holds dates."""
    rules = []
    for leaf in target:
        part = _PARTS.get((words_of(leaf.path[-1]) or [""])[-1], "")
        if leaf.path in made or not part or leaf.kind not in ("integer", "number", "string"):
            continue
        fits = []
        for column in source:
            orders = orders_of(column)[0]
            steps: Steps = (step("date part", part=part, order=orders[0]),)
            if len(orders) == 1 and share_of(steps, column, leaf.schema) >= _LEAST_SHARE:
                fits.append((column, steps))
        if len(fits) == 1:
            column, steps = fits[0]
            rules.append(FieldRule(leaf.path, (column.path,), steps, because=f"the {part} of it"))
    return rules


def _days_after(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    """An end that no field holds, from a start and a number of days or nights."""
    ends = [
        leaf for leaf in target
        if leaf.path not in made and leaf.schema.get("format") == "date" and is_end(leaf.path[-1])
    ]  # fmt: skip
    if len(ends) != 1:
        return []
    starts = [column for column in source if _is_date(column)]
    counts = [
        column for column in _free(source, made)
        if set(words_of(column.path[-1])) & _DAYS
        and conversion(Leaf(column.path, {"type": "number"}, True), column).share >= _LEAST_SHARE
    ]  # fmt: skip
    if len(starts) != 1 or len(counts) != 1:
        return []
    column, orders = starts[0], orders_of(starts[0])[0]
    if len(orders) > 1:
        return []
    steps = (step("days after", order=orders[0]),)
    why = f"{counts[0].name} are counted as days after {column.name}"
    paths = (column.path, counts[0].path)
    return [FieldRule(ends[0].path, paths, steps, because="a start and days", warning=why)]


def _is_date(column: Column) -> bool:
    leaf = Leaf(column.path, {"type": "string", "format": "date"}, True)
    return not is_end(column.path[-1]) and conversion(leaf, column).share >= _LEAST_SHARE


def is_end(name: str) -> bool:
    """Whether a field's name means the end of something."""
    words, concept = words_of(name), named(name).concept
    return bool({*words, "".join(words)} & _ENDS) or concept in ("end", "due")


def _date_and_time(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    """A moment of a date and of the time that stands in another field."""
    wanted = [f for f in target if f.schema.get("format") == "date-time"]
    free = _free(source, made)
    clocks = [c for c in free if c.all_texts(lambda text: moments.time_of(text) is not None)]
    if len(wanted) != 1 or len(clocks) != 1:
        return []
    rule = made.get(wanted[0].path)
    days = [c for c in source if rule and (c.path,) == rule.sources]
    days = days or [
        c for c in free if c not in clocks and conversion(wanted[0], c).share >= _JOIN_SHARE
    ]
    if len(days) != 1 or not days[0].all_texts(lambda t: ":" not in t):
        return []
    its = conversion(wanted[0], days[0])
    if its.question:
        return []
    steps = (step("join", by=" "), *its.steps)
    return [
        FieldRule(
            wanted[0].path, (days[0].path, clocks[0].path), steps, because="a date and a time",
            warning="times without a zone are taken as UTC",
        )
    ]  # fmt: skip
