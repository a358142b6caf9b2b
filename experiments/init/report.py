"""Shows the figures of the last run as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    rows = [
        (name, f"{seconds['median']:.1f} s", f"{seconds['most']:.1f} s")
        for name, seconds in result["seconds"].items()
    ]
    head = ("three scripted providers and a local one", "median", f"most of {result['rounds']}")
    before, after = result["load"]
    line = (
        f"The file had {result['backends']} backends and {result['plans']} plans, and needed "
        f"{result['edits']} edits. ({result['machine']}; the machine's load was {before} before "
        f"and {after} after.)"
    )
    return f"{table(head, rows)}\n\n{line}"
