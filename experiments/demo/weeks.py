"""How much of an outsider's stream comes from the library after 24 weeks, and is it right?

python -m experiments.demo.weeks [--seeds 0 1 2 3] [--stale]
"""

import argparse
import asyncio
import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

from experiments.demo.report import weeks_table
from experiments.demo.world_service import JUDGED, play
from experiments.readme import put

RESULT = Path(__file__).with_name("result.json")
REPEATS = ("exact", "paraphrase", "parametrised")
UNSEEN_FROM = 1000
STALE_WEEK = 14


def measured(
    seed: int, *, stale: bool, weeks: int = 24, judged_share: float = JUDGED
) -> dict[str, Any]:
    """One run, judged by the world, week by week beside `large` without a library."""
    library = importlib.import_module("library")  # the outsider's world
    world = library.World(seed, stale_week=STALE_WEEK if stale else None)
    with tempfile.TemporaryDirectory() as folder:
        played = asyncio.run(
            play(world, folder, models=library.MODELS, weeks=weeks, feedback=judged_share)
        )
    judged = world.judge(played.rows)
    usd, quality = world.baseline("large")
    rows = []
    for n, week in enumerate(judged["weeks"][:weeks]):
        rows.append(
            {
                "week": n + 1,
                "reuse_of_repeats": round(week["reuse_of_repeats"], 4),
                "cost": round(week["usd_each"] / usd[n], 4),
                "quality": round(week["quality"], 4),
                "quality_large": round(quality[n], 4),
                "wrong_near": week["wrong_near"],
                "wrong_library": week["wrong_library"],
                "by_kind": _by_kind(world, played.rows, n + 1),
                "trust": played.trust.get(n + 1, {}),
            }
        )
    return {
        "seed": seed,
        "stale": stale,
        "judged_share": judged_share,
        "weeks": rows,
        "wrong_near": judged["wrong_near"],
        "wrong_library": judged["wrong_library"],
        "trials": played.trials,
        "seconds": round(played.seconds),
    }


def _by_kind(world: Any, rows: Any, week: int) -> dict[str, list[int]]:
    """Of each kind of request: how many the library answered, and how many there were."""
    counts = {kind: [0, 0] for kind in (*REPEATS, "near", "new")}
    for i, _, source, _ in rows:
        request = world.stream[i]
        if request.week == week:
            counts[request.how][0] += source == "library"
            counts[request.how][1] += 1
    return counts


def _week_line(week: dict[str, Any]) -> str:
    """A week in one line: what of each kind came from the library, and how far it is trusted."""
    kinds = ", ".join(f"{kind} {lib}/{n}" for kind, (lib, n) in week["by_kind"].items())
    trust = ", ".join(
        f"{bucket} {checks:g} checks, {wrong:g} wrong, {stops:g} stops"
        for bucket, (checks, wrong, stops) in week["trust"].items()
        if bucket.startswith(("form", "program"))
    )
    return (
        f"week {week['week']}: {week['reuse_of_repeats']:.0%} of repeats, cost {week['cost']:.0%}, "
        f"quality {week['quality']:.3f} ({week['quality_large']:.3f} of large); {kinds}; {trust}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--stale", action="store_true", help="house rules change in week 14")
    parser.add_argument("--weeks", type=int, default=24)
    parser.add_argument("--judged", type=float, default=JUDGED, help="share of answers rated")
    options = parser.parse_args()
    result = json.loads(RESULT.read_text())
    runs = result.setdefault("weeks", {"seen": [], "unseen": []})
    for seed in options.seeds:
        run = measured(seed, stale=options.stale, weeks=options.weeks, judged_share=options.judged)
        half = "unseen" if seed >= UNSEEN_FROM else "seen"
        runs[half] = [r for r in runs[half] if (r["seed"], r["stale"]) != (seed, options.stale)]
        runs[half] = sorted([*runs[half], run], key=lambda r: (r["seed"], r["stale"]))
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
        last = run["weeks"][-1]
        for week in run["weeks"]:
            print(_week_line(week))
        print(seed, {name: last[name] for name in last if name != "by_kind"}, run["trials"])
    put("demo weeks", weeks_table(result), "demo")


if __name__ == "__main__":
    main()
