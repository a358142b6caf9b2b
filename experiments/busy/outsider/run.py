"""Plays worlds that somebody wrote who had not seen the code. `make bench-busy-outsider`

python -m experiments.busy.outsider.run [--seed 5]
"""

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from rich.console import Console
from rich.progress import track

from experiments.busy.outsider.worlds import busy_worlds
from experiments.busy.run import OPTIMIZE, measured
from experiments.busy.worlds import Served
from experiments.readme import put, table

HERE = Path(__file__).parent
KINDS = {
    "step": "more requests come",
    "wave": "more and fewer come, again and again",
    "incident": "a backend becomes slow",
    "idle": "nothing",
}


@dataclass(frozen=True, slots=True)
class Outsider:
    """A world as its author wrote it."""

    world: Any
    seed: int

    @property
    def kind(self) -> str:
        return str(self.world.kind)

    @property
    def number(self) -> str:
        return str(self.world.name)

    @property
    def backends(self) -> tuple[Served, ...]:
        each = self.world.backends
        return tuple(Served(b.name, b.slots, 0.0, b.usd, b.quality) for b in each)

    def arrivals(self) -> Iterator[float]:
        yield from self.world.arrivals(self.seed)

    def seconds(self, backend: Served, now: float, drawn: random.Random) -> float:
        return float(self.world.seconds(backend.name, now, drawn))


def summary(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    lines = []
    for kind in KINDS:
        for optimize in OPTIMIZE:
            own = [row for row in rows if (row["kind"], row["optimize"]) == (kind, optimize)]
            pairs = [(row["blind"]["window"], row["looking"]["window"]) for row in own]
            ratios = sorted(looks["p95"] / blind["p95"] for blind, looks in pairs)
            gains = [looks["utility"] - blind["utility"] for blind, looks in pairs]
            line: dict[str, Any] = {"kind": kind, "optimize": optimize, "worlds": len(own)}
            line |= {"p95_ratio": round(median(ratios), 3)}
            line |= {"best": round(ratios[0], 3), "worst": round(ratios[-1], 3)}
            line |= {"utility_gain": round(fmean(gains), 4), "least_gain": round(min(gains), 4)}
            lines.append(line)
    return lines


def readme_table(lines: Sequence[Mapping[str, Any]]) -> str:
    return table(
        (
            "what happens",
            "optimize",
            "worlds",
            "p95, looking / blind: median (best to worst world)",
            "utility a request: mean gain (least)",
        ),
        [
            (
                KINDS[line["kind"]],
                line["optimize"],
                str(line["worlds"]),
                f"{line['p95_ratio']:.2f} ({line['best']:.2f} to {line['worst']:.2f})",
                f"{line['utility_gain']:+.3f} ({line['least_gain']:+.3f})",
            )
            for line in lines
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=5, help="of the arrivals")
    seed = parser.parse_args().seed
    jobs = [(world, optimize) for world in busy_worlds.WORLDS for optimize in OPTIMIZE]
    rows = [
        measured(Outsider(world, seed), optimize, {"window": world.window})
        for world, optimize in track(jobs, "worlds", console=Console(stderr=True))
    ]
    lines = summary(rows)
    print(readme_table(lines))
    result = {"seed": seed, "summary": lines, "rows": rows}
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    put("busy outsider", readme_table(lines), "busy/outsider")


if __name__ == "__main__":
    main()
