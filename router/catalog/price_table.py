"""Prices of `genai-prices`, read with care: its names are patterns, and patterns match too much.

The package takes 30 MB, so it is loaded when the first price is looked up: a configuration of
local models never does.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from router.catalog.names import core
from router.catalog.price import Price, PriceAbove

if TYPE_CHECKING:
    from genai_prices.types import MatchLogic, ModelInfo, ModelPrice, Provider, Tier, TieredPrices

_TOKENS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")  # as in `Rates`
# Prices of what a chat in words never uses, or of what is used only if it is asked for.
_BESIDE = frozenset(
    {
        "cache_write_1h_mtok", "web_searches_kcount", "storage_searches_kcount",
        "input_audio_mtok", "output_audio_mtok", "cache_audio_read_mtok",
    }
)  # fmt: skip
_WHOLE_NAME = frozenset({"openrouter", "groq", "together", "fireworks"})  # a path is one name


@dataclass(frozen=True, slots=True)
class DatedPrice:
    price: Price
    since: dt.date | None  # None: from the beginning


@cache
def _providers() -> "dict[str, Provider]":
    # The table takes 30 MB, so it is loaded when somebody looks the first price up.
    from genai_prices.data_snapshot import get_snapshot

    return {provider.id: provider for provider in get_snapshot().providers}


def matching(provider: str, model: str) -> "ModelInfo | None":
    """The entry of a model, if its name is listed there, or differs by its date alone."""
    entry = _providers().get(provider)
    if entry is None:
        return None
    name = model.lower()
    for place in (entry, *(_providers()[other] for other in entry.fallback_model_providers or ())):
        info = place.find_model(name)
        if info is not None:
            return info if _is_named(info, name, whole=provider in _WHOLE_NAME) else None
    return None


def _is_named(info: "ModelInfo", name: str, *, whole: bool) -> bool:
    names = {info.id.lower(), *_listed(info.match)}
    return name in names or (not whole and core(name) in {core(listed) for listed in names})


def _listed(match: "MatchLogic") -> Iterator[str]:
    """The names that a pattern spells out: what it equals, and what it begins with."""
    inner = getattr(match, "or_", None) or getattr(match, "and_", None) or ()
    for clause in inner:
        yield from _listed(clause)
    text = getattr(match, "equals", None) or getattr(match, "starts_with", None)
    if text:
        yield text.lower()


def price_at(info: "ModelInfo", at: dt.datetime) -> DatedPrice | None:
    """The price in force; None if it depends on the hour, or on more than tokens."""
    if not isinstance(info.prices, list):
        return _dated(info, info.prices, None)
    starts = [_start(conditional.constraint) for conditional in info.prices]
    if any(start is None for start in starts):
        return None
    in_force = [
        (conditional.prices, start)
        for conditional, start in zip(info.prices, starts, strict=True)
        if start is not None and start <= at.date()
    ]
    if not in_force:
        return None
    prices, start = in_force[-1]
    return _dated(info, prices, None if start == dt.date.min else start)


def _start(constraint: object) -> dt.date | None:
    """The day from which a price holds; None if it holds at some hours only."""
    if constraint is None:
        return dt.date.min
    start: dt.date | None = getattr(constraint, "start_date", None)
    return start


def _dated(info: "ModelInfo", prices: "ModelPrice", since: dt.date | None) -> DatedPrice | None:
    values = {key: value for key, value in vars(prices).items() if value is not None}
    tokens = {key: values.pop(key) for key in _TOKENS if key in values}
    if "output_mtok" not in tokens and "embed" in info.id:
        tokens["output_mtok"] = Decimal(0)  # an encoder writes nothing
    if not values.keys() <= _BESIDE or not {"input_mtok", "output_mtok"} <= tokens.keys():
        return None
    bounds = sorted({tier.start for value in tokens.values() for tier in _tiers(value)})
    tiers = tuple(PriceAbove(above=max(bound, 1), **_rates(tokens, bound + 1)) for bound in bounds)
    return DatedPrice(Price(**_rates(tokens, 0), tiers=tiers), since)


def _rates(tokens: "Mapping[str, Decimal | TieredPrices]", length: int) -> dict[str, float]:
    """The four rates of a call with a prompt of this length."""
    names = ("input", "output", "cached_input", "cache_write")
    pairs = zip(names, _TOKENS, strict=True)
    return {name: _rate(tokens[key], length) for name, key in pairs if key in tokens}


def _rate(value: "Decimal | TieredPrices", length: int) -> float:
    if isinstance(value, Decimal):
        return float(value)
    reached = (tier.price for tier in reversed(value.tiers) if length > tier.start)
    return float(next(reached, value.base))


def _tiers(value: "Decimal | TieredPrices") -> "Sequence[Tier]":
    return () if isinstance(value, Decimal) else value.tiers
