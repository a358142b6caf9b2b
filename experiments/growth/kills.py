"""Kills the learner with SIGKILL at random moments while plans grow, and looks at what is left.

python -m experiments.growth.kills --times 50

After each kill, a new process must serve no half-made plan and have lost none: every plan that
routers would get is whole, with the words of its examples; every line that the killed process said
it had written is there; and a plan whose trial was not opened yet gets its trial.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from router.config.config import Config
from router.growth.fewer import merged
from router.growth.recipes import MOST_MIXED
from router.growth.spawner import Spawner
from router.growth.traffic import Traffic
from router.plans.made import MadePlan, compiled_from, keep_words, mix_words
from router.telemetry.journal import FileJournal
from router.telemetry.metrics import Metrics
from router.trials.director import Director
from router.trials.ledger import Ledger
from router.trials.made_trials import adopt_made, end_by_hand, make, state_of

HERE = Path(__file__).parent
SHOWN = [{"prompt": f"request {n} " * 40, "answer": f"answer {n}"} for n in range(5)]


def config_in(folder: str) -> Config:
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    return Config.model_validate(
        {
            "server": {"data": folder},
            "backends": {"a": backend},
            "plans": {"x": {"ask": "a"}},
            "trials": {"propose": True, "adopt": True},
        }
    )


def grow(folder: str) -> None:
    """Make, adopt, merge and end plans, for ever; print the name of each that is durable."""
    config = config_in(folder)
    ledger = Ledger(config.trials_folder, config)
    ledger.follow()
    while True:
        number = sum(made.kind == "spawn" for made in ledger.book.made.values())
        made = MadePlan(
            f"p{number}-examples-1",
            f"p{number}",
            "x",
            {"ask": "a", "examples": SHOWN},
            scope="key k",
        )
        keep_words(config.growth_folder, made, [f"r{number}"])
        ledger.change(make, made, time.time(), waits=False, alpha=0.01, most=400)
        print(made.name, flush=True)
        if number % 3:
            ledger.change(adopt_made, ledger.book.trial(made.name), time.time(), "it is better")
            print(f"adopted {made.name}", flush=True)
        for merge in merged(ledger.book):
            mixed = mix_words(config.growth_folder, merge.merges, merge.name, MOST_MIXED)
            merge = replace(merge, plan={**merge.plan, "examples": mixed})
            ledger.change(make, merge, time.time(), waits=False, alpha=0.05, most=400)
            print(merge.name, flush=True)
            ledger.change(adopt_made, ledger.book.trial(merge.name), time.time(), "no worse")
            print(f"adopted {merge.name}", flush=True)
        if number > 8:  # so that not too many are alive
            old = f"p{number - 8}-examples-1"
            ledger.change(end_by_hand, old, time.time(), "removed")


def looked_at(folder: str, lines: list[str]) -> dict[str, int]:
    """What a new process finds: plans, half-made ones that serve, and lost ones."""
    config = config_in(folder)
    journal = FileJournal(config.telemetry_folder, "learner", Metrics())
    director = Director(config, journal, time.time)
    book = director.book
    lost = sum(line.removeprefix("adopted ") not in book.made for line in lines)
    adopted = {line.removeprefix("adopted ") for line in lines if line.startswith("adopted ")}
    states = {name: state_of(book, name) for name in book.made}
    went = ("adopted", "superseded", "removed")
    lost += sum(states.get(name) not in went for name in adopted)
    steering = director.steering
    half = 0
    carried = set()
    for each in steering.made if steering is not None else ():
        carried.add(each.name)
        compiled_from(config, each)
        words = each.plan["examples"]
        half += len(words) != count_in(book.made[each.name]) or any(w not in SHOWN for w in words)
    lives = {live.name for live in steering.lives} if steering is not None else set()
    half += len(lives ^ carried)
    waiting = sum(state == "made" for state in states.values())
    Spawner(director, config, time.time).tidy(Traffic(0, {}))
    lost += sum(state_of(book, name) == "made" for name in book.made)
    journal.close()
    return {"made": len(book.made), "half_made_serving": half, "lost": lost, "resumed": waiting}


def count_in(made: MadePlan) -> int:
    """How many examples the book says that a plan has."""
    examples = made.plan["examples"]
    return examples if isinstance(examples, int) else len(examples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--grow", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.grow:
        grow(options.grow)
        return
    result = measured(options.times)
    path = HERE / "result.json"
    content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(content | {"kills": result}, indent=2) + "\n")
    print(json.dumps(result))


def measured(times: int) -> dict[str, int]:
    chance = random.Random(1)
    total = {"kills": 0, "made": 0, "half_made_serving": 0, "lost": 0, "resumed": 0}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(times):
            command = [sys.executable, "-m", "experiments.growth.kills", "--grow", folder]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
                assert child.stdout is not None
                lines = [child.stdout.readline()]  # it has begun
                time.sleep(chance.uniform(0.0, 0.3))
                child.send_signal(signal.SIGKILL)
                lines += child.stdout.read().splitlines()
            left = looked_at(folder, [line.strip() for line in lines if line.strip()])
            total["kills"] += 1
            total["made"] = left["made"]
            for name in ("half_made_serving", "lost", "resumed"):
                total[name] += left[name]
    return total


if __name__ == "__main__":
    main()
