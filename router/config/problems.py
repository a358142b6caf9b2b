"""Mistakes in a configuration: each has a line, the broken rule, and a way to mend it."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from router.config.references import Location, is_secret


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake at a key of the file, before its line is known."""

    at: Location
    value: Any
    rule: str
    mend: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake with its line, as people see it; line 0 means the whole file."""

    file: str
    line: int
    key: str
    value: str
    rule: str
    mend: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.key} = {self.value}: {self.rule}. {self.mend}"


class ConfigError(Exception):
    """The configuration has mistakes; `problems` holds all of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def problems_of(
    file: str, mistakes: Iterable[Mistake], lines: Mapping[Location, int]
) -> list[Problem]:
    """The mistakes with their lines, each once, in the order of the file."""
    result = set()
    for mistake in mistakes:
        place = mistake.at
        while place and place not in lines:
            place = place[:-1]
        hidden = is_secret(mistake.at) and not str(mistake.value).startswith("${")
        value = "(hidden)" if hidden else _short(mistake.value)
        key = ".".join(map(str, mistake.at)) or "file"
        line = lines.get(place, 1)
        result.add(Problem(file, line, key, value, mistake.rule, mistake.mend))
    return sorted(result, key=lambda problem: (problem.line, problem.key, problem.rule))


def unknown(kind: str, name: str, names: Iterable[str]) -> tuple[str, str]:
    """The broken rule and a remedy for a name that does not exist."""
    ordered = sorted(names)
    return f"no {kind} is called that", suggestion(name, ordered, f"Known: {_listed(ordered)}.")


def suggestion(name: str, names: Iterable[str], otherwise: str) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]}?" if close else otherwise


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
