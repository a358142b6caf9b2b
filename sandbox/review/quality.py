"""The reviewer for quality: answers that are typed, constants copied from the request, dead code,
names that say nothing, and length. Pure.
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from sandbox.review.instructions import unfollowed
from sandbox.review.parsed import Fault, ParsedProgram
from sandbox.review.promises import left_out

_MOST_LINES, _MOST_CHARACTERS = 150, 8_000
_MOST_DEAD = 2  # an idle import or helper happens; three idle things are dead code
_EMPTY_NAME = re.compile(
    r"^(?:tmp|temp|foo|bar|baz|qux|var|val|data|thing|stuff|obj|res|ret|aux)?_?\d+$|^(?:tmp|foo|bar|baz|qux|stuff|thing|aux|xx+|yy+)\d*$|^[a-z]\d+$|^[a-z]$"
)
_LEAST_NAMES, _EMPTY_SHARE = 8, 0.8
_USUAL = frozenset({0.01, 0.05, 0.5, 0.95, 0.99, 1.5, 10, 12, 24, 60, 90, 95, 99, 100, 365, 1000})
_TELLING = 10.0  # a smaller whole number of the request may stand in a program for itself


def quality(program: ParsedProgram) -> Iterator[Fault]:
    typed = _typed_answer(program)
    if typed:
        yield "reject", typed
        return
    yield from (
        ("revise", reason)
        for reason in (
            *_copied(program),
            *_dead(program),
            *_names(program),
            *_length(program),
            *left_out(program),
            *unfollowed(program),
        )
    )


def _typed_answer(program: ParsedProgram) -> str:
    """Why the answer is typed; empty if something computes it."""
    answers = list(_answers(program))
    if answers and all(_is_typed(program, value, set()) for value in answers):
        return "the answer is typed, and nothing computes it"
    if answers and any(_is_looked_up(program, value) for value in answers):
        return "the answer is looked up by the words of the request, and nothing computes it"
    return ""


def _answers(program: ParsedProgram) -> Iterator[ast.expr]:
    """The expressions of the figures: in `result`, what `solve` gives back, or what is printed."""
    for value in program.values.get("result", []):
        answer = _entry(program, value, "answer")
        if answer is None:
            continue
        own = program.resolved(answer)
        yield from own.values if isinstance(own, ast.Dict) and own.values else [own]
    solve = program.functions.get("solve")
    if solve is not None and not program.values.get("result"):
        yield from (
            n.value for n in ast.walk(solve) if isinstance(n, ast.Return) and n.value is not None
        )

    if not program.has_contract and not _chooses(program):
        yield from (part for call in program.called("print") for part in call.args)


def _entry(program: ParsedProgram, value: ast.expr, name: str) -> ast.expr | None:
    value = program.resolved(value)
    if isinstance(value, ast.Dict):
        for key, own in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == name:
                return own
    return None


def _is_typed(program: ParsedProgram, value: ast.expr, seen: set[str]) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=operand):
            return _is_typed(program, operand, seen)
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return all(_is_typed(program, part, seen) for part in parts)
        case ast.Dict(values=parts):
            return all(_is_typed(program, part, seen) for part in parts)
        case ast.Name(id=name) if name not in seen and name not in program.changed:
            values = program.values.get(name, [])
            chosen = len(values) > 1 and _chooses(program)
            typed = all(_is_typed(program, v, {*seen, name}) for v in values)
            return bool(values) and typed and not chosen
        case ast.Call(func=ast.Name(id="round" | "float" | "int" | "str" | "bool"), args=[own, *_]):
            return _is_typed(program, own, seen)
        case ast.Call(func=ast.Name(id=name)) if name in program.functions and name not in seen:
            returns = [
                n.value
                for n in ast.walk(program.functions[name])
                if isinstance(n, ast.Return) and n.value
            ]
            return bool(returns) and all(_is_typed(program, v, {*seen, name}) for v in returns)
    return False


def _chooses(program: ParsedProgram) -> bool:
    """Whether a test decides which of several written answers is given."""
    return any(isinstance(n, ast.If | ast.Match | ast.Try) for n in program.nodes)


def _is_looked_up(program: ParsedProgram, value: ast.expr) -> bool:
    """Whether a figure comes from a table of typed values, whose key is the request itself."""
    table: ast.expr | None = None
    key: ast.expr | None = None
    match program.resolved(value):
        case ast.Subscript(value=where, slice=which):
            table, key = program.resolved(where), program.resolved(which)
        case ast.Call(func=ast.Attribute(value=where, attr="get"), args=[which, *_]):
            table, key = program.resolved(where), program.resolved(which)
    if not isinstance(table, ast.Dict) or not _is_typed(program, table, set()) or key is None:
        return False
    words = " ".join(program.request.split()).lower()
    return any(
        isinstance(k, ast.Constant) and isinstance(k.value, str) and len(k.value) > 20
        and " ".join(k.value.split()).lower() in words
        for k in table.keys
    )  # fmt: skip


def _copied(program: ParsedProgram) -> Iterator[str]:
    """Numbers of the request that the computation types instead of reading them. A program that
    only prints for its variables has no request to read."""
    if not program.has_contract:
        return
    apart = _reported(program)
    constants = (n for n in program.nodes if isinstance(n, ast.Constant) and id(n) not in apart)
    typed = {n.value for n in constants if isinstance(n.value, int | float)}
    numbers = program.numbers
    copies = sorted(value for value in typed if _is_of(numbers, value))
    least = 1
    if program.reads_request:  # a number of its own may happen to be one of the request's
        shares = "%" in program.request
        copies = [n for n in copies if not _is_usual(n) and (n >= _TELLING or (shares and n % 1))]
        whole = all(n % 1 == 0 for n in copies)
        named = any(n in copies for n in _named(program))
        least = 2 if whole and len(numbers) > 1 and not named else 1
    if len(copies) >= least:
        listed = ", ".join(f"{n:g}" for n in copies[:5])
        yield f"it types {listed}: read PARAMS['request'], so that it serves other numbers too"


def _named(program: ParsedProgram) -> list[float]:
    """The numbers that have a name of their own: `amount = 250`, and no constants in capitals."""
    return [
        float(values[0].value)
        for name, values in program.values.items()
        if len(values) == 1
        and not name.isupper()
        and name not in program.changed
        and isinstance(values[0], ast.Constant)
        and isinstance(values[0].value, int | float)
    ]


def _is_of(numbers: frozenset[float], value: float) -> bool:
    """Whether a number is of the request, or a percentage of it as a share or a factor."""
    shares = (
        {round(n / 100, 9) for n in numbers}
        | {round(1 + n / 100, 9) for n in numbers}
        | {round(1 - n / 100, 9) for n in numbers}
    )
    return float(value) in numbers or (isinstance(value, float) and round(value, 9) in shares)


def _is_usual(value: float) -> bool:
    return value in _USUAL


def _reported(program: ParsedProgram) -> set[int]:
    """The nodes of the parameters that a result reports, and of its texts."""
    apart: set[int] = set()
    for node in program.nodes:
        if isinstance(node, ast.Dict):
            for key, own in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "parameters":
                    apart |= {id(n) for n in ast.walk(own)}
    return apart


def _dead(program: ParsedProgram) -> Iterator[str]:
    loaded = {
        n.id for n in program.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    loaded |= {
        n.value.id
        for n in program.nodes
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    }
    alone = _assigned_alone(program)
    functions = [f for f in program.functions if f not in loaded and f != "solve"]
    values = [
        name for name, made in program.values.items()
        if name not in loaded | {"result"} and name[0] != "_" and name in alone
    ]  # fmt: skip
    modules = [name for name in program.aliases if name not in loaded]
    idle = [
        f"line {n.lineno}" for n in program.nodes
        if isinstance(n, ast.Assign) and [ast.unparse(n.value)] == [*map(ast.unparse, n.targets)]
    ]  # fmt: skip
    after = [f"line {line}" for line in _unreachable(program)]
    dead = [*functions, *values, *modules, *idle, *after]
    if len(dead) > _MOST_DEAD or after:
        yield f"dead code: nothing uses {', '.join(dead[:5])}"


def _assigned_alone(program: ParsedProgram) -> set[str]:
    """The names that are assigned by themselves: parts of a tuple and counters are not dead."""
    return {
        target.id
        for node in program.nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _unreachable(program: ParsedProgram) -> Iterator[int]:
    for node in program.nodes:
        body = getattr(node, "body", None)
        for earlier, later in pairwise(body) if isinstance(body, list) else ():
            if isinstance(earlier, ast.Return | ast.Raise | ast.Break | ast.Continue):
                yield later.lineno


def _names(program: ParsedProgram) -> Iterator[str]:
    names = [name for name in program.values if name not in ("result", "_")]
    empty = [name for name in names if _EMPTY_NAME.match(name)]
    if len(names) >= _LEAST_NAMES and len(empty) >= _EMPTY_SHARE * len(names):
        yield f"names that say nothing: {', '.join(empty[:6])}"


def _length(program: ParsedProgram) -> Iterator[str]:
    lines = program.source.count("\n") + 1
    if lines > _MOST_LINES or len(program.source) > _MOST_CHARACTERS:
        yield f"it is longer than {_MOST_LINES} lines or {_MOST_CHARACTERS} characters"
