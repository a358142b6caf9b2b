"""What models can do and how long a prompt they take: a table made from models.dev.

The table is old news: its first line says of which day. It lists what the provider's own
documentation claims, and nobody has tried it. Its prices are a second witness, never a source.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "abilities.csv"
COLUMNS = ("provider", "model", "window", "abilities", "reasons", "input", "output")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the table says about one model at one provider; `input` and `output` are prices."""

    window: int | None
    capabilities: tuple[str, ...]
    reasons: bool
    input: float | None
    output: float | None


@dataclass(frozen=True, slots=True)
class AbilitiesTable:
    day: str  # of the data, `2026-08-18`
    models: Mapping[tuple[str, str], Abilities]  # by the provider, and the name in small letters


@cache
def abilities_table() -> AbilitiesTable:
    lines = TABLE.read_text().splitlines()
    day = lines[0].removeprefix("# models.dev as of ")[:10]
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    models = {
        (row["provider"], row["model"].lower()): Abilities(
            int(row["window"]) or None if row["window"] else None,
            tuple(row["abilities"].split()),
            row["reasons"] == "1",
            float(row["input"]) if row["input"] else None,
            float(row["output"]) if row["output"] else None,
        )
        for row in rows
    }
    return AbilitiesTable(day, models)
