"""Measures what is told of `auto` in the shadow, and when it switches on. `make bench-shadow`

python -m experiments.shadow.run --data DIR [--runs 40]
"""

import argparse
import json
import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.progress import track

from experiments.offpolicy.worlds import World, world_of
from experiments.readme import put
from experiments.shadow.playing import Looks, play
from experiments.shadow.report import readme_table
from experiments.shadow.worlds import NO_BETTER, priced, recorded

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SETS = ("llmrouter", "bfcl_july", "routellm_mmlu")
AUTOS = ("settled", "learning")
CALLERS = ("name the best single model", "differ")
SHARES = (0.05, 0.2)
SIZE = 4_000  # requests of a run
MOST = 40_000  # requests until which a switch is waited for
JUDGED = 0.5
PARTS = ("coverage", "false_switches", "until_switch")


def coverage(worlds: Sequence[World], runs: int) -> dict[str, Any]:
    """How often the intervals held what was true of the very requests."""
    settings = list(product(worlds, AUTOS, CALLERS, SHARES))
    looks: dict[str, list[Looks]] = {}
    for seed, (world, auto, callers, share) in enumerate(track(settings, "coverage")):
        chance = np.random.default_rng(seed)
        looks[f"{world.name}, {auto}, callers {callers}, {share:g}"] = [
            play(
                recorded(world, auto, callers, SIZE, share=share, chance=chance),
                share=share,
                judged=JUDGED,
                chance=chance,
            )
            for _ in range(runs)
        ]
    every = [look for group in looks.values() for look in group]
    by_setting = {
        name: {
            "saving": _share([look.saving_held for look in group]),
            "quality": _share([look.quality_held for look in group]),
            "lowest": min(
                _share([look.saving_held for look in group]),
                _share([look.quality_held for look in group]),
            ),
            "half_of_paid": _median([look.half_usd for look in group]),
        }
        for name, group in looks.items()
    }
    return {
        "runs": len(every),
        "saving": {
            "last": _share([look.last_saving_held for look in every]),
            "every": _share([look.saving_held for look in every]),
        },
        "quality": {
            "last": _share([look.last_quality_held for look in every]),
            "every": _share([look.quality_held for look in every]),
        },
        "lowest": min(row["lowest"] or 0.0 for row in by_setting.values()),
        "settings": by_setting,
    }


def false_switches(runs: int) -> dict[str, Any]:
    results = {}
    for name, made in track(NO_BETTER.items(), "no better"):
        chance = np.random.default_rng(len(name))
        looks = [
            play(made(SIZE, chance), share=0.2, judged=1.0, chance=chance, stop=True)
            for _ in range(runs)
        ]
        switched = sum(look.switched_at is not None for look in looks)
        results[name] = {"runs": runs, "switched": switched, "requests": SIZE}
    return results


def until_switch(worlds: Sequence[World], runs: int) -> dict[str, Any]:
    results = {}
    for world, share in track(list(product(worlds, (0.05, 0.2, 0.5))), "until it switches"):
        chance = np.random.default_rng(7)
        looks = [
            play(
                recorded(world, "settled", CALLERS[0], MOST, share=share, chance=chance),
                share=share,
                judged=1.0,
                chance=chance,
                stop=True,
            )
            for _ in range(runs)
        ]
        at = [look.switched_at for look in looks if look.switched_at is not None]
        results[f"{world.name}, {share:.0%} answered by auto"] = {
            "runs": runs,
            "most": MOST,
            "switched": len(at),
            "median": int(median(at)) if 2 * len(at) > runs else None,
        }
    return results


def _share(held: Sequence[bool | None]) -> float:
    answers = [value for value in held if value is not None]
    return float(np.mean(answers)) if answers else 1.0


def _median(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return float(median(numbers)) if numbers else None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    usual = os.environ.get("WAGGLE_DATA", str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(usual), help="folder of data sets")
    parser.add_argument("--runs", type=int, default=40, help="runs in each setting")
    parser.add_argument("--part", choices=PARTS, help="measure this part alone, and keep the rest")
    options = parser.parse_args(arguments)
    file = HERE / "result.json"
    result = json.loads(file.read_text()) if options.part else {}
    worlds = [priced(world_of(name, options.data)) for name in SETS]
    if options.part in (None, "coverage"):
        result["coverage"] = coverage(worlds, options.runs)
    if options.part in (None, "false_switches"):
        result["false_switches"] = false_switches(5 * options.runs)
    if options.part in (None, "until_switch"):
        result["until_switch"] = until_switch(worlds, max(options.runs // 4, 2))
    file.write_text(json.dumps(result, indent=1) + "\n")
    if set(result) == set(PARTS):
        put("shadow", readme_table(result))


if __name__ == "__main__":
    main()
