"""Rules between the fields of a record, in a small language that is safe to evaluate.

    price <= msrp
    when(country == "US", matches(zip, "^[0-9]{5}$"))
    every(items, quantity > 0) and total == round(sum(items.amount), 2)

A rule looks like Python but is never run as Python: a name is a field, the only loops are `every`,
`some` and `count`, and only the functions of `rule_functions` can be called. A missing or null
field makes a comparison unknown, and an unknown result breaks no rule. To require a field, use the
schema or `present(field)`.
"""

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

from router.records.rule_functions import ARGUMENTS, CannotTell, shown
from router.records.rule_values import ARITHMETIC, COMPARISONS, CONSTANTS, Scope, value_of

_MOST_CHARACTERS, _MOST_NODES = 500, 200
_NODES = (
    ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Attribute, ast.Subscript,
    ast.Constant, ast.Call, ast.List, ast.Tuple, ast.And, ast.Or, ast.Not, ast.USub, ast.Load,
    ast.In, ast.NotIn, ast.Eq, ast.NotEq, *ARITHMETIC, *COMPARISONS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    text: str
    tree: ast.expr
    fields: tuple[str, ...]

    def holds(self, record: Scope) -> bool | None:
        """Whether the record keeps the rule; None if the answer is unknown."""
        value = value_of(self.tree, record)
        if value is None or isinstance(value, bool):
            return value
        raise CannotTell(f"it gives {shown(value)}, not true or false")


@lru_cache(maxsize=1024)
def parsed(text: str) -> Rule:
    """Parse a rule; a `ValueError` says which part of the text is not allowed."""
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(
            f"a rule has at most {_MOST_CHARACTERS} characters, and this one has {len(text)}"
        )
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or str(error)
        raise ValueError(f"{text!r} is no rule: {reason}") from None
    nodes = list(ast.walk(tree))
    if len(nodes) > _MOST_NODES:
        raise ValueError(f"{text!r:.80} is too long for one rule: write several")
    for node in nodes:
        _check(node, text)
    functions = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    names = [n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in functions]
    fields = dict.fromkeys(name for name in names if name not in CONSTANTS)
    return Rule(text.strip(), tree, tuple(fields))


def _check(node: ast.AST, text: str) -> None:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in ARGUMENTS:
            names = ", ".join(sorted(ARGUMENTS))
            raise ValueError(f"{text!r}: there is no function {name or '…'!r}, only {names}")
        if node.keywords or len(node.args) != ARGUMENTS[name]:
            raise ValueError(f"{text!r}: {name}() takes {ARGUMENTS[name]} value(s)")
    elif not isinstance(node, _NODES):
        raise ValueError(f"{text!r}: a rule cannot hold {type(node).__name__}")
    elif isinstance(node, ast.Attribute) and node.attr.startswith("__"):
        raise ValueError(f"{text!r}: a field cannot be called {node.attr}")


def _parseable(text: str) -> str:
    parsed(text)
    return text


# The type of a rule in a configuration file: the rule is parsed when the file is read.
RuleText = Annotated[str, Field(max_length=_MOST_CHARACTERS), AfterValidator(_parseable)]
