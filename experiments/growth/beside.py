"""How many answers beside its parent's a made plan's trial needs before they count.

python -m experiments.growth.beside --trials 100

Trials with drawn answers go through the comparison and the rules of the service. Half of the
requests get the made plan, a quarter its parent, and a quarter what serves; all cost the same. One
stream of answers is looked at with each count, so chance has no part in what sets them apart.
"""

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from experiments.readme import put, table
from learner.assignment import Side, Slot
from learner.sequence import ComparedUnit
from router.config.config import Config
from router.trials import made_trials
from router.trials.book import Trial
from router.trials.course import Course

HERE = Path(__file__).parent
_COUNTS = (0, 10, 20, 40, 80)
_MOST, _LOOK_EVERY = 1_200, 5  # requests
_WORTH = 0.05  # utility that the plan must be able to add
# The quality of the made plan, of its parent and of what serves.
CASES = {
    "no better than either": (0.7, 0.7, 0.7),
    "no better than its parent": (0.75, 0.75, 0.5),
    "better than both": (0.85, 0.65, 0.65),
    "better than both, by less": (0.8, 0.65, 0.75),
}
_CONFIG = Config.model_validate(
    {
        "backends": {"own": {"kind": "generator"}},
        "plans": {"own": {"ask": "own"}},
        "trials": {"propose": True, "adopt": True},
    }
)


def ends(seed: str, made: float, parent: float, serves: float) -> dict[int, tuple[str, int]]:
    """How the trial ends with each least count, and after how many requests."""
    chance, ended = random.Random(seed), dict[int, tuple[str, int]]()
    course = Course(_trial(), _CONFIG, parent="parent")
    plan = SimpleNamespace(kind="spawn", stands_for="", patterns=("p",))
    book: Any = SimpleNamespace(made={"made": plan}, grown=[], config=_CONFIG, words={})
    for request in range(1, _MOST + _LOOK_EVERY):
        tried, beside = chance.random() < 0.5, chance.random() < 0.5
        quality = float(chance.random() < (made if tried else parent if beside else serves))
        side: Side = "candidate" if tried else "current"
        unit = ComparedUnit(
            side, 0.5, {"all": 1.0}, 0.0, 1.0, False,
            quality=quality, utility=quality, dollars=0.001,
        )  # fmt: skip
        course.comparison.see(side, 1.0)
        course.comparison.expose(unit)
        course.comparison.judge(unit)
        if beside:
            course.beside_parent.add(unit, quality)
        for count in [c for c in _COUNTS if c not in ended and request % _LOOK_EVERY == 0]:
            made_trials.LEAST_BESIDE = count
            lines = made_trials.decide_made(book, course.trial, course, _CONFIG, 0.0)
            if lines:
                ended[count] = str(lines[-1]["state"]), request
        if len(ended) == len(_COUNTS):
            break
    return ended


def _trial() -> Trial:
    """The first trial of a service's growth: later ones have less of its alpha."""
    alpha = made_trials.alpha_of(SimpleNamespace(trials={}), _CONFIG.growth.alpha)  # type: ignore[arg-type]
    rules = {
        "alpha": alpha,
        "least": made_trials.LEAST,
        "most_requests": _MOST,
        "tight_at": 120,
        "worth": _WORTH,
    }
    slot = Slot("t", "pattern p", 0.0, 1.0, 0.5)
    return Trial(
        "t", "made", "c", "s", slot, "running", "growth", 0.0, 0.0,
        goal="better", rules=rules, pattern="p",
    )  # fmt: skip


def summed(trials: Sequence[Mapping[int, tuple[str, int]]]) -> list[dict[str, Any]]:
    rows = []
    for count in _COUNTS:
        of = [ended[count] for ended in trials if count in ended]
        adopted = sum(state == "adopted" for state, _ in of)
        after = median(request for _, request in of)
        rows.append({"least": count, "adopted": adopted, "of": len(trials), "after": after})
    return rows


def beside_table(result: Mapping[str, Any]) -> str:
    heads = ["a made plan that is", *(f"at {count}" for count in _COUNTS)]
    rows = [
        [case, *(f"{row['adopted']} of {row['of']} ({row['after']:g})" for row in of)]
        for case, of in result["beside"].items()
    ]
    return table(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100, help="of each case")
    options = parser.parse_args()
    path = HERE / "result.json"
    cases = {
        case: summed([ends(f"{case} {n}", *qualities) for n in range(options.trials)])
        for case, qualities in CASES.items()
    }
    result: dict[str, Any] = json.loads(path.read_text()) | {"beside": cases}
    path.write_text(json.dumps(result, indent=2) + "\n")
    put("growth beside", beside_table(result), "growth")


if __name__ == "__main__":
    main()
