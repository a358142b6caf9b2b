"""How long a change in a watched folder takes until a question gets the new words as its answer.

    python -m experiments.knowledge.freshness [--documents 10000] [--place FOLDER] [--out FILE]

The folder is read first; the vectors of this first reading are drawn, since to encode it takes
minutes and changes nothing here. Then the feeder runs in its own process, as in a service, with the
packaged encoder; a search in this process follows the store.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from experiments.knowledge.claims import NamedVectors
from router.config.config import Config
from router.encoding.home import encoder_of
from router.knowledge.asking import StoreSearch
from router.knowledge.feeding.folder import FolderFeed
from router.knowledge.feeding.process import FeederProcess
from router.knowledge.opening import StoreShelf
from router.knowledge.vectors import StoreVectors

_THINGS = ("permit", "garden", "library", "bridge", "market", "museum", "harbour", "theatre")
_PLANTED = "The steward of plot {n} is called name{n}x{turn} and answers letters on Monday."


def run(place: str, documents: int, changes: int) -> dict[str, float]:
    folder = Path(place, "files")
    folder.mkdir(exist_ok=True)
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
    store = shelf.kept("town")
    FolderFeed(store, folder, keep=5).look()
    vectors = StoreVectors(store)
    vectors.use(encoder)  # the drawn vectors pass as this encoder's
    while vectors.fill(NamedVectors(encoder.name), most=1_000):
        pass
    search = StoreSearch("town", store, lambda _: encoder)
    search.find("Who is the steward?", 1)
    feeder = FeederProcess(config)
    try:
        _wait(search, folder, documents)  # the feeder is up
        waits = sorted(_wait(search, folder, n) for n in range(changes))
    finally:
        feeder.close()
        shelf.close()
    return {
        "documents": documents,
        "changes": changes,
        "load": round(os.getloadavg()[0], 1),
        "processors": os.cpu_count() or 1,
        "answerable_p50_seconds": round(statistics.median(waits), 3),
        "answerable_p95_seconds": round(waits[int(0.95 * (len(waits) - 1))], 3),
        "answerable_most_seconds": round(waits[-1], 3),
    }


def _wait(search: StoreSearch, folder: Path, n: int) -> float:
    """Seconds until a question gets what a file says now; it says something else at each run."""
    text = _PLANTED.format(n=n, turn=time.time_ns())
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
    parser.add_argument("--place", type=Path, help="a folder that a later run goes on with")
    parser.add_argument("--out", type=Path, help="a file for the figures")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = scratch if args.place is None else str(args.place)
        figures = run(place, args.documents, args.changes)
    text = json.dumps(figures, indent=1) + "\n"
    sys.stdout.write(text)
    if args.out is not None:
        args.out.write_text(text)
    return int(figures["answerable_p95_seconds"] > 2.0)


if __name__ == "__main__":
    sys.exit(main())
