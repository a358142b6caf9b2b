"""A program that was written for one request, changed by rule to answer another. Pure.

Where two specs have one shape, what differs between them are numbers and names; those are replaced
in the program wherever they stand. A number that means two things at once cannot be replaced by
rule. Whether the edited program is right is not decided here: it runs in the sandbox, and its
result is verified against what was asked.
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
    """A program for the new request, and what was changed in it."""

    source: str
    tier: Literal["reuse", "adapt"]
    numbers: int  # how many were changed
    names: int

    @property
    def change(self) -> str:
        """Without a word of the requests'."""
        told = [(self.numbers, "number"), (self.names, "name")]
        said = [f"{n} {what}{'s' if n > 1 else ''} changed" for n, what in told if n]
        return ", ".join(said) or "nothing changed"


def edit_program(program: str, stored: Spec, asked: Spec) -> EditedProgram | None:
    """None where the two are not of one shape, or a rule cannot tell what to change."""
    one, two = (
        replace(spec, seed=None, format="json", assumed=(), data={}).as_json()
        for spec in (stored, asked)
    )
    pairs = list(_pairs(one, two, ""))
    if any(pair is None for pair in pairs):
        return None
    numbers: dict[float, float] = {}
    names: dict[str, str] = {}
    for old, new in (pair for pair in pairs if pair is not None):
        known: dict[Any, Any] = names if isinstance(old, str) else numbers
        if known.setdefault(old, new) != new:
            return None  # one thing that becomes two
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


# What decides how a program is built, and cannot be changed by putting in another value.
_FIXED = frozenset(
    {"kind", "family", "role", "clip", "unique", "method", "measure", "relation", "step", "formula"}
)
_NAMES = frozenset({"name", "first", "second"})


def _pairs(one: Any, two: Any, key: str) -> Iterator[tuple[Any, Any] | None]:
    """Each value beside its counterpart; None where the shapes part."""
    if isinstance(one, dict) and isinstance(two, dict):
        if one.keys() != two.keys():
            yield None
            return
        for name, value in one.items():
            yield from _pairs(value, two[name], name)
    elif isinstance(one, list) and isinstance(two, list):
        if len(one) != len(two):
            yield None
            return
        for first, second in zip(one, two, strict=True):
            yield from _pairs(first, second, key)
    elif _number(one) and _number(two) and key != "decimals":
        yield float(one), float(two)
    elif isinstance(one, str) and isinstance(two, str) and key in _NAMES:
        yield one, two
    elif one != two:
        yield None  # a family, a role, labels: another program


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _replaced(program: str, numbers: Mapping[float, float], names: Mapping[str, str]) -> str | None:
    """None where something that must change is not found in it."""
    missing: set[Any] = {*numbers, *names}
    made: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(program).readline):
        text = token.string
        if token.type == tokenize.NUMBER:
            value = _value(text)
            if value is not None and value in numbers:
                missing.discard(value)
                text = _written(numbers[value])
        elif token.type == tokenize.NAME and text in names:
            missing.discard(text)
            text = _identifier(names[text])
        elif token.type == tokenize.STRING:
            inner = text[1:-1]
            if inner in names and text[0] == text[-1] in "'\"":
                missing.discard(inner)
                text = f"{text[0]}{names[inner]}{text[0]}"
        made.append(token._replace(string=text))
    return None if missing else _joined(made)


def _joined(tokens: list[tokenize.TokenInfo]) -> str:
    """The source with the tokens in their places; lines stay what they are."""
    lines: list[str] = []
    row, column = 1, 0
    for token in tokens:
        if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            continue
        if token.start[0] > row:
            row, column = token.start[0], 0
        lines.append(token.line[column : token.start[1]] if token.start[1] > column else "")
        lines.append(token.string)
        column = token.end[1]
        if token.end[0] > row:
            row = token.end[0]
        if token.type in (tokenize.NEWLINE, tokenize.NL):
            row, column = row + 1, 0
    return "".join(lines)


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
