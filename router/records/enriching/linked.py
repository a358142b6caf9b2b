"""Values that follow from others of the record by what all examples have in common."""

from collections.abc import Mapping
from typing import Any

from router.records.enriching.facts import Facts
from router.records.enriching.forms import canonical_of
from router.records.likeness.numbers import Magnitude
from router.records.likeness.relations import Relation
from router.records.planned_field import PlannedField
from router.records.planning import PlannedObject


def linked_value(
    field: PlannedField, planned: PlannedObject, record: Mapping[str, Any]
) -> float | None:
    """The number that follows from the record's others; None if none does."""
    if (listed := planned.sums.get(field.key)) is not None:
        total = listed.value(record)
        if total is not None:
            return round(total, 2)
    if not planned.relations:
        return None
    numbers = _numbers(planned, record)
    relation = planned.relations.get(field.key)
    value = relation.value(numbers) if relation is not None else None
    for other in planned.relations.values():
        if value is None and field.key in other.parts:
            value = other.part(field.key, numbers)
    return None if value is None else _rounded(value, field, relation)


def _rounded(value: float, field: PlannedField, relation: Relation | None) -> float:
    decimals = field.style.decimals if isinstance(field.style, Magnitude) else 2
    if relation is not None and relation.kind == "ratio":
        return round(value, max(decimals, 3))
    return round(value, max(decimals, 1 if relation is not None and relation.kind == "bmi" else 2))


def _numbers(planned: PlannedObject, record: Mapping[str, Any]) -> dict[str, float]:
    numbers = {}
    for key, field in planned.fields.items():
        value = canonical_of(field, record[key]) if record.get(key) is not None else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            numbers[key] = float(value)
    return numbers


def shares(
    key: str, planned: PlannedObject, record: Mapping[str, Any], facts: Facts
) -> float | None:
    """A part of a whole, drawn together with the other parts; None for a field that is none."""
    for relation in planned.relations.values():
        if relation.kind == "whole" and key in relation.parts:
            return _part(key, relation, _numbers(planned, record), facts)
    return None


def _part(key: str, relation: Relation, numbers: Mapping[str, float], facts: Facts) -> float:
    members = (*relation.parts, relation.target)
    left = relation.whole - sum(numbers.get(member, 0.0) for member in members)
    missing = [member for member in members if member not in numbers]
    if missing == [key]:
        return round(left, 2)
    weight = facts.random.uniform(0.5, 1.5) / (len(missing) * 1.25)
    digits = 2 if relation.whole == 1.0 else 0
    return round(max(min(left * weight, left), 0.0), digits)
