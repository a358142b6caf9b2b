"""Measures the look-up in a large store: time, memory, and a rebuild of the graph that is killed.

    python -m experiments.knowledge.million FOLDER [--passages 1000000] [--out FILE]

Words and vectors are drawn: a passage has words by Zipf's law, and a vector near one of many
centres. A folder that a killed run left is gone on with. The graph is built in a process that is
killed after its first saved state (beyond 100,000 passages), and built to its end by another one.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from router.documents.formats import Section
from router.knowledge.finding.finder import Finder
from router.knowledge.finding.store_source import StoreSource
from router.knowledge.following import FollowingIndex
from router.knowledge.graph import MANIFEST, build_graph
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument
from router.knowledge.vectors import StoreVectors

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_DIMENSIONS = 384
_CENTRES = 2_000
_VOCABULARY = 60_000
_SECTIONS = 25  # passages of one document
_WORDS = 40  # of a passage
_QUESTIONS = 1_000


class DrawnVectors:
    """An encoder of drawn vectors: texts of one hash are near one centre."""

    dimensions = _DIMENSIONS

    def __init__(self) -> None:
        self.name = "drawn"
        self._chance = np.random.default_rng(1)
        self._centres = self._chance.standard_normal((_CENTRES, _DIMENSIONS), dtype=np.float32)

    def encode(self, texts: Sequence[str]) -> "Vectors":
        chosen = [zlib.crc32(text[:24].encode()) % _CENTRES for text in texts]
        noise = self._chance.standard_normal((len(texts), _DIMENSIONS), dtype=np.float32)
        rows: Vectors = self._centres[chosen] + noise
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


def words(chance: np.random.Generator, count: int) -> list[str]:
    ranks = np.minimum(chance.zipf(1.2, count), _VOCABULARY)
    return [f"w{rank:x}ord" for rank in ranks]


def fill(store: KnowledgeStore, passages: int, encoder: DrawnVectors) -> None:
    """Write documents and vectors that are missing yet."""
    have = store.count()["documents"]
    for n in range(have, passages // _SECTIONS):
        chance = np.random.default_rng(n)
        sections = [
            Section(f"Part {part}", " ".join(words(chance, _WORDS))) for part in range(_SECTIONS)
        ]
        store.put(NewDocument(f"d{n:06}", f"d{n:06}", "drawn", sections, {}), by="experiment")
    vectors = StoreVectors(store)
    vectors.use(encoder)
    while vectors.fill(encoder, most=2_000):
        pass


def rebuilt(folder: Path) -> dict[str, Any]:
    """Build the graph; kill the builder once at its first saved state, and go on."""
    manifest = folder / MANIFEST
    began, killed_at = time.monotonic(), 0
    command = [sys.executable, "-m", __spec__.name, str(folder), "--build"]
    with subprocess.Popen(command, env=os.environ) as builder:
        while builder.poll() is None:
            if not killed_at and manifest.is_file():
                builder.send_signal(signal.SIGKILL)
                killed_at = int(json.loads(manifest.read_bytes())["reached"])
            time.sleep(0.2)
    gone_on = time.monotonic()
    subprocess.run(command, check=True)
    state = json.loads(manifest.read_bytes())
    return {
        "seconds": round(time.monotonic() - began, 1),
        "killed_at": killed_at,
        "after_kill_seconds": round(time.monotonic() - gone_on, 1),
        "reached": state["reached"],
    }


def looked_up(store: KnowledgeStore) -> dict[str, Any]:
    source = StoreSource(store, FollowingIndex(store), DrawnVectors())
    finder, chance = Finder(source, DrawnVectors()), np.random.default_rng(2)
    began = time.monotonic()
    finder.find(" ".join(words(chance, 8)))
    opening = time.monotonic() - began
    times = []
    for _ in range(_QUESTIONS):
        question = " ".join(words(chance, 8))
        began = time.perf_counter()
        finder.find(question)
        times.append(1000 * (time.perf_counter() - began))
    return {
        "opening_seconds": round(opening, 2),
        "p50_ms": round(float(np.percentile(times, 50)), 2),
        "p99_ms": round(float(np.percentile(times, 99)), 2),
        "memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--build", action="store_true", help="build the graph and end")
    parser.add_argument("--out", type=Path, help="a file for the figures")
    given = parser.parse_args()
    store = KnowledgeStore(given.folder)
    if given.build:
        build_graph(store)
        return
    began = time.monotonic()
    fill(store, given.passages, DrawnVectors())
    result: dict[str, Any] = {"passages": store.count()["passages"]}
    result["filling_seconds"] = round(time.monotonic() - began, 1)
    result["rebuild"] = rebuilt(given.folder)
    result["look_up"] = looked_up(store)
    text = json.dumps(result, indent=1)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
