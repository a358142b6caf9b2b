"""Checks that score an answer without a model: against the expected answer, or by its form.

`computed` compares with the answer that the sandbox computed and proved. A check of form (`json`,
`schema`, `regex`) uses the same code as the signals of that name. Each score can be 0.

Not covered: an answer that is right in other words; a judge reads those.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.config.signals import SignalSource
from router.request.wants import shape_of
from router.signals.judgements import Judgement, by_its_words, equal

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]{0,30}(?:\.\d{1,30})?(?:[eE][-+]?\d{1,3})?")
_FIGURE = re.compile(r"[-+]?\d[\d,]{0,30}(?:\.\d{1,30})?")
_RELATIVE = 1e-6
_OF_SCHEMAS = frozenset({"properties", "items", "required", "enum", "minimum", "maximum"})
Scores = Callable[[str, Any, Mapping[str, Any]], Judgement | None]


@dataclass(frozen=True, slots=True)
class Check:
    """A named check of an answer's text against what was expected, for a request's fields."""

    name: str
    score: Scores


def _exact(text: str, expected: Any, _: Mapping[str, Any]) -> Judgement:
    return _verdict(equal(text, _shown(expected)), "equal to what was expected", "other words")


def _contains(text: str, expected: Any, _: Mapping[str, Any]) -> Judgement:
    words = re.escape(" ".join(_shown(expected).casefold().split()))
    plain = " ".join(text.casefold().split())
    holds = re.search(rf"(?<!\w){words}(?!\w)", plain) is not None
    return _verdict(holds, "holds the expected answer", "lacks the expected answer")


def _number(text: str, expected: Any, _: Mapping[str, Any]) -> Judgement | None:
    wanted = numbers_in(_shown(expected))
    if not wanted:
        return None
    given = numbers_in(text)
    right = bool(given) and agree(given[-1], wanted[-1])
    return _verdict(right, "ends in the expected number", "ends in no such number")


def _json(text: str, _: Any, fields: Mapping[str, Any]) -> Judgement | None:
    wanted = {**fields, "response_format": {"type": "json_object"}}
    return by_its_words(SignalSource(kind="json"), wanted, text)


def _schema(text: str, expected: Any, fields: Mapping[str, Any]) -> Judgement | None:
    if isinstance(expected, str):
        try:
            expected = orjson.loads(expected)
        except orjson.JSONDecodeError:
            return None
    if isinstance(expected, dict) and _is_json_schema(expected):
        wanted = {"type": "json_schema", "json_schema": {"schema": expected}}
        fields = {"response_format": wanted}
    else:
        fields = {**fields, "shape": shape_of(fields) if expected is None else expected}
    return by_its_words(SignalSource(kind="schema"), fields, text)


def _regex(text: str, expected: Any, fields: Mapping[str, Any]) -> Judgement | None:
    return by_its_words(SignalSource(kind="regex", regex=_shown(expected)), fields, text)


def _computed(text: str, expected: Any, _: Mapping[str, Any]) -> Judgement | None:
    """The share of the computed figures that the answer holds; its words, if it has no figures."""
    wanted = numbers_in(_shown(expected))
    if not wanted:
        return _contains(text, expected, {})
    given = numbers_in(text)
    held = sum(any(agree(number, figure) for number in given) for figure in wanted)
    return Judgement(held / len(wanted), f"{held} of {len(wanted)} computed figures")


def _is_json_schema(expected: Mapping[str, Any]) -> bool:
    """Whether this is a JSON schema, and no shape with a field that is called `type`."""
    return "$schema" in expected or ("type" in expected and bool(expected.keys() & _OF_SCHEMAS))


CHECKS: Mapping[str, Check] = {
    "exact": Check("exact", _exact),
    "contains": Check("contains", _contains),
    "number": Check("number", _number),
    "json": Check("json", _json),
    "schema": Check("schema", _schema),
    "regex": Check("regex", _regex),
    "computed": Check("computed", _computed),
}
NEEDS_EXPECTED = frozenset({"exact", "contains", "number", "regex"})


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a text, and how many decimals it was written with."""

    value: float
    decimals: int


def numbers_in(text: str) -> list[Figure]:
    figures = []
    for match in _NUMBER.finditer(text):
        plain = match[0].replace(",", "")
        value = float(plain)
        written = _FIGURE.match(match[0])
        digits = (written[0] if written else "").partition(".")[2]
        if math.isfinite(value):
            figures.append(Figure(value, len(digits)))
    return figures


def agree(given: Figure, wanted: Figure) -> bool:
    """Whether two numbers are equal, as far as the wanted one was written down."""
    half = 0.5 * 10.0**-wanted.decimals * (1 + 1e-9) if wanted.decimals else 0.0
    difference = abs(given.value - wanted.value)
    return difference <= max(_RELATIVE * abs(wanted.value), half)


def _verdict(right: bool, good: str, bad: str) -> Judgement:
    return Judgement(float(right), good if right else bad)


def _shown(expected: Any) -> str:
    if isinstance(expected, str):
        return expected
    if isinstance(expected, float) and expected.is_integer():
        return str(int(expected))  # a table of numbers makes 72 into 72.0
    return orjson.dumps(expected).decode()
