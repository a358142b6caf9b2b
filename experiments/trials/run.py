"""Measures verdicts, distilled functions and simplification. `make bench-trials`

python -m experiments.trials.run --data DIR [--only null,power,...]
python -m experiments.trials.run --only planted --seeds 0,1 --requests 8000   # minutes
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.progress import track

from experiments.readme import put
from experiments.replay.sets import load
from experiments.served import WAGGLE
from experiments.trials.crosscheck import crosschecked
from experiments.trials.distilling import distilled
from experiments.trials.hostile import besieged
from experiments.trials.planted import MOST_REQUESTS, simplified
from experiments.trials.report import function_of, readme_table, weeks_table
from experiments.trials.simulate import decided, null_trial, summary, turned

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NULLS, RUNS = 1000, 200


def _many(work: Callable[[int], dict[str, Any]], count: int, title: str) -> list[dict[str, Any]]:
    """Run the work for 0, 1, 2 and so on in two processes, and return the results."""
    with get_context("fork").Pool(2) as pool:
        results: Iterable[dict[str, Any]] = pool.imap(work, range(count))
        return list(track(results, title, total=count))


def nulls() -> dict[str, Any]:
    trials = _many(null_trial, NULLS, "Trials of two equal strategies")
    false = [trial for trial in trials if trial["false"]]
    return {
        "trials": NULLS,
        "false": len(false) / NULLS,
        "naive": sum(trial["naive"] for trial in trials) / NULLS,
        "by_kind": dict(Counter(trial["kind"] for trial in false)),
    }


def power() -> dict[str, Any]:
    return {
        "gain": _decisions(0.04, "A true gain"),
        "loss": _decisions(-0.05, "An injected loss"),
    }


def _decisions(gain: float, title: str) -> dict[str, Any]:
    trials = _many(partial(decided, gain=gain), RUNS, title)
    return {
        "runs": RUNS,
        "words": dict(Counter(trial["word"] for trial in trials)),
        "requests": summary([trial["requests"] for trial in trials]),
    }


def turns() -> dict[str, Any]:
    result: dict[str, Any] = {}
    for fallen in (-0.05, -0.1):
        runs = _many(partial(turned, fallen=fallen), RUNS, f"Turns bad, by {fallen - 0.02:+.2f}")
        requests = [run["requests"] for run in runs if run["requests"] is not None]
        result[f"{fallen:+g}"] = {
            "runs": RUNS,
            "rolled_back": len(requests),
            "within_2000": sum(count <= 2000 for count in requests),
            "requests": summary(requests),
        }
    good = _many(partial(turned, fallen=0.02), RUNS, "Strategy stays good")
    result["stays good"] = {
        "runs": RUNS,
        "rolled_back": sum(run["requests"] is not None for run in good),
        "alerts": sum(run["alerts"] for run in good),
    }
    return result


def functions(data: Path, cache: Path) -> dict[str, Any]:
    outcomes = load("llmrouter", data, cache)
    runs = [distilled(outcomes, seed) for seed in track(range(4), "Distilling")]
    bandit = sum(run["bandit"] for run in runs) / len(runs)
    kept = sum(run["function"] for run in runs) / len(runs)
    return {
        "seeds": len(runs),
        "bandit": bandit,
        "function": kept,
        "share": kept / bandit,
        "most_lines": max(run["lines"] for run in runs),
        "runs": [{n: v for n, v in run.items() if n != "source"} for run in runs],
        "source": runs[0]["source"],
    }


UNSEEN_SEEDS = range(8, 12)  # of useless plans: nothing was set on them


def planted(data: Path, cache: Path, seeds: Sequence[int], most: int) -> dict[str, Any]:
    """The figures of these seeds, in which no trial takes more than `most` requests."""
    outcomes = load("llmrouter", data, cache)
    with get_context("fork").Pool(2) as pool:
        done = pool.imap(partial(simplified, outcomes, most=most), seeds)
        runs = list(track(done, "Simplifying", total=len(seeds)))
    return {
        "runs": runs,
        "most_requests": most,
        "found": sum(run["found"] for run in runs),
        "planted": sum(run["planted"] for run in runs),
        "useful_removed": sum(len(run["useful_removed"]) for run in runs),
        "most_loss": max(run["loss"] for run in runs),
    }


def weeks() -> dict[str, Any]:
    """Run twelve weeks of `waggle demo` as a user would, and return what happened."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(WAGGLE), "demo", "--weeks", "12", "--stream", "records"]
        command += ["--requests", "1000", "--data", folder]
        done = subprocess.run([*command, "--json"], cwd=folder, stdout=subprocess.PIPE, check=True)
        text = done.stdout.decode()
        ledger = (Path(folder) / "weeks" / "trials" / "ledger.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in ledger]
    strategies = [line["strategy"] for line in lines if line["do"] == "register"]
    return {
        "weeks": json.loads(text[text.index("[\n") :]),
        "functions": [
            {"key": f"{strategy['name']}@{strategy['version']}", "source": strategy["source"]}
            for strategy in strategies
            if strategy.get("source")
        ],
        "trials": [
            {"state": line["state"], "why": line["why"]} for line in lines if line["do"] == "state"
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    usual = os.environ.get("WAGGLE_DATA", str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(usual), help="folder of data sets")
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "replay", help="for vectors")
    parser.add_argument("--only", default="", help="the parts to run, with commas between them")
    parser.add_argument("--seeds", default="0,1,2,3,4,5,6,7", help="of planted, with commas")
    parser.add_argument("--requests", type=int, default=MOST_REQUESTS, help="of a planted trial")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    parts: dict[str, Callable[[], Any]] = {
        "null": nulls,
        "power": power,
        "turned": turns,
        "crosscheck": lambda: crosschecked(ROOT / "var" / "crosscheck"),
        "distilled": lambda: functions(options.data, options.cache),
        "planted": lambda: planted(options.data, options.cache, seeds, options.requests),
        "planted_unseen": lambda: planted(
            options.data, options.cache, UNSEEN_SEEDS, options.requests
        ),
        "hostile": besieged,
        "weeks": weeks,
    }
    path = HERE / "result.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    for name in options.only.split(",") if options.only else parts:
        result[name] = parts[name]()
        path.write_text(json.dumps(result, indent=1) + "\n")
    put("trials", readme_table(result))
    put("weeks", weeks_table(result), "trials")
    put("distilled", function_of(result), "trials")


if __name__ == "__main__":
    main()
