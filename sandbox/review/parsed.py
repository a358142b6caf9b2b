"""A program as its reviewers read it: its syntax tree, and what each name is made from. Pure."""

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

_NUMBER = re.compile(
    r"(?<![\w.])\d+(?:[,_ ]\d{3})*(?:\.\d+)?(?![\w])|(?<![\w.])\d*\.\d+|\d+(?:\.\d+)?"
)
MOST_CHARACTERS = 20_000  # of a program that is read; a longer one would keep requests waiting
Verdict = Literal["accept", "revise", "reject"]
_FROM_BEST: tuple[Verdict, ...] = ("accept", "revise", "reject")
Fault = tuple[Verdict, str]  # what it calls for, and the reason
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class ParsedProgram:
    """A program with the request that it answers. Raises `SyntaxError` where it is no Python."""

    source: str
    request: str

    def __post_init__(self) -> None:
        self.tree  # noqa: B018 - a text that is no program has no reviews

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        return {node.name: node for node in self.nodes if isinstance(node, _FUNCTIONS)}

    @cached_property
    def aliases(self) -> dict[str, str]:
        """What each imported name stands for: `np` for `numpy`, `sf` for `scipy.stats.norm.sf`."""
        names = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for each in node.names:
                    whole = each.name if each.asname else each.name.partition(".")[0]
                    names[each.asname or whole] = whole
            elif isinstance(node, ast.ImportFrom):
                names |= {
                    each.asname or each.name: f"{node.module}.{each.name}" for each in node.names
                }
        return names

    @cached_property
    def values(self) -> dict[str, list[ast.expr]]:
        """For each name, all expressions that are assigned to it; loops give what they go over."""
        values: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            match node:
                case ast.Assign(targets=targets, value=value):
                    _assign(values, targets, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    _assign(values, [target], value)
                case (
                    ast.AugAssign(target=target, value=value)
                    | ast.NamedExpr(target=target, value=value)
                ):
                    _assign(values, [target], value)
                case (
                    ast.For(target=target, iter=value)
                    | ast.comprehension(target=target, iter=value)
                ):
                    _assign(values, [target], value)
        return values

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The names that the program uses and nothing in it makes: data that it is given."""
        made = {n.id for n in self.nodes if isinstance(n, ast.Name) and not _loads(n)}
        made |= {n.arg for n in self.nodes if isinstance(n, ast.arg)}
        made |= {n.name for n in self.nodes if isinstance(n, (*_FUNCTIONS, ast.ClassDef))}
        made |= {n.name for n in self.nodes if isinstance(n, ast.ExceptHandler) and n.name}
        made |= {"PARAMS", *self.aliases, *dir(builtins)}
        used = {n.id for n in self.nodes if isinstance(n, ast.Name) and _loads(n)}
        return frozenset(used - made)

    @cached_property
    def has_contract(self) -> bool:
        """Whether it gives its figures as the library's programs do, in `result` or by `solve`."""
        return "result" in self.values or "solve" in self.functions or "PARAMS" in self.source

    @cached_property
    def changed(self) -> frozenset[str]:
        """The names whose value changes after it was assigned: counters, and lists that grow."""
        names: set[str] = set()
        for node in self.nodes:
            match node:
                case ast.AugAssign(target=target):
                    names |= names_in(target)
                case ast.For(target=target) | ast.comprehension(target=target):
                    names |= names_in(target)
                case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()):
                    names |= names_in(value)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=value))):
                    names |= names_in(value)
        return frozenset(names)

    @cached_property
    def numbers(self) -> frozenset[float]:
        """The numbers of the request."""
        return frozenset(float(re.sub("[,_ ]", "", n)) for n in _NUMBER.findall(self.request))

    def dotted(self, node: ast.AST) -> str:
        """The whole name of a function or attribute, through imports; empty for other nodes."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            parts.append(self.aliases.get(node.id, node.id))
        elif parts:
            parts.append("")
        return ".".join(reversed(parts))

    @cached_property
    def calls(self) -> list[tuple[str, ast.Call]]:
        """All calls, with the whole names of what they call."""
        return [(self.dotted(n.func), n) for n in self.nodes if isinstance(n, ast.Call)]

    def called(self, *ends: str) -> list[ast.Call]:
        """The calls of functions whose whole name is, or ends with, one of these after a dot."""
        return [
            call
            for name, call in self.calls
            if name.endswith(tuple(f".{e}" for e in ends)) or name in ends
        ]

    def called_in(self, node: ast.AST) -> list[str]:
        """The whole names of what is called inside a node."""
        return [self.dotted(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)]

    def resolved(self, node: ast.expr) -> ast.expr:
        """The only expression that a name stands for; another node as it is."""
        values = self.values.get(node.id, []) if isinstance(node, ast.Name) else []
        return values[0] if len(values) == 1 else node

    @cached_property
    def of_columns(self) -> frozenset[str]:
        """The names that hold columns of the table beside the request, or are made from them."""
        return self._derived(lambda node: _is_parameter(node, "columns"))

    @cached_property
    def of_data(self) -> frozenset[str]:
        """The names that hold data of any length: columns, and other data that it is given."""
        given = self._derived(lambda n: isinstance(n, ast.Name) and n.id in self.inputs)
        return self.of_columns | self.inputs | given

    @cached_property
    def roots(self) -> dict[str, frozenset[str]]:
        """From which of the inputs each name is made."""
        roots = {name: frozenset({name}) for name in self.inputs}
        changed = bool(roots)
        while changed:
            changed = False
            for name, values in self.values.items():
                used = {n for value in values for n in _sequences_in(value) if n in roots}
                own = roots.get(name, frozenset()).union(*(roots[n] for n in used))
                if own and own != roots.get(name):
                    roots[name], changed = own, True
        return roots

    @cached_property
    def drawn(self) -> frozenset[str]:
        """The names that hold random draws, or are made from them."""
        return self._derived(
            lambda node: isinstance(node, ast.Call) and "random" in self.dotted(node.func)
        )

    @cached_property
    def reads_request(self) -> bool:
        """Whether the program uses what it is given: PARAMS, or the argument of its `solve`."""
        if any(
            isinstance(n, ast.Name) and n.id == "PARAMS" and isinstance(n.ctx, ast.Load)
            for n in self.nodes
        ):
            return not self._only_passed_on()
        return any(
            self.uses_arguments(function)
            for name, function in self.functions.items()
            if name == "solve"
        )

    def uses_arguments(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        names = {argument.arg for argument in (*function.args.posonlyargs, *function.args.args)}
        return any(
            isinstance(n, ast.Name) and n.id in names
            for part in function.body
            for n in ast.walk(part)
        )

    def _only_passed_on(self) -> bool:
        """Whether PARAMS only goes to functions of the program that use no argument."""
        deaf = [f for f in self.functions.values() if not self.uses_arguments(f)]
        passed = {
            id(name)
            for call in self.nodes
            if isinstance(call, ast.Call) and self.dotted(call.func) in {f.name for f in deaf}
            for argument in call.args
            for name in ast.walk(argument)
        }
        return all(
            id(n) in passed for n in self.nodes if isinstance(n, ast.Name) and n.id == "PARAMS"
        )

    def _derived(self, is_source: Callable[[ast.AST], bool]) -> frozenset[str]:
        users: dict[str, set[str]] = {}
        names: set[str] = set()
        for name, values in self.values.items():
            for part in (part for value in values for part in ast.walk(value)):
                if is_source(part):
                    names.add(name)
                elif isinstance(part, ast.Name):
                    users.setdefault(part.id, set()).add(name)
        left = list(names)
        while left:
            new = users.get(left.pop(), set()) - names
            names |= new
            left += new
        return frozenset(names)


def _sequences_in(node: ast.AST) -> Iterator[str]:
    """The names in an expression, but for those of which it takes one element: `rows[0]`."""
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Subscript(slice=ast.Constant() | ast.UnaryOp()):
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _sequences_in(child)


def _loads(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of these verdicts; without one, nothing speaks against the program."""
    return max(verdicts, key=_FROM_BEST.index, default="accept")


def names_in(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def body_of(loop: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a loop's body, without those of functions that it defines."""
    left: list[ast.AST] = list(getattr(loop, "body", ()))
    while left:
        node = left.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            left += ast.iter_child_nodes(node)


def _assign(values: dict[str, list[ast.expr]], targets: list[ast.expr], value: ast.expr) -> None:
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
            for part, own in zip(target.elts, value.elts, strict=False):
                _assign(values, [part], own)
            continue
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                values.setdefault(node.id, []).append(value)


def _is_parameter(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Subscript(value=ast.Name(id="PARAMS"), slice=ast.Constant(value=key)):
            return bool(key == name)
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="PARAMS"), attr="get"),
            args=[ast.Constant(value=key), *_],
        ):
            return bool(key == name)
    return False
