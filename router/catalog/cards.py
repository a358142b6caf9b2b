"""What public results let expect of a model, by kind of request: lower bounds, from a small table.

The first lines of the table name its sources. `experiments/catalog/cards.py` makes it from the
results themselves, and says how. A model that the table does not list has no card; nothing is
guessed from its name.

Not covered: whether a benchmark resembles the traffic to come.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from router.catalog.efforts import EFFORTS
from router.catalog.names import core

TABLE = Path(__file__).parent / "cards.csv"
ANY = "any"  # the kind that means all requests
# Other names of the models in the table: of resellers, and of local servers.
_ALIASES = {
    "llama-3-1-8b": "llama-3-1-8b-instruct",
    "llama-3-1-8b-instant": "llama-3-1-8b-instruct",
    "llama-v3p1-8b-instruct": "llama-3-1-8b-instruct",
    "meta-llama-3-1-8b-instruct": "llama-3-1-8b-instruct",
    "meta-llama-3-1-8b-instruct-turbo": "llama-3-1-8b-instruct",
    "llama3-1:8b": "llama-3-1-8b-instruct",
    "llama-3-1-70b": "llama-3-1-70b-instruct",
    "meta-llama-3-1-70b-instruct": "llama-3-1-70b-instruct",
    "meta-llama-3-1-70b-instruct-turbo": "llama-3-1-70b-instruct",
    "llama3-1:70b": "llama-3-1-70b-instruct",
    "llama-3-3-70b-versatile": "llama-3-3-70b-instruct",
    "llama-3-3-70b-instruct-turbo": "llama-3-3-70b-instruct",
    "llama-v3p3-70b-instruct": "llama-3-3-70b-instruct",
    "llama3-3:70b": "llama-3-3-70b-instruct",
    "llama3-3": "llama-3-3-70b-instruct",
    "llama-4-maverick-17b-128e-instruct": "llama-4-maverick",
    "llama-4-maverick-17b-128e-instruct-fp8": "llama-4-maverick",
    "qwen3-coder": "qwen3-coder-480b-a35b-instruct",
    "qwen3:32b": "qwen3-32b",
    "qwen2-5:72b": "qwen2-5-72b-instruct",
    "qwen2-5:7b": "qwen2-5-7b-instruct",
    "qwen2-5-coder:32b": "qwen2-5-coder-32b-instruct",
    "gemma3:27b": "gemma-3-27b-it",
    "gemma2:27b": "gemma-2-27b-it",
    "gemma2:9b": "gemma-2-9b-it",
    "gpt-oss:120b": "gpt-oss-120b",
    "phi4": "phi-4",
    "phi4:14b": "phi-4",
    "mistral-nemo": "open-mistral-nemo",
    "kimi-k2-instruct": "kimi-k2",
    "mistralai-mistral-nemo": "open-mistral-nemo",
}
_FREE = re.compile(r":free$")  # an offer of the same model at a reseller


@dataclass(frozen=True, slots=True)
class PublicCard:
    """A lower bound of the quality of a model on a kind of request."""

    quality: float
    results: int  # the public results that it rests on


def public_cards(model: str, effort: str = "") -> Mapping[str, PublicCard]:
    """The cards of a model by kind, `any` for all; empty if there is none.

    An effort that nobody measured has the cards of the next lower effort, which bound it.
    """
    efforts = _table().get(_name_of(model), {})
    if effort not in EFFORTS:
        return efforts.get("", {}) if not effort else {}
    lower = [name for name in EFFORTS[: EFFORTS.index(effort) + 1] if name in efforts]
    return efforts[lower[-1]] if lower else {}


def _name_of(model: str) -> str:
    name = core(_FREE.sub("", model.rsplit("/", 1)[-1]))
    dated = model.rsplit("/", 1)[-1].lower().replace(".", "-")
    if dated in _table():  # a dated release that has cards of its own
        return dated
    return _ALIASES.get(name, name)


@cache
def _table() -> dict[str, dict[str, dict[str, PublicCard]]]:
    """The cards by model, effort and kind."""
    table: dict[str, dict[str, dict[str, PublicCard]]] = {}
    lines = (line for line in TABLE.read_text().splitlines() if not line.startswith("#"))
    for row in csv.DictReader(lines):
        card = PublicCard(float(row["quality"]), int(row["results"]))
        by_kind = table.setdefault(row["model"], {}).setdefault(row["effort"], {})
        by_kind[row["kind"]] = card
    return table
