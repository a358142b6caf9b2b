"""What the one learner and the one keeper do for a row and for a router, measured with the real
ones.

Rows lie in real journals, of as many writers as there are routers. Nothing is simulated: the
figures are CPU time of this process, in which DuckDB has one thread, as in the learner.
"""

import pickle
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from router.config.config import Config
from router.config.load import load
from router.learning.fold import Fold
from router.request.complexity import complexity
from router.request.context import numbers
from router.request.reading import reading_of
from router.routing.messages import Published
from tests.telemetry.stored import Stored, request, signal

Answer = TypeVar("Answer")
_MODELS = ("tiny", "small", "medium", "large", "premium", "local")
_TASKS = ("sql", "chat", "poem", "code", "mail", "summary")
_YAML = """
server: {data: DATA}
backends: {MODELS}
plans: {PLANS}
objective: {strategy: bandit}
"""
_WEIGHTS = dict.fromkeys(
    ("fields", "nesting", "arrays", "rules", "length", "code", "question"), 0.5
)
ROWS = 3_000
JUDGED = 0.05  # the share of requests that somebody judges
WRITERS = (1, 10, 100)


def costs() -> dict[str, Any]:
    by_writers = {writers: _costs_of(writers) for writers in WRITERS}
    return {"rows": ROWS, "judged": JUDGED, "by_writers": by_writers}


def _costs_of(writers: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = _config(folder)
        stored = Stored(config.telemetry_folder)
        fold = Fold(config, 0)
        fold.begin()
        chance = np.random.default_rng(1)
        _write(stored, writers, ROWS, 0.3, chance)  # so that trees and evidence are there
        _turns(fold)
        sealing, sealed = _timed(lambda: _seal(stored))
        _write(stored, writers, ROWS, 0.0, chance)
        unjudged, _ = _timed(lambda: _turns(fold))
        _seal(stored)
        _write(stored, writers, ROWS, JUDGED, chance)
        judged, _ = _timed(lambda: _turns(fold))
        merging, _ = _timed(stored.keeper.compact)
        _seal(stored)
        few_rows = 2 * writers
        _write(stored, writers, few_rows, 0.0, chance)
        few, _ = _timed(lambda: _turns(fold))
        making, policy = _timed(lambda: fold.policy(time.time()))
        published = Published("1", policy)
        packing, packed = _timed(lambda: [pickle.dumps(published, 5) for _ in range(20)])
        _seal(stored)
    return {
        "unjudged_row_us": 1e6 * unjudged / ROWS,
        "judged_row_us": 1e6 * max(judged - unjudged, 0.0) / (JUDGED * ROWS),
        "turn_ms": 1e3 * max(few - few_rows * unjudged / ROWS, 0.0),
        "policy_ms": 1e3 * making,
        "policy_bytes": float(len(packed[0])),
        "policy_pickle_ms": 1e3 * packing / 20,
        "seal_row_us": 1e6 * sealing / max(sealed, 1),
        "merge_row_us": 1e6 * merging / max(sealed, 1),
    }


def _config(folder: Path) -> Config:
    models = ", ".join(
        f"{name}: {{kind: generator, price: {{input: {n + 1}, output: {3 * n + 3}}}}}"
        for n, name in enumerate(_MODELS)
    )
    plans = ", ".join(f"{name}: {{ask: {name}}}" for name in _MODELS)
    text = _YAML.replace("DATA", str(folder / "var"))
    text = text.replace("{MODELS}", f"{{{models}}}").replace("{PLANS}", f"{{{plans}}}")
    path = folder / "waggle.yaml"
    path.write_text(text)
    return load(path, {})


def _write(
    stored: Stored, writers: int, count: int, judged: float, chance: np.random.Generator
) -> None:
    """Rows of requests as many writers write them, and signals about some of them."""
    at = int(time.time() * 1e6)
    each = 1 / len(_MODELS)
    for writer in range(writers):
        rows = []
        for n in range(writer, count, writers):
            task, plan = (names[int(chance.integers(len(names)))] for names in (_TASKS, _MODELS))
            rows.append(
                request(
                    at + n,
                    plan=plan,
                    kind=task,
                    eligible=list(_MODELS),
                    probabilities=[each] * len(_MODELS),
                    propensity=each,
                    strategy="bandit",
                    rate_usd=0.001,
                    features_version=3,
                    features=_features_of(f"{task} request {n}"),
                )
            )
        scores = [signal(row, float(chance.random())) for row in rows if chance.random() < judged]
        stored.write("requests", rows, f"r{writer}")
        if scores:
            stored.write("signals", scores, f"r{writer}")


def _features_of(text: str) -> Any:
    reading = reading_of({"messages": [{"role": "user", "content": text}]})
    return numbers(reading, complexity(reading, _WEIGHTS), tagged=True)


def _seal(stored: Stored) -> int:
    stored.close()
    return stored.keeper.seal()


def _turns(fold: Fold) -> None:
    while fold.turn():
        pass


def _timed(work: Callable[[], Answer]) -> tuple[float, Answer]:
    begun = time.process_time()
    answer = work()
    return time.process_time() - begun, answer
