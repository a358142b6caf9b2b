"""What a request names and its program leaves out, and code that hides what it does. Pure.

A part of the reviewer for quality: inputs that nothing reads, words that an answer must use, values
that must differ, branches that no value reaches, and errors that are swallowed.
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from sandbox.review.parsed import ParsedProgram

_QUOTED_NAME = re.compile(
    r"`([A-Za-z_]\w*)`|\b(?:variable|list|column|dict|input) ([a-z]\w*_\w+)\b"
)
_SAYS = re.compile(
    r"(?:print|say|answer|give|return|output|write|report)\s+(?:just |only )?[\"\u201c']"
    r"([A-Za-z][\w -]{0,30})[\"\u201d']",
    re.I,
)
_IF = re.compile(r"\b(?:if|when|where|otherwise|else)\b", re.I)
_DISTINCT = re.compile(
    r"\b(?:distinct|unique|duplicates? (?:removed|out)|without duplicates)\b", re.I
)
_ALONE = re.compile(r"\b(?:print|give|output|return|answer with) (?:me )?only\b|nothing else", re.I)
_DEBUG = re.compile(r"debug|xxx|>>>|checkpoint", re.I)
_DIFFER = re.compile(
    r"set\(|unique|fromkeys|Counter|groupby|not in|!=|\bdistinct|\{[^:{}]+ for|nunique|\.keys\(|"
    r"dict\(|defaultdict|\{\}|<|>"
)
_SHADOWED = frozenset(
    {"sum", "list", "max", "min", "len", "dict", "set", "str", "int", "float", "round", "sorted"}
)
_LEAST_INDICES = 5


def left_out(program: ParsedProgram) -> Iterator[str]:
    yield from _inputs(program)
    yield from _outputs(program)
    yield from _branches(program)
    yield from _swallowed(program)
    yield from _written_for_one(program)
    if _DISTINCT.search(program.request) and not _DIFFER.search(program.source):
        yield "the request is about different values, and nothing leaves out the same ones"


def _inputs(program: ParsedProgram) -> Iterator[str]:
    """Inputs that the request names and nothing reads."""
    named = {first or second for first, second in _QUOTED_NAME.findall(program.request)}
    if program.reads_request or not named & program.inputs:
        return  # it may read names from the request, or its inputs have other names
    texts = {n.value for n in program.nodes if isinstance(n, ast.Constant)}
    texts |= {n.attr for n in program.nodes if isinstance(n, ast.Attribute)}
    used = texts | {n.id for n in program.nodes if isinstance(n, ast.Name)}
    ignored = sorted(name for name in named if name not in used and name not in program.source)
    if ignored:
        yield f"it never reads {', '.join(ignored)}, which the request names"


def _outputs(program: ParsedProgram) -> Iterator[str]:
    prints = program.called("print")
    texts = " ".join(str(n.value) for n in program.nodes if isinstance(n, ast.Constant))
    for word in _SAYS.findall(program.request) if _IF.search(program.request) else ():
        if word.lower() not in texts.lower():
            yield f"the request names the answer {word!r}, which it never gives"
    for call in prints:
        words = " ".join(str(n.value) for n in ast.walk(call) if isinstance(n, ast.Constant))
        if _DEBUG.search(words):
            yield f"line {call.lineno}: it prints what only served to find a fault"
    in_loops = [c for c in prints if any(c in set(ast.walk(n)) for n in _loops(program))]
    if _ALONE.search(program.request) and len(prints) > 1 and in_loops:
        yield f"line {in_loops[0].lineno}: it prints more than was asked for"


def _loops(program: ParsedProgram) -> list[ast.AST]:
    return [n for n in program.nodes if isinstance(n, ast.For | ast.While)]


def _branches(program: ParsedProgram) -> Iterator[str]:
    """A later test that an earlier one already answers: from 50, then from 70."""
    for node in program.nodes:
        tests = []
        while isinstance(node, ast.If):
            tests.append(node)
            node = node.orelse[0] if len(node.orelse) == 1 else ast.Pass()
        for earlier, later in pairwise(tests):
            before, after = _bound(earlier.test), _bound(later.test)
            if before is None or after is None or before[:2] != after[:2]:
                continue
            up, low, high = before[1], before[2], after[2]
            if (high >= low) if up else (high <= low):
                yield f"line {later.lineno}: no value reaches this branch: the one before takes it"


def _bound(test: ast.expr) -> tuple[str, bool, float] | None:
    """What is compared, whether it must be above, and the number."""
    match test:
        case ast.Compare(
            left=left,
            ops=[ast.Gt() | ast.GtE() | ast.Lt() | ast.LtE() as op],
            comparators=[ast.Constant(value=int() | float() as number)],
        ):
            return ast.dump(left), isinstance(op, ast.Gt | ast.GtE), float(number)
    return None


def _swallowed(program: ParsedProgram) -> Iterator[str]:
    """Any error at all is taken for an answer."""
    for node in program.nodes:
        if not isinstance(node, ast.ExceptHandler):
            continue
        broad = node.type is None or program.dotted(node.type) in ("Exception", "BaseException")
        quiet = all(
            isinstance(s, ast.Pass | ast.Continue | ast.Assign | ast.Return) for s in node.body
        )
        if broad and quiet:
            yield f"line {node.lineno}: it takes every error for an answer: name the error"


def _written_for_one(program: ParsedProgram) -> Iterator[str]:
    """Values taken one by one, as many as the request happens to have."""
    places: dict[str, set[int]] = {}
    for node in program.nodes:
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as place)):
                places.setdefault(name, set()).add(place)
    for name, own in places.items():
        made = " ".join(ast.unparse(value) for value in program.values.get(name, []))
        if re.search(r"search\(|match\(|groups\(", made):
            continue  # the parts of a pattern
        if len(own) >= _LEAST_INDICES and own >= set(range(_LEAST_INDICES)):
            yield f"it takes exactly {len(own)} values of `{name}` one by one: go over all of them"
    names = (n for n in program.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    shadowed = sorted(_SHADOWED & {name.id for name in names})
    if shadowed:
        yield f"it takes names of Python for its own: {', '.join(shadowed)}"
    if any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in program.nodes):
        yield "it imports everything of a module: name what it needs"
    for name, function in program.functions.items():
        if any(isinstance(d, ast.List | ast.Dict | ast.Set) for d in function.args.defaults):
            yield f"line {function.lineno}: the default of `{name}` is shared by all its calls"
