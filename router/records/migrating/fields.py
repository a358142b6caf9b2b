"""Fields of a source and of a target, and what turns the values of a field into another's. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from router.records.checking import Wanted, issues_in
from router.records.migrating.meaning import KeyPath
from router.records.migrating.steps import done
from router.records.migrating.unfit import Unfit
from router.records.regexes import BadPattern

Steps = tuple[Mapping[str, Any], ...]
_MOST_TRIED = 300  # different values that are read for what they show
_MOST_FITTED = 60  # of them, that are tried with each field of the target


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the source: its path and its values, as far as there are any."""

    path: KeyPath
    values: tuple[Any, ...]  # of all records that were read; missing ones are left out
    spanish: bool = False
    order: str = ""  # of day and month, where the other fields of the source decide it

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def tried(self) -> tuple[Any, ...]:
        """Different values, to try steps on."""
        different = {repr(value): value for value in self.values}
        return tuple(different.values())[:_MOST_TRIED]

    @property
    def texts(self) -> list[str]:
        return [value for value in self.tried if isinstance(value, str)]

    def all_texts(self, holds: Callable[[str], bool]) -> bool:
        """Whether all values are texts of which this holds."""
        return bool(self.tried) and all(isinstance(v, str) and holds(v) for v in self.tried)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of the target that is no object: its path and its part of the schema."""

    path: KeyPath
    schema: Mapping[str, Any]
    required: bool

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def kind(self) -> str:
        kind = self.schema.get("type")
        kinds = [k for k in kind if k != "null"] if isinstance(kind, list) else [kind]
        return str(kinds[0] or "any") if kinds else "any"

    @property
    def choosy(self) -> bool:
        """Whether few values fit."""
        keys = ("enum", "const", "pattern", "format")
        return any(key in self.schema for key in keys) or self.kind == "boolean"


@dataclass(frozen=True, slots=True)
class Conversion:
    """Steps, the share of different values that then fit, and what they leave open."""

    steps: Steps = ()
    share: float = 0.0
    warning: str = ""
    question: str = ""
    choices: Mapping[str, Steps] = field(default_factory=dict)


def step(name: str, **settings: Any) -> Mapping[str, Any]:
    return {"step": name, **{k: v for k, v in settings.items() if v not in ("", False, None)}}


def share_of(steps: Steps, column: Column, schema: Mapping[str, Any]) -> float:
    """The share of different values that the steps turn into what the schema allows."""
    tried = column.tried[:_MOST_FITTED]
    return sum(_fits(steps, value, schema) for value in tried) / len(tried) if tried else 0.0


def _fits(steps: Steps, value: Any, schema: Mapping[str, Any]) -> bool:
    try:
        for each in steps:
            value = done(each, value)
    except (Unfit, BadPattern):
        return False
    return not issues_in([value], Wanted(schema), as_list=False)
