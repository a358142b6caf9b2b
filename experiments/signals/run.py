"""Measures what noticed behaviour is worth beside rare ratings. `python -m experiments.signals.run`

Runs are kept in a file as they end, and a run that is there is not played again.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from experiments.readme import put
from experiments.replay.sets import add_places, load
from experiments.replay.streams import stream_of
from experiments.signals.playing import Hearing, figures
from experiments.signals.report import OFTEN, RARELY, readme_table

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FIRST_SEED = 100  # What is measured was chosen on lower seeds.
STRENGTHS = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8)
HEARINGS = {
    OFTEN: Hearing(0.3),
    RARELY: Hearing(0.03),
    **{f"{strength:g}": Hearing(0.03, strength) for strength in STRENGTHS},
}
PARTS = ("all", "second_half")
_RESAMPLES = 4_000


@dataclass(frozen=True, slots=True)
class Job:
    data_set: str
    seed: int
    hearing: str


def jobs(sets: list[str], seeds: range) -> Iterator[Job]:
    for seed in seeds:
        for name in sets:
            for hearing in HEARINGS:
                yield Job(name, FIRST_SEED + seed, hearing)


def played(job: Job, options: argparse.Namespace) -> dict[str, Any]:
    outcomes = load(job.data_set, options.data, options.cache, "all", options.most)
    stream = stream_of(outcomes, job.seed, tagged=True, cache=options.cache)
    with threadpool_limits(1):
        return asdict(job) | {"requests": len(stream)} | figures(stream, HEARINGS[job.hearing])


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The means of each hearing, and its difference to frequent ratings on the same streams."""
    sets = sorted({run["data_set"] for run in runs})
    result: dict[str, Any] = {"sets": {}}
    for name in sets:
        of_set = [run for run in runs if run["data_set"] == name]
        result["sets"][name] = {"requests": of_set[0]["requests"], "hearings": _hearings(of_set)}
    return result


def _hearings(runs: list[dict[str, Any]]) -> dict[str, Any]:
    by_hearing = {name: {r["seed"]: r for r in runs if r["hearing"] == name} for name in HEARINGS}
    whole = set.intersection(*(set(of_seed) for of_seed in by_hearing.values()))
    rows = {}
    for name, of_seed in by_hearing.items():
        row: dict[str, Any] = {"streams": len(whole)}
        for part in PARTS:
            ours = np.array([of_seed[seed][part] for seed in sorted(whole)])
            theirs = np.array([by_hearing[OFTEN][seed][part] for seed in sorted(whole)])
            row[part] = {"utility": float(ours.mean()), **_difference(ours - theirs)}
        row["ratings"] = float(np.mean([of_seed[seed]["ratings"] for seed in whole]))
        row["weight"] = float(np.mean([of_seed[seed]["weight"] for seed in whole]))
        row["drifts"] = sum(of_seed[seed]["drifts"] for seed in whole)
        rows[name] = row
    return rows


def _difference(apart: Any) -> dict[str, Any]:
    chance = np.random.default_rng(1)
    drawn = chance.integers(len(apart), size=(_RESAMPLES, len(apart)))
    low, high = np.quantile(apart[drawn].mean(axis=1), [0.025, 0.975])
    return {"difference": float(apart.mean()), "interval": [float(low), float(high)]}


def main() -> None:
    options = _options()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    runs = json.loads(options.out.read_text()) if options.out.is_file() else []
    ready = {(run["data_set"], run["seed"], run["hearing"]) for run in runs}
    seeds = range(*map(int, options.seeds.split(":")))
    for job in jobs(options.sets.split(","), seeds):
        if (job.data_set, job.seed, job.hearing) not in ready and not options.publish:
            runs.append(played(job, options))
            options.out.write_text(json.dumps(runs))
            print(json.dumps(runs[-1]), flush=True)
    for other in options.add:
        runs += json.loads(other.read_text())
    if options.publish:
        result = summary(runs)
        (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        put("signals", readme_table(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_places(parser)
    parser.add_argument("--sets", default="llmrouter")
    parser.add_argument("--seeds", default="0:6", help="streams of each set: first, and one after")
    parser.add_argument("--most", type=int, default=0, help="the most prompts of a set")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "signals" / "runs.json")
    parser.add_argument("--add", type=Path, nargs="*", default=(), help="files of other runs")
    parser.add_argument("--publish", action="store_true", help="write result.json and the table")
    return parser.parse_args()


if __name__ == "__main__":
    main()
