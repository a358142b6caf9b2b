"""Whether verdicts may be believed, functions say what was learned, and what is useless goes.

python -m experiments.trials.run --data DIR [--only null,power,...]        `make bench-trials`
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.progress import track

from experiments.readme import put
from experiments.served import WAGGLE
from experiments.trials.crosscheck import crosschecked
from experiments.trials.report import function_of, readme_table, weeks_table
from experiments.trials.simulate import decided, null_trial, summary, turned

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NULLS, RUNS = 1000, 200


def _many(work: Callable[[int], dict[str, Any]], count: int, doing: str) -> list[dict[str, Any]]:
    with get_context("fork").Pool(2) as pool:
        told: Iterable[dict[str, Any]] = pool.imap(work, range(count))
        return list(track(told, doing, total=count))


def nulls() -> dict[str, Any]:
    told = _many(null_trial, NULLS, "Trials of nothing")
    false = [one for one in told if one["false"]]
    return {
        "trials": NULLS,
        "false": len(false) / NULLS,
        "naive": sum(one["naive"] for one in told) / NULLS,
        "by_kind": dict(Counter(one["kind"] for one in false)),
    }


def power() -> dict[str, Any]:
    told = _many(partial(decided, gain=0.04), RUNS, "A true gain")
    worse = _many(partial(decided, gain=-0.05), RUNS, "An injected loss")
    return {
        "gain": {
            "runs": RUNS,
            "words": dict(Counter(one["word"] for one in told)),
            "requests": summary([one["requests"] for one in told]),
        },
        "loss": {
            "runs": RUNS,
            "words": dict(Counter(one["word"] for one in worse)),
            "requests": summary([one["requests"] for one in worse]),
        },
    }


def turns() -> dict[str, Any]:
    found = {}
    for fallen in (-0.05, -0.1):
        told = _many(partial(turned, fallen=fallen), RUNS, f"Turned bad, by {fallen - 0.02:+.2f}")
        known = [one["requests"] for one in told if one["requests"] is not None]
        found[f"{fallen:+g}"] = {
            "runs": RUNS,
            "rolled_back": len(known),
            "within_2000": sum(requests <= 2000 for requests in known),
            "requests": summary(known),
        }
    good = _many(partial(turned, fallen=0.02), RUNS, "Stays good")
    found["stays good"] = {
        "runs": RUNS,
        "rolled_back": sum(one["requests"] is not None for one in good),
        "alerts": sum(one["alerts"] for one in good),
    }
    return found


def functions(data: Path, cache: Path) -> dict[str, Any]:
    from experiments.replay.outcomes import load
    from experiments.trials.distilling import distilled

    outcomes = load("llmrouter", data, cache)
    told = [distilled(outcomes, seed) for seed in track(range(4), "Distilling")]
    bandit = sum(one["bandit"] for one in told) / len(told)
    kept = sum(one["function"] for one in told) / len(told)
    return {
        "seeds": len(told),
        "bandit": bandit,
        "function": kept,
        "share": kept / bandit,
        "most_lines": max(one["lines"] for one in told),
        "runs": [{n: v for n, v in one.items() if n != "source"} for one in told],
        "source": told[0]["source"],
    }


def planted(data: Path, cache: Path) -> dict[str, Any]:
    from experiments.replay.outcomes import load
    from experiments.trials.planted import simplified

    outcomes = load("llmrouter", data, cache)
    told = [simplified(outcomes, seed) for seed in track(range(8), "Simplifying")]
    return {
        "runs": told,
        "found": sum(one["found"] for one in told),
        "planted": sum(one["planted"] for one in told),
        "useful_removed": sum(len(one["useful_removed"]) for one in told),
        "most_loss": max(one["loss"] for one in told),
    }


def hostile() -> dict[str, Any]:
    from experiments.trials.hostile import besieged

    return besieged()


def weeks() -> dict[str, Any]:
    """As anybody would run it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(WAGGLE), "demo", "--weeks", "12", "--requests", "1000", "--data", folder]
        done = subprocess.run([*command, "--json"], cwd=folder, stdout=subprocess.PIPE, check=True)
        text = done.stdout.decode()
        told: list[dict[str, Any]] = json.loads(text[text.index("[\n") :])
        ledger = (Path(folder) / "weeks" / "trials" / "ledger.jsonl").read_text().splitlines()
        lines = [json.loads(line) for line in ledger]
        sources = [one["strategy"] for one in lines if one["do"] == "register"]
        states = [one for one in lines if one["do"] == "state"]
        return {
            "weeks": told,
            "functions": [
                {"key": f"{one['name']}@{one['version']}", "source": one["source"]}
                for one in sources
                if one.get("source")
            ],
            "trials": [{"state": one["state"], "why": one["why"]} for one in states],
        }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    usual = os.environ.get("WAGGLE_DATA", str(ROOT.parent / "shared" / "data"))
    options.add_argument("--data", type=Path, default=Path(usual))
    options.add_argument("--cache", type=Path, default=ROOT / "var" / "replay")
    options.add_argument("--only", default="")
    told = options.parse_args()
    parts: dict[str, Callable[[], Any]] = {
        "null": nulls,
        "power": power,
        "turned": turns,
        "crosscheck": lambda: crosschecked(ROOT / "var" / "crosscheck"),
        "distilled": lambda: functions(told.data, told.cache),
        "planted": lambda: planted(told.data, told.cache),
        "hostile": hostile,
        "weeks": weeks,
    }
    path = HERE / "result.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    for name in told.only.split(",") if told.only else parts:
        result[name] = parts[name]()
        path.write_text(json.dumps(result, indent=1) + "\n")
    put("trials", readme_table(result))
    put("weeks", weeks_table(result), "trials")
    put("distilled", function_of(result), "trials")


if __name__ == "__main__":
    main()
