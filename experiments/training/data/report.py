"""Shows the figures of the last run as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table

_TARGETS = {"exact": "99%", "near": "95%", "paraphrase": "90%", "leaks": "99%"}
_LINES = {
    "exact": "exact duplicates",
    "near": "near duplicates",
    "paraphrase": "paraphrases",
    "false_removals": "rows removed that are no duplicates",
    "false_of_different": "of pairs planted to look alike",
    "leaks": "rows that hold a benchmark's text",
    "false_leaks": "rows called leaks that are none",
    "false_of_resembling": "of rows planted to resemble",
    "personal": "rows with mail, phone, card or IBAN",
    "addresses": "rows with a name and an address",
    "false_personal": "rows changed without personal data",
}


def readme_table(result: Mapping[str, Any]) -> str:
    halves = result["halves"]
    head = ("", *(f"{half} half, {halves[half]['rows']:,} rows" for half in halves), "target")
    rows = [
        (line, *(_shown(halves[half][name]) for half in halves), _TARGETS.get(name, ""))
        for name, line in _LINES.items()
    ]
    splits = [(_split(halves[half])) for half in halves]
    rows.append(("training, validation and test; left out", *splits, ""))
    seconds = [f"{halves[half]['cpu_seconds']} s" for half in halves]
    rows.append(("CPU to find duplicates", *seconds, ""))
    return f"{table(head, rows)}\n\n({result['machine']}.)"


def _shown(value: Any) -> str:
    return f"{value[0]} of {value[1]}" if isinstance(value, list) else str(value)


def _split(half: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count:,}" for count in half["split"].values())
    return f"{counts}; {half['split_left_out']:,}"
