"""Work that a loop does again and again, as the reviewer for performance looks for it. Pure."""

import ast
import re
from collections.abc import Iterator

from sandbox.review.parsed import COMPREHENSIONS, LOOPS, ParsedProgram, body_of, names_in

_PASSES = frozenset({"sum", "min", "max", "sorted", "open", "set", "list", "Counter", "findall"})
_OVER_ALL = """
    mean fmean median stdev pstdev variance pvariance mode std var average percentile quantile
    quantiles fsum nanmean nanstd findall finditer DictReader reader loads literal_eval argsort
    cumsum nunique corrcoef"""
_WHOLE = _PASSES | frozenset(_OVER_ALL.split())
_LIBRARIES = ("statistics.", "numpy.", "re.", "csv.", "json.", "math.", "collections.", "ast.")
_NESTED_REPEAT = re.compile(r"\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)*\)[+*]")
_SHORT = 50  # elements of a written list; over fewer no work is too much


def repeated_work(program: ParsedProgram) -> Iterator[str]:
    reasons: list[str] = []
    for loop, turns, again in _loops(program):
        reasons += _unchanging(program, turns, again)
        reasons += _prefixes(program, turns, again)
        over = loop.test if isinstance(loop, ast.While) else _first_iter(loop)
        if not names_in(over) & program.of_data:
            continue  # few values, from the request
        reasons += (
            _lists(program, loop) if isinstance(loop, LOOPS) else _counts(program, loop, turns)
        )
    yield from dict.fromkeys(reasons)
    for node in program.nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if _is_pattern(program, node) and _doubles_back(node.value):
            yield f"line {node.lineno}: the pattern tries the same text in endlessly many ways"


def _loops(program: ParsedProgram) -> Iterator[tuple[ast.AST, set[str], list[ast.AST]]]:
    """Each loop that may have many turns, the names that change with them, and what each turn does
    again."""
    for node in program.nodes:
        if isinstance(node, ast.For | ast.While):
            if isinstance(node, ast.For) and _is_short(program, node.iter):
                continue
            inside = list(body_of(node))
            if isinstance(node, ast.While):
                inside += ast.walk(node.test)
            turns = {n.id for n in inside if isinstance(n, ast.Name) and _stores(n)}
            turns |= names_in(node.target) if isinstance(node, ast.For) else set()
            turns |= _mutated(inside)
            yield node, turns, inside
        elif isinstance(node, COMPREHENSIONS):
            first, *others = node.generators
            if _is_short(program, first.iter):
                continue
            parts: list[ast.AST] = (
                [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            )
            parts += first.ifs
            parts += [part for each in others for part in (each.iter, *each.ifs)]
            turns = {name for each in node.generators for name in names_in(each.target)}
            yield node, turns, [n for part in parts for n in ast.walk(part)]


def _first_iter(loop: ast.AST) -> ast.AST:
    generators = getattr(loop, "generators", None)
    over: ast.AST = generators[0].iter if generators else getattr(loop, "iter", loop)
    return over


def _stores(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store | ast.Del)


def _mutated(nodes: list[ast.AST]) -> set[str]:
    """The names of things that a statement or a method changes."""
    names: set[str] = set()
    for node in nodes:
        match node:
            case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()):
                names |= names_in(value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=value))):
                names |= names_in(value)
            case ast.Call(func=ast.Attribute(value=value, attr="pop" | "popleft" | "send")):
                names |= names_in(value)
    return names


def _is_short(program: ParsedProgram, over: ast.expr) -> bool:
    match program.resolved(over):
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return len(parts) <= _SHORT
        case ast.Dict(keys=keys):
            return len(keys) <= _SHORT
        case ast.Constant(value=str() as text):
            return len(text) <= _SHORT
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int() as last)]):
            return last <= _SHORT
    return False


def _unchanging(program: ParsedProgram, turns: set[str], again: list[ast.AST]) -> Iterator[str]:
    """A pass over a whole sequence that gives the same at every turn."""
    for node in again:
        if not isinstance(node, ast.Call) or not _passes_over(program, node):
            continue
        names = names_in(node) - set(program.aliases)
        if names & program.drawn or any("random" in n for n in program.called_in(node)):
            continue
        if names & turns or not _is_data(program, node):
            continue
        yield f"line {node.lineno}: `{ast.unparse(node)[:60]}` is worked out anew at every turn"


def _passes_over(program: ParsedProgram, call: ast.Call) -> bool:
    name = program.dotted(call.func)
    last = name.rpartition(".")[2]
    if name in _PASSES or (last in _WHOLE and name.startswith(_LIBRARIES)):
        return bool(call.args)
    method = isinstance(call.func, ast.Attribute) and last in _WHOLE - {"open", "list", "set"}
    reads = name in program.functions and any(
        isinstance(n, ast.Call) and program.dotted(n.func) == "open"
        for n in ast.walk(program.functions[name])
    )
    return method or reads


def _is_data(program: ParsedProgram, call: ast.Call) -> bool:
    """Whether what is passed over is data, and no short list that is written out."""
    over = call.args[0] if call.args else call.func
    return not _is_short(program, over) and not isinstance(over, ast.Constant)


def _prefixes(program: ParsedProgram, turns: set[str], again: list[ast.AST]) -> Iterator[str]:
    """A pass over everything up to the present element."""
    for node in again:
        if not isinstance(node, ast.Call) or not node.args or not _passes_over(program, node):
            continue
        match node.args[0]:
            case ast.Subscript(slice=ast.Slice(lower=None, upper=ast.expr() as upper)):
                bound = upper
            case ast.Subscript(slice=ast.Slice(lower=ast.expr() as lower, upper=None)):
                bound = lower
            case _:
                continue
        if names_in(bound) & turns:
            yield f"line {node.lineno}: each turn goes over the beginning again: go on from it"


def _lists(program: ParsedProgram, loop: ast.AST) -> Iterator[str]:
    """Steps through a list for every element."""
    for node in body_of(loop):
        match node:
            case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=0)]):
                yield f"line {node.lineno}: `pop(0)` moves the whole list: use a deque"
            case ast.Call(func=ast.Attribute(attr="insert"), args=[ast.Constant(value=0), _]):
                yield f"line {node.lineno}: `insert(0, …)` moves the whole list: use a deque"
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="count" | "index" as method)
            ) if isinstance(loop, ast.For) and name in names_in(loop.iter):
                yield f"line {node.lineno}: `{name}.{method}` goes over all for every element"
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]) if (
                _grows_as_list(program, loop, name)
            ):
                yield f"line {node.lineno}: `in {name}` goes over a list: use a set"
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]) if (
                _is_a_list(program, name)
            ):
                yield f"line {node.lineno}: `in {name}` goes over a list: make a set of it first"
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Dict(keys=[None, *_], values=[first, *_])
            ) if isinstance(first, ast.Name) and first.id == name:
                yield f"line {node.lineno}: `{name}` is copied at every turn: change it in place"
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.BinOp(left=ast.Name(id=own), op=ast.Add(), right=ast.List()),
            ) if name == own:
                yield f"line {node.lineno}: `{name}` is copied at every turn: append to it"


def _counts(program: ParsedProgram, loop: ast.AST, turns: set[str]) -> Iterator[str]:
    """`values.count(v)` for every `v` of the values."""
    generators = getattr(loop, "generators", [])
    over = {n for each in generators if isinstance(each.iter, ast.Name) for n in (each.iter.id,)}
    for node in ast.walk(loop):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="count" | "index" as method),
                args=[argument, *_],
            ) if name in over and names_in(argument) & turns:
                yield f"line {node.lineno}: `{name}.{method}` goes over all for every element"
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]) if (
                _is_a_list(program, name)
            ):
                yield f"line {node.lineno}: `in {name}` goes over a list: make a set of it first"


def _is_a_list(program: ParsedProgram, name: str) -> bool:
    """Whether the request says that an input is a list."""
    mark = re.escape(name)
    said_so = (
        rf"\blists?\b[^.,;]{{0,30}}`{mark}`|`{mark}`[^.,;]{{0,15}}\blist\b|^`\w+` and `{mark}`"
    )
    return name in program.inputs and re.search(said_so, program.request, re.I) is not None


def _grows_as_list(program: ParsedProgram, loop: ast.AST, name: str) -> bool:
    made = program.values.get(name, [])
    starts = any(isinstance(v, ast.List) and not v.elts for v in made)
    appends = any(
        isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr == "append"
        and isinstance(n.func.value, ast.Name)
        and n.func.value.id == name
        for n in body_of(loop)
    )
    return starts and appends


def _is_pattern(program: ParsedProgram, node: ast.AST) -> bool:
    return any(
        call.args and call.args[0] is node and program.dotted(call.func).startswith("re.")
        for _, call in program.calls
    )


def _doubles_back(pattern: str) -> bool:
    """Whether a repeated group is itself a mere repetition, as in `(a+)+`."""
    for match in _NESTED_REPEAT.finditer(pattern):
        inner = match[0][1 : match[0].rindex(")")].removeprefix("?:")
        if re.fullmatch(r"(?:\[[^\]]*\]|\\?.)[+*]", inner):
            return True
    return False
