"""Loops that may never end, as the reviewer for security looks for them. Pure."""

import ast
from collections.abc import Iterator

from sandbox.review.parsed import LOOPS, Fault, ParsedProgram, body_of, names_in

_ENDLESS = ("itertools.count", "itertools.cycle")
_GROWS = frozenset({"append", "extend", "add", "insert", "appendleft"})


def endless(program: ParsedProgram) -> Iterator[Fault]:
    yield from (("reject", reason) for reason in _surely(program))
    for node in program.nodes:
        if isinstance(node, ast.While) and not _leaves(node) and _may_stay(program, node):
            yield (
                "revise",
                f"line {node.lineno}: with other numbers this loop never ends: check them before "
                "it, or count its turns",
            )


def _surely(program: ParsedProgram) -> Iterator[str]:
    for node in program.nodes:
        if isinstance(node, ast.While) and not _leaves(node):
            always = isinstance(node.test, ast.Constant) and bool(node.test.value)
            if always or not _moves(node) or _never_meets(node):
                yield f"line {node.lineno}: nothing ends this loop"
        elif isinstance(node, ast.For) and not _leaves(node) and _goes_on(program, node):
            yield f"line {node.lineno}: nothing ends this loop"
    for name, function in program.functions.items():
        nodes = [n for part in function.body for n in ast.walk(part)]
        calls = any(isinstance(n, ast.Call) and program.dotted(n.func) == name for n in nodes)
        branches = (ast.If, ast.IfExp, ast.BoolOp, ast.Match, ast.Try, *LOOPS, ast.comprehension)
        if calls and not any(isinstance(n, branches) for n in nodes):
            yield f"line {function.lineno}: nothing ends the calls of `{name}` to itself"


def _goes_on(program: ParsedProgram, loop: ast.For) -> bool:
    """Whether a loop goes over something without an end, or over a list that it makes longer."""
    if isinstance(loop.iter, ast.Call):
        over = program.dotted(loop.iter.func)
        alone = over == "itertools.repeat" and len(loop.iter.args) == 1
        return over in _ENDLESS or alone or (over == "iter" and len(loop.iter.args) == 2)
    return isinstance(loop.iter, ast.Name) and any(
        isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr in _GROWS
        and isinstance(n.func.value, ast.Name)
        and n.func.value.id == loop.iter.id
        for statement in loop.body
        for n in _unconditional(statement)
    )


def _unconditional(statement: ast.stmt) -> Iterator[ast.AST]:
    if not isinstance(statement, ast.If | ast.Try | ast.Match):
        yield from ast.walk(statement)


def _leaves(loop: ast.AST) -> bool:
    """Whether something in the loop can leave it: a break of its own, a return, or an error."""
    inner = [n for n in body_of(loop) if isinstance(n, LOOPS)]
    of_inner = {id(n) for each in inner for n in body_of(each) if isinstance(n, ast.Break)}
    return any(
        isinstance(n, ast.Return | ast.Raise)
        or (isinstance(n, ast.Break) and id(n) not in of_inner)
        for n in body_of(loop)
    )


def _moves(loop: ast.While) -> bool:
    """Whether the body changes anything that the loop's condition looks at."""
    looked_at = names_in(loop.test)
    if any(isinstance(n, ast.Call | ast.NamedExpr) for n in ast.walk(loop.test)):
        return True
    for node in body_of(loop):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if name in looked_at:
                return True
            case (
                ast.Subscript(value=value, ctx=ast.Store() | ast.Del())
                | ast.Attribute(value=value, ctx=ast.Store())
            ) if names_in(value) & looked_at:
                return True
            case ast.Call() if names_in(node) & looked_at:
                return True
    return False


def _never_meets(loop: ast.While) -> bool:
    """Whether a sum of fractions is to equal a number, which rounding prevents."""
    match loop.test:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.NotEq()]):
            return any(
                isinstance(n, ast.AugAssign)
                and isinstance(n.target, ast.Name)
                and n.target.id == name
                and isinstance(n.value, ast.Constant)
                and isinstance(n.value.value, float)
                and n.value.value % 1 != 0
                for n in body_of(loop)
            )
    return False


def _may_stay(program: ParsedProgram, loop: ast.While) -> bool:
    """Whether what the loop looks at goes up and down by amounts that nobody compared before, as a
    debt does by interest and payments."""
    if not isinstance(loop.test, ast.Compare):
        return False
    for name in names_in(loop.test):
        signs: set[bool] = set()
        by: set[str] = set()
        for node in body_of(loop):
            for sign, value in _steps(node, name):
                signs.add(sign)
                by |= names_in(value) - {name}
        if len(signs) == 2 and by and not _compared_before(program, loop, by):
            return True
    return False


def _steps(node: ast.AST, name: str) -> Iterator[tuple[bool, ast.expr]]:
    """By what a statement makes a number larger (True) or smaller."""
    match node:
        case ast.AugAssign(target=ast.Name(id=own), op=ast.Add() | ast.Sub() as op, value=value):
            if own == name:
                yield isinstance(op, ast.Add), value
        case ast.AugAssign(target=ast.Name(id=own), op=ast.Mult(), value=value) if own == name:
            yield True, value
        case ast.Assign(targets=[ast.Name(id=own)], value=value) if own == name:
            yield from _in_sum(value, name)


def _in_sum(value: ast.expr, name: str) -> Iterator[tuple[bool, ast.expr]]:
    """`balance * (1 + rate) - payment` makes it larger by a rate, and smaller by a payment."""
    match value:
        case ast.BinOp(left=left, op=ast.Sub(), right=right) if name in names_in(left):
            yield False, right
            yield from _in_sum(left, name)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if name in names_in(left):
            yield True, right
            yield from _in_sum(left, name)
        case ast.BinOp(op=ast.Mult()) if name in names_in(value):
            yield True, value


def _compared_before(program: ParsedProgram, loop: ast.While, names: set[str]) -> bool:
    """Whether the program compares what the steps are made of, outside of the loop."""
    inside = {id(n) for n in ast.walk(loop)}
    return any(
        isinstance(n, ast.Compare) and id(n) not in inside and names_in(n) & names
        for n in program.nodes
    )
