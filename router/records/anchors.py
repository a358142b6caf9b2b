"""Which fields of a shape the others can be worked out from. Pure."""

from typing import Any

from router.records.concepts import DERIVED, PLACE, concept
from router.records.shape_fields import field_names


def anchors_of(shape: Any) -> tuple[str, ...]:
    """The fields that nothing else in the shape implies, in their order; never none of them."""
    fields = field_names(shape)
    there = {concept(name) for name in fields}
    # A place is chosen whole, by who knows which city lies where: not a city here, a country there.
    placed = there & PLACE if len(there & PLACE) > 1 else frozenset()
    kept = [
        name
        for name in fields
        if concept(name) not in placed and not (DERIVED.get(concept(name), frozenset()) & there)
    ]
    return tuple(kept or fields)
