"""Loops with far too many turns, as the reviewer for performance looks for them. Pure."""

import ast
import re
from collections.abc import Iterator

from sandbox.review.parsed import ParsedProgram, body_of, names_in

_ARRANGEMENTS = ("combinations", "permutations", "product", "combinations_with_replacement")
_COUNTED = tuple(f"itertools.{name}" for name in _ARRANGEMENTS)
_TURNS = re.compile(
    r"(?:first|up to|below|under|from 1 to|until)\s{1,3}(\d[\d,_]{0,20})"
    r"|(?<![\d,_])(\d[\d,_]{0,20})\s{1,3}(?:\w{1,20} )?"
    r"(?:draws|rolls|samples|trials|times|simulations|numbers|integers|tosses|flips|iterations)\b",
    re.I,
)
_WANTS_SUBSETS = re.compile(
    r"\b(?:all|every|each) (?:\w+ )?(?:subsets?|combinations?|masks?|selections?)|power set|brute",
    re.I,
)
_MOST_TURNS = 5_000_000


def many_turns(program: ParsedProgram) -> Iterator[str]:
    yield from _enumerated(program)
    yield from _subsets(program)
    yield from _by_luck(program)
    yield from _many_turns(program)


def _enumerated(program: ParsedProgram) -> Iterator[str]:
    """Arrangements that are made only to be counted."""
    for name, call in program.calls:
        if name not in ("len", "sum") or not call.args:
            continue
        over = call.args[0]
        if isinstance(over, ast.Call) and program.dotted(over.func) in ("list", "tuple", "set"):
            over = over.args[0] if over.args else over
        elif isinstance(over, ast.GeneratorExp | ast.ListComp):
            ones = isinstance(over.elt, ast.Constant) or name == "len"
            alone = len(over.generators) == 1 and not over.generators[0].ifs and ones
            over = over.generators[0].iter if alone else over
        if isinstance(over, ast.Call) and program.dotted(over.func) in _COUNTED:
            yield f"line {call.lineno}: it makes every arrangement to count them: use a formula"


def _subsets(program: ParsedProgram) -> Iterator[str]:
    """Every subset is tried, where the request asks for none of them."""
    if _WANTS_SUBSETS.search(program.request):
        return
    for name, call in program.calls:
        bound = call.args[-1] if call.args else None
        match bound:
            case ast.BinOp(left=ast.Constant(value=2), op=ast.Pow(), right=power):
                pass
            case ast.BinOp(left=ast.Constant(value=1), op=ast.LShift(), right=power):
                pass
            case _:
                continue
        if name == "range" and not isinstance(power, ast.Constant):
            yield f"line {call.lineno}: it tries every subset, twice as many for each element more"
    for loop in program.nodes:
        if not isinstance(loop, ast.For) or not isinstance(loop.target, ast.Name):
            continue
        for node in body_of(loop):
            if not isinstance(node, ast.Call) or program.dotted(node.func) not in _COUNTED:
                continue
            if len(node.args) > 1 and names_in(node.args[1]) == {loop.target.id}:
                yield f"line {node.lineno}: it tries every subset, of every size"


def _by_luck(program: ParsedProgram) -> Iterator[str]:
    """A loop without end that random draws alone may leave."""
    for node in program.nodes:
        if not isinstance(node, ast.While) or not isinstance(node.test, ast.Constant):
            continue
        inside = list(body_of(node))
        draws = any(isinstance(n, ast.Call) and "random" in program.dotted(n.func) for n in inside)
        keeps = any(
            isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
            and n.func.attr in ("append", "extend") for n in inside
        )  # fmt: skip
        if draws and keeps:
            yield f"line {node.lineno}: only luck ends this loop, and it keeps every draw: bound it"


def _many_turns(program: ParsedProgram) -> Iterator[str]:
    """A loop in Python whose turns are a number of the request, where that is millions."""
    counts = [first or second for first, second in _TURNS.findall(program.request)]
    largest = max((float(re.sub("[,_ ]", "", count)) for count in counts), default=0.0)
    if largest < _MOST_TURNS:
        return
    for node in program.nodes:
        if not isinstance(node, ast.For):
            continue
        over = node.iter
        if isinstance(over, ast.Call) and program.dotted(over.func) == "range":
            bound = over.args[min(len(over.args), 2) - 1] if over.args else over
            if not isinstance(bound, ast.Constant) and not _of_length(bound):
                yield f"line {node.lineno}: with {largest:,.0f} turns, use numpy or a formula"


def _of_length(bound: ast.expr) -> bool:
    """Whether the bound is the length of something, or a root."""
    calls = [ast.unparse(n.func) for n in ast.walk(bound) if isinstance(n, ast.Call)]
    return any(name.rpartition(".")[2] in ("len", "isqrt", "sqrt") for name in calls)
