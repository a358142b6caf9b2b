"""The last result as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    held, false, until = result["coverage"], result["false_switches"], result["until_switch"]
    rows = [
        ("told saving held, at one look", f"{held['saving']['last']:.1%}", "93% or more"),
        ("told saving held, at every look", f"{held['saving']['every']:.1%}", "93% or more"),
        ("told quality held, at one look", f"{held['quality']['last']:.1%}", "93% or more"),
        ("told quality held, at every look", f"{held['quality']['every']:.1%}", "93% or more"),
        ("lowest of the settings, at every look", f"{held['lowest']:.1%}", ""),
    ]
    rows += [
        (f"false switches: {name}", f"{row['switched']} of {row['runs']}", "5% or less")
        for name, row in false.items()
    ]
    rows += [
        (f"requests until it switches: {name}", _until(row), "") for name, row in until.items()
    ]
    return table(("", "measured", "wanted"), rows)


def _until(row: Mapping[str, Any]) -> str:
    if row["median"] is None:
        return f"not within {row['most']:,} ({row['switched']} of {row['runs']} runs did)"
    return f"{row['median']:,} (median of {row['runs']} runs)"
