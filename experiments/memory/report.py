"""The last result as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table

_ROWS = (
    ("dialogues", "dialogues", ""),
    ("turns, over three backends in turn", "turns", ""),
    ("turns that got a summary", "turns with a summary", ""),
    ("calls for a summary", "calls for a summary", ""),
    ("facts asked for", "facts asked for", ""),
    ("attempts of another key", "attempts", ""),
    ("of these, brought the owner's words", "attempts that brought codes", "0"),
    (
        "requests at backends with words of two dialogues",
        "requests with words of two dialogues",
        "0",
    ),
)


def readme_table(result: Mapping[str, Any]) -> str:
    """The measured figures, with those of the control that drops the oldest items."""
    remembered, dropped = result["remembered"], result["dropped"]
    rows = [
        (name, f"{remembered.get(key, 0):,}", f"{dropped.get(key, 0):,}", target)
        for name, key, target in _ROWS
    ]
    back, lost = (
        _share(each, "facts that came back", "facts asked for") for each in (remembered, dropped)
    )
    rows.insert(5, ("facts that came back", back, lost, "100%"))
    own = [
        f"{each['the same attempts by the owner']['attempts that brought codes']:,}"
        for each in (remembered, dropped)
    ]
    rows.insert(8, ("the same attempts by the owner's key", own[0], own[1], ""))
    return table(("", "remembered", "control: the oldest dropped", "target"), rows)


def _share(counts: Mapping[str, Any], part: str, whole: str) -> str:
    return f"{counts.get(part, 0) / counts[whole]:.1%}"
