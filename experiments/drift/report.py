"""The table of the page about drift."""

from typing import Any

from experiments.drift.planting import IN_TIME, OURS, STARTS
from experiments.drift.rivals import RIVALS
from experiments.readme import table


def readme_table(result: dict[str, Any]) -> str:
    """A line for each test, and our lines for each kind of change."""
    rows = []
    for start in STARTS:
        tests = result["starts"][start]
        for name in (OURS, *RIVALS):
            label = f"**{name}**" if name == OURS else name
            rows.append([label, start, *_cells(tests[name]["falls"]), _alarms(tests[name])])
    for start in STARTS:
        for kind, figures in result["starts"][start][OURS]["kinds"].items():
            rows.append([f"{OURS}: {kind}", start, *_cells(figures), ""])
    return table(
        ["test", "start", f"noticed within {IN_TIME} requests", "after, median", "false alarms"],
        rows,
    )


def _cells(figures: dict[str, Any]) -> list[str]:
    median = figures["median_requests"]
    after = "-" if median is None else f"{median:.0f} requests"
    return [f"{figures['noticed']} of {figures['planted']}", after]


def _alarms(figures: dict[str, Any]) -> str:
    return f"{figures['false_alarms_a_run']:.2f} a run ({figures['runs']} runs)"
