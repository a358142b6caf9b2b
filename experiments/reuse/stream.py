"""Simulates whether the calibration keeps the budget of wrong answers on streams of requests.

Each step of a stream is a candidate for reuse, with a label that says whether the reused answer
would be wrong. The calibration starts without experience. For each candidate, the calibration
either serves the stored answer, or asks for a new answer and learns the label. Only served answers
count.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from router.reuse.calibration import Calibration, band, bucket_of
from router.reuse.evidence import ReuseCheck
from router.reuse.guards import compare

BUDGET = 0.01
STEPS = 20_000


def ignorant(bucket: str) -> tuple[float, float]:
    """A prior that assumes the same for every bucket."""
    del bucket
    return 0.5, 1.0


def guarded(rows: Sequence[dict[str, Any]]) -> list[tuple[str, bool]]:
    """For each pair that passes the guards: its bucket, and whether reuse would be wrong."""
    verdicts = ((row, compare(row["text_a"], row["text_b"])) for row in rows)
    return [
        (bucket_of("words", row["cosine"]), row["label"] == 0)
        for row, verdict in verdicts
        if verdict.likeness == "words"
    ]


def by_cosine(rows: Sequence[dict[str, Any]]) -> list[tuple[str, bool]]:
    """For each pair with a high cosine: its hundredth of cosine, and whether reuse would be
    wrong."""
    return [
        (f"cosine {int(100 * row['cosine'])}:{band(row['cosine'])}", row["label"] == 0)
        for row in rows
        if row["cosine"] >= 0.8
    ]


def mixed(shares: Sequence[tuple[float, float]]) -> Callable[[np.random.Generator], Any]:
    """A source of random streams. `shares` holds how often each kind of request comes, and how
    often its reuse is wrong."""

    def draw(chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        kinds = chance.choice(len(shares), STEPS, p=[often for often, _ in shares])
        wrong = chance.random(STEPS) < np.array([bad for _, bad in shares])[kinds]
        return kinds, wrong

    return draw


def served(
    kinds: Sequence[str], wrong: Sequence[bool], which: Sequence[int], seed: int, prior: Any
) -> tuple[int, int]:
    """How many steps were answered from memory, and how many of these answers were wrong. `which`
    names the solution of each step."""
    chance = np.random.default_rng(seed)
    calibration = Calibration(BUDGET, prior=prior)
    given = bad = 0
    for kind, is_wrong, id_ in zip(kinds, wrong, which, strict=True):
        standing = calibration.standing(kind)
        if standing.serves and chance.random() >= standing.checked:
            given += 1
            bad += int(is_wrong)
        else:
            calibration.learn([ReuseCheck(kind, b"", bool(is_wrong), 1.0, 0.0, id_)])
    return given, bad


def simulated(name: str, pool: Any, seeds: int, prior: Any = ignorant) -> dict[str, Any]:
    shares, kept, hits = [], 0, []
    for seed in range(seeds):
        chance = np.random.default_rng(1000 + seed)
        if callable(pool):
            which, wrong = pool(chance)
            kinds, ids = [f"kind {k}:3" for k in which], list(range(STEPS))
        else:
            # By Zipf's law, a few requests come again and again.
            weight = 1 / np.arange(1, len(pool) + 1) ** 0.9
            order = chance.permutation(len(pool))
            steps = order[chance.choice(len(pool), STEPS, p=weight / weight.sum())]
            kinds, wrong = [pool[at][0] for at in steps], [pool[at][1] for at in steps]
            ids = steps.tolist()
        given, bad = served(kinds, list(wrong), ids, seed, prior)
        share = bad / given if given else 0.0
        shares.append(share)
        hits.append(given / STEPS)
        kept += int(share <= BUDGET)
    return {
        "stream": name,
        "seeds": seeds,
        "kept": int(kept),
        "worst": round(float(max(shares)), 5),
        "mean_wrong": round(float(np.mean(shares)), 5),
        "mean_hits": round(float(np.mean(hits)), 4),
    }
