"""Edits a program for one request by rules, so that the program answers another request. Pure.

Two specs of the same shape differ only in numbers and names. The edit replaces these numbers and
names everywhere in the program: in its code, and in its keys, comments and docstrings. The edit
fails if one number or name would need two replacements, or if a new name is taken.

Not covered: whether the edited program is right. The sandbox runs the program, and the router
checks the result against the request.
"""

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from router.reuse.in_step import NotInStep, Replacements, written
from sandbox.column_programs import CannotWrite
from sandbox.spec import Spec
from sandbox.synthesis import write_program


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
            pairs: dict[Any, Any] = names if isinstance(old, str) else numbers
            if pairs.setdefault(old, new) != new:
                return None  # one number or name would need two replacements
    except _OtherShape:
        return None
    replacements = Replacements(numbers, names)
    changed = replacements.changed_names
    if set(changed.values()) & (names.keys() - changed.keys()):
        return None  # two names would become one
    try:
        source = _rewritten(program, stored, wanted) or _replaced(program, replacements)
    except (tokenize.TokenError, SyntaxError, NotInStep):
        return None
    if source is None:
        return None
    tier: Literal["reuse", "adapt"] = "adapt" if changed else "reuse"
    return EditedProgram(source, tier, len(replacements.changed_numbers), len(changed))


def with_numbers(program: str, numbers: Mapping[float, float]) -> str | None:
    """The program with these numbers replaced wherever they stand; None if the rules cannot."""
    try:
        return _replaced(program, Replacements(numbers, {}))
    except (tokenize.TokenError, SyntaxError, NotInStep):
        return None


_NAMES = frozenset({"name", "first", "second"})


_KEPT_NAMES = frozenset({"columns", "by", "labels"})  # which the specs must share


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
    elif isinstance(old, str) and old == new and key in _KEPT_NAMES:
        yield old, old
    elif old != new:
        raise _OtherShape


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rewritten(program: str, stored: Spec, wanted: Spec) -> str:
    """The program that our own rules write for the wanted spec, if they wrote the stored one too.

    That is the same edit, done by those who know where every number and name stands.
    """
    try:
        if write_program(stored, seed=0).source != program:
            return ""
        return write_program(wanted, seed=0).source
    except CannotWrite:
        return ""


def _replaced(program: str, replacements: Replacements) -> str | None:
    """The program with every number and name replaced, in its code and in its words; None if the
    code lacks any of them, or if a new name is taken."""
    tree, tokens = ast.parse(program), list(_tokens(program))
    renames = _renames(tree, tokens, replacements)
    if renames is None:
        return None
    missing: set[Any] = {*replacements.changed_numbers, *replacements.changed_names}
    fixed, lines = _fixed_numbers(tree, program), io.StringIO(program).readlines()
    # Edit the last token first: an edit moves only the tokens behind it.
    for at in reversed(range(len(tokens))):
        token = tokens[at]
        text = token.string
        if token.type == tokenize.NUMBER and token.start not in fixed:
            text = _number(text, replacements, missing)
        elif token.type == tokenize.NAME:
            text = renames.get(text, text)
            missing.discard(token.string)
        elif token.type == tokenize.STRING:
            text = _string(text, replacements)
            if not _stands_alone(tokens, at):
                missing -= {name for name in replacements.changed_names if name in token.string}
        elif token.type == tokenize.COMMENT:
            text = replacements.text(text)
        (row, start), (last_row, end) = token.start, token.end
        if text != token.string:
            lines[row - 1 : last_row] = [lines[row - 1][:start] + text + lines[last_row - 1][end:]]
    edited = "".join(lines)
    ast.parse(edited)
    return None if missing else edited


def _tokens(program: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(program).readline)


def _renames(
    tree: ast.Module, tokens: Sequence[tokenize.TokenInfo], replacements: Replacements
) -> dict[str, str] | None:
    """The new name of each variable that changes its name; None if a new name is taken.

    A name of the request changes wherever it stands, and a name made from one, such as `age_mean`,
    if the program itself has made it."""
    nodes = list(ast.walk(tree))
    own = {node.id for node in nodes if isinstance(node, ast.Name)}
    own &= {node.id for node in nodes if isinstance(node, ast.Name) and _is_stored(node)} | {
        node.name for node in nodes if isinstance(node, ast.FunctionDef)
    }
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    names = {token.string for token in tokens if token.type == tokenize.NAME}
    renames = {}
    for name in names:
        if name in replacements.changed_names:
            renames[name] = _identifier(replacements.changed_names[name])
        elif name in own and (new := replacements.text(name)) != name:
            renames[name] = _identifier(new)
    new_names = list(renames.values())
    taken = len(set(new_names)) < len(new_names) or set(new_names) & (names - renames.keys())
    return None if taken else renames


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _fixed_numbers(tree: ast.Module, program: str) -> set[tuple[int, int]]:
    """Where numbers stand that say how to round, which is no number of the request."""
    lines = program.splitlines()
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) > 1)
    fixed = set()
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        name = call.func.id if isinstance(call.func, ast.Name) else name
        if name in ("round", "around"):
            places = call.args[1]
            before = lines[places.lineno - 1].encode()[: places.col_offset].decode()
            fixed.add((places.lineno, len(before)))
    return fixed


def _number(digits: str, replacements: Replacements, missing: set[Any]) -> str:
    old = _value(digits)
    new = None if old is None else replacements.number(old)
    if old is None or new is None or new == old:
        return digits
    missing -= {old, replacements.shares.get(old)}
    return written(new)


_STRING = re.compile(r"""(\w{0,3})(\"{3}|'{3}|"|')(.*)\2""", re.S)


def _string(literal: str, replacements: Replacements) -> str:
    match = _STRING.fullmatch(literal)
    if match is None:
        return literal
    prefix, quote, inside = match.groups()
    new = replacements.text(inside)
    names = replacements.changed_names.values()
    if new != inside and "f" in prefix.lower() and not all(map(str.isidentifier, names)):
        raise NotInStep("a name that is no identifier cannot stand in a formatted text")
    return f"{prefix}{quote}{new}{quote}"


def _stands_alone(tokens: Sequence[tokenize.TokenInfo], at: int) -> bool:
    """Whether a string is a statement of its own, such as a docstring, which computes nothing."""
    idle = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT)
    earlier = (token.type for token in reversed(tokens[:at]) if token.type not in idle)
    return next(earlier, tokenize.NEWLINE) == tokenize.NEWLINE


def _value(text: str) -> float | None:
    try:
        return float(text.replace("_", ""))
    except ValueError:
        return None


def _identifier(name: str) -> str:
    good = name.isidentifier() and not keyword.iskeyword(name)
    return name if good else "column_" + "".join(c if c.isalnum() else "_" for c in name)
