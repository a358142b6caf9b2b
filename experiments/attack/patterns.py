"""Finds every pattern over text in the router, the learner and the sandbox.

A pattern is found where it is the value of a name, where a module writes it in a call, or where
reading some requests uses it. Not promised: a pattern made on the way that no such request needs.
"""

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import learner
import router
import sandbox
from experiments.attack.readers import REQUESTS
from sandbox.request import read

_SKIPPED = ("router.demo", "router.cli", "router.deployment", "sandbox.cell", "sandbox.supervisor")


def patterns() -> Mapping[str, "re.Pattern[str]"]:
    """Every pattern over text, by the place where it stands or where it is used first."""
    places: dict[re.Pattern[str], str] = {}
    for module in _modules():
        for name, value in list(vars(module).items()):
            for pattern in _in_value(value, 0):
                places.setdefault(pattern, f"{module.__name__}.{name}")
        for pattern, line in _written(module):
            places.setdefault(pattern, f"{module.__name__}:{line}")
    for pattern, place in _used():
        places.setdefault(pattern, place)
    numbered = {}
    for number, (pattern, place) in enumerate(places.items()):
        numbered[f"{place} #{number}"] = pattern
    return numbered


def _modules() -> Iterator[ModuleType]:
    for package in (learner, sandbox, router):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not info.name.startswith(_SKIPPED):
                yield importlib.import_module(info.name)


def _in_value(value: Any, depth: int) -> Iterator["re.Pattern[str]"]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif depth < 4:
        inner: list[Any] = []
        if isinstance(value, tuple | list | set | frozenset):
            inner = list(value)
        elif isinstance(value, dict):
            inner = list(value.values())
        elif is_dataclass(value) and not isinstance(value, type):
            inner = [getattr(value, field.name, None) for field in fields(value)]
        for item in inner:
            yield from _in_value(item, depth + 1)


def _written(module: ModuleType) -> Iterator[tuple["re.Pattern[str]", str]]:
    """The patterns that a module writes as plain text in a call such as `re.search`."""
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        called, first = node.func, node.args[0]
        named = isinstance(called.value, ast.Name) and called.value.id
        if named not in ("re", "patterns", "words") or called.attr == "compile":
            continue
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield re.compile(first.value, re.I), f"{node.lineno}.{called.attr}"


def _used() -> Iterator[tuple["re.Pattern[str]", str]]:
    """The patterns that reading some requests searches for, which include those made on the way."""
    places: dict[re.Pattern[str], str] = {}
    plain = {name: getattr(re, name) for name in ("search", "match", "fullmatch", "finditer")}
    plain |= {name: getattr(re, name) for name in ("findall", "sub", "split")}

    def noted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(pattern: Any, *arguments: Any, **named: Any) -> Any:
            if isinstance(pattern, str):
                flags = named.get("flags", 0) or next(
                    (a for a in arguments if isinstance(a, re.RegexFlag)), 0
                )
                caller = sys._getframe(1)
                place = f"{caller.f_globals['__name__']}:{caller.f_lineno}"
                places.setdefault(re.compile(pattern, flags), place)
            return function(pattern, *arguments, **named)

        return call

    try:
        for name, function in plain.items():
            setattr(re, name, noted(function))
        for text in REQUESTS:
            read(text)
    finally:
        for name, function in plain.items():
            setattr(re, name, function)
    yield from places.items()
