"""How long a change in a watched folder takes until a question gets the new words as its answer.

    python -m experiments.knowledge.freshness [--documents 10000] [--changes 100]

The feeder runs in its own process, as in a service; a search in this process follows the store.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from router.config.config import Config
from router.encoding.home import encoder_of
from router.knowledge.asking import StoreSearch
from router.knowledge.feeding.process import FeederProcess
from router.knowledge.opening import StoreShelf
from router.knowledge.vectors import StoreVectors

_THINGS = ("permit", "garden", "library", "bridge", "market", "museum", "harbour", "theatre")
_PLANTED = "The steward of plot {n} is called name{n}x{turn} and answers letters on Monday."


def run(documents: int, changes: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "files")
        folder.mkdir()
        for n in range(documents):
            thing = _THINGS[n % len(_THINGS)]
            text = f"Rule {n} of the {thing} says that visitors of row {n * 7} pay {n % 90} euros."
            (folder / f"d{n}.txt").write_text(text)
        config = Config.model_validate(
            {
                "server": {"data": place},
                "backends": {"g": {"kind": "generator"}},
                "plans": {"p": {"ask": "g"}},
                "knowledge": {"town": {"folder": str(folder)}},
            }
        )
        encoder = encoder_of(None, str(config.encoders_folder))
        shelf = StoreShelf(config.knowledge_folder)
        feeder = FeederProcess(config)
        try:
            store, begun = shelf.kept("town"), time.monotonic()
            vectors = StoreVectors(store)
            while store.count()["documents"] < documents or vectors.lag().events:
                time.sleep(0.5)
            filled_seconds = time.monotonic() - begun
            search = StoreSearch("town", store, encoder)
            search.find("Who is the steward?", 1)
            waits = [_wait(search, folder, n, changes) for n in range(changes)]
        finally:
            feeder.close()
            shelf.close()
    waits.sort()
    return {
        "documents": documents,
        "changes": changes,
        "first_reading_seconds": round(filled_seconds, 1),
        "answerable_p50_seconds": round(statistics.median(waits), 3),
        "answerable_p95_seconds": round(waits[int(0.95 * (len(waits) - 1))], 3),
        "answerable_most_seconds": round(waits[-1], 3),
    }


def _wait(search: StoreSearch, folder: Path, n: int, changes: int) -> float:
    text = _PLANTED.format(n=n, turn=changes)
    begun = time.monotonic()
    (folder / f"d{n}.txt").write_text(text)
    while True:
        hits = search.find(f"What is the name of the steward of plot {n}?", 1).hits
        if hits and hits[0].passage.text == text:
            return time.monotonic() - begun
        if time.monotonic() - begun > 60:
            raise TimeoutError(f"the change of d{n}.txt was not found within a minute")
        time.sleep(0.02)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=100)
    args = parser.parse_args()
    figures = run(args.documents, args.changes)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return int(figures["answerable_p95_seconds"] > 2.0)


if __name__ == "__main__":
    sys.exit(main())
