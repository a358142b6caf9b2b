"""The reviewer for performance: what takes too long, or grows too fast with the input. Pure.

It reads the program for shapes that grow, and takes what its runs measured, if there were any.
Not covered: slow calls of a library, and growth that shows in no shape.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from sandbox.review.many_turns import many_turns
from sandbox.review.parsed import COMPREHENSIONS, LOOPS, Fault, ParsedProgram, body_of, names_in
from sandbox.review.repeated_work import repeated_work

BUDGET_SECONDS = 1.0  # of CPU for a run on a case
_MOST_STEPS = 2_000_000  # of Python, about a quarter of a second
_GROWN = 8.0  # a run with twice the input may take so many times as long, but no more
_NOTICED_SECONDS = 0.1  # a shorter run says nothing about growth
_WANTS_PAIRS = re.compile(
    r"\b(?:all|every|each) pairs?\b|pairwise|matri(?:x|ces)|determinant|eliminat", re.I
)
_AT_MOST = re.compile(r"(?:at most|up to|no more than|maximum of) (\d+)", re.I)
_SMALL = 8  # things that all permutations may be made of


def performance(program: ParsedProgram, seconds: Sequence[float] = ()) -> Iterator[Fault]:
    """`seconds`: CPU of a run on the case, and of a run with twice the input, if measured."""
    if seconds and seconds[0] > BUDGET_SECONDS:
        yield (
            "revise",
            f"a run took {seconds[0]:.2g} s of CPU, and {BUDGET_SECONDS:g} s is the budget",
        )
    if len(seconds) > 1 and seconds[1] > max(_GROWN * seconds[0], _NOTICED_SECONDS):
        yield (
            "revise",
            f"twice the input took {seconds[1] / max(seconds[0], 1e-3):.0f} times as long",
        )
    reasons = (
        *_recursion(program),
        *_nested(program),
        *_divisors(program),
        *_arrangements(program),
        *repeated_work(program),
        *many_turns(program),
    )
    yield from (("revise", reason) for reason in reasons)


def _recursion(program: ParsedProgram) -> Iterator[str]:
    """Functions that call themselves twice for one value, and remember nothing."""
    for name, function in program.functions.items():
        if function.decorator_list or _remembers(function):
            continue
        for statement in function.body:
            for node in ast.walk(statement):
                if not isinstance(node, ast.Return | ast.Assign | ast.AugAssign | ast.Expr):
                    continue
                calls = [n for n in ast.walk(node) if _is_call_of(program, n, name) and _shrinks(n)]
                if len(calls) > 1 or (
                    calls and any(isinstance(n, COMPREHENSIONS) for n in ast.walk(node))
                ):
                    yield f"line {node.lineno}: `{name}` works out the same values again: keep them"
                    break


def _is_call_of(program: ParsedProgram, node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and program.dotted(node.func) == name


def _shrinks(node: ast.AST) -> bool:
    arguments = node.args if isinstance(node, ast.Call) else []
    return any(
        isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub | ast.Add)
        for a in arguments
        for n in ast.walk(a)
    )


def _remembers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function looks something up before it works: `if n in seen`, `memo.get(n)`."""
    nodes = [n for part in function.body for n in ast.walk(part)]
    kept = any(isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store) for n in nodes)
    looks = any(
        isinstance(n, ast.Compare) and any(isinstance(o, ast.In | ast.NotIn) for o in n.ops)
        for n in nodes
    )
    return kept and (looks or any(isinstance(n, ast.Attribute) and n.attr == "get" for n in nodes))


def _nested(program: ParsedProgram) -> Iterator[str]:
    for steps, loops in _towers(program):
        line = loops[0][1]
        if steps is not None and steps > _MOST_STEPS:
            yield f"line {line}: {steps:.1g} steps in Python: use numpy, a formula or fewer draws"
        unbounded = [names for bound, _, names in loops if bound is None]
        wanted = _WANTS_PAIRS.search(program.request) is not None
        over_rows = [names for names in unbounded if names & program.of_columns]
        again = _same_input(program, unbounded) and not wanted
        if len(unbounded) > 2 and not wanted:
            yield f"line {line}: its time grows with the power {len(unbounded)} of the input"
        elif len(over_rows) > 1 or again:
            yield f"line {line}: its time grows with the square of the rows"


def _same_input(program: ParsedProgram, loops: Sequence[set[str]]) -> bool:
    """Whether two of the loops go over one and the same input."""
    seen: set[str] = set()
    for names in loops:
        roots = {root for name in names for root in program.roots.get(name, ())}
        if roots & seen:
            return True
        seen |= roots
    return False


Loop = tuple[float | None, int, set[str]]  # its steps if they are written out, its line, its names


def _towers(program: ParsedProgram) -> Iterator[tuple[float | None, list[Loop]]]:
    """Each outermost loop with the deepest loops in it, after the product of the numbers of turns
    that are written out (None if no number is)."""
    inner = {id(n) for each in program.nodes if isinstance(each, LOOPS) for n in body_of(each)}
    for node in program.nodes:
        if isinstance(node, (*LOOPS, *COMPREHENSIONS)) and id(node) not in inner:
            loops = _deepest(program, node)
            steps, product = [bound for bound, _, _ in loops if bound is not None], 1.0
            for bound in steps:
                product *= bound
            yield (product if steps else None), loops


def _deepest(
    program: ParsedProgram, node: ast.AST, outer: frozenset[str] = frozenset()
) -> list[Loop]:
    """`outer`: the targets of the loops around, whose parts are shorter than the whole."""
    below: list[ast.AST] = []
    if isinstance(node, COMPREHENSIONS):
        own = []
        for each in node.generators:
            own.append(_loop(program, each.iter, node.lineno, outer))
            outer |= names_in(each.target)
        below = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    elif isinstance(node, ast.For | ast.AsyncFor):
        own, below = [_loop(program, node.iter, node.lineno, outer)], list(node.body)
        outer |= names_in(node.target)
    elif isinstance(node, ast.While):
        own, below = [(1.0, node.lineno, set[str]())], list(node.body)  # its turns are not known
    else:
        own, below = [], list(ast.iter_child_nodes(node))
    return own + max((_deepest(program, each, outer) for each in below), key=_weight, default=[])


def _weight(loops: list[Loop]) -> tuple[int, float]:
    product = 1.0
    for bound, _, _ in loops:
        product *= bound or 1.0
    return len([1 for bound, _, _ in loops if bound is None]), product


def _loop(program: ParsedProgram, over: ast.expr, line: int, outer: frozenset[str]) -> Loop:
    names = names_in(over)
    if isinstance(over, ast.Call) and program.dotted(over.func) == "range":
        bounds = [_number(program, each) for each in over.args]
        if bounds and None not in bounds:
            low, high = (0.0, bounds[0]) if len(bounds) == 1 else bounds[:2]
            return max((high or 0.0) - (low or 0.0), 0.0), line, names
        return None, line, names - outer or names
    if isinstance(over, ast.Tuple | ast.List | ast.Constant | ast.Dict | ast.Set):
        return 1.0, line, names
    columns = isinstance(over, ast.Call) and any(isinstance(a, ast.Starred) for a in over.args)
    if names & outer or columns:  # a part of what an outer loop goes over
        return 1.0, line, set[str]()
    # What is gone over is a sequence: of the table beside the request, or as short as the request.
    return (None if names & program.of_data else 1.0), line, names


def _number(program: ParsedProgram, node: ast.expr) -> float | None:
    """A number that is written out, alone or as the only value of a name."""
    match program.resolved(node):
        case ast.Constant(value=int() | float() as figure):
            return float(figure)
        case ast.BinOp(
            left=ast.Constant(value=int() as base),
            op=ast.Pow(),
            right=ast.Constant(value=int() as power),
        ) if 0 <= power <= 20 and abs(base) <= 1_000:
            return float(base**power)
        case ast.BinOp(left=ast.Constant(value=int() as whole), op=ast.Add() | ast.Sub()):
            return float(whole)
    return None


def _divisors(program: ParsedProgram) -> Iterator[str]:
    """Trial division up to the number itself."""
    for node in program.nodes:
        for target, over, tests in _ranges(program, node):
            last = over.args[min(len(over.args), 2) - 1]
            rooted = any(isinstance(n, ast.Call | ast.Pow | ast.FloorDiv) for n in ast.walk(last))
            numbers = {n.id for n in ast.walk(last) if isinstance(n, ast.Name)}
            divides = any(
                isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mod)
                and names_in(n.left) & numbers and names_in(n.right) & names_in(target)
                for test in tests for n in ast.walk(test)
            )  # fmt: skip
            if (
                divides
                and not rooted
                and numbers
                and not any(isinstance(n, ast.Break) for n in body_of(node))
            ):
                yield f"line {over.lineno}: divisors up to the square root are enough"


def _ranges(
    program: ParsedProgram, node: ast.AST
) -> Iterator[tuple[ast.expr, ast.Call, list[ast.AST]]]:
    loops: list[tuple[ast.expr, ast.expr, list[ast.AST]]] = []
    if isinstance(node, ast.For):
        loops = [(node.target, node.iter, list(node.body))]
    elif isinstance(node, COMPREHENSIONS):
        loops = [(g.target, g.iter, [*g.ifs, node]) for g in node.generators]
    for target, over, tests in loops:
        if isinstance(over, ast.Call) and program.dotted(over.func) == "range" and over.args:
            yield target, over, tests


def _arrangements(program: ParsedProgram) -> Iterator[str]:
    for call in program.called("permutations"):
        whole = call.args[0] if call.args else None
        few = isinstance(whole, ast.List | ast.Tuple) and len(whole.elts) <= _SMALL
        few |= isinstance(whole, ast.Constant) and len(str(whole.value)) <= _SMALL
        few |= any(int(n) <= _SMALL for n in _AT_MOST.findall(program.request))
        if len(call.args) < 2 and not few:
            yield f"line {call.lineno}: the permutations of ten things are 3.6 million"
