"""What routing saves at no less than the strongest model's quality.

The weight of cost is chosen on some seeds and judged on others: each seed is judged at the weight
that saved most, and kept the quality, on the seeds of the other half. Had the weight been chosen
on the seeds that judge it, the best of several weights would profit from luck.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.replay.players import mix_of
from experiments.replay.playing import Conditions, last_fifth, play
from experiments.replay.service import Setup, Waggle
from experiments.replay.streams import Stream

WEIGHTS = (0.003, 0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.15, 0.25)
PARTS = ("whole stream", "last fifth")


def traded(stream: Stream, weight: float, *, guarded: bool = False) -> dict[str, Any]:
    """Quality and cost of Waggle at a weight of cost, beside the strongest model and the mix."""
    player = Waggle(stream, Setup(guarded=guarded, cost_weight=weight))
    played = play(stream, player, Conditions(), weight)
    player.close()
    outcomes = stream.outcomes
    strong = int(outcomes.quality.mean(axis=0).argmax())
    figures = {}
    for part, rows in zip(PARTS, (slice(None), last_fifth(len(stream))), strict=True):
        cost = float(played.cost[rows].mean())
        figures[part] = [
            float(played.quality[rows].mean()),
            cost,
            float(outcomes.quality[rows, strong].mean()),
            float(outcomes.cost[rows, strong].mean()),
            mix_of(outcomes, rows, cost)[1],
        ]
    return figures


def savings(points: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> dict[str, Any]:
    """For each part of a stream: what is saved, with the gap in quality, and both errors. `points`
    holds the figures by weight and seed."""
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in points.values())))
    return {part: _saved(points, seeds, part) for part in PARTS} if len(seeds) > 1 else {}


def _saved(
    points: Mapping[str, Mapping[int, Mapping[str, Any]]], seeds: Sequence[int], part: str
) -> dict[str, Any]:
    judged, weights = [], []
    for judges in (seeds[::2], seeds[1::2]):
        choosers = [seed for seed in seeds if seed not in judges]
        weight = _chosen(points, choosers, part)
        weights.append(weight)
        for seed in judges:
            quality, cost, strong, dear, mix = (
                points[weight][seed][part] if weight else _strongest(points, seed, part)
            )
            judged.append((1 - cost / dear, quality - strong, mix - strong))
    saved, gap, mix_gap = np.array(judged).T
    return {
        "weights": weights,
        "saved": float(saved.mean()),
        "saved_se": _error(saved),
        "gap": float(gap.mean()),
        "gap_se": _error(gap),
        "mix_gap": float(mix_gap.mean()),
        "mix_gap_se": _error(mix_gap),
    }


def _chosen(
    points: Mapping[str, Mapping[int, Mapping[str, Any]]], seeds: Sequence[int], part: str
) -> str:
    """The weight that saved most on these seeds, of those that kept the quality by a standard error
    at least; empty if none did."""
    best, most = "", 0.0
    for weight, by_seed in points.items():
        quality, cost, strong, dear, _ = np.array([by_seed[seed][part] for seed in seeds]).T
        gap, saved = quality - strong, 1 - float(cost.mean() / dear.mean())
        if gap.mean() >= _error(gap) and saved > most:
            best, most = weight, saved
    return best


def _strongest(
    points: Mapping[str, Mapping[int, Mapping[str, Any]]], seed: int, part: str
) -> tuple[float, float, float, float, float]:
    """The strongest model itself, where no weight kept the quality."""
    _, _, strong, dear, _ = next(iter(points.values()))[seed][part]
    return strong, dear, strong, dear, strong


def _error(values: Any) -> float:
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0
