"""How often verdicts are false, and how soon true ones come, where the truth is known."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np

from experiments.trials.worlds import KINDS, World
from learner.comparison import Comparison, TrialRules
from learner.sequence import RunningMoments
from learner.verdict import verdict_of
from learner.watch import Watch

_LOOKS = 3000  # requests of an A/A trial, each of them a look


def null_trial(seed: int) -> dict[str, Any]:
    """Nothing differs: whether a trial says that something does, and whether a t-test would."""
    chance = np.random.default_rng(seed)
    world = World(KINDS[seed % len(KINDS)])
    told = Comparison(TrialRules(worth=0.0, most_requests=10**9))
    false, naive = "", False
    sides: dict[str, RunningMoments] = {
        "candidate": RunningMoments(0.0),
        "current": RunningMoments(0.0),
    }
    for unit in world.units(chance, _LOOKS):
        told.see(unit.side, unit.seconds)
        if unit.exposed is not None:
            told.expose(unit.exposed)
            told.judge(unit.exposed)
            assert unit.exposed.utility is not None
            sides[unit.side].add(unit.exposed.utility)
            naive = naive or _t_test(sides["candidate"], sides["current"])
        if not false:
            verdict = verdict_of(told)
            false = verdict.sentence if verdict.word != "more data" else ""
    return {"seed": seed, "kind": world.kind, "false": false, "naive": naive}


def _t_test(a: RunningMoments, b: RunningMoments) -> bool:
    if min(a.n, b.n) < 10:
        return False
    spread = sqrt(a.squares / (a.n - 1) / a.n + b.squares / (b.n - 1) / b.n)
    return spread > 0 and abs(a.mean - b.mean) > 1.96 * spread


def decided(seed: int, gain: float, apart: float = 0.3, most: int = 20_000) -> dict[str, Any]:
    """A true difference: after how many requests it was decided, and how."""
    chance = np.random.default_rng(10_000 + seed)
    told = Comparison(TrialRules())
    for number, unit in enumerate(World("binary", gain, apart).units(chance, most), 1):
        told.see(unit.side, unit.seconds)
        if unit.exposed is not None:
            told.expose(unit.exposed)
            told.judge(unit.exposed)
        if unit.exposed is not None or number == most:
            verdict = verdict_of(told)
            if verdict.word != "more data":
                return {"requests": number, "word": verdict.word, "sentence": verdict.sentence}
    return {"requests": most, "word": "more data", "sentence": ""}


def turned(seed: int, fallen: float, most: int = 4000) -> dict[str, Any]:
    """Adopted, then it turns bad: after how many requests it is rolled back."""
    chance = np.random.default_rng(20_000 + seed)
    watch = Watch()
    good = 2000
    world = World("binary", 0.02, 0.3)
    for n in range(good + most):
        gain = 0.02 if n < good else fallen
        world = replace(world, share=watch.share, gain=gain)
        unit = next(world.units(chance, 1))
        if unit.exposed is not None and watch.judge(unit.exposed) == "roll back":
            return {"requests": n + 1 - good, "alerts": watch.alerts}
    return {"requests": None, "alerts": watch.alerts}


def summary(counts: Sequence[float]) -> dict[str, float]:
    told = np.asarray(counts, dtype=float)
    if not len(told):
        return {}
    cuts = {"p10": 10, "median": 50, "p90": 90, "most": 100}
    return {name: float(np.percentile(told, cut)) for name, cut in cuts.items()}
