"""Plays `waggle demo --train`, and keeps the bill of each of its chapters. `make bench-train`

python -m experiments.training.demo.run [--requests 2400] [--seed 1]
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments import readme
from router.demo.training_story import training_story

HERE = Path(__file__).parent


def main() -> None:
    options = _options()
    begun = time.monotonic()
    with TemporaryDirectory() as name:
        folder = Path(name) / "train"
        chapters = training_story(
            options.requests, seed=options.seed, data=folder, config_file=None
        )
    result = {
        "seed": options.seed,
        "requests": options.requests,
        "seconds": round(time.monotonic() - begun),
        "chapters": chapters,
    }
    (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    readme.put("train", table(chapters), "training/demo")
    readme.put("train bill", bill(result), "training/demo")


def table(chapters: Sequence[Mapping[str, Any]]) -> str:
    head = ["from", "what begins", "tickets", "by the model", "right", "$ per 1,000", "dear alone"]
    return readme.table(
        head,
        [
            [
                f"{chapter['ticket']:,}",
                chapter["begins"],
                f"{chapter['requests']:,}",
                f"{chapter['by_model']:.0%}",
                f"{chapter['quality']:.1%}",
                f"{chapter['usd_per_1k']:.3f}",
                f"{chapter['premium_usd_per_1k']:.3f}",
            ]
            for chapter in chapters
        ],
    )


def bill(result: Mapping[str, Any]) -> str:
    first, last = result["chapters"][0], result["chapters"][-1]
    return (
        f"Of {result['requests']:,} tickets ({result['seconds'] // 60} minutes): "
        f"${first['usd_per_1k']:.3f} per 1,000 before, and ${last['usd_per_1k']:.3f} at the end, "
        f"where the model answers {last['by_model']:.0%} and {last['quality']:.1%} are right."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
