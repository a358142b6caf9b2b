"""Checks, apart from the rules, that a spec holds every number of its request.

A rule that takes a number and forgets it would certify an answer to another request. The check knows
how numbers come into a spec (years as months, a level of 95% as its tail) and nothing of the rules.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.reading import lexicon
from sandbox.reading.tokens import Token
from sandbox.spec import Distribution, Spec

_FACTORS = (1, 12, 52, 365, 7, 24, 60, 100)
_PARTS = (12, 60, 16, 14, 100, 24, 1000)  # inches of a foot, minutes of an hour, ...
_LONG = 10_000
_FIGURE = re.compile(r"\d+(?:\.\d+)?")


def forgotten(spec: Spec, tokens: Sequence[Token]) -> list[Token]:
    """The numbers of a request that its spec does not hold in any form."""
    numbers = [token for token in tokens if token.kind == "number"]
    if not numbers:
        return []
    data = {  # a long column came beside the request, which names at most its length
        name: values if len(values) <= _LONG else len(values) for name, values in spec.data.items()
    }
    held = sorted(set(_held({**spec.as_json(), "data": data})) | set(_moments(spec)))
    values = [token.value for token in numbers]
    afternoon = any(token.text.lower() in ("pm", "p.m") for token in tokens)  # 5 pm is 17:00
    return [
        token
        for token in numbers
        if not _a_word_for_a_pair(token)
        and not _echoed(token, held)
        and not _joined(token.value, values, held)
        and not (afternoon and token.value + 12 in held)
    ]


def _joined(x: float, values: Sequence[float], held: Sequence[float]) -> bool:
    """Whether a number is in the spec together with another, as in sd / sqrt(n) or 5 ft 11 in."""
    others = [value for value in values if value != x]
    forms = [form for y in others for pair in ((x, y), (y, x)) for form in _forms_of_two(*pair)]
    return any(math.isclose(form, value, rel_tol=1e-9) for form in forms for value in held)


def _forms_of_two(x: float, y: float) -> Iterator[float]:
    yield from (x * y, x + y, x - y)
    yield from (x + y / part for part in _PARTS)
    if y > 0:
        yield from (x / y, x / math.sqrt(y))


def other_unit(tokens: Sequence[Token]) -> str:
    """The unit in which figures are asked, if the data has another unit; "" if there is none."""
    units = [(i, t) for i, t in enumerate(tokens) if any(c.startswith("unit:") for c in t.concepts)]
    data = [t.unit for t in tokens if t.kind == "list" and t.unit not in ("", "%", "$")]
    data += [t.stem for i, t in units if i and tokens[i - 1].kind in ("list", "number")]
    for i, token in units:
        stems = {token.stem, lexicon.stem(token.text)}
        if i and tokens[i - 1].text.lower() in ("in", "en") and data and not stems & set(data):
            return token.text
    return ""


def _a_word_for_a_pair(token: Token) -> bool:
    """`One` and `two` in words often count what the sentence names anyway: `two share a birthday`."""
    return token.value in (1.0, 2.0) and not token.text[:1].isdigit()


def _echoed(token: Token, held: Sequence[float]) -> bool:
    values = [token.value, *(token.fraction or ())]
    return any(
        math.isclose(form, value, rel_tol=1e-9, abs_tol=1e-12)
        for x in values
        for form in _forms(x)
        for value in held
    )


def _forms(x: float) -> Iterator[float]:
    for sign in (1, -1):
        for factor in _FACTORS:
            yield sign * x * factor
            yield sign * x / factor
    yield from (1 - x, 1 + x, 1 - x / 100, 1 + x / 100, x - 1, x + 1, (1 - x) / 2, (1 + x) / 2)
    yield abs(x) ** 0.5  # a variance as its deviation
    if x > 0:
        yield from (1 / x, math.log(x))
    if 0 < x < 100:
        yield from ((1 - x / 100) / 2, (1 + x / 100) / 2)


def _held(value: Any) -> Iterator[float]:
    """The numbers of a spec, those in its names and dates, and how many values its lists have."""
    match value:
        case dict():
            for key, item in value.items():
                yield from _held(key)
                yield from _held(item)
        case list() | tuple():
            yield float(len(value))
            if all(isinstance(item, int | float | str) for item in value):
                yield from map(float, Counter(value).values())  # three letters: (26, 26, 26)
            for item in value:
                yield from _held(item)
        case bool() | None:
            return
        case int() | float():
            yield float(value)
        case str():
            yield from map(float, _FIGURE.findall(value))


def _moments(spec: Spec) -> Iterator[float]:
    """Mean, deviation and median of log-normal columns, by which people describe them."""
    for field in spec.fields:
        of = field.distribution
        if of is not None and of.family == "lognormal":
            yield from _of_lognormal(of)


def _of_lognormal(of: Distribution) -> Iterator[float]:
    mu, sigma = of.parameters["mu"], of.parameters["sigma"]
    if sigma < 50 and abs(mu) < 600:
        mean = math.exp(min(mu + sigma**2 / 2, 700))
        yield from (mean, math.exp(mu), mean * math.sqrt(math.expm1(min(sigma**2, 700))))
