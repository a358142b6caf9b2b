"""How much a call that is passed through uses, in tokens or in units of its own, and what it costs.

Images, minutes of sound, spoken characters and searches cost what `price` says of that unit. Where
it says nothing of the unit, the tokens count that the answer reports; where neither is known, the
cost is unknown. Pure functions.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.catalog import Price, Unit
from router.domain import Operation, Request, Usage
from router.wire.sse import usage_in

# What an operation is counted in, beside or in place of tokens.
UNITS: Mapping[Operation, Unit] = {
    "image_generation": "image",
    "speech": "characters",
    "transcription": "minute",
    "rerank": "search",
}
# Operations whose tokens are estimated if an answer does not report them, as those of chat are.
_OF_WORDS = frozenset({"completions", "rerank", "moderations"})
_MOST_IMAGES = 1000  # no server makes more at once; a larger `n` counts as this
_USUAL_BYTES = 16_000 * 60  # of a minute of sound, as MP3 with 128 kbit/s
_FEWEST_BYTES = 1_000 * 60  # of a minute of speech in the closest codecs


@dataclass(frozen=True, slots=True)
class Amount:
    """How many units a call will likely use, and at most."""

    likely: float
    most: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What an answer says that it used. `units` is None if nobody knows."""

    usage: Usage | None
    units: float | None


def expected(request: Request) -> Amount | None:
    """How many units a request asks for; None if only tokens count."""
    fields = request.fields
    match request.operation:
        case "image_generation":
            count = _count(fields.get("n"), most=_MOST_IMAGES)
            return Amount(count, count)
        case "speech":
            characters = len(fields.get("input") or "")
            return Amount(characters, characters)
        case "transcription":
            return Amount(len(request.body) / _USUAL_BYTES, len(request.body) / _FEWEST_BYTES)
        case "rerank":
            return Amount(1, 1)
    return None


def measured(request: Request, answer: Mapping[str, Any]) -> Measured:
    """What a request used, by its answer; empty: an answer that is no JSON object."""
    usage = answer.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    tokens = usage_in({"usage": _chat_names(usage)}) if usage else None
    match request.operation:
        case "image_generation":
            made = answer.get("data")
            amount = expected(request)
            units = len(made) if isinstance(made, list) else amount.most if amount else None
        case "speech":
            amount = expected(request)
            units = amount.most if amount else None
        case "transcription":
            seconds = _number(usage.get("seconds", answer.get("duration")))
            units = None if seconds is None else seconds / 60
        case "rerank":
            units = _searches(answer)
        case _:
            units = None
    return Measured(tokens, units)


def cost_usd(price: Price | None, request: Request, measured: Measured) -> float | None:
    """Dollars of a call; None: unknown."""
    if price is None:
        return None
    if price.free:
        return 0.0
    unit = UNITS.get(request.operation)
    rate = None if unit is None else price.unit_usd(unit)
    if rate is not None:
        return None if measured.units is None else rate * measured.units
    usage = measured.usage
    if usage is None and request.operation in _OF_WORDS:
        usage = estimated_usage(request)
    if usage is None:
        return None
    return price.cost_usd(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
    )


def estimated_usage(request: Request) -> Usage | None:
    """The tokens of a request whose answer reports none; None if it is not counted in tokens."""
    if request.operation not in _OF_WORDS:
        return None
    return Usage(max(len(request.body) // 4, 1), estimated=True)


def units_usd(price: Price, request: Request) -> Amount | None:
    """Dollars that a request will likely cost, and at most, if its unit has a price."""
    unit, amount = UNITS.get(request.operation), expected(request)
    rate = None if unit is None else price.unit_usd(unit)
    if rate is None or amount is None:
        return None
    return Amount(rate * amount.likely, rate * amount.most)


def _chat_names(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The usage of an answer under the names that chat has for it."""
    given = usage.get("prompt_tokens", usage.get("input_tokens"))
    written = usage.get("completion_tokens", usage.get("output_tokens", 0))
    return {
        "prompt_tokens": usage.get("total_tokens") if given is None else given,
        "completion_tokens": written,
        "prompt_tokens_details": usage.get("prompt_tokens_details"),
    }


def _searches(answer: Mapping[str, Any]) -> float:
    """The searches that an answer bills, in the form of Cohere; one, if it says nothing."""
    value: Any = answer
    for name in ("meta", "billed_units", "search_units"):
        value = value.get(name) if isinstance(value, Mapping) else None
    searches = _number(value)
    return 1.0 if searches is None else searches


def _number(value: Any) -> float | None:
    """A number of an answer that can be true, also if it is written as text."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e7 and not isinstance(value, bool) else None


def _count(value: Any, *, most: int) -> int:
    """A whole number of a field, also of a form; 1 if there is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:6])
    if isinstance(value, bool) or not isinstance(value, int):
        return 1
    return min(max(value, 1), most)
