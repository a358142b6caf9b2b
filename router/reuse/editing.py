"""Edits a program for one request by rules, so that the program answers another request. Pure.

Two specs of the same shape differ only in numbers and names. The edit replaces these numbers and
names everywhere in the program. The edit fails if one number or name would need two replacements.

Not covered: whether the edited program is right. The sandbox runs the program, and the router
checks the result against the request.
"""

import io
import keyword
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sandbox.spec import Spec


@dataclass(frozen=True, slots=True)
class EditedProgram:
    """A program for the new request, with how many numbers and names the edit replaced."""

    source: str
    tier: Literal["reuse", "adapt"]
    numbers: int
    names: int

    @property
    def change(self) -> str:
        """A description of the edit that quotes no word of the requests."""
        counts = [(self.numbers, "number"), (self.names, "name")]
        parts = [f"{n} {kind}{'s' if n > 1 else ''} changed" for n, kind in counts if n]
        return ", ".join(parts) or "nothing changed"


def edit_program(program: str, stored: Spec, wanted: Spec) -> EditedProgram | None:
    """Edit the program of the stored spec to fit the wanted spec; None if the rules cannot."""
    old_spec, new_spec = (
        replace(spec, seed=None, format="json", assumed=(), data={}).as_json()
        for spec in (stored, wanted)
    )
    numbers: dict[float, float] = {}
    names: dict[str, str] = {}
    try:
        for old, new in _pairs(old_spec, new_spec, ""):
            replacements: dict[Any, Any] = names if isinstance(old, str) else numbers
            if replacements.setdefault(old, new) != new:
                return None  # one number or name would need two replacements
    except _OtherShape:
        return None
    numbers = {old: new for old, new in numbers.items() if old != new}
    names = {old: new for old, new in names.items() if old != new}
    if set(names.values()) & {old for old in names if old not in names.values()}:
        return None
    try:
        source = _replaced(program, numbers, names)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return None
    if source is None:
        return None
    return EditedProgram(source, "adapt" if names else "reuse", len(numbers), len(names))


_NAMES = frozenset({"name", "first", "second"})


class _OtherShape(Exception):
    """The specs need different programs: they differ in more than numbers and names."""


def _pairs(old: Any, new: Any, key: str) -> Iterator[tuple[Any, Any]]:
    """Each number and name of the old spec with its counterpart in the new spec."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for name, value in old.items():
            yield from _pairs(value, new[name], name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for first, second in zip(old, new, strict=True):
            yield from _pairs(first, second, key)
    elif _is_number(old) and _is_number(new) and key != "decimals":
        yield float(old), float(new)
    elif isinstance(old, str) and isinstance(new, str) and key in _NAMES:
        yield old, new
    elif old != new:
        raise _OtherShape


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _replaced(program: str, numbers: Mapping[float, float], names: Mapping[str, str]) -> str | None:
    """The program with every number and name replaced; None if the program lacks any of them."""
    missing: set[Any] = {*numbers, *names}
    lines = io.StringIO(program).readlines()
    # Edit the last token first: an edit moves only the tokens behind it.
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(program).readline))):
        old: Any = token.string
        if token.type == tokenize.NUMBER and (old := _value(token.string)) in numbers:
            text = _written(numbers[old])
        elif token.type == tokenize.NAME and old in names:
            text = _identifier(names[old])
        elif token.type == tokenize.STRING and (old := token.string[1:-1]) in names:
            text = f"{token.string[0]}{names[old]}{token.string[-1]}"
        else:
            continue
        missing.discard(old)
        (row, start), (_, end) = token.start, token.end
        lines[row - 1] = lines[row - 1][:start] + text + lines[row - 1][end:]
    return None if missing else "".join(lines)


def _value(text: str) -> float | None:
    try:
        return float(text.replace("_", ""))
    except ValueError:
        return None


def _written(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _identifier(name: str) -> str:
    good = name.isidentifier() and not keyword.iskeyword(name)
    return name if good else "column_" + "".join(c if c.isalnum() else "_" for c in name)
