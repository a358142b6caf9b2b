"""Shows the figures of the last run as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table

_PARTS = {
    "router": "the package `router`",
    "request": "one chat request",
    "layers": "import-linter",
}


def readme_table(result: Mapping[str, Any]) -> str:
    rows = [
        (_PARTS[part], name, f"{figure:,}")
        for part, figures in result.items()
        for name, figure in figures.items()
    ]
    return table(("of", "figure", "measured"), rows)
