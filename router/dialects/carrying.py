"""What the chat form of a request cannot carry, gathered while another dialect's request is read.

A part that changes no answer is left out, and named to the caller. A part that would change the
answer leaves only the backends that speak the caller's dialect; where none may answer, the caller
gets its name and the mend. Nothing is dropped without a name.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from router.dialects.fields import Untranslatable
from router.request.kind_of_value import kind_of_value


@dataclass(slots=True)
class Notes:
    left_out: dict[str, None] = field(default_factory=dict)  # in the order of their reading
    native: dict[str, str] = field(default_factory=dict)  # fields, each with the mend

    def leave_out(self, *names: str) -> None:
        self.left_out |= dict.fromkeys(names)

    def leave_out_rest(self, at: str, value: Mapping[str, Any], read: Collection[str]) -> None:
        """Name the members of a value that nobody reads; a null says nothing."""
        self.leave_out(
            *(f"{at}.{name[:80]}" for name in value if name not in read and value[name] is not None)
        )

    def need_native(self, name: str, rule: str) -> None:
        self.native.setdefault(name, rule)


def listed(value: Any, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise Untranslatable(at, f"must be a list, not {kind_of_value(value)}")
    return value


def mapping(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Untranslatable(at, f"must be an object, not {kind_of_value(value)}")
    return value


def string(value: Any, at: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise Untranslatable(at, f"must be a string, not {kind_of_value(value)}")
    return value


def flag(value: Any, at: str) -> bool:
    """A flag that may be missing; then it is false."""
    if value is not None and not isinstance(value, bool):
        raise Untranslatable(at, f"must be true or false, not {kind_of_value(value)}")
    return bool(value)


def one_of(value: Any, at: str, choices: Iterable[str]) -> str:
    """One of these words; empty if the value is null."""
    if value is None:
        return ""
    words = list(choices)
    if value not in words:
        shown = f"{value!r:.60}" if isinstance(value, str) else kind_of_value(value)
        raise Untranslatable(at, f"must be {', '.join(words)}, not {shown}")
    return str(value)
