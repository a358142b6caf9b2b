"""Shows the last result of the demo as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    rows = []
    for row in result["strategies"]:
        own = row["strategy"] == "the learner"
        rows.append(
            [
                f"**{row['strategy']}**" if own else row["strategy"],
                f"{row['utility']:.3f}",
                f"{row['quality']:.3f}",
                f"{1000 * row['seconds']:.0f}",
                "" if own else f"{row['ahead']:+.3f} ± {row['ahead_ci95']:.3f}",
            ]
        )
    head = ["on the same requests", "utility", "quality", "ms", "the learner is ahead by (95%)"]
    by = result["quality_by_tenth"]
    summary = (
        f"`waggle demo`, {result['requests']} requests, everything killed with `kill -9` halfway "
        f"and started again. The learner's quality rose from {by[0]:.2f} in the first tenth to "
        f"{by[-1]:.2f} in the last."
    )
    return f"{summary}\n\n{table(head, rows)}"
