"""The figures of one run: utility over the best single model, quality and cost."""

from typing import Any

import numpy as np

from experiments.replay.outcomes import Outcomes
from experiments.replay.players import mix_of
from experiments.replay.playing import Played, last_fifth

_FIRST = 200


def measured(outcomes: Outcomes, played: Played) -> dict[str, Any]:
    """Utility over the best single model of the stream, and that of a mix that costs as much."""
    single = int(played.worth.mean(axis=0).argmax())
    over = played.utility - played.worth[:, single]
    last, everything = last_fifth(len(over)), slice(None)
    return {
        "last_fifth": float(over[last].mean()),
        "all": float(over.mean()),
        "first_200": float(over[:_FIRST].mean()),
        "quality": float(played.quality[last].mean()),
        "usd_per_1k": float(1000 * played.cost[last].mean()),
        "mix_last_fifth": _mix(outcomes, played, last, single),
        "mix_all": _mix(outcomes, played, everything, single),
        "curve": [float(part.mean()) for part in np.array_split(over, 40)],
    }


def _mix(outcomes: Outcomes, played: Played, rows: slice, single: int) -> float:
    """The utility, over the best single model, of a mix that costs as much as the player."""
    odds, _ = mix_of(outcomes, rows, float(played.cost[rows].mean()))
    return float((played.worth[rows] @ odds - played.worth[rows, single]).mean())
