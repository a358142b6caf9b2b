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


_HALVES = ("seen", "unseen")
_LAST = 5  # weeks over which quality is compared


def weeks_table(result: Mapping[str, Any]) -> str:
    """Week 24 of each run of the outsider's stream."""
    rows = [_weeks_row(half, run) for half in _HALVES for run in result["weeks"][half]]
    head = ["seeds", "repeats from the library", "cost beside large", "quality", "of large"]
    return table([*head, "near misses wrong", "library wrong"], rows)


def _weeks_row(half: str, run: Mapping[str, Any]) -> list[str]:
    weeks = run["weeks"]
    last, end = weeks[-1], weeks[-_LAST:]
    quality, large = (sum(w[name] for w in end) / len(end) for name in ("quality", "quality_large"))
    first = weeks[0]["reuse_of_repeats"]
    return [
        f"{half} {run['seed']}{', house rules change' if run['stale'] else ''}",
        f"{first:.0%} → {last['reuse_of_repeats']:.1%}",
        f"{last['cost']:.1%}",
        f"{quality:.3f}",
        f"{large:.3f}",
        str(run["wrong_near"]),
        str(run["wrong_library"]),
    ]
