"""Evaluates a rule's expression for one record; the value None means unknown.

A missing or null field makes a comparison unknown. `CannotTell` says which values do not go
together.
"""

import ast
import datetime as dt
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from router.records.effort import spend
from router.records.rule_functions import FUNCTIONS, CannotTell, shown

Scope = Mapping[str, Any]

CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def value_of(node: ast.expr, scope: Scope) -> Any:
    spend()
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return _name(name, scope)
        case ast.Attribute(inner, name):
            return _field(value_of(inner, scope), name)
        case ast.Subscript(inner, key):
            return _item(value_of(inner, scope), value_of(key, scope))
        case ast.List(items) | ast.Tuple(items):
            return [value_of(item, scope) for item in items]
        case ast.BoolOp(op, parts):
            return _and_or(isinstance(op, ast.And), parts, scope)
        case ast.UnaryOp(ast.Not(), inner):
            truth = _truth(value_of(inner, scope))
            return None if truth is None else not truth
        case ast.UnaryOp(_, inner):
            return _arithmetic(operator.sub, 0, value_of(inner, scope))
        case ast.BinOp(left, op, right):
            return _arithmetic(ARITHMETIC[type(op)], value_of(left, scope), value_of(right, scope))
        case ast.Compare(left, ops, rights):
            return _comparison(left, ops, rights, scope)
        case ast.Call(ast.Name(name), args):
            return _call(name, args, scope)
    raise CannotTell(f"a rule cannot hold {type(node).__name__}")


def _name(name: str, scope: Scope) -> Any:
    if name == "this":
        return scope
    return CONSTANTS[name] if name in CONSTANTS else scope.get(name)


def _field(value: Any, name: str) -> Any:
    """The field of an object, or the list of that field's values in a list of objects."""
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, list):
        spend(len(value) // 10)
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
    raise CannotTell(f"{shown(value)} is not true or false")


def _and_or(is_and: bool, parts: list[ast.expr], scope: Scope) -> bool | None:
    """The first decisive part gives the result; if no part decides, an unknown part gives None."""
    result: bool | None = is_and
    for part in parts:
        truth = _truth(value_of(part, scope))
        if truth is (not is_and):
            return truth
        result = None if truth is None else result
    return result


def _comparison(
    left: ast.expr, ops: list[ast.cmpop], rights: list[ast.expr], scope: Scope
) -> bool | None:
    first = value_of(left, scope)
    result: bool | None = True
    for op, right in zip(ops, rights, strict=True):
        second = value_of(right, scope)
        truth = _compare(op, first, second)
        if truth is False:
            return False
        result = None if truth is None else result
        first = second
    return result


def _compare(op: ast.cmpop, first: Any, second: Any) -> bool | None:
    if first is None or second is None:
        return None
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(second, str | list | Mapping) or (
            isinstance(second, str) and not isinstance(first, str)
        ):
            raise CannotTell(f"{shown(first)} cannot be in {shown(second)}")
        spend(len(second) // 100)
        return (first in second) is isinstance(op, ast.In)
    if isinstance(op, ast.Eq | ast.NotEq):
        return _equal(first, second) is isinstance(op, ast.Eq)
    if not (_is_number(first) and _is_number(second)) and not (
        type(first) is type(second) and isinstance(first, str | dt.date)
    ):
        raise CannotTell(f"{shown(first)} and {shown(second)} cannot be compared")
    return COMPARISONS[type(op)](first, second)


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, float) or isinstance(second, float):
        # Decimals need a tolerance: in a rule, 0.1 + 0.2 must equal 0.3.
        numbers = _is_number(first) and _is_number(second)
        return numbers and math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)
    return bool(first == second)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _arithmetic(op: Callable[[Any, Any], Any], first: Any, second: Any) -> Any:
    if first is None or second is None:
        return None
    texts = isinstance(first, str) and isinstance(second, str) and op is operator.add
    if not texts and not (_is_number(first) and _is_number(second)):
        raise CannotTell(f"{shown(first)} and {shown(second)} are not two numbers")
    if texts and len(first) + len(second) > 100_000:
        raise CannotTell("the text would be too long")
    try:
        return op(first, second)
    except ZeroDivisionError:
        raise CannotTell("it divides by zero") from None
    except OverflowError:
        raise CannotTell("the number is too large") from None


def _call(name: str, args: list[ast.expr], scope: Scope) -> Any:
    if name == "present":
        return value_of(args[0], scope) not in (None, "")
    if name == "when":
        condition = _truth(value_of(args[0], scope))
        if condition:
            return _truth(value_of(args[1], scope))
        return None if condition is None else True
    if name in ("every", "some", "count"):
        return _over_items(name, value_of(args[0], scope), args[1], scope)
    values = [value_of(arg, scope) for arg in args]
    spend(sum(len(value) for value in values if isinstance(value, str | list)) // 100)
    if any(value is None for value in values):
        return None
    try:
        return FUNCTIONS[name](*values)
    except CannotTell:
        raise
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CannotTell(f"{name}({', '.join(map(shown, values))}): {error}") from None


def _over_items(name: str, items: Any, rule: ast.expr, scope: Scope) -> Any:
    """Evaluate `every`, `some` or `count`; an item's fields hide the record's fields."""
    if items is None:
        return None
    if not isinstance(items, list):
        raise CannotTell(f"{shown(items)} is not a list")
    spend(len(items) * (1 + len(scope) // 10))
    scopes = ({**scope, **(i if isinstance(i, Mapping) else {}), "it": i} for i in items)
    truths = [_truth(value_of(rule, inner)) for inner in scopes]
    if name == "count":
        return truths.count(True)
    decisive = name == "some"
    if decisive in truths:
        return decisive
    return None if None in truths else not decisive
