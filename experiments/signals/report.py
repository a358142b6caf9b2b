"""The table of what noticed behaviour is worth."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table

OFTEN, RARELY = "ratings on 30%", "ratings on 3%"


def readme_table(result: Mapping[str, Any]) -> str:
    """A line for each set and for what is heard of its answers."""
    rows = []
    for name, of_set in result["sets"].items():
        for hearing, row in of_set["hearings"].items():
            heard = hearing if hearing in (OFTEN, RARELY) else f"3%, and behaviours of {hearing}"
            rows.append(
                [
                    f"{name}, {of_set['requests']:,} requests",
                    heard,
                    f"{row['ratings']:.0f}",
                    f"{row['weight']:.2f}",
                    *(_part(row[part], hearing) for part in ("all", "second_half")),
                ]
            )
    head = ["set", "heard", "ratings", "weight at the end", "whole stream", "second half"]
    return table(head, rows)


def _part(part: Mapping[str, Any], hearing: str) -> str:
    if hearing == OFTEN:
        return f"{part['utility']:+.4f}"
    low, high = part["interval"]
    return f"{part['utility']:+.4f}: {part['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"
