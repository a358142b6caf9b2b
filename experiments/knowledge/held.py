"""Measures what holding a store in memory is worth: a look-up in a cold store, and in a held one.

    make bench-knowledge-held

Words and vectors are drawn as in `million.py`. Cold: a process asks a store for the first time, or
for the first time since the store made room for others. The files are in the system's cache, so the
time is that of the processor, which a busy machine does not change much.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.knowledge.million import DrawnVectors, fill, words
from router.knowledge.asking import StoreSearch
from router.knowledge.store import KnowledgeStore

_RESULT = Path(__file__).with_suffix(".json")
_SIZES = (1_000, 5_000)  # passages
_COLD, _HELD = 10, 100  # look-ups


def measured(store: KnowledgeStore, passages: int) -> dict[str, Any]:
    chance = np.random.default_rng(2)
    encoder = DrawnVectors()

    def question() -> str:
        return " ".join(words(chance, 8))

    cold, searches = [], []
    for _ in range(_COLD):
        search = StoreSearch("drawn", store, lambda _: encoder)
        cold.append(_ms(search, question()))
        searches.append(search)
    held = [_ms(searches[-1], question()) for _ in range(_HELD)]
    size = searches[-1].held_bytes
    for search in searches:
        search.close()
    return {
        "passages": passages,
        "cold_p50_cpu_ms": _p50(cold),
        "held_p50_cpu_ms": _p50(held),
        "held_mb": round(size / 2**20, 1),
    }


def _ms(search: StoreSearch, question: str) -> float:
    began = time.process_time()
    search.find(question, 3)
    return 1000 * (time.process_time() - began)


def _p50(times: Sequence[float]) -> float:
    return round(float(np.percentile(times, 50)), 2)


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for passages in _SIZES:
            store = KnowledgeStore(Path(folder) / str(passages))
            fill(store, passages, DrawnVectors())
            rows.append(measured(store, passages))
            print(rows[-1], flush=True)
            store.close()
    _RESULT.write_text(json.dumps({"stores": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
