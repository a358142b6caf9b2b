"""The last result as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table

_NAMES = {
    "ips": "inverse propensity (IPS)",
    "snips": "self-normalised (SNIPS)",
    "doubly robust": "doubly robust, cross-fitted",
    "difference": "difference of two policies",
    "textbook": "SNIPS ± 1.96 standard errors, nothing refused",
}


def readme_table(result: Mapping[str, Any]) -> str:
    halves = [half for half in result if half != "logs"]
    rows = []
    for estimator, name in _NAMES.items():
        cells = []
        for half in halves:
            held = result[half]["estimators"][estimator]["held"]
            sizes = [
                group["held"]
                for key, group in result[half]["sizes"].items()
                if key.startswith(f"{estimator},")
            ]
            worst = f"; by size {min(sizes):.1%} to {max(sizes):.1%}" if sizes else ""
            cells.append(f"{held:.1%}{worst}")
        rows.append((name, *cells))
    for what, log, reason in (
        ("refused for too few effective rewards", "other logs", "refused: too few"),
        ("refused for lack of overlap: logs of all models", "other logs", "refused: no overlap"),
        ("refused for lack of overlap: a log of two models", "narrow log", "refused: no overlap"),
    ):
        cells = [f"{result[half]['refused'][log][reason]:.1%}" for half in halves]
        rows.append((what, *cells))
    cells = [_spread(result[half]["settings"]) for half in halves]
    rows.append(("settings in which fewer than 90% held", *cells))
    return table(("95% intervals that held the true value", *halves), rows)


def _spread(settings: Mapping[str, Any]) -> str:
    return f"{settings['below_90']} of {settings['n']:,}"
