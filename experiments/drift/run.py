"""Measures how often and how soon a model that changes is noticed. `make bench-drift`

python -m experiments.drift.run --data DIR [--seeds 5] [--part 0/1]

Runs are kept in a file as they end, and a run that is there is not played again.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from experiments.drift.planting import FALLS, IN_TIME, OURS, RISE, STARTS, planted
from experiments.drift.report import readme_table
from experiments.drift.rivals import RIVALS
from experiments.readme import put
from experiments.replay.sets import add_places, load
from experiments.replay.streams import stream_of

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SETS = ("llmrouter", "reasoning_gym_easy", "bfcl_july", "routellm_mmlu", "near_equal")
FIRST_SEED = 100  # The threshold was chosen on lower seeds.
EARLIER = 400  # prompts of a warm start
MOST = 1_000  # prompts of a stream


@dataclass(frozen=True, slots=True)
class Job:
    data_set: str
    tagged: bool
    seed: int
    start: str


def jobs(seeds: int) -> Iterator[Job]:
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        for tagged in (True, False):
            for name in SETS:
                for start in STARTS:
                    yield Job(name, tagged, seed, start)


def played(job: Job, data: Path, cache: Path) -> dict[str, Any]:
    warm = job.start == "warm"
    early = EARLIER if warm else 0
    outcomes = load(job.data_set, data, cache, "all", MOST + early)
    stream = stream_of(outcomes, job.seed, tagged=job.tagged, cache=cache, early=early, warm=warm)
    with threadpool_limits(1):
        return asdict(job) | planted(stream, warm=warm)


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {"requests in time": IN_TIME, "starts": {}}
    for start in STARTS:
        of_start = [run for run in runs if run["start"] == start]
        result["starts"][start] = {
            name: _figures(of_start, name) for name in (OURS, *RIVALS) if of_start
        }
        result["starts"][start]["by set"] = {
            name: _figures([run for run in of_start if run["data_set"] == name], OURS)
            for name in SETS
        }
    return result


def _figures(runs: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    alarms = [run["false_alarms"][name] for run in runs]
    changes = [change for run in runs for change in run["changes"]]
    return {
        "runs": len(runs),
        "requests": sum(run["requests"] for run in runs),
        "false_alarms": sum(alarms),
        "false_alarms_a_run": float(np.mean(alarms)) if alarms else 0.0,
        "falls": _noticed([c for c in changes if c["kind"] in FALLS], name),
        "kinds": {
            kind: _noticed([c for c in changes if c["kind"] == kind], name)
            for kind in (*FALLS, RISE)
        },
    }


def _noticed(changes: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    delays = [change["after"][name] for change in changes]
    in_time = [delay for delay in delays if delay is not None and delay <= IN_TIME]
    return {
        "planted": len(changes),
        "noticed": len(in_time),
        "median_requests": float(np.median(in_time)) if in_time else None,
        "median_answers": float(np.median([c["answers"] for c in changes])) if changes else None,
        "of_the_best_model": sum(change["best"] for change in changes),
    }


def main() -> None:
    options = _options()
    part, parts = map(int, options.part.split("/"))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for number, job in enumerate(jobs(options.seeds)):
        if number % parts == part and not _is_kept(job, options.out):
            run = played(job, options.data, options.cache)
            with options.out.open("a") as file:
                file.write(json.dumps(run) + "\n")
            print(*asdict(job).values(), run["false_alarms"][OURS], flush=True)
    result = summary(_kept(options.out))
    print(readme_table(result))
    if options.publish:
        (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        put("drift", readme_table(result))


def _kept(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def _is_kept(job: Job, path: Path) -> bool:
    return any(run.items() >= asdict(job).items() for run in _kept(path))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_places(parser)
    add = parser.add_argument
    add("--seeds", type=int, default=5, help="shuffled streams of each set; two falls in each")
    add("--part", default="0/1", help="which part of the runs to play, as 0/2 and 1/2")
    add("--out", type=Path, default=ROOT / "var" / "drift" / "runs.jsonl")
    add("--publish", action="store_true", help="write result.json and the table of the page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
