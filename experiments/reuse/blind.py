"""Grades memory on pairs of requests that people wrote without knowing the guards, and on swaps.

A pair is *served* if the answer to the stored request would be given to the one that is asked, once
its kind of likeness has earned trust. On a machine without models, the words and the pair verifier
accept; with a verifying backend, pairs whose words allow both answers are put to the backend too.
That backend is simulated: it is right with a stated probability each time it is asked, also when it
is asked in the other order, and about the control.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from scipy.stats import beta

from router.encoding.encoder import Encoder
from router.reuse.acceptance import acceptors
from router.reuse.guards import compare
from router.reuse.memory import LEAST_SIMILARITY
from router.reuse.recollection import ASKABLE_SIMILARITY
from router.reuse.verifier import PairVerifier

BLIND = Path("tests/reuse/blind")
_SEEDS = 200


@dataclass(frozen=True, slots=True)
class Pair:
    stored: str
    request: str
    same: bool
    kind: str


def written(name: str) -> list[Pair]:
    """The pairs of one file of the blind suites."""
    lines = (BLIND / f"{name}.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [Pair(row["stored"], row["asked"], row["same"], row["kind"]) for row in rows]


def accepted(pair: Pair, similarity: float, verifier: PairVerifier) -> str:
    """What accepts the pair on a machine without models; empty if nothing does."""
    if pair.stored == pair.request:
        return "exact"
    if similarity < LEAST_SIMILARITY:
        return ""
    may = acceptors(pair.stored, pair.request, compare(pair.stored, pair.request))
    if "words" in may:
        return "words"
    if "verifier" in may and verifier.accepts(verifier.probability(pair.stored, pair.request)):
        return "verifier"
    return ""


def upper(wrong: int, of: int) -> float:
    """The upper end of the Clopper-Pearson interval; the true share is below with 95% certainty."""
    return round(float(beta.ppf(0.95, wrong + 1, max(of - wrong, 1))), 5) if of else 1.0


def graded(pairs: Sequence[Pair], takes: Sequence[str]) -> dict[str, Any]:
    """Wrong reuse of all pairs and of those served, and the share of the same that was served."""
    same = [bool(take) for pair, take in zip(pairs, takes, strict=True) if pair.same]
    others = [bool(take) for pair, take in zip(pairs, takes, strict=True) if not pair.same]
    served, wrong = sum(same) + sum(others), sum(others)
    return {
        "pairs": len(pairs),
        "same": len(same),
        "served": served,
        "wrong": wrong,
        "wrong_share": round(wrong / len(pairs), 5),
        "wrong_at_most": upper(wrong, len(pairs)),
        "wrong_of_served": round(wrong / served, 5) if served else 0.0,
        "recall": round(sum(same) / len(same), 4) if same else None,
    }


def by_kind(pairs: Iterable[Pair], takes: Iterable[str]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for pair, take in zip(pairs, takes, strict=True):
        count = counts.setdefault(pair.kind, Counter())
        count["pairs"] += 1
        count["same"] += pair.same
        count["right"] += pair.same and bool(take)
        count["wrong"] += not pair.same and bool(take)
    return {kind: dict(count) for kind, count in sorted(counts.items())}


def put_to_backend(
    pairs: Sequence[Pair],
    takes: Sequence[str],
    similarities: Sequence[float],
    *,
    right: float,
    seeds: int = _SEEDS,
) -> dict[str, float]:
    """The means over many simulated backends that are right with this probability."""
    askable = [
        similarity >= ASKABLE_SIMILARITY
        and "asked" in acceptors(pair.stored, pair.request, compare(pair.stored, pair.request))
        for pair, similarity in zip(pairs, similarities, strict=True)
    ]
    sums: Counter[str] = Counter()
    for seed in range(seeds):
        chance = Random(seed)
        with_backend = [
            take or ("asked" if may and _agrees(pair, chance, right) else "")
            for pair, take, may in zip(pairs, takes, askable, strict=True)
        ]
        result = graded(pairs, with_backend)
        for name in ("wrong", "wrong_share", "wrong_of_served", "recall", "served"):
            sums[name] += result[name] or 0
    return {name: round(value / seeds, 5) for name, value in sums.items()}


def _agrees(pair: Pair, chance: Random, right: float) -> bool:
    """Whether the backend says yes in both orders, and no to the control question."""
    orders = [pair.same ^ (chance.random() >= right) for _ in range(2)]
    return all(orders) and chance.random() < right


def measured(
    suites: Mapping[str, Sequence[Pair]],
    encoder: Encoder,
    verifier: PairVerifier,
    *,
    right: float = 0.97,
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, pairs in suites.items():
        stored = encoder.encode([pair.stored for pair in pairs])
        asked_for = encoder.encode([pair.request for pair in pairs])
        near = (stored * asked_for).sum(axis=1).tolist()
        takes = [
            accepted(p, similarity, verifier) for p, similarity in zip(pairs, near, strict=True)
        ]
        close = [
            similarity >= 0.95 and not p.same for p, similarity in zip(pairs, near, strict=True)
        ]
        result[name] = graded(pairs, takes) | {
            "cosine_095_wrong": sum(close),
            "by": dict(Counter(take for take in takes if take)),
            "by_kind": by_kind(pairs, takes),
            "with_backend": put_to_backend(pairs, takes, near, right=right),
        }
    return result
