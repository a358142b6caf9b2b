"""Kills the process that feeds a store, again and again, while its folder changes.

    python -m experiments.knowledge.kills [--kills 100]

At the end, every state of every document that the folder shows has exactly one event, versions have
no gap, and what is found is what the folder holds. Vectors are left out: they follow the events.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from router.documents.content_words import content_words
from router.knowledge.feeding.folder import FolderFeed
from router.knowledge.store import KnowledgeStore

_FEED = """
import sys, time
from pathlib import Path
from router.knowledge.feeding.folder import FolderFeed
from router.knowledge.store import KnowledgeStore
feed = FolderFeed(KnowledgeStore(Path(sys.argv[1])), Path(sys.argv[2]), keep=1000)
print("on", flush=True)
while True:
    feed.look()
"""


def run(kills: int, seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder, at = Path(place, "files"), Path(place, "store")
        folder.mkdir()
        changes = 0
        for _ in range(kills):
            process = subprocess.Popen(
                [sys.executable, "-c", _FEED, str(at), str(folder)], stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            process.stdout.readline()
            end = time.monotonic() + chance.uniform(0.02, 0.25)
            while time.monotonic() < end:
                changes += 1
                path = folder / f"d{chance.randrange(60)}.txt"
                if path.exists() and chance.random() < 0.2:
                    path.unlink()
                else:
                    path.write_text(f"The rule of section {path.stem} is change{changes} today.")
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.wait()
        store = KnowledgeStore(at)
        FolderFeed(store, folder, keep=1000).look()
        figures = {"kills": kills, "changes_of_files": changes} | _checked(store, folder)
        store.close()
        return figures


def _checked(store: KnowledgeStore, folder: Path) -> dict[str, int]:
    lost = doubled = gaps = wrong = 0
    events = store.events(most=10**9)
    versions: dict[str, int] = {}
    state: dict[str, str] = {}
    for number, event in enumerate(events, 1):
        gaps += event.number != number
        if event.kind == "removed":
            doubled += state.pop(event.document, "") == ""
            continue
        gaps += event.version != versions.get(event.document, 0) + 1
        doubled += state.get(event.document) == event.hash
        versions[event.document] = event.version
        state[event.document] = event.hash
    files = {path.name: path.read_text() for path in folder.iterdir()}
    lost += len(set(files) ^ set(state))
    for name, text in files.items():
        passages = [passage.text for passage in store.passages_of(name)]
        wrong += passages != [text]
        word = next(word for word in content_words(text) if word.startswith("change"))
        by_words = store.passages(store.by_words([word], 5))
        wrong += [passage.document for passage in by_words] != [name]
    (whole,) = store.looking.execute("pragma integrity_check").fetchone()
    return {
        "events": len(events),
        "lost_events": lost,
        "doubled_events": doubled,
        "gaps_in_numbers": gaps,
        "wrong_passages": wrong,
        "damaged_files": int(whole != "ok"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    figures = run(args.kills, args.seed)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    failed = ("lost_events", "doubled_events", "gaps_in_numbers", "wrong_passages", "damaged_files")
    return int(any(figures[name] for name in failed))


if __name__ == "__main__":
    sys.exit(main())
