"""What a lookup costs, and what a million solutions take: times, memory, recall, reload."""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from router.encoding.encoder import Encoder, packaged_model, prepared
from router.reuse.guards import compare
from router.reuse.index.solution_index import SolutionIndex
from router.reuse.solution import Solution
from router.reuse.solution_store import SolutionStore

SPACE = b"s" * 16


def percentiles(seconds: list[float]) -> dict[str, float]:
    some = 1e6 * np.array(seconds)
    return {f"p{q}_us": round(float(np.percentile(some, q)), 1) for q in (50, 99)}


def timed(calls: list[Any], what: Any) -> dict[str, float]:
    for one in calls[:50]:
        what(one)
    taken = []
    for one in calls:
        begun = time.perf_counter()
        what(one)
        taken.append(time.perf_counter() - begun)
    return percentiles(taken)


def exact(folder: Path, count: int) -> dict[str, float]:
    """Hash of a request and the look into a store of this many, answer and all."""
    from router.domain import Request
    from router.request.reading import reading_of
    from router.reuse.memory_query import exact_key

    store = SolutionStore(folder)
    requests = []
    solutions = []
    for n in range(count):
        fields = {
            "model": "auto",
            "messages": [{"role": "user", "content": f"What is {n} squared?"}],
        }
        request = Request(
            str(n), b"", fields, "auto", False, False, "", False, False, reading_of(fields)
        )
        requests.append(request)
        key = exact_key(request, scope="key", backend="")
        text = f"{n} squared is {n * n}"
        solutions.append(Solution("key", key, key, "text", "", text, state="proven", expires=2e9))
    for start in range(0, count, 1000):
        store.add(solutions[start : start + 1000])
    chosen = [requests[n] for n in np.random.default_rng(0).integers(0, count, 5000)]

    def look(request: Request) -> None:
        found = store.exact(exact_key(request, scope="key", backend=""), 1e9)
        assert found is not None
        assert found.answer.startswith(request.id)

    told = timed(chosen, look)
    store.close()
    return told


def million(encoder: Encoder, texts: list[str], count: int, folder: Path) -> dict[str, Any]:
    """A graph of this many, around the vectors of real requests."""
    chance = np.random.default_rng(1)
    base = encoder.encode(texts)
    store = SolutionStore(folder)
    asked: dict[int, str] = {}
    begun = time.perf_counter()
    batch: list[Solution] = []
    everything = np.zeros((count, 384), dtype=np.float32)
    for start in range(0, count, 20_000):
        size = min(20_000, count - start)
        which = chance.integers(0, len(base), size)
        made = base[which] + chance.normal(0, 0.025, (size, 384)).astype(np.float32)
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        everything[start : start + size] = made
        batch = [
            Solution("k", SPACE, (start + n).to_bytes(16, "big"), "text", texts[which[n]], "answer",
                     vector=made[n].tobytes(), encoder=encoder.name, state="proven", expires=2e9)
            for n in range(size)
        ]  # fmt: skip
        store.add(batch)
        asked |= {start + n + 1: texts[which[n]] for n in range(0, size, 500)}
    written = time.perf_counter() - begun
    print(f"{count} rows written in {written:.0f} s", flush=True)
    begun = time.perf_counter()
    built, _ = SolutionIndex.open(folder / "graphs", store, dimensions=384, encoder=encoder.name)
    built.tend(threads=2)
    building = time.perf_counter() - begun
    print(f"graph built in {building:.0f} s", flush=True)
    built.save(folder / "graphs")
    store.close()
    del built
    queries = everything[chance.integers(0, count, 1000)]
    queries = queries + chance.normal(0, 0.012, queries.shape).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    best = np.zeros(len(queries))
    nearest = np.zeros(len(queries), dtype=int)
    for start in range(0, count, 50_000):
        scores = queries @ everything[start : start + 50_000].T
        at = scores.argmax(axis=1)
        score = scores[np.arange(len(queries)), at]
        better = score > best
        best[better], nearest[better] = score[better], at[better] + start
    np.savez(folder / "queries.npz", queries=queries, nearest=nearest + 1)
    (folder / "asked.json").write_text(json.dumps(asked))
    told = subprocess.run(
        [sys.executable, "-m", "experiments.reuse.lookups", "--reload", str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {"count": count, "build_s": round(building, 1), **json.loads(told.stdout)}


def reloaded(folder: Path) -> dict[str, Any]:
    """In a process of its own: reload, memory, recall, and the whole lookup."""
    encoder = Encoder(prepared(packaged_model(), folder.parent / "encoders"))
    encoder.encode(["warm"])
    before = _resident()
    begun = time.perf_counter()
    store = SolutionStore(folder)
    index, wrong = SolutionIndex.open(
        folder / "graphs", store, dimensions=384, encoder=encoder.name
    )
    reload = time.perf_counter() - begun
    assert wrong == [], wrong
    memory = _resident() - before
    kept = np.load(folder / "queries.npz")
    found = [index.nearest(SPACE, query, 1)[0].solution for query in kept["queries"]]
    recall = float(np.mean(np.array(found) == kept["nearest"]))
    texts = list(json.loads((folder / "asked.json").read_text()).values())
    lookup = timed(list(kept["queries"]), lambda query: index.nearest(SPACE, query, 8))

    def whole(text: str) -> None:
        vector = encoder.encode([text])[0]
        for near in index.nearest(SPACE, vector, 8):
            solution = store.get(near.solution)
            assert solution is not None
            if compare(solution.request, text).likeness == "same":
                return

    return {
        "reload_s": round(reload, 2),
        "memory_gb": round(memory / 1e9, 3),
        "recall_at_1": recall,
        "lookup": lookup,
        "whole": timed([f"Please tell me: {t}" for t in texts[:1500]], whole),
        "torch": "torch" in sys.modules,
    }


def cold(folder: Path) -> dict[str, Any]:
    """A fresh process, from nothing to the vector of a first text."""
    code = (
        "import sys, time; t = time.perf_counter()\n"
        "from pathlib import Path\n"
        "from router.encoding.encoder import Encoder\n"
        f"e = Encoder(Path({str(folder)!r})); e.encode(['How do bees dance?'])\n"
        "print(time.perf_counter() - t, 'torch' in sys.modules)"
    )
    taken, torch = [], ""
    for _ in range(5):
        told = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        seconds, torch = told.stdout.split()
        taken.append(float(seconds))
    return {
        "s": round(min(taken), 3),
        "median_s": round(float(np.median(taken)), 3),
        "torch": torch,
    }


def encoders(encoder: Encoder, texts: list[str]) -> dict[str, Any]:
    """The exported encoder beside torch, one text at a time."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    model = SentenceTransformer(str(packaged_model()), device="cpu", local_files_only=True)
    some = texts[:300]
    slow = timed(
        some, lambda t: model.encode([t], normalize_embeddings=True, show_progress_bar=False)
    )
    fast = timed(some, lambda t: encoder.encode([t]))
    ratio = round(slow["p50_us"] / fast["p50_us"], 2)
    return {"onnx_int8": fast, "torch": slow, "torch_over_onnx_p50": ratio}


def _resident() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measured(texts: list[str], count: int, work: Path) -> dict[str, Any]:
    encoder = Encoder(prepared(packaged_model(), work / "encoders"))
    encoder.encode(["warm"])
    told: dict[str, Any] = {"cold_start": cold(encoder.folder), "encoder": encoders(encoder, texts)}
    with tempfile.TemporaryDirectory(dir=work) as folder:
        told["exact_of_10k"] = exact(Path(folder), 10_000)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        told["large"] = million(encoder, texts[:20_000], count, Path(folder))
    return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--reload", type=Path)
    print(json.dumps(reloaded(parser.parse_args().reload)))
