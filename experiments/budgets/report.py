"""The last result as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    rows = [
        (
            f"rounds, each of waves of {result['calls side by side']} calls",
            f"{result['rounds']}",
            "",
        ),
        ("budgets of keys, teams and tags in a round", f"{result['budgets']}", ""),
        ("calls, of which answered", f"{result['calls']:,}, {result['answered']:,}", ""),
        (
            "budgets exceeded by more than one call's cost",
            f"{result['budgets exceeded by more than one call']}",
            "0",
        ),
        (
            "largest excess, in costs of the dearest call",
            f"{result['worst excess in calls']:.2f} (${result['worst excess in dollars']:.2f})",
            "≤ 1",
        ),
        ("budgets exceeded at all", f"{result['budgets exceeded']}", ""),
        (
            f"spent in the end of the widest budget, ${result['widest budget']:.2f}",
            f"{result['granted of the widest budget']:.1%} (least {result['least granted']:.1%})",
            "",
        ),
        (
            "the same of a single wave, if nothing is reserved",
            f"{result['one wave without budgets, in calls']:.2f}",
            "",
        ),
    ]
    return table(("two routers, one hive, a clock that stands still", "", "target"), rows)
