"""What a request of Anthropic's Messages API has that a chat request cannot carry. Pure.

Three cases, and none is silent: `left_out` names what changes no answer; `only_native` names what
none but a backend of Anthropic's own dialect can do; anything malformed raises `Untranslatable`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from router.dialects.fields import Untranslatable

_INDEX = re.compile(r"\[\d{1,9}\]")
EPHEMERAL = "cache_control"

Body = dict[str, Any]


@dataclass(slots=True)
class Notes:
    """Collects, while a request is read, what its chat form lacks."""

    left_out: dict[str, None] = field(default_factory=dict)  # names without indices, each once
    only_native: list[str] = field(default_factory=list)

    def leave_out(self, at: str) -> None:
        self.left_out[_INDEX.sub("", at)] = None

    def native(self, at: str, what: str = "") -> None:
        """`at` is understood by Anthropic's dialect alone; `what` says what it is."""
        self.only_native.append(f"`{at}` ({what})" if what else f"`{at}`")

    def members(
        self, value: Mapping[str, Any], at: str, takes: frozenset[str], *, empty: bool = True
    ) -> None:
        """Note every member that is not in `takes`; with `empty`, null says nothing."""
        for name, member in value.items():
            if name not in takes and not (empty and member is None):
                self.native(f"{at}.{name[:80]}")


def object_at(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Untranslatable(at, "must be an object")
    return value


def list_at(value: Any, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise Untranslatable(at, "must be a list")
    return value


def string_at(value: Mapping[str, Any], name: str, at: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise Untranslatable(f"{at}.{name}", "must be a string")
    return text
