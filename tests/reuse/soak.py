"""`python -m tests.reuse.soak --kills N` kills a writer of solutions again and again.

Afterwards the store must have every acknowledged solution under its own id, and a new index must
agree with the store. A kill may prevent the acknowledgement of a quarantine that is in force.
"""

import argparse
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from router.reuse.index.solution_index import SolutionIndex
from router.reuse.solution import Solution
from router.reuse.solution_store import SolutionStore

DIMENSIONS = 32
SPACE = b"s" * 16


def vector_of(text: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
    return vector / np.linalg.norm(vector)


def solution(text: str) -> Solution:
    exact = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return Solution(
        "key", SPACE, exact, "text", text, f"answer to {text}",
        vector=vector_of(text).tobytes(), encoder="e", state="proven", expires=4e9,
    )  # fmt: skip


def opened(folder: Path, store: SolutionStore) -> tuple[SolutionIndex, list[str]]:
    return SolutionIndex.open(folder / "graphs", store, dimensions=DIMENSIONS, encoder="e")


def write(folder: Path, turn: int) -> None:
    """Add, quarantine and save snapshots for ever; acknowledge each change on standard output."""
    store = SolutionStore(folder)
    index, _ = opened(folder, store)
    count = 0
    while True:
        texts = [f"request {turn}.{count + n}" for n in range(7)]
        ids = store.add([solution(text) for text in texts])
        for id_, text in zip(ids, texts, strict=True):
            print(f"in {id_} {text}", flush=True)
        count += len(texts)
        if count % 5 == 0:
            for away in store.quarantine(ids[-1]):
                print(f"out {away} -", flush=True)
        index.follow(store)
        if count % 70 == 0:
            index.tend()
            index.save(folder / "graphs")


@dataclass
class Acknowledged:
    """The changes that the killed writers had acknowledged."""

    texts: dict[int, str] = field(default_factory=dict)
    quarantined: set[int] = field(default_factory=set)
    last_added: set[int] = field(default_factory=set)  # perhaps quarantined without acknowledgement

    def read(self, output: str) -> None:
        """Add the changes that one writer printed, without a last line that the kill cut short."""
        added = 0
        for line in output.splitlines(keepends=True):
            change, _, rest = line.partition(" ")
            id_, _, text = rest.partition(" ")
            if not line.endswith("\n"):
                continue
            if change == "in":
                added = int(id_)
                self.texts[added] = text.strip()
            else:
                self.quarantined.add(int(id_))
        self.last_added.add(added)


@dataclass
class Report:
    kills: int
    acknowledged: int
    problems: list[str]


def soak(kills: int, folder: Path, seed: int) -> Report:
    chance = random.Random(seed)
    acknowledged = Acknowledged()
    for turn in range(kills):
        command = [sys.executable, "-m", "tests.reuse.soak", "--write", str(folder), str(turn)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.25))
            process.send_signal(signal.SIGKILL)
            acknowledged.read(first + process.stdout.read())
    store = SolutionStore(folder)
    problems = [*_in_store(acknowledged, store), *store.damage()]
    index, wrong = opened(folder, store)
    problems += wrong + index.differs(store) + list(_in_index(acknowledged, store, index))
    store.close()
    return Report(kills, len(acknowledged.texts), problems)


def _in_store(acknowledged: Acknowledged, store: SolutionStore):
    for id_, text in acknowledged.texts.items():
        row = store.get(id_)
        if row is None:
            yield f"solution {id_} was acknowledged and is gone"
            continue
        if row.request != text or row.answer != f"answer to {text}":
            yield f"solution {id_} has the payload of another"
        if id_ in acknowledged.quarantined and row.state != "quarantined":
            yield f"solution {id_} came back from quarantine"
        expected = acknowledged.quarantined | acknowledged.last_added
        if row.state != "proven" and id_ not in expected:
            yield f"solution {id_} is not proven, though no writer quarantined it"


def _in_index(acknowledged: Acknowledged, store: SolutionStore, index: SolutionIndex):
    ids = list(acknowledged.texts)
    for id_ in ids[:: max(1, len(ids) // 200)]:
        row = store.get(id_)
        if row is not None and row.state == "proven":
            near = index.nearest(SPACE, vector_of(row.request), 1)
            if not near or near[0].solution != id_:
                yield f"solution {id_} is not its own nearest"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", nargs=2, metavar=("FOLDER", "TURN"))
    options = parser.parse_args()
    if options.write:
        write(Path(options.write[0]), int(options.write[1]))
    with tempfile.TemporaryDirectory() as folder:
        report = soak(options.kills, Path(folder), options.seed)
    print(f"{report.kills} kills, {report.acknowledged} acknowledged: ", end="")
    print("\n".join(report.problems) or "nothing lost, nothing mixed up")
    return bool(report.problems)


if __name__ == "__main__":
    sys.exit(main())
