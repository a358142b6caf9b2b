"""Compares the intervals of trials with the intervals of two other libraries, on the same numbers.

The tests compare with `ville` 0.1.0 as well. `gbstats` 0.8.0 needs versions of numpy and pandas
that conflict with the project's. This module therefore makes a virtual environment for both
libraries.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from learner.sequence import RunningMoments

_THEIRS = """
import json, sys
import numpy as np
from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
from gbstats.models.statistics import SampleMeanStatistic
import ville

def stat(values):
    return SampleMeanStatistic(
        n=len(values), sum=values.sum(), sum_squares=(values**2).sum())

intervals = []
for case in json.load(sys.stdin):
    values = np.array(case["values"])
    config = SequentialConfig(
        alpha=0.05, sequential_tuning_parameter=500, difference_type="absolute")
    low, high = SequentialTwoSidedTTest(
        stat(values[::2]), stat(values[1::2]), config).confidence_interval
    cs = ville.AsymptoticCS(alpha=0.05, t_opt=500, min_samples=2).fit(values)
    ends = [float(np.atleast_1d(bound)[-1]) for bound in (cs.lower_, cs.upper_)]
    intervals.append({"gbstats": [low, high], "ville": ends})
print(json.dumps(intervals))
"""


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        wanted = ["ville==0.1.0", "gbstats==0.8.0"]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
    return python


def crosschecked(folder: Path) -> dict[str, Any]:
    """The largest relative difference to each library, over samples of several sizes and shapes."""
    chance = np.random.default_rng(11)
    cases = []
    for n in (200, 600, 2000, 10_000):
        cases.append({"values": chance.normal(0.2, 1.5, n).tolist()})
        cases.append({"values": (chance.random(n) < 0.3).astype(float).tolist()})
        cases.append({"values": chance.exponential(0.5, n).tolist()})
    python = _environment(folder)
    done = subprocess.run(
        [str(python), "-c", _THEIRS], input=json.dumps(cases), capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"ville or gbstats did not run:\n{done.stderr[-2000:]}")
    worst = {"ville": 0.0, "gbstats": 0.0}
    for case, intervals in zip(cases, json.loads(done.stdout), strict=True):
        values = case["values"]
        for name, ours in (("ville", _mean(values)), ("gbstats", _difference(values))):
            low, high = intervals[name]
            radius, theirs = ours.radius(0.05), (high - low) / 2
            worst[name] = max(worst[name], abs(radius / theirs - 1))
    return {"cases": len(cases), "largest_relative_difference": worst}


def _mean(values: Sequence[float]) -> RunningMoments:
    moments = RunningMoments(span=0.0)
    for value in values:
        moments.add(value)
    return moments


def _difference(values: Sequence[float]) -> RunningMoments:
    """Moments of the difference of two means; every second value belongs to the candidate."""
    usual = sum(values) / len(values)
    moments = RunningMoments(span=0.0)
    for n, value in enumerate(values):
        moments.add((1 if n % 2 else -1) * 2 * (value - usual))
    return moments
