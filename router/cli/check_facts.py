"""What `waggle check` says of models: prices, windows and abilities, where each fact is from, and
what nobody knows, with the mend.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from router.catalog.lookup import source
from router.catalog.names import is_here
from router.catalog.price import Price
from router.config.config import Config
from router.config.facts import Sources
from router.config.facts import sources as sources_of
from router.config.load import as_written
from router.config.plans import Ask
from router.config.values import BackendSettings
from router.plans.compiled import Plans

_PRICE = "price: {input: DOLLARS, output: DOLLARS}"  # of a million tokens, by the provider's list
_ABILITIES = "capabilities: [chat, tools, images, json]"
_FREE = "price: {input: 0, output: 0}"


def models_of(backends: Mapping[str, BackendSettings]) -> dict[str, BackendSettings]:
    """The backends that are language models."""
    return {name: settings for name, settings in backends.items() if settings.is_model}


def table_of(models: Mapping[str, BackendSettings], sources: Mapping[str, Sources]) -> Table:
    """The facts of each model, and where each is from: the file, the table or nothing."""
    table = Table(
        "backend", "model", "$ per million in, out", "context", "abilities", "from",
        box=SIMPLE_HEAD, title=f"models  [dim]table: {escape(source())}[/]", title_justify="left",
        title_style="",
    )  # fmt: skip
    for name, settings in models.items():
        window = settings.context_window
        table.add_row(
            escape(name),
            escape(_model(settings)),
            price_line(settings.price),
            "unknown" if window is None else f"{window:,}",
            ", ".join(settings.capabilities),
            _from(sources[name]),
        )
    return table


def price_line(price: Price | None) -> str:
    if price is None:
        return "unknown"
    line = f"{price.input:g}, {price.output:g}"
    if price.cached_input is not None:
        line += f"; cached {price.cached_input:g}"
    if price.cache_write is not None:
        line += f", written {price.cache_write:g}"
    for tier in price.tiers:
        line += f"; above {tier.above:,} tokens {tier.input:g}, {tier.output:g}"
    return line + unit_prices(price)


def unit_prices(price: Price) -> str:
    """What a price says of images and other units that are no tokens."""
    words = {"image": "image", "minute": "minute", "search": "search", "characters": "M characters"}
    rates = {word: getattr(price, unit) for unit, word in words.items()}
    return "".join(f"; {rate:g} per {word}" for word, rate in rates.items() if rate is not None)


def warnings_in(path: Path, config: Config, now: dt.datetime) -> Iterator[str]:
    """What `waggle check` warns of in a file whose configuration this is."""
    models, written = models_of(config.backends), as_written(path).backends
    yield from warnings(
        models, {name: sources_of(written[name], now) for name in models}, Plans(config)
    )


def warnings(
    models: Mapping[str, BackendSettings], sources: Mapping[str, Sources], plans: Plans
) -> Iterator[str]:
    """One warning for each model of which something is unknown that routing needs, and for each
    plan that asks a backend for a model whose price is not the backend's."""
    for name, settings in models.items():
        problems = list(_problems(settings, sources[name]))
        if problems:
            mends = ", ".join(f"`{mend}`" for _, mend in problems)
            words = "; ".join(problem for problem, _ in problems)
            yield f"{name} ({_model(settings)}): {words}. Write below backends.{name}: {mends}."

    unknown = [name for name, settings in plans.config.backends.items() if settings.price is None]
    if unknown and plans.config.objective.budget is not None:
        yield (
            f"objective.budget: the cost of {', '.join(unknown)} is unknown, and counts there as "
            "dear as the dearest known plan's. Give each a `price`."
        )
    for name in plans.names:
        tree = plans[name].tree
        model = _model(models[tree.ask]) if isinstance(tree, Ask) and tree.ask in models else None
        if isinstance(tree, Ask) and tree.model and model != tree.model:
            yield (
                f"plan {name}: it asks {tree.ask} for {tree.model}, and its costs are those of "
                f"{model}. Make a backend of its own for {tree.model}, and ask that."
            )


def _problems(settings: BackendSettings, origin: Sources) -> Iterator[tuple[str, str]]:
    """Each unknown fact with what follows from it, and a line that mends it."""
    if settings.price is None:
        if _is_here(settings):
            yield "a server on this machine is free only if you say so", _FREE
        else:
            yield (
                "its price is unknown, so its costs are too, and limits in dollars refuse it",
                _PRICE,
            )
    if origin.capabilities == "nothing" and "images" not in settings.capabilities:
        assumed = ", ".join(settings.capabilities)
        yield f"its abilities are unknown, and {assumed} are assumed, not images", _ABILITIES


def _is_here(settings: BackendSettings) -> bool:
    addresses: Sequence[str] = getattr(settings, "addresses", ())
    return all(map(is_here, addresses))


def _model(settings: BackendSettings) -> str:
    return getattr(settings, "model", None) or next(iter(settings.aliases), "the caller's")


def _from(sources: Sources) -> str:
    if len(set(sources)) == 1:
        return sources[0]
    return f"price {sources.price}, context {sources.context_window}, abilities " + (
        sources.capabilities
    )
