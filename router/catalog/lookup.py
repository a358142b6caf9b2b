"""What a model costs, how much it reads and what it can do, by its name and its server.

Two tables are read, and neither needs a network: the prices of the package `genai-prices`, and the
abilities of `abilities.csv`, made from models.dev. **A wrong price is worse than none.** So a price
counts only if

- the address is one of a provider's own, never one on this machine;
- the name is one that the price table lists, or differs from one by its date alone;
- the price is of tokens alone, and does not change with the hour of the day;
- the second table, if it lists the model too, says the same, or is older than the price;
- nobody has found it wrong: `withheld.toml` names the models of which somebody has.

Where the price table lacks a model or contradicts two sources that agree, `settled.toml` has the
price of those two.

Not covered: discounts, batches, priority, prices in other regions than the provider's usual. A name
that a provider lets its customers choose, as a deployment at Azure, is believed if it is a model's.
"""

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from router.catalog.abilities import Abilities, abilities_table
from router.catalog.efforts import efforts_of
from router.catalog.names import beyond_words, core, deployment, provider_of
from router.catalog.price import Price
from router.catalog.price_table import matching, price_at

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

WITHHELD = Path(__file__).parent / "withheld.toml"
SETTLED = Path(__file__).parent / "settled.toml"
# Where the abilities of a provider's older models are found: the name's beginning at OpenRouter.
_OWNERS = {
    "openai": "openai/",
    "azure": "openai/",
    "anthropic": "anthropic/",
    "google": "google/",
    "mistral": "mistralai/",
    "deepseek": "deepseek/",
    "x-ai": "x-ai/",
}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the tables know of a model at a provider. None or empty: unknown."""

    model: str
    provider: str
    price: Price | None
    context_window: int | None
    capabilities: tuple[str, ...]
    efforts: tuple[str, ...]  # values that `reasoning_effort` may have, from little to much
    source: str  # the tables, with their versions
    reasons: bool | None = None  # whether the model thinks before it answers


def look_up(model: str, base_url: str, at: dt.datetime | None = None) -> ModelFacts | None:
    """The facts of a model at a server, as of a moment; None if the tables know nothing of it."""
    provider = provider_of(base_url)
    if provider is None:
        return None
    name = (deployment(base_url) or model) if provider == "azure" else model
    at = dt.datetime.now(dt.UTC) if at is None else at
    info = matching(provider, name)
    abilities = _abilities(provider, name)
    if info is None and abilities is None:
        return None
    return ModelFacts(
        model,
        provider,
        None if beyond_words(name) else _price_of(provider, name, info, abilities, at),
        _window(info, abilities),
        () if abilities is None else abilities.capabilities,
        efforts_of(provider, name),
        source(),
        None if abilities is None else abilities.reasons,
    )


@cache
def _withheld() -> frozenset[tuple[str, str]]:
    entries = tomllib.loads(WITHHELD.read_text())["withheld"]
    return frozenset((entry["provider"], core(m)) for entry in entries for m in entry["models"])


@cache
def _settled() -> dict[tuple[str, str], Price]:
    entries = tomllib.loads(SETTLED.read_text())["settled"]
    return {(each["provider"], each["model"]): Price(**each["price"]) for each in entries}


@cache
def source() -> str:
    return f"genai-prices {version('genai-prices')}, models.dev of {abilities_table().day}"


def _price_of(
    provider: str,
    name: str,
    info: "ModelInfo | None",
    abilities: Abilities | None,
    at: dt.datetime,
) -> Price | None:
    settled = _settled().get((provider, name.lower()))
    if settled is not None or (provider, core(name)) in _withheld():
        return settled
    return _price(info, abilities, at)


def _price(info: "ModelInfo | None", witness: Abilities | None, at: dt.datetime) -> Price | None:
    """The price, if it is sure: a witness that contradicts makes it unknown, unless the witness
    is older than the price."""
    dated = None if info is None else price_at(info, at)
    if dated is None:
        return None
    price = dated.price
    if witness is None or witness.input is None or witness.output is None:
        return price
    if dated.since is not None and dated.since.isoformat() > abilities_table().day:
        return price
    same = _near(price.input, witness.input) and _near(price.output, witness.output)
    return price if same else None


def _near(price: float, other: float) -> bool:
    return abs(price - other) <= 0.005 * max(price, other)


def _window(info: "ModelInfo | None", abilities: Abilities | None) -> int | None:
    """The smaller window, if the tables differ: a prompt that is sent there must fit."""
    windows = [None if info is None else info.context_window]
    windows.append(None if abilities is None else abilities.window)
    return min((window for window in windows if window), default=None)


def _abilities(provider: str, model: str) -> Abilities | None:
    """The table's row of a model: of its own name, or of a name that differs by its date alone."""
    rows = abilities_table().models
    for place, name in _names(provider, model.lower()):
        if (place, name) in rows:
            return rows[place, name]
        if (place, core(name)) in _by_core():
            return _by_core()[place, core(name)]
    return None


def _names(provider: str, model: str) -> Iterator[tuple[str, str]]:
    yield provider, model
    if provider in _OWNERS:
        yield "openrouter", _OWNERS[provider] + model


@cache
def _by_core() -> dict[tuple[str, str], Abilities]:
    """The rows by the names without dates; a name that means several rows means none."""
    rows: dict[tuple[str, str], list[Abilities]] = {}
    for (provider, name), abilities in abilities_table().models.items():
        rows.setdefault((provider, core(name)), []).append(abilities)
    return {key: same[0] for key, same in rows.items() if all(row == same[0] for row in same)}
