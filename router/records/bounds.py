"""The bounds that a shape or a JSON Schema sets: counts, lengths and numbers. Pure.

A bound that is odd or that no value can keep is a `Fault` with the value, the rule and the mend.
"""

import math
from collections.abc import Mapping
from typing import Any

from router.domain import Fault
from router.records.regexes import BadPattern, checked

MOST_ITEMS = 10_000
_LARGEST = 1e300  # a difference of two such numbers is still finite
LEAST_INTEGER, MOST_INTEGER = -(2**63), 2**63  # as floats say them; JSON goes a little further
_FINEST = 1e-12
_COUNTS = {
    "minItems": MOST_ITEMS, "maxItems": MOST_ITEMS,
    # A large `maxLength` asks for no long text.
    "minLength": 1_000_000, "maxLength": MOST_INTEGER,
    "minProperties": MOST_INTEGER, "maxProperties": MOST_INTEGER,
    "minContains": MOST_ITEMS, "maxContains": MOST_INTEGER,
}  # fmt: skip
_PAIRS = (
    ("minItems", "maxItems"),
    ("minLength", "maxLength"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
    ("minimum", "maximum"),
)


def shown(value: Any) -> str:
    """A value of the caller for a message, shortened."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def refuse(detail: str) -> Fault:
    return Fault("bad_request", detail)


def whole(key: str, value: Any, *, most: int = MOST_ITEMS) -> int:
    """A count or a length. JSON writes an integer also as 3.0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= most or value != int(value):
        raise refuse(f"{key} = {shown(value)} must be an integer from 0 to {most}")
    return int(value)


def number(key: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) <= _LARGEST:
        raise refuse(f"{key} = {shown(value)} must be a number from -{_LARGEST:g} to {_LARGEST:g}")
    return float(value)


def check_bounds(schema: Mapping[str, Any]) -> None:
    """Check each bound in one object of a JSON Schema; a missing or null bound is no bound."""
    for key, most in _COUNTS.items():
        if schema.get(key) is not None:
            whole(key, schema[key], most=most)
    _check_numbers(schema)
    if isinstance(schema.get("pattern"), str):
        try:
            checked(schema["pattern"])
        except BadPattern as bad:
            raise refuse(str(bad)) from None
    for low, high in _PAIRS:
        least, greatest = schema.get(low), schema.get(high)
        if least is not None and greatest is not None and least > greatest:
            raise refuse(f"{low} = {least} is above {high} = {greatest}: swap or change them")


def _check_numbers(schema: Mapping[str, Any]) -> None:
    for key in ("minimum", "maximum"):
        if schema.get(key) is not None:
            number(key, schema[key])
    for key in ("exclusiveMinimum", "exclusiveMaximum"):  # OpenAPI 3.0 says true or false here
        if not isinstance(schema.get(key), bool | None):
            number(key, schema[key])
    step = schema.get("multipleOf")
    if step is not None and number("multipleOf", step) < _FINEST:
        raise refuse(f"multipleOf = {shown(step)} must be a number of at least {_FINEST:g}")


def check_range(kind: str, least: float | None, most: float | None) -> None:
    """Refuse a range that holds no value of this kind."""
    low = -math.inf if least is None else least
    high = math.inf if most is None else most
    if kind == "int":
        low, high = max(low, LEAST_INTEGER), min(high, MOST_INTEGER)
        empty = math.isinf(low) or math.isinf(high) or math.ceil(low) > math.floor(high)
    else:
        empty = low > high
    if empty:
        name = "integer" if kind == "int" else "number"
        raise refuse(f"no {name} lies between {low:g} and {high:g}: widen the range")
