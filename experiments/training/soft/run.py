"""Measures what the chances that a teacher gives its labels are worth to a head. `make bench-soft`

python -m experiments.training.soft.run [--seeds 3]
"""

import argparse
import importlib
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from experiments import readme
from experiments.training.heads.run import Desk
from router.models.features import words_of
from router.training.examples import Example
from router.training.head_trainer import head_from
from router.training.trainer import Wish

HERE = Path(__file__).parent
ROWS = (80, 160, 320, 640)
TEST = 600
_RIGHT = 0.97  # share of the teacher's answers that are right
TEACHERS = {"as sure as it may be": 1.0, "much too sure": 2.5}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    sys.path.insert(0, str(HERE.parent / "worlds"))
    worlds: Any = importlib.import_module("tickets_seen")
    lines = [measured(worlds, teacher, rows, range(seeds)) for teacher in TEACHERS for rows in ROWS]
    result = {"seeds": seeds, "test_rows": TEST, "lines": lines}
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    readme.put("soft", table(lines), "training/soft")


def measured(worlds: Any, teacher: str, rows: int, seeds: Sequence[int]) -> dict[str, Any]:
    """How often heads are right on tickets that nothing else saw, by hard and by soft labels."""
    right: dict[str, list[float]] = {"hard": [], "soft": []}
    surprise: dict[str, list[float]] = {"hard": [], "soft": []}
    for seed in seeds:
        world = worlds.World(seed, rows + rows // 4 + TEST, change=1.0)
        examples = [_example(world, n, TEACHERS[teacher]) for n in range(len(world.stream))]
        for kind in right:
            mine = examples if kind == "soft" else [replace(each, soft={}) for each in examples]
            cuts = rows, rows + rows // 4
            splits = {
                "train": mine[: cuts[0]],
                "validation": mine[cuts[0] : cuts[1]],
                "test": [replace(each, soft={}) for each in mine[cuts[1] :]],
            }
            facts = head_from(splits, Wish(vectors=False), Desk()).metrics
            right[kind].append(1 - facts["loss_of_all"])
            surprise[kind].append(facts["brier"])
    line = {
        "teacher": teacher,
        "rows": rows,
        **{kind: round(fmean(each), 4) for kind, each in right.items()},
        "worst_seed": round(
            min(s - h for s, h in zip(right["soft"], right["hard"], strict=True)), 4
        ),
        "brier": {kind: round(fmean(each), 4) for kind, each in surprise.items()},
    }
    print(line, flush=True)
    return line


def _example(world: Any, number: int, sharpness: float) -> Example:
    """A ticket with the answer of its teacher, who sees how likely each label is."""
    request, facts = world.stream[number], world.facts[number]
    chance = random.Random(f"soft {world.seed} {number}")
    true = facts["chances"] or {request.truth_label: 1.0}
    even = (1 - _RIGHT) / len(world.labels)
    chances = {label: _RIGHT * true.get(label, 0.0) + even for label in world.labels}
    sharp = {label: p**sharpness * chance.lognormvariate(0, 0.3) for label, p in chances.items()}
    total = sum(sharp.values())
    soft = {label: p / total for label, p in sharp.items()}
    answer = world.read(world.teacher(request)) or request.truth_label
    return Example(str(number), words_of(world.prompt(request)), answer, soft=soft)


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    head = ["the teacher is", "rows", "right, hard labels", "right, soft labels", "worst seed"]
    rows = [
        [
            line["teacher"],
            f"{line['rows']:,}",
            f"{line['hard']:.1%}",
            f"{line['soft']:.1%}",
            f"{100 * line['worst_seed']:+.1f}",
        ]
        for line in lines
    ]
    return readme.table(head, rows)


if __name__ == "__main__":
    main()
