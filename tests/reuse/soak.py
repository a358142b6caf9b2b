"""`python -m tests.reuse.soak --kills N`: a store that is killed -9 again and again as it writes.

What was acknowledged must be there afterwards, each id with its own payload, and the index that
comes up must agree with the store.
"""

import argparse
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from router.reuse.index import SolutionIndex
from router.reuse.solution import Solution
from router.reuse.solution_store import Store

DIMENSIONS = 32


def vector_of(text: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
    made = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
    return made / np.linalg.norm(made)


def solution(text: str) -> Solution:
    exact = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return Solution(
        "key", b"s" * 16, exact, "text", text, f"answer to {text}",
        vector=vector_of(text).tobytes(), encoder="e", state="proven", expires=4e9,
    )  # fmt: skip


def write(folder: Path, turn: int) -> None:
    """Adds, quarantines and snapshots for ever; what is acknowledged goes to standard output."""
    store = Store(folder)
    index, _ = SolutionIndex.open(folder / "graphs", store, dimensions=DIMENSIONS, encoder="e")
    n = 0
    while True:
        texts = [f"request {turn}.{n + k}" for k in range(7)]
        ids = store.add([solution(text) for text in texts])
        for id_, text in zip(ids, texts, strict=True):
            print(f"in {id_} {text}", flush=True)
        n += len(texts)
        if n % 5 == 0:
            for away in store.quarantine(ids[-1]):
                print(f"out {away} -", flush=True)
        index.follow(store)
        if n % 70 == 0:
            index.tend()
            index.save(folder / "graphs")


@dataclass
class Report:
    kills: int
    acknowledged: int
    problems: list[str]


def soak(kills: int, folder: Path, seed: int) -> Report:
    chance = random.Random(seed)
    living: dict[int, str] = {}
    away: set[int] = set()
    problems: list[str] = []
    for turn in range(kills):
        command = [sys.executable, "-m", "tests.reuse.soak", "--write", str(folder), str(turn)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.25))
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read()
        for line in (first + rest).splitlines(keepends=True):
            what, _, told = line.partition(" ")
            id_, _, text = told.partition(" ")
            if not line.endswith("\n"):
                continue  # the last word of one who died
            if what == "in":
                living[int(id_)] = text.strip()
            else:
                away.add(int(id_))
    store = Store(folder)
    for id_, text in living.items():
        found = store.get(id_)
        if found is None:
            problems.append(f"solution {id_} was acknowledged and is gone")
        elif found.request != text or found.answer != f"answer to {text}":
            problems.append(f"solution {id_} has the payload of another")
        elif id_ in away and found.state != "quarantined":
            problems.append(f"solution {id_} came back from quarantine")
    index, wrong = SolutionIndex.open(folder / "graphs", store, dimensions=DIMENSIONS, encoder="e")
    problems += wrong + index.differs(store) + store.damage()
    for id_, text in list(living.items())[:: max(1, len(living) // 200)]:
        near = index.nearest(b"s" * 16, vector_of(text), 1)
        if id_ not in away and (not near or near[0].solution != id_):
            problems.append(f"solution {id_} is not its own nearest")
    store.close()
    return Report(kills, len(living), problems)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", nargs=2, metavar=("FOLDER", "TURN"))
    given = parser.parse_args()
    if given.write:
        write(Path(given.write[0]), int(given.write[1]))
    with tempfile.TemporaryDirectory() as folder:
        report = soak(given.kills, Path(folder), given.seed)
    print(f"{report.kills} kills, {report.acknowledged} acknowledged: ", end="")
    print("\n".join(report.problems) or "nothing lost, nothing mixed up")
    return bool(report.problems)


if __name__ == "__main__":
    sys.exit(main())
