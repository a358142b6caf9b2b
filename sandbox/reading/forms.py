"""Reads requests by forms: which words ask, which numbers stand where, and what the numbers mean.

The forms are data, in `forms.toml`. A form is understood if one of the words of each of its `asks`
is there, each of its `takes` finds its number, and none of `never` is left. As with every rule, any
word or number that no part of the form takes refuses the request.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import Any

from sandbox.reading import phrases
from sandbox.reading.reader import Reader
from sandbox.reading.rules import Rule, calculation
from sandbox.reading.tokens import Token
from sandbox.spec import Spec

_FACTORS = {"12*": 12.0, "-": -1.0}


@dataclass(frozen=True, slots=True)
class Form:
    """One way to ask for a calculation. `takes` has the alternatives for each number."""

    name: str
    method: str
    asks: tuple[tuple[str, ...], ...]
    takes: tuple[tuple[str, ...], ...]
    parameters: Mapping[str, Any]  # a name of a number, `12*name`, `-name`, a list, or a constant
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()  # patterns of another request with the same words
    labelled: str = ""  # the number whose words before it are its label
    assumed: tuple[str, ...] = ()
    understood: str = ""
    group: str = ""  # the private group of the lexicon


def _form(table: Mapping[str, Any]) -> Form:
    return Form(
        name=table["name"],
        method=table["method"],
        asks=tuple(tuple(words.split("|")) for words in table["asks"]),
        takes=tuple(tuple(patterns) for patterns in table["takes"]),
        parameters=table["parameters"],
        words=tuple(table.get("words", ())),
        never=tuple(table.get("never", ())),
        unlike=tuple(table.get("unlike", ())),
        labelled=table.get("labelled", ""),
        assumed=tuple(table.get("assumed", ())),
        understood=table.get("understood", ""),
        group=table.get("group", ""),
    )


def _value(expression: Any, values: Mapping[str, float]) -> Any:
    """The value of a parameter; None if its number was not given."""
    if isinstance(expression, list):
        listed = [_value(item, values) for item in expression]
        return tuple(item for item in listed if item is not None)
    if not isinstance(expression, str) or expression.startswith("'"):
        return expression[1:] if isinstance(expression, str) else expression
    for sign, factor in _FACTORS.items():
        if expression.startswith(sign):
            name = expression.removeprefix(sign)
            return factor * values[name] if name in values else None
    return values.get(expression)


def _read(form: Form, reader: Reader) -> Spec | None:
    if not all(reader.has(*concepts) for concepts in form.asks):
        return None
    if any(phrases.take(reader.copy(), pattern) for pattern in form.unlike):
        return None
    numbers: dict[str, Token] = {}
    for patterns in form.takes:
        optional = patterns[0] == "?"
        match = phrases.take(reader, *patterns[optional:])
        if match is None and not optional:
            return None
        numbers |= match.numbers if match else {}
    if reader.places(*form.never):
        return None
    reader.take_all(*(concept for concepts in form.asks for concept in concepts), *form.words)
    if form.labelled:
        reader.label(next(i for i, t in enumerate(reader.tokens) if t is numbers[form.labelled]))
    values = {name: token.value for name, token in numbers.items()}
    given = {name: _value(item, values) for name, item in form.parameters.items()}
    parameters = {name: item for name, item in given.items() if item is not None}
    return calculation(form.method, parameters, *form.assumed)


@cache
def _forms() -> tuple[Form, ...]:
    text = files("sandbox.reading").joinpath("forms.toml").read_text(encoding="utf-8")
    return tuple(map(_form, tomllib.loads(text)["form"]))


def _rules(forms: Sequence[Form]) -> tuple[Rule, ...]:
    return tuple(
        Rule(form.name, frozenset(form.asks[0]), partial(_read, form), form.understood, form.group)
        for form in forms
    )


RULES = _rules(_forms())
