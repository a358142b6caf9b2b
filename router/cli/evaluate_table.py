"""The table that `waggle evaluate` prints: quality, cost and latency of each plan."""

import math
from collections.abc import Sequence

from rich.table import Table

from router.evaluation.summary import Interval, PlanSummary


def summary_table(rows: Sequence[PlanSummary]) -> Table:
    table = Table(box=None, caption="In brackets: 95% intervals.", caption_justify="left")
    for name in ("plan", "quality", "$ per 1k", "seconds", "answers"):
        table.add_column(name, justify="left" if name == "plan" else "right")
    best = max((row.quality.mean for row in rows if row.quality), default=None)
    for row in rows:
        name = f"[bold]{row.plan}[/]" if row.quality and row.quality.mean == best else row.plan
        table.add_row(
            name,
            _shown(row.quality, ".3f", ".2f"),
            _shown(row.usd_per_1k, ".3g", ".3g"),
            _shown(row.seconds, ".3g", ".2g"),
            _answers(row),
        )
    return table


def _shown(interval: Interval | None, form: str, short: str) -> str:
    if interval is None:
        return "unknown"
    high = "…" if math.isinf(interval.high) else format(interval.high, short)
    return f"{interval.mean:{form}} ({interval.low:{short}}-{high})"


def _answers(row: PlanSummary) -> str:
    parts = []
    if row.scored < row.answered:
        parts.append(f"{row.answered - row.scored} unscored")
    if row.refused:
        parts.append(f"{row.refused} refused")
    return f"{row.answered} ({', '.join(parts)})" if parts else str(row.answered)
