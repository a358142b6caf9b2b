"""The values of `reasoning_effort` that a model takes, by a small table with its sources.

A model that the table does not list has no known efforts; nothing is guessed from its name.
"""

import tomllib
from functools import cache
from pathlib import Path

from router.catalog.names import core

TABLE = Path(__file__).parent / "efforts.toml"
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


def efforts_of(provider: str, model: str) -> tuple[str, ...]:
    """From little to much; empty if no effort is known."""
    name = core(model.rsplit("/", 1)[-1])
    return _table().get((provider, name), ())


@cache
def _table() -> dict[tuple[str, str], tuple[str, ...]]:
    entries = tomllib.loads(TABLE.read_text()).get("effort", [])
    return {
        (provider, name): tuple(entry["values"])
        for entry in entries
        for provider in entry["providers"]
        for name in entry["models"]
    }
