"""Measures what it brings to count what a busy backend makes requests wait. `make bench-busy`

python -m experiments.busy.run [--worlds 12] [--first 100]
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path
from statistics import fmean, median
from typing import Any

from rich.console import Console
from rich.progress import track

from experiments.busy.playing import Answered, Play, Playable
from experiments.busy.worlds import THIRD, world
from experiments.readme import put, table
from learner.preference import PRESETS

HERE = Path(__file__).parent
KINDS = ("load", "incident", "idle")
OPTIMIZE = ("balanced", "fast")
THIRDS = {"during": (THIRD, 2 * THIRD), "after": (2 * THIRD, 3 * THIRD)}
FIRST = 100  # `loads.py` was written with worlds of lower numbers


def measured(
    played: Playable, optimize: str, spans: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    """The figures of a world in some spans of its time, without waits and with them."""
    row: dict[str, Any] = {"world": played.number, "kind": played.kind, "optimize": optimize}
    for name, waits in (("blind", False), ("looking", True)):
        answers = list(Play(played, PRESETS[optimize], waits=waits).answers())
        row[name] = {
            span: figures(played, optimize, within(answers, since, until))
            for span, (since, until) in spans.items()
        }
    return row


def within(answers: Sequence[Answered], since: float, until: float) -> list[Answered]:
    return [each for each in answers if since <= each.began < until]


def figures(played: Playable, optimize: str, answers: Sequence[Answered]) -> dict[str, float]:
    by_name = {each.name: each for each in played.backends}
    seconds = sorted(each.seconds for each in answers)
    weights = PRESETS[optimize]

    def utility(answered: Answered) -> float:
        backend = by_name[answered.backend]
        price = weights.cost * log10(1 + 1000 * backend.usd)
        return backend.quality - price - weights.latency * log10(1 + 10 * answered.seconds)

    return {
        "p50": round(median(seconds), 4),
        "p95": round(seconds[int(0.95 * (len(seconds) - 1))], 4),
        "utility": round(fmean(map(utility, answers)), 4),
    }


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The median of the worlds of each kind in which it matters whether somebody looks."""
    lines = []
    for kind in KINDS:
        for optimize in OPTIMIZE:
            own = [row for row in rows if (row["kind"], row["optimize"]) == (kind, optimize)]
            moved = [row for row in own if row["blind"] != row["looking"]]
            line: dict[str, Any] = {"kind": kind, "optimize": optimize}
            line |= {"worlds": len(own), "differ": len(moved)}
            for part in ("during", "after"):
                pairs = [(row["blind"][part], row["looking"][part]) for row in moved or own]
                ratios = sorted(looks["p95"] / blind["p95"] for blind, looks in pairs)
                gains = [looks["utility"] - blind["utility"] for blind, looks in pairs]
                line[part] = {
                    "p95_ratio": round(median(ratios), 3),
                    "best": round(ratios[0], 3),
                    "worst": round(ratios[-1], 3),
                    "utility_gain": round(fmean(gains), 4),
                    "least_gain": round(min(gains), 4),
                }
            lines.append(line)
    return lines


def readme_table(lines: Sequence[dict[str, Any]]) -> str:
    head = (
        "what happens",
        "optimize",
        "worlds in which it matters",
        "p95, looking / blind: median (best to worst world)",
        "the same afterwards",
        "utility a request: mean gain (least)",
    )
    rows = []
    for line in lines:
        during, after = line["during"], line["after"]
        rows.append(
            (
                line["kind"],
                line["optimize"],
                f"{line['differ']} of {line['worlds']}",
                f"{during['p95_ratio']:.2f} ({during['best']:.2f} to {during['worst']:.2f})",
                f"{after['p95_ratio']:.2f} ({after['best']:.2f} to {after['worst']:.2f})",
                f"{during['utility_gain']:+.3f} ({during['least_gain']:+.3f})",
            )
        )
    return table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=12, help="of each kind")
    parser.add_argument("--first", type=int, default=FIRST, help="the number of the first world")
    given = parser.parse_args()
    jobs = [
        (number, kind, optimize)
        for kind in KINDS
        for optimize in OPTIMIZE
        for number in range(given.first, given.first + given.worlds)
    ]
    rows = [
        measured(world(number, kind), optimize, THIRDS)
        for number, kind, optimize in track(jobs, "worlds", console=Console(stderr=True))
    ]
    lines = summary(rows)
    print(readme_table(lines))
    if given.first == FIRST:
        (HERE / "result.json").write_text(json.dumps({"summary": lines, "rows": rows}, indent=1))
        put("busy", readme_table(lines))


if __name__ == "__main__":
    main()
