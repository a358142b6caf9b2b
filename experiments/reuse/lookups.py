"""Measures a store of a million solutions: the time of a lookup, memory, recall and reload."""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from router.domain import Request
from router.encoding.encoder import Encoder, packaged_model, prepared
from router.request.reading import reading_of
from router.reuse.guards import compare
from router.reuse.index.solution_index import SolutionIndex
from router.reuse.memory_query import exact_key
from router.reuse.solution import Solution
from router.reuse.solution_store import SolutionStore

Vectors = np.ndarray[Any, np.dtype[np.float32]]
SPACE = b"s" * 16


def timed(function: Callable[[Any], object], arguments: Sequence[Any]) -> dict[str, float]:
    """Median and p99 of the microseconds of a function over all arguments, after a warm-up."""
    for argument in arguments[:50]:
        function(argument)
    seconds = []
    for argument in arguments:
        begun = time.perf_counter()
        function(argument)
        seconds.append(time.perf_counter() - begun)
    micros = 1e6 * np.array(seconds)
    return {f"p{q}_us": round(float(np.percentile(micros, q)), 1) for q in (50, 99)}


def exact(folder: Path, count: int) -> dict[str, float]:
    """Time to hash a request and read its answer from a store of `count` solutions."""
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
        solution = store.exact(exact_key(request, scope="key", backend=""), 1e9)
        assert solution is not None
        assert solution.answer.startswith(request.id)

    times = timed(look, chosen)
    store.close()
    return times


def million(encoder: Encoder, texts: list[str], count: int, folder: Path) -> dict[str, Any]:
    """Build an index of `count` solutions near real requests, and measure it in a fresh process."""
    chance = np.random.default_rng(1)
    store = SolutionStore(folder)
    begun = time.perf_counter()
    vectors, sample = _fill(store, encoder, texts, count, chance)
    print(f"{count} rows encoded and written in {time.perf_counter() - begun:.0f} s", flush=True)
    begun = time.perf_counter()
    index, _ = SolutionIndex.open(folder / "graphs", store, dimensions=384, encoder=encoder.name)
    index.tend(threads=2)
    building = time.perf_counter() - begun
    print(f"graph built in {building:.0f} s", flush=True)
    index.save(folder / "graphs")
    store.close()
    del index
    queries = _near(vectors[chance.integers(0, count, 1000)], 0.012, chance)
    nearest = _nearest(queries, vectors) + 1  # The ids of solutions begin at 1.
    np.savez(folder / "queries.npz", queries=queries, nearest=nearest)
    (folder / "requests.json").write_text(json.dumps(sample))
    done = subprocess.run(
        [sys.executable, "-m", "experiments.reuse.lookups", "--reload", str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {"count": count, "build_s": round(building, 1), **json.loads(done.stdout)}


def _fill(
    store: SolutionStore,
    encoder: Encoder,
    texts: list[str],
    count: int,
    chance: np.random.Generator,
) -> tuple[Vectors, list[str]]:
    """Write the solutions; return their vectors, and the requests of one in five hundred."""
    base = encoder.encode(texts)
    vectors: Vectors = np.zeros((count, 384), dtype=np.float32)
    sample: list[str] = []
    for start in range(0, count, 20_000):
        size = min(20_000, count - start)
        which = chance.integers(0, len(base), size)
        block = _near(base[which], 0.025, chance)
        vectors[start : start + size] = block
        store.add([
            Solution("k", SPACE, (start + n).to_bytes(16, "big"), "text", texts[which[n]], "answer",
                     vector=block[n].tobytes(), encoder=encoder.name, state="proven", expires=2e9)
            for n in range(size)
        ])  # fmt: skip
        sample += [texts[which[n]] for n in range(0, size, 500)]
    return vectors, sample


def _near(vectors: Vectors, spread: float, chance: np.random.Generator) -> Vectors:
    """Move each vector a little in every dimension, and scale it to length 1."""
    moved = vectors + np.asarray(chance.normal(0, spread, vectors.shape), dtype=np.float32)
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True))


def _nearest(queries: Vectors, vectors: Vectors) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """The position of each query's nearest vector, found by comparison with every vector."""
    best = np.zeros(len(queries))
    nearest = np.zeros(len(queries), dtype=np.int64)
    for start in range(0, len(vectors), 50_000):
        scores = queries @ vectors[start : start + 50_000].T
        at = scores.argmax(axis=1)
        score = scores[np.arange(len(queries)), at]
        better = score > best
        best[better], nearest[better] = score[better], at[better] + start
    return nearest


def reloaded(folder: Path) -> dict[str, Any]:
    """Load an index in a fresh process; measure its memory, recall and lookups."""
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
    hits = [index.nearest(SPACE, query, 1)[0].solution for query in kept["queries"]]
    recall = float(np.mean(np.array(hits) == kept["nearest"]))
    texts: list[str] = json.loads((folder / "requests.json").read_text())
    lookup = timed(lambda query: index.nearest(SPACE, query, 8), list(kept["queries"]))

    def whole(text: str) -> None:
        vector = encoder.encode([text])[0]
        for near in index.nearest(SPACE, vector, 8):
            solution = store.get(near.solution)
            assert solution is not None
            if compare(solution.request, text).likeness == "words":
                return

    return {
        "reload_s": round(reload, 2),
        "memory_gb": round(memory / 1e9, 3),
        "recall_at_1": recall,
        "lookup": lookup,
        "whole": timed(whole, [f"Please tell me: {text}" for text in texts[:1500]]),
        "torch": "torch" in sys.modules,
    }


def cold(folder: Path) -> dict[str, Any]:
    """Seconds from the start of a fresh Python until the first text is encoded."""
    code = (
        "import sys, time; t = time.perf_counter()\n"
        "from pathlib import Path\n"
        "from router.encoding.encoder import Encoder\n"
        f"e = Encoder(Path({str(folder)!r})); e.encode(['How do bees dance?'])\n"
        "print(time.perf_counter() - t, 'torch' in sys.modules)"
    )
    taken, torch = [], ""
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        seconds, torch = done.stdout.split()
        taken.append(float(seconds))
    return {
        "s": round(min(taken), 3),
        "median_s": round(float(np.median(taken)), 3),
        "torch": torch,
    }


def encoders(encoder: Encoder, texts: list[str]) -> dict[str, Any]:
    """Times of the exported encoder and of torch, for one text at a time."""
    import torch  # `reloaded` measures a process without torch.
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    model = SentenceTransformer(str(packaged_model()), device="cpu", local_files_only=True)
    options = {"normalize_embeddings": True, "show_progress_bar": False}
    slow = timed(lambda text: model.encode([text], **options), texts[:300])
    fast = timed(lambda text: encoder.encode([text]), texts[:300])
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
    result: dict[str, Any] = {"cold_start": cold(encoder.folder)}
    result["encoder"] = encoders(encoder, texts)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        result["exact_of_10k"] = exact(Path(folder), 10_000)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        result["large"] = million(encoder, texts[:20_000], count, Path(folder))
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--reload", type=Path)
    print(json.dumps(reloaded(parser.parse_args().reload)))
