"""Measures which share of closed-answer tasks a head takes over at most a point below its teacher.

    python -m experiments.training.heads.run [--data DIR] [--only PART]... [--most ROWS]

Parts: `tasks` (heads of recorded data), `answers` (the time of an answer through the endpoint),
`kills` (fifty runs killed at a random moment, with a model in service). What is not run again stays
as it is in `result.json`.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments import readme
from experiments.training.heads.tasks import Task, recorded
from router.config.config import Config
from router.models.features import Asked, Features, features_of
from router.models.models import Models
from router.models.registry import Registry
from router.training.data_query import DataRefused
from router.training.head_trainer import train_head
from router.training.model_changes import promote
from router.training.run import carry_out
from router.training.starting import RunEnded, job_of, start
from router.training.trainer import Kept, Trained, Wish
from tests.models.made import KNOWN, register
from tests.rig import rig
from tests.training import tickets

ROOT, HERE = Path(__file__).parent.parent.parent.parent, Path(__file__).parent
_DOLLARS_PER_CORE_HOUR = 0.05
_ANSWERS = 400
_KILLS = 50
PARTS = ("tasks", "answers", "kills")


class Desk:
    """A place to work without sentence vectors."""

    encoder = None

    def tell(self, done: float, what: str) -> None:
        pass

    def features(
        self,
        split: str,  # noqa: ARG002
        words: Sequence[Asked],
        *,
        vectors: bool,  # noqa: ARG002
    ) -> list[Features]:
        return [features_of(each) for each in words]

    def kept(self, name: str) -> Kept:
        raise AssertionError(f"no head goes on with {name}")


def main() -> None:
    options = _options()
    if "tasks" in options.only and not (options.data / "llmrouter.parquet").is_file():
        print(f"{options.data} lacks llmrouter.parquet: give --data DIR", file=sys.stderr)
        raise SystemExit(2)
    result = json.loads(options.out.read_text()) if options.out.is_file() else {}
    if "tasks" in options.only:
        result["tasks"] = [_measured(each) for each in recorded(options.data, options.most)]
    if "answers" in options.only:
        result["answers"] = asyncio.run(_answers())
    if "kills" in options.only:
        result["kills"] = _kills()
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    if all(part in result for part in PARTS):
        readme.put("heads", table(result), "training/heads")
        print(table(result))


def table(result: Mapping[str, Any]) -> str:
    rows = []
    for task in result["tasks"]:
        loss = task["points_below_teacher"]
        rows.append(
            [
                task["name"],
                f"{task['answered']:.0%}",
                "–" if loss is None else f"{loss:.2f}",
                "–" if loss is None else f"1/{1 / task['cost_ratio']:,.0f}",
                f"{task['cpu_seconds']:.0f} s",
            ]
        )
    answers, kills = result["answers"], result["kills"]
    head = ["task", "answered by the head", "points below the teacher", "cost", "training"]
    added = f"{answers['p50_ms']:.2f} ms ({answers['p50_ms_in_all']:.2f} ms for the whole request)"
    more = [
        ["p50 of the part of an answer that is the head's", added, "", "", ""],
        [
            f"runs killed at a random moment: {kills['kills']}",
            f"{kills['served']} times the last model answered",
            "",
            "",
            "",
        ],
    ]
    return readme.table(head, [*rows, *more])


def _measured(task: Task) -> dict[str, Any]:
    begun = time.process_time()
    facts: dict[str, Any] = {"name": task.data.name, "test_rows": len(task.data.rows["test"])}
    try:
        made: Trained = train_head(task.data, Wish(vectors=False), Desk())
    except DataRefused as error:
        print(f"{task.data.name}: {error}", file=sys.stderr)
        return {**facts, "answered": 0.0, "points_below_teacher": None, "cpu_seconds": 0.0}
    lost = made.metrics.get("loss_answered")
    head_usd = made.cost["ms"] / 3.6e6 * _DOLLARS_PER_CORE_HOUR
    print(task.data.name, made.metrics["answered"], lost, made.why, flush=True)
    return {
        **facts,
        "answered": made.metrics["answered"],
        "points_below_teacher": None if lost is None else 100 * lost,
        "right_of_all": 1 - made.metrics["loss_of_all"],
        "calibration_error": made.metrics["expected_calibration_error"],
        "ms": made.cost["ms"],
        "cost_ratio": head_usd / task.teacher_usd,
        "cpu_seconds": time.process_time() - begun,
        "recipe": made.parameters["recipe"],
    }


async def _answers() -> dict[str, Any]:
    """The time of a request that a head answers, beside that of one whose backend does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        register(Path(folder))
        config = {
            "backends": {
                "head": {"kind": "learned", "model": "triage", "home": folder},
                "nothing": {"kind": "generator"},
            },
            "plans": {"head": {"ask": "head"}, "nothing": {"ask": "nothing"}},
        }
        text = (
            KNOWN["billing"] + " and I wrote about it twice already, please look at it today. " * 4
        )
        shape = {"response_format": {"type": "json_object"}, "shape": {"a": "int 1..2"}}
        async with rig(json.dumps(config)) as waggle:
            times: dict[str, list[float]] = {"head": [], "nothing": []}
            for n in range(_ANSWERS):
                for name in times:
                    more = shape if name == "nothing" else {}
                    begun = time.perf_counter()
                    answer = await waggle.chat(f"{text} {n}", model=name, **more)
                    times[name].append(1000 * (time.perf_counter() - begun))
                    assert answer.status == 200, answer.body
    whole = float(np.median(times["head"]))
    return {
        "p50_ms_in_all": whole,
        "p50_ms": _alone(text),
        "p50_ms_of_another_backend": float(np.median(times["nothing"])),
        "requests": _ANSWERS,
    }


def _alone(text: str) -> float:
    """What the model itself takes of it."""
    with tempfile.TemporaryDirectory() as folder:
        register(Path(folder))
        models, times = Models(Path(folder)), []
        for n in range(_ANSWERS):
            begun = time.perf_counter()
            models.get("triage").model.of(Asked(f"{text} {n}"))
            times.append(1000 * (time.perf_counter() - begun))
    return float(np.median(times))


def _kills() -> dict[str, Any]:
    """Kill runs at random moments; after each the registry must load and the last model answer."""
    chance, served, finished = random.Random(3), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = tickets.rows_of(300)  # type: ignore[no-untyped-call]
        tickets.data_set(folder / "training", rows)
        raw = {"backends": {"a": {"kind": "generator"}}, "plans": {"a": {"ask": "a"}}}
        config = Config.model_validate(raw | {"server": {"data": name}})
        first = job_of(config, "triage", "tickets", Wish(vectors=False))
        first.folder.mkdir(parents=True)
        carry_out(first)
        promote(Registry(config.models_folder), "triage@1")
        for n in range(_KILLS):
            job = job_of(
                config, "triage", "tickets", Wish(vectors=False, seed=100 + n), promote=True
            )
            running = start(job)
            time.sleep(chance.uniform(0.2, 6.0))
            running.process.send_signal(signal.SIGKILL)
            try:
                running.wait()
                finished += 1
            except RunEnded:
                pass
            guess = (
                Models(config.models_folder)
                .get("triage")
                .model.of(Asked("my parcel and courier are wrong today", tickets.SYSTEM))
            )
            served += guess.answer == "shipping" and not guess.unsure
    return {"kills": _KILLS, "served": served, "runs_that_had_ended": finished}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("WAGGLE_DATA", str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(data), help="folder of recorded data")
    parser.add_argument("--only", action="append", choices=PARTS, help="default: every part")
    parser.add_argument("--most", type=int, default=6000, help="most rows of a task")
    parser.add_argument("--out", type=Path, default=HERE / "result.json")
    options = parser.parse_args()
    options.only = options.only or list(PARTS)
    return options


if __name__ == "__main__":
    main()
