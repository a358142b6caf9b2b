"""Simulates trials with a known truth: how often verdicts are false, and how soon they come."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np

from experiments.trials.worlds import KINDS, TrialWorld
from learner.comparison import Comparison, TrialRules
from learner.sequence import RunningMoments
from learner.verdict import verdict_of
from learner.watch import Watch

_LOOKS = 3000  # requests of a trial of two equal strategies, with a look after each request


def null_trial(seed: int) -> dict[str, Any]:
    """Whether a trial of two equal strategies gives a false verdict, and whether a t-test would."""
    chance = np.random.default_rng(seed)
    world = TrialWorld(KINDS[seed % len(KINDS)])
    comparison = Comparison(TrialRules(worth=0.0, most_requests=10**9))
    false, naive = "", False
    sides: dict[str, RunningMoments] = {
        "candidate": RunningMoments(0.0),
        "current": RunningMoments(0.0),
    }
    for unit in world.units(chance, _LOOKS):
        comparison.see(unit.side, unit.seconds)
        if unit.exposed is not None:
            comparison.expose(unit.exposed)
            comparison.judge(unit.exposed)
            assert unit.exposed.utility is not None
            sides[unit.side].add(unit.exposed.utility)
            naive = naive or _t_test(sides["candidate"], sides["current"])
        if not false:
            verdict = verdict_of(comparison)
            false = verdict.sentence if verdict.word != "more data" else ""
    return {"seed": seed, "kind": world.kind, "false": false, "naive": naive}


def _t_test(a: RunningMoments, b: RunningMoments) -> bool:
    if min(a.n, b.n) < 10:
        return False
    spread = sqrt(a.squares / (a.n - 1) / a.n + b.squares / (b.n - 1) / b.n)
    return spread > 0 and abs(a.mean - b.mean) > 1.96 * spread


def decided(seed: int, gain: float, apart: float = 0.3, most: int = 20_000) -> dict[str, Any]:
    """The verdict on a true difference between strategies, and the number of requests until
    then."""
    chance = np.random.default_rng(10_000 + seed)
    comparison = Comparison(TrialRules())
    for number, unit in enumerate(TrialWorld("binary", gain, apart).units(chance, most), 1):
        comparison.see(unit.side, unit.seconds)
        if unit.exposed is not None:
            comparison.expose(unit.exposed)
            comparison.judge(unit.exposed)
        if unit.exposed is not None or number == most:
            verdict = verdict_of(comparison)
            if verdict.word != "more data":
                return {"requests": number, "word": verdict.word, "sentence": verdict.sentence}
    return {"requests": most, "word": "more data", "sentence": ""}


def turned(seed: int, fallen: float, most: int = 4000) -> dict[str, Any]:
    """Requests until a strategy that turns bad is rolled back, or None if that never happens."""
    chance = np.random.default_rng(20_000 + seed)
    watch = Watch()
    good = 2000
    world = TrialWorld("binary", 0.02, 0.3)
    for n in range(good + most):
        gain = 0.02 if n < good else fallen
        world = replace(world, share=watch.share, gain=gain)
        unit = next(world.units(chance, 1))
        if unit.exposed is not None and watch.judge(unit.exposed) == "roll back":
            return {"requests": n + 1 - good, "alerts": watch.alerts}
    return {"requests": None, "alerts": watch.alerts}


def summary(counts: Sequence[float]) -> dict[str, float]:
    if not counts:
        return {}
    cuts = {"p10": 10, "median": 50, "p90": 90, "most": 100}
    return {name: float(np.percentile(counts, cut)) for name, cut in cuts.items()}
