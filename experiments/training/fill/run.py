"""`python -m experiments.training.fill.run [FILE.jsonl]...` measures fills on templated traffic.

Without a file, the traffic is that of `world.py`, and `result.json` is written beside it. A file
holds a line for each request: `request`, its right `text` (null if the request lacks a value), and
its `kind`. A fill learns from three fifths of the answerable requests, proves its rules on a fifth,
and answers the last fifth and all that lack a value. Figures are of these alone.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.training.fill.world import SYSTEM, Notice, notices
from router.encoding.encodes import Encodes
from router.models.features import Asked, Features, features_of
from router.models.fill import fill_in
from router.training.data_query import DataRefused
from router.training.data_rows import DataRow, Message
from router.training.data_sets import DataSet, Rows
from router.training.examples import GOOD
from router.training.fill_doubts import plain
from router.training.fill_trainer import NO_CARD, train_fill
from router.training.trainer import Kept, Wish


class Desk:
    encoder: Encodes | None = None

    def tell(self, done: float, what: str) -> None:
        pass

    def features(self, split: str, words: Sequence[Asked], *, vectors: bool) -> list[Features]:  # noqa: ARG002
        return [features_of(each) for each in words]

    def kept(self, name: str) -> Kept:
        raise NotImplementedError(name)


def read(path: Path) -> list[Notice]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    made = [
        Notice(row["request"], row["text"] or "", row["kind"], row["text"] is not None)
        for row in rows
    ]
    random.Random(7).shuffle(made)
    return made


def measured(made: Sequence[Notice]) -> dict[str, Any]:
    able = [notice for notice in made if notice.answerable]
    cuts = [0, len(able) * 3 // 5, len(able) * 4 // 5, len(able)]
    train, validation, test = (able[cuts[n] : cuts[n + 1]] for n in range(3))
    test = [notice for notice in test if notice.quality >= GOOD]  # errors are no measure
    asking = [*test, *(notice for notice in made if not notice.answerable)]
    begun = time.process_time()
    rows: Rows = {"train": _rows(train), "validation": _rows(validation), "test": _rows(test)}
    try:
        trained = train_fill(DataSet("notices", 1, {"hash": ""}, rows), Wish("fill"), Desk())
    except DataRefused as error:
        return {"refused": str(error), "rows": len(made)}
    seconds, fill = time.process_time() - begun, fill_in(NO_CARD, trained.files)
    counts: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {}
    for notice in asking:
        guess = fill.of(Asked(notice.request, SYSTEM))
        right = plain(guess.answer) == plain(notice.answer)
        outcome = "unsure" if guess.unsure else "right" if right else "wrong"
        counts[f"{'answerable' if notice.answerable else 'lacking'} {outcome}"] += 1
        kinds.setdefault(notice.form or "none", Counter())[outcome] += 1
    answered = counts["answerable right"] + counts["answerable wrong"]
    lacking = sum(n for name, n in counts.items() if name.startswith("lacking"))
    return {
        "trained_on": len(train) + len(validation),
        "passed": trained.passes,
        "why": trained.why,
        "forms": trained.parameters["forms"],
        "answerable": len(test),
        "answered": round(answered / len(test), 4),
        "right_of_answered": round(counts["answerable right"] / max(1, answered), 4),
        "lacking_a_value": lacking,
        "unsure_of_these": round(counts["lacking unsure"] / max(1, lacking), 4),
        "ms": round(float(trained.cost["ms"]), 2),
        "training_cpu_seconds": round(seconds, 1),
        "by_kind": {kind: dict(each) for kind, each in sorted(kinds.items())},
    }


def _rows(made: Sequence[Notice]) -> tuple[DataRow, ...]:
    return tuple(
        DataRow(
            f"r{n}",
            n,
            (Message("system", SYSTEM), Message("user", notice.request)),
            notice.answer,
            notice.quality,
            "judged",
            plan="teacher",
        )
        for n, notice in enumerate(made)
    )


def main(paths: Sequence[str]) -> None:
    for path in paths:
        print(path, json.dumps(measured(read(Path(path))), indent=1))
    if not paths:
        rows = {str(n): measured(notices(1, n, others=0.15)) for n in (150, 400, 1000)}
        (Path(__file__).parent / "result.json").write_text(json.dumps(rows, indent=1) + "\n")
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
