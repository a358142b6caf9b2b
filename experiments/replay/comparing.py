"""By how much Waggle is ahead of each rival, on the mean over sets, with bootstrap intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.readme import table
from experiments.replay.playing import Vector

_RIVALS = (
    "waggle, unguarded",
    *("Thompson without context", "rule ladder", "random", "River LinUCB"),
    *("Vowpal Wabbit squarecb", "MABWiser LinTS", "ParetoBandit"),
    "ParetoBandit, its own features",
)
_RESAMPLES = 4_000


def rivals_table(result: Mapping[str, Any]) -> str:
    """The mean over sets of each rival, and by how much Waggle is ahead of it."""
    rows = []
    for part, shown in (("last_fifth", "last fifth"), ("all", "whole stream")):
        for name in _RIVALS:
            sets = _compared(result["main"], name, part)
            if not sets:
                continue
            mean = np.mean([theirs.mean() for _, theirs in sets])
            lead = np.mean([(ours - theirs).mean() for ours, theirs in sets])
            spans = [_interval(sets, over_sets=over_sets) for over_sets in (False, True)]
            cells = [f"[{low:+.3f}, {high:+.3f}]" for low, high in spans]
            rows.append([shown, name, f"{mean:+.3f}", f"{lead:+.3f}", *cells])
    head = ["", "rival", "its mean over sets", "waggle minus rival"]
    return table([*head, "95% over seeds", "95% over sets and seeds"], rows)


def _compared(main: Mapping[str, Any], rival: str, part: str) -> list[tuple[Vector, Vector]]:
    """For each set that both played: Waggle's and the rival's figure of each seed. A set with tags
    and without them counts once."""
    runs = f"{part}_runs"
    of_set: dict[str, list[tuple[Vector, Vector]]] = {}
    for stream, by_player in main.items():
        ours, theirs = (by_player.get(name, {}).get(runs, []) for name in ("waggle", rival))
        if ours and len(ours) == len(theirs):
            pair = np.array(ours), np.array(theirs)
            of_set.setdefault(stream.removesuffix(", tags"), []).append(pair)
    return [
        (np.mean([ours for ours, _ in pairs], axis=0), np.mean([th for _, th in pairs], axis=0))
        for pairs in of_set.values()
    ]


def _interval(sets: Sequence[tuple[Vector, Vector]], *, over_sets: bool) -> tuple[float, float]:
    """The bootstrap interval of the mean lead. Without `over_sets` it says nothing about others."""
    chance = np.random.default_rng(0)
    resampled = np.zeros((len(sets), _RESAMPLES))
    for row, (ours, theirs) in zip(resampled, sets, strict=True):
        drawn = chance.integers(len(ours), size=(_RESAMPLES, len(ours)))
        row[:] = (ours - theirs)[drawn].mean(axis=1)
    if over_sets:
        places = chance.integers(len(sets), size=resampled.shape)
        resampled = np.take_along_axis(resampled, places, axis=0)
    low, high = np.quantile(resampled.mean(axis=0), [0.025, 0.975])
    return float(low), float(high)
