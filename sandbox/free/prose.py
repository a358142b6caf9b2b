"""Fills a template with computed figures: no figure of a sentence is ever retyped by a model.

A template names figures in braces, `{mean}` or `{mean:.2f}`. Digits in its own words must be
numbers of the request. Not promised: that the words around the figures are true.
"""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.free.answers import bare
from sandbox.free.quantities import quantities_in

_FIELD = re.compile(r"\{([^{}:]{1,80})(?::(,?(?:\.\d)?[fge%]?))?\}")
_WORDS = re.compile(
    r"\b(?:say what|what (?:it|this|that|they) means?|explain|interpret|in words|sentences?|"
    r"paragraph|conclu\w+|report|summary|summari[sz]e|e-?mail|letter|message|comment|describe|"
    r"(?:in )?plain english|for my (?:boss|manager|team)|explica\w*|frases?|oraci[oó]n|p[aá]rrafo|"
    r"en palabras|qu[eé] significa|informe|resum\w+|correo|carta|mensaje)\b",
    re.IGNORECASE,
)
_SHOWN = 6  # significant digits of a figure without a format


class TemplateRefused(ValueError):
    """The template cannot be filled; the message says why, and is for the program's author."""


def wants_words(text: str) -> bool:
    """Whether a request asks for words beside its figures."""
    return bool(_WORDS.search(text))


def filled(template: str, figures: Mapping[str, Any], text: str) -> str:
    """The template with its figures. Raises `TemplateRefused`. `figures` are by their paths."""
    own = _FIELD.sub(" ", template)
    if "{" in own or "}" in own:
        raise TemplateRefused("`text` has braces that name no figure")
    allowed = {value for quantity in quantities_in(text) for value in quantity.values}
    for quantity in quantities_in(own):
        digits = any(sign.isdigit() for sign in quantity.text)
        if digits and not allowed & set(quantity.values):
            raise TemplateRefused(
                f"`text` says {quantity.text}, which is no number of the request: put {{names}} of "
                "figures where computed numbers belong"
            )
    by_name = {bare(name): value for name, value in figures.items()}

    def shown(match: re.Match[str]) -> str:
        name = bare(match[1])
        if name not in by_name:
            raise TemplateRefused(f"`text` names {match[1]}, which is no figure of the answer")
        return _shown(by_name[name], match[2] or "")

    return _FIELD.sub(shown, template)


def _shown(value: Any, form: str) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return format(value, form) if form else _plain(value)
        case str():
            return value
        case list() if len(value) <= 20:
            return ", ".join(_shown(item, form) for item in value)
    raise TemplateRefused("`text` names a column, which fits no sentence")


def _plain(value: float) -> str:
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.{_SHOWN}g}"
