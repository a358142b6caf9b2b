"""Rules between the fields of a record: a small language of its own, read once, safe to run.

    price <= msrp
    when(country == "US", matches(zip, "^[0-9]{5}$"))
    every(items, quantity > 0) and total == round(sum(items.amount), 2)

It looks like Python and is not run as it: names are fields, there are no loops but `every`, `some`
and `count`, and nothing can be called but the functions below. A field that is not there, or null,
makes a comparison unknown, and what is unknown breaks no rule: that it must be there is the
schema's to say, or `present(field)`.
"""

import ast
import datetime as dt
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from router.records.regexes import found

_LONGEST, _MOST_NODES = 500, 200
Scope = Mapping[str, Any]


class CannotTell(ValueError):
    """The rule cannot be asked of these values; the message says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    text: str
    tree: ast.expr
    fields: tuple[str, ...]

    def holds(self, record: Scope) -> bool | None:
        """None: unknown, since something it speaks of is not there."""
        value = value_of(self.tree, record)
        if value is None or isinstance(value, bool):
            return value
        raise CannotTell(f"it gives {_shown(value)}, not true or false")


@lru_cache(maxsize=1024)
def parsed(text: str) -> Rule:
    """A rule, or a `ValueError` that says what in it cannot be read."""
    if len(text) > _LONGEST:
        raise ValueError(f"a rule has at most {_LONGEST} characters, and this has {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = getattr(error, "msg", None) or str(error)
        raise ValueError(f"{text!r} is no rule: {said}") from None
    nodes = list(ast.walk(tree))
    if len(nodes) > _MOST_NODES:
        raise ValueError(f"{text!r:.80} is too long a rule: write it as several")
    for node in nodes:
        _check(node, text)
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    names = [n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in called]
    fields = dict.fromkeys(name for name in names if name not in _WORDS)
    return Rule(text.strip(), tree, tuple(fields))


def _readable(text: str) -> str:
    parsed(text)
    return text


# A rule as a configuration writes it: one that cannot be read is refused with the file.
RuleText = Annotated[str, Field(max_length=_LONGEST), AfterValidator(_readable)]

_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_NODES = (
    ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Attribute, ast.Subscript,
    ast.Constant, ast.Call, ast.List, ast.Tuple, ast.And, ast.Or, ast.Not, ast.USub, ast.Load,
    ast.In, ast.NotIn, ast.Eq, ast.NotEq, *_BINARY, *_COMPARED,
)  # fmt: skip


def _check(node: ast.AST, text: str) -> None:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS and name not in _SPECIAL:
            known = ", ".join(sorted((*_FUNCTIONS, *_SPECIAL)))
            raise ValueError(f"{text!r}: there is no function {name or '…'!r}. Known: {known}")
        wanted = {**_COUNTS, **_SPECIAL}[name]
        if node.keywords or len(node.args) != wanted:
            raise ValueError(f"{text!r}: {name}() takes {wanted} value(s)")
    elif not isinstance(node, _NODES):
        raise ValueError(f"{text!r}: a rule cannot hold {type(node).__name__}")
    elif isinstance(node, ast.Attribute) and node.attr.startswith("__"):
        raise ValueError(f"{text!r}: no field is called {node.attr}")


def value_of(node: ast.expr, scope: Scope) -> Any:
    """What an expression of a rule is, for one record."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return _WORDS[name] if name in _WORDS else _named(name, scope)
        case ast.Attribute(inner, name):
            return _field(value_of(inner, scope), name)
        case ast.Subscript(inner, key):
            return _item(value_of(inner, scope), value_of(key, scope))
        case ast.List(items) | ast.Tuple(items):
            return [value_of(item, scope) for item in items]
        case ast.BoolOp(op, parts):
            return _both(isinstance(op, ast.And), parts, scope)
        case ast.UnaryOp(ast.Not(), inner):
            told = _truth(value_of(inner, scope))
            return None if told is None else not told
        case ast.UnaryOp(_, inner):
            return _computed(operator.sub, 0, value_of(inner, scope))
        case ast.BinOp(left, op, right):
            return _computed(_BINARY[type(op)], value_of(left, scope), value_of(right, scope))
        case ast.Compare(left, ops, rights):
            return _compared(left, ops, rights, scope)
        case ast.Call(ast.Name(name), args):
            return _called(name, args, scope)
    raise CannotTell(f"{type(node).__name__} is not known here")


def _named(name: str, scope: Scope) -> Any:
    if name == "this":
        return scope
    return scope.get(name)


def _field(value: Any, name: str) -> Any:
    """A field of an object; of a list, that field of each."""
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, list):
        return [_field(item, name) for item in value]
    return None


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, Mapping):
        return value.get(key) if isinstance(key, str) else None
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else None
    return None


def _truth(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise CannotTell(f"{_shown(value)} is not true or false")


def _both(all_of: bool, parts: list[ast.expr], scope: Scope) -> bool | None:
    """And, or: what decides ends it; else unknown wins over what does not."""
    known: bool | None = all_of
    for part in parts:
        told = _truth(value_of(part, scope))
        if told is (not all_of):
            return told
        known = None if told is None else known
    return known


def _compared(
    left: ast.expr, ops: list[ast.cmpop], rights: list[ast.expr], scope: Scope
) -> bool | None:
    first = value_of(left, scope)
    known: bool | None = True
    for op, right in zip(ops, rights, strict=True):
        second = value_of(right, scope)
        told = _compare(op, first, second)
        if told is False:
            return False
        known = None if told is None else known
        first = second
    return known


def _compare(op: ast.cmpop, first: Any, second: Any) -> bool | None:
    if isinstance(op, ast.In | ast.NotIn):
        if first is None or second is None:
            return None
        if not isinstance(second, str | list | Mapping) or (
            isinstance(second, str) and not isinstance(first, str)
        ):
            raise CannotTell(f"{_shown(first)} cannot be in {_shown(second)}")
        return (first in second) is isinstance(op, ast.In)
    if first is None or second is None:
        return None
    if isinstance(op, ast.Eq | ast.NotEq):
        return _same(first, second) is isinstance(op, ast.Eq)
    if not _comparable(first, second):
        raise CannotTell(f"{_shown(first)} and {_shown(second)} cannot be compared")
    return _COMPARED[type(op)](first, second)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, float) or isinstance(second, float):
        numbers = isinstance(first, int | float) and isinstance(second, int | float)
        # Sums of decimals: 0.1 + 0.2 is 0.3 to everyone who writes a rule.
        return numbers and math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)
    return bool(first == second)


def _comparable(first: Any, second: Any) -> bool:
    if isinstance(first, bool) or isinstance(second, bool):
        return False
    if isinstance(first, int | float) and isinstance(second, int | float):
        return True
    return type(first) is type(second) and isinstance(first, str | dt.date)


def _computed(op: Callable[[Any, Any], Any], first: Any, second: Any) -> Any:
    if first is None or second is None:
        return None
    texts = isinstance(first, str) and isinstance(second, str) and op is operator.add
    if not texts and not (_number(first) and _number(second)):
        raise CannotTell(f"{_shown(first)} and {_shown(second)} are no two numbers")
    if texts and len(first) + len(second) > 100_000:
        raise CannotTell("that text would be too long")
    try:
        return op(first, second)
    except ZeroDivisionError:
        raise CannotTell("that divides by zero") from None
    except OverflowError:
        raise CannotTell("that number is too large") from None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _called(name: str, args: list[ast.expr], scope: Scope) -> Any:
    if name == "present":
        return value_of(args[0], scope) not in (None, "")
    if name == "when":
        condition = _truth(value_of(args[0], scope))
        return (
            _truth(value_of(args[1], scope))
            if condition
            else (True if condition is False else None)
        )
    if name in ("every", "some", "count"):
        return _over(name, value_of(args[0], scope), args[1], scope)
    values = [value_of(arg, scope) for arg in args]
    if any(value is None for value in values):
        return None
    try:
        return _FUNCTIONS[name](*values)
    except CannotTell:
        raise
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CannotTell(f"{name}() of {', '.join(map(_shown, values))}: {error}") from None


def _over(name: str, items: Any, rule: ast.expr, scope: Scope) -> Any:
    if items is None:
        return None
    if not isinstance(items, list):
        raise CannotTell(f"{_shown(items)} is no list")
    scopes = ({**scope, **(i if isinstance(i, Mapping) else {}), "it": i} for i in items)
    told = [_truth(value_of(rule, inner)) for inner in scopes]
    if name == "count":
        return told.count(True)
    decisive = name == "some"
    if decisive in told:
        return decisive
    return None if None in told else not decisive


def _date(value: Any) -> dt.date:
    if isinstance(value, dt.date):
        return value
    return dt.datetime.fromisoformat(str(value).replace("Z", "+00:00")).date()


def _years(earlier: Any, later: Any) -> int:
    a, b = _date(earlier), _date(later)
    return b.year - a.year - ((b.month, b.day) < (a.month, a.day))


def _unique(items: list[Any]) -> bool:
    shown = [repr(item) for item in items]
    return len(set(shown)) == len(shown)


def _numbers(items: Any) -> list[Any]:
    if not isinstance(items, list):
        raise CannotTell(f"{_shown(items)} is no list")
    return [item for item in items if item is not None]


def _round(value: Any, digits: Any) -> Any:
    return round(value, int(digits))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "len": len,
    "sum": lambda items: sum(_numbers(items)),
    "min": lambda items: min(_numbers(items), default=None),
    "max": lambda items: max(_numbers(items), default=None),
    "abs": abs,
    "round": _round,
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "number": float,
    "matches": lambda text, pattern: found(str(pattern), str(text)),
    "starts": lambda text, beginning: str(text).startswith(str(beginning)),
    "ends": lambda text, end: str(text).endswith(str(end)),
    "unique": _unique,
    "date": _date,
    "days": lambda earlier, later: (_date(later) - _date(earlier)).days,
    "years": _years,
    "today": lambda: dt.datetime.now(dt.UTC).date(),
}
_COUNTS = {"round": 2, "matches": 2, "starts": 2, "ends": 2, "days": 2, "years": 2, "today": 0}
_COUNTS |= {name: 1 for name in _FUNCTIONS if name not in _COUNTS}
_SPECIAL = {"present": 1, "when": 2, "every": 2, "some": 2, "count": 2}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
