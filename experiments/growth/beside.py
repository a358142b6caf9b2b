"""When a made plan's trial ends: how many answers beside its parent's it needs before they count,
and how much likelier it must be that the plan adds nothing.

python -m experiments.growth.beside --trials 300

Trials with drawn answers go through the comparison and the rules of the service. Half of the
requests get the made plan, a quarter its parent, and a quarter what serves; all cost the same. One
stream of answers is looked at with each setting, so chance has no part in what sets them apart.
"""

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from types import SimpleNamespace
from typing import Any

from experiments.readme import put, table
from learner.assignment import Side, Slot
from learner.sequence import ComparedUnit
from router.config.config import Config
from router.trials import made_trials
from router.trials.book import Line, Trial
from router.trials.course import Course

HERE = Path(__file__).parent
_SETTINGS: Mapping[str, Sequence[float]] = {
    "LEAST_BESIDE": (0, 10, 20, 40, 80),
    "LIKELIER": (2, 3, 5, 10, 100),
}
_LOOK_EVERY = 5  # requests
# The quality of the made plan, of its parent and of what serves.
CASES = {
    "no better than either": (0.7, 0.7, 0.7),
    "no better than its parent": (0.75, 0.75, 0.5),
    "better than both": (0.85, 0.65, 0.65),
    "better than both, by less": (0.8, 0.65, 0.75),
    "hardly better than both": (0.75, 0.7, 0.7),
}
_CONFIG = Config.model_validate(
    {
        "backends": {"own": {"kind": "generator"}},
        "plans": {"own": {"ask": "own"}},
        "trials": {"propose": True, "adopt": True},
    }
)


def ends(
    seed: str, setting: str, made: float, parent: float, serves: float
) -> dict[float, tuple[str, int]]:
    """How the trial ends with each value of the setting, and after how many requests."""
    chance, ended = random.Random(seed), dict[float, tuple[str, int]]()
    course = Course(_trial(), _CONFIG, parent="parent")
    plan = SimpleNamespace(kind="spawn", stands_for="", patterns=("p",))
    book: Any = SimpleNamespace(made={"made": plan}, grown=[], config=_CONFIG, words={})
    for request in range(1, _CONFIG.growth.most_requests + _LOOK_EVERY):
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
        if request % _LOOK_EVERY:
            continue
        for value in [value for value in _SETTINGS[setting] if value not in ended]:
            lines = _decided(book, course, setting, value)
            if lines:
                ended[value] = str(lines[-1]["state"]), request
        if len(ended) == len(_SETTINGS[setting]):
            break
    return ended


def _decided(book: Any, course: Course, setting: str, value: float) -> list[Line]:
    usual = getattr(made_trials, setting)
    try:
        setattr(made_trials, setting, value)
        return made_trials.decide_made(book, course.trial, course, _CONFIG, 0.0)
    finally:
        setattr(made_trials, setting, usual)


def _trial() -> Trial:
    """The first trial of a service's growth: later ones have less of its alpha."""
    alpha = made_trials.alpha_of(SimpleNamespace(trials={}), _CONFIG.growth.alpha)  # type: ignore[arg-type]
    rules = {
        "alpha": alpha,
        "least": made_trials.LEAST,
        "most_requests": _CONFIG.growth.most_requests,
        "tight_at": 120,
    }
    slot = Slot("t", "pattern p", 0.0, 1.0, 0.5)
    return Trial(
        "t", "made", "c", "s", slot, "running", "growth", 0.0, 0.0,
        goal="better", rules=rules, pattern="p",
    )  # fmt: skip


def summed(setting: str, trials: Sequence[Mapping[float, tuple[str, int]]]) -> list[dict[str, Any]]:
    rows = []
    for value in _SETTINGS[setting]:
        of = [ended[value] for ended in trials if value in ended]
        adopted = sum(state == "adopted" for state, _ in of)
        after = round(mean(request for _, request in of))
        rows.append({"value": value, "adopted": adopted, "of": len(trials), "after": after})
    return rows


def beside_table(result: Mapping[str, Any], setting: str = "LEAST_BESIDE") -> str:
    heads = ["a made plan that is", *(f"at {value:g}" for value in _SETTINGS[setting])]
    rows = [
        [case, *(f"{row['adopted']} of {row['of']} ({row['after']})" for row in of)]
        for case, of in result["beside"][setting].items()
    ]
    return table(heads, rows)


def early_table(result: Mapping[str, Any]) -> str:
    return beside_table(result, "LIKELIER")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300, help="of each case")
    options = parser.parse_args()
    path = HERE / "result.json"
    beside = {
        setting: {
            case: summed(
                setting,
                [ends(f"{case} {n}", setting, *qualities) for n in range(options.trials)],
            )
            for case, qualities in CASES.items()
        }
        for setting in _SETTINGS
    }
    result: dict[str, Any] = json.loads(path.read_text()) | {"beside": beside}
    path.write_text(json.dumps(result, indent=2) + "\n")
    put("growth beside", beside_table(result), "growth")
    put("growth early", early_table(result), "growth")


if __name__ == "__main__":
    main()
