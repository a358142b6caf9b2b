"""Measures how often the intervals of off-policy estimates hold the truth. `make bench-offpolicy`

python -m experiments.offpolicy.run --data DIR [--logs 200]
"""

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from experiments.offpolicy.measuring import FEW, REFUSED, Judged, measured
from experiments.offpolicy.report import readme_table
from experiments.offpolicy.worlds import LOGS, NARROW, World, world_of
from experiments.readme import put

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SETS = {
    "chosen on": ("llmrouter", "bfcl_july"),
    "not chosen on": ("routellm_mmlu", "reasoning_gym_easy"),
}
SIZES = (200, 500, 1500, 5000)
_LEAST = 100  # estimates of a setting from which on its own share is told

Setting = tuple[str, str, int, bool]  # set, log, size, and if judging depends on the model
Results = list[tuple[Setting, Judged]]


def simulated(world: World, logs: int, seed: int) -> Results:
    chance = np.random.default_rng(seed)
    settings = list(product(LOGS, SIZES, (False, True)))
    results: Results = []
    for log, size, by_plan in track(settings, world.name):
        for _ in range(logs):
            judged = measured(world, log, size, by_plan=by_plan, chance=chance)
            results += [((world.name, log, size, by_plan), row) for row in judged]
    return results


def summary(results: Results) -> dict[str, Any]:
    """The share of intervals that held, by each thing that was varied."""
    estimated = [(at, row) for at, row in results if row.state == "estimated"]
    ours = [(at, row) for at, row in estimated if row.estimator != "textbook"]
    return {
        "intervals": len(ours),
        "estimators": _by(estimated, lambda _, row: row.estimator),
        "sizes": _by(ours, lambda at, row: f"{row.estimator}, {at[2]}"),
        "rewards": _by(ours, lambda _, row: f"{row.estimator}, {row.reward}"),
        "logs": _by(ours, lambda at, row: f"{row.estimator}, {at[1]}"),
        "sets": _by(ours, lambda at, row: f"{row.estimator}, {at[0]}"),
        "judging": _by(ours, lambda at, row: f"{row.estimator}, by model: {at[3]}"),
        "settings": _settings(ours),
        "refused": _refused(results),
    }


def _by(rows: Results, key: Callable[[Setting, Judged], str]) -> dict[str, Any]:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for at, row in rows:
        groups[key(at, row)].append(row)
    return {
        name: {
            "n": len(group),
            "held": float(np.mean([row.holds for row in group])),
            "median_width": float(np.median([row.width for row in group])),
            "bias": float(np.mean([row.error for row in group])),
        }
        for name, group in sorted(groups.items())
    }


def _settings(rows: Results) -> dict[str, Any]:
    """How the share is spread over the settings, each with one log, size, reward and target."""
    groups: dict[tuple[Any, ...], list[bool]] = defaultdict(list)
    for at, row in rows:
        groups[(row.estimator, *at, row.reward, row.target)].append(row.holds)
    shares = {key: float(np.mean(held)) for key, held in groups.items() if len(held) >= _LEAST}
    lowest = sorted(shares, key=lambda key: shares[key])[:10]
    return {
        "n": len(shares),
        "below_93": sum(share < 0.93 for share in shares.values()),
        "below_90": sum(share < 0.90 for share in shares.values()),
        "lowest": [[*map(str, key), round(shares[key], 3)] for key in lowest],
    }


def _refused(results: Results) -> dict[str, Any]:
    """The share of targets that were refused; a narrow log covers few targets by intention."""
    robust = [(at, row) for at, row in results if row.estimator == "doubly robust"]
    shares = {}
    for name, narrow in (("narrow log", True), ("other logs", False)):
        states = [row.state for at, row in robust if (at[1] == NARROW) == narrow]
        counts = {state: states.count(state) / len(states) for state in (REFUSED, FEW)}
        shares[name] = {"n": len(states), **counts}
    return shares


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    usual = os.environ.get("WAGGLE_DATA", str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(usual), help="folder of data sets")
    parser.add_argument("--logs", type=int, default=200, help="logs to draw in each setting")
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {"logs": options.logs}
    for seed, (half, names) in enumerate(SETS.items()):
        worlds = [world_of(name, options.data) for name in names]
        drawn = [row for world in worlds for row in simulated(world, options.logs, seed)]
        result[half] = summary(drawn)
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    put("offpolicy", readme_table(result))


if __name__ == "__main__":
    main()
