"""Values whose freeze is held by mypy, and costs nothing while the router runs.

A frozen dataclass sets each field through `object.__setattr__`, so that making a request with its
33 fields takes six times as long as without. A router makes some dozen values for each request.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_Value = TypeVar("_Value")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[_Value]) -> type[_Value]:
    """Make a dataclass with slots. Type checkers refuse to set its fields; Python does not."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
