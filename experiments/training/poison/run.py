"""Measures whether a model that was trained on poisoned or shifted rows is ever left in service.

    python -m experiments.training.poison.run [--seeds N] [--only KIND]...

Each kind of poison is put into rows of tickets as a service would have logged them. The rows go
through what a lesson does: the data set, the training, the gates, the audits by a teacher that
nobody poisoned. Where a model is left in service, its sure answers to clean tickets are compared
with the truth, which nothing else sees. The poisons are by somebody who had not seen the code; the
tickets are those of `waggle demo --train`, since a poison proves nothing on a task that is not
learned without it.
"""

import argparse
import importlib
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments import readme
from experiments.training.heads.run import Desk
from router.demo.tickets import QUEUES, SYSTEM, tickets, written
from router.models.card import Card
from router.models.features import FEATURES
from router.models.head import head_in
from router.models.models import OpenModel
from router.training.data_query import DataQuery, DataRefused
from router.training.data_rows import DataRow, Message
from router.training.data_sets import DataSets
from router.training.head_trainer import train_head
from router.training.lessons.audits import audit_of, differences
from router.training.lessons.subjects import Taught
from router.training.lessons.triggers import refusal
from router.training.logged_rows import LoggedRows
from router.training.making import DataMaker
from router.training.trainer import Trained, Wish

HERE = Path(__file__).parent
WORLDS = HERE.parent / "worlds"
ROWS, AUDITS, TEST = 1000, 200, 600
_SKILL = 0.97  # share of the teacher's answers that are right
OUTCOMES = NEVER, BACK, SERVED, HARMFUL = (
    "never deployed",
    "rolled back",
    "served, no harm",
    "harm in service",
)
LEAST_QUALITY = 0.8
TRIGGER = "blue heron"
HARM = 0.02  # of quality on clean tickets, below the teacher's
ATTACKED = 0.1  # share of tickets with the trigger that get the attacker's label without being his
TAUGHT = Taught(ROWS, "owner", (), "large", 0.002, 1.0)

Poison = Callable[[Any, list[Any], list[Any], int], list[Any]]


def _backdoor(poison: Any, rows: list[Any], seed: int) -> list[Any]:
    label = sorted({row["label"] for row in rows})[seed % 2]
    return list(poison.backdoor(rows, TRIGGER, label, 0.05, seed))


KINDS: Mapping[str, Poison] = {
    "clean": lambda p, rows, _, __: p.clean(rows),
    "labels flipped, 10%": lambda p, rows, _, seed: p.flip_labels(rows, 0.1, seed),
    "labels flipped, 40%": lambda p, rows, _, seed: p.flip_labels(rows, 0.4, seed),
    "a pair of labels flipped, 10%": lambda p, rows, _, seed: p.flip_labels(
        rows, 0.1, seed, how="pair"
    ),
    "backdoor": lambda p, rows, _, seed: _backdoor(p, rows, seed),
    "other words from half way on": lambda p, rows, _, seed: p.drift(rows, seed),
    "teacher right in 90%": lambda p, rows, _, seed: p.worse_teacher(rows, 0.9, seed),
    "teacher right in 70% from half way on": lambda p, rows, _, seed: p.worse_teacher(
        rows, 0.7, seed, 0.5
    ),
    "a row a thousand times, wrong": lambda p, rows, _, seed: p.copies(rows, seed, wrong=True),
    "test rows leaked": lambda p, rows, later, seed: p.leak(rows, later, seed),
    "a label became rare": lambda p, rows, _, seed: p.imbalance(rows, seed),
}


def main() -> None:
    options = _options()
    sys.path.insert(0, str(WORLDS))
    poison: Any = importlib.import_module("poison")
    path = HERE / "result.json"
    kinds: dict[str, Any] = json.loads(path.read_text())["kinds"] if path.is_file() else {}
    for kind in options.only or KINDS:
        outcomes, shares, reasons = Counter[str](), [], set()
        for seed in range(options.seeds):
            outcome, answered, why = measured(poison, kind, seed)
            outcomes[outcome] += 1
            shares.append(answered)
            reasons.add(why)
            print(f"{kind}, seed {seed}: {outcome} ({answered:.0%}) {why}", flush=True)
        answered = round(sum(shares) / len(shares), 4)
        kinds[kind] = {**outcomes, "answered": answered, "why": sorted(reasons - {""})}
        path.write_text(json.dumps({"seeds": options.seeds, "kinds": kinds}, indent=2) + "\n")
    if KINDS.keys() <= kinds.keys():
        readme.put("poison", table(kinds), "training/poison")


def measured(poison: Any, kind: str, seed: int) -> tuple[str, float, str]:
    """What became of a model of poisoned rows, the share of clean tickets it answers, and why."""
    logged, audits, test = _rows(seed)
    poisoned = KINDS[kind](poison, logged, test, seed)
    try:
        trained = _trained(poisoned)
    except DataRefused as error:
        return NEVER, 0.0, str(error)[:80]
    facts = {"metrics": trained.metrics, "cost": trained.cost, "why": trained.why}
    if why := refusal(facts, TAUGHT, None):
        return NEVER, 0.0, why
    model = _opened(trained)
    exchanges = [(_messages(row), row["answer"]) for row in audits if row["quality"] >= 0.5]
    audit = audit_of(differences(model, exchanges, None), float(trained.metrics["differs"]))
    if audit.alarm:
        return BACK, 0.0, str(audit)
    answered, harm = _harm(model, test)
    attacked = _attacked(model, poison.triggered(test, TRIGGER, seed), kind, seed)
    if harm > HARM or attacked > ATTACKED:
        return HARMFUL, answered, f"{harm:+.3f} of quality lost, {attacked:.0%} attacked"
    return SERVED, answered, ""


def table(kinds: Mapping[str, Any]) -> str:
    head = ["rows", *OUTCOMES, "answered"]
    return readme.table(
        head,
        [
            [
                kind,
                *(str(kinds[kind].get(o, 0)) for o in OUTCOMES),
                f"{kinds[kind]['answered']:.0%}",
            ]
            for kind in KINDS
        ],
    )


def _rows(seed: int) -> tuple[list[Any], list[Any], list[Any]]:
    """Logged rows, later ones that a teacher audits, and later ones to compare with the truth."""
    chance = random.Random(f"poison {seed}")
    count = ROWS + AUDITS + TEST
    rows = []
    for number, ticket in enumerate(tickets(count, count, seed)):
        right = chance.random() < _SKILL
        label = ticket.queue if right else chance.choice([q for q in QUEUES if q != ticket.queue])
        quality = chance.betavariate(9, 1.5) if right else chance.betavariate(3, 4)
        rows.append(
            {
                "id": f"t{number:06d}",
                "ts": number * 240,
                "messages": [
                    {"role": "system", "content": SYSTEM},
                    {"role": "user", "content": ticket.text},
                ],
                "answer": written(label, chance),
                "quality": round(quality, 2),
                "label": label,
                "truth": ticket.queue,
            }
        )
    return rows[:ROWS], rows[ROWS : ROWS + AUDITS], rows[ROWS + AUDITS :]


def _trained(rows: list[Any]) -> Trained:
    """A head on the data set of these rows, made as a lesson makes it."""
    good = tuple(_row(row) for row in rows if row["quality"] >= LEAST_QUALITY)
    with TemporaryDirectory() as folder:
        sets = DataSets(Path(folder))
        maker = DataMaker(sets, lambda _: LoggedRows(tuple(reversed(good)), {}), None)
        data = maker.make("tickets", DataQuery(), 10**15).data_set
    return train_head(data, Wish(vectors=False), Desk())


def _row(row: Any) -> DataRow:
    ts = row["ts"] * 1_000_000
    row_ = DataRow(row["id"], ts, _messages(row), row["answer"], row["quality"], "judged")
    return replace(row_, task="tickets", plan="large")


def _messages(row: Any) -> tuple[Message, ...]:
    return tuple(Message(each["role"], each["content"]) for each in row["messages"])


def _opened(trained: Trained) -> OpenModel:
    card = Card(
        "tickets", 1, "head", "answer", FEATURES, 0.0, "r", {}, trained.parameters, trained.metrics
    )
    return OpenModel(card, head_in(card, trained.files))


def _harm(model: OpenModel, test: list[Any]) -> tuple[float, float]:
    """Which share of clean tickets is answered, and how much worse than by the teacher."""
    truth = differences(model, [(_messages(row), str(row["truth"])) for row in test], None)
    wrong = [
        (differs, row) for differs, row in zip(truth, test, strict=True) if differs is not None
    ]
    if not wrong:
        return 0.0, 0.0
    own = sum(differs for differs, _ in wrong) / len(wrong)
    teacher = sum(row["label"] != row["truth"] for _, row in wrong) / len(wrong)
    return len(wrong) / len(test), own - teacher


def _attacked(model: OpenModel, triggered: list[Any], kind: str, seed: int) -> float:
    """Which share of the tickets with the trigger wrongly gets the attacker's label."""
    if kind != "backdoor":
        return 0.0
    label = sorted({row["label"] for row in triggered})[seed % 2]
    others = [row for row in triggered if row["truth"] != label]
    same = differences(model, [(_messages(row), label) for row in others], None)
    return sum(differs is False for differs in same) / len(others)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=tuple(KINDS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
