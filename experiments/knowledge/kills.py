"""Kills the process that feeds a store, again and again, while what feeds the store changes.

    python -m experiments.knowledge.kills [--kills 100] [--others 50] [--out FILE]

A folder: at the end, every state of every document that the folder shows has exactly one event. The
API: a client sends its changes to a service one after the other, and repeats the one that was not
answered; each change has exactly one event, in their order. A query: files change whole, and no two
events in a row are of the same rows. Nowhere has a number a gap, and what is found is what there
was last. Vectors are left out: they follow the events.
"""

import argparse
import http.client
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from router.config.knowledge import TableQuery
from router.documents.content_words import content_words
from router.knowledge.feeding.folder import FolderFeed
from router.knowledge.feeding.schedule import run_due
from router.knowledge.opening import StoreShelf
from router.knowledge.rows.keeping import stored_name
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
_SERVE = """
import asyncio, sys
from tests.rig import rig
TEXT = '''
server: {data: DATA}
backends: {g: {kind: generator}}
plans: {p: {ask: g}}
knowledge: {town: {versions: 1000}}
'''
async def serve():
    async with rig(TEXT.replace("DATA", sys.argv[1])) as r:
        print(r.url, flush=True)
        await asyncio.sleep(1e6)
asyncio.run(serve())
"""
_QUERY = """
import sys
from itertools import count
from pathlib import Path
from router.config.knowledge import TableQuery
from router.knowledge.feeding.schedule import run_due
from router.knowledge.store import KnowledgeStore
store = KnowledgeStore(Path(sys.argv[1]))
query = TableQuery(sql="select * from orders order by id", database=sys.argv[2], every="1h")
print("on", flush=True)
for n in count(1):
    run_due(store, {"orders": query}, now=n * 4000.0)
"""
_HOURS = 1e12  # later than any run of a killed process


def by_folder(kills: int, chance: random.Random) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as place:
        folder, at = Path(place, "files"), Path(place, "store")
        folder.mkdir()
        changes = 0
        for _ in range(kills):
            process, _ = _started(_FEED, str(at), str(folder))
            end = time.monotonic() + chance.uniform(0.02, 0.25)
            while time.monotonic() < end:
                changes += 1
                path = folder / f"d{chance.randrange(60)}.txt"
                if path.exists() and chance.random() < 0.2:
                    path.unlink()
                else:
                    path.write_text(_text(path.stem, changes))
                time.sleep(0.002)
            _kill(process)
        store = KnowledgeStore(at)
        FolderFeed(store, folder, keep=1000).look()
        files = {path.name: path.read_text() for path in folder.iterdir()}
        figures = {"kills": kills, "changes": changes} | _checked(store, files)
        store.close()
        return figures


def by_api(kills: int, chance: random.Random) -> dict[str, int]:
    """Each change is sent until it is answered, so each has one event in the end."""
    with tempfile.TemporaryDirectory() as place:
        sent: list[tuple[str, str | None]] = []  # a document's id and its text; None: removed
        state: dict[str, str] = {}
        unanswered = 0
        for _ in range(kills):
            process, url = _started(_SERVE, place)
            killed = chance.uniform(0.02, 0.4)
            # Something outside kills the service in the midst of whatever it does.
            code = f"import os, time; time.sleep({killed}); os.kill({process.pid}, 9)"
            killer = subprocess.Popen([sys.executable, "-c", code])
            try:
                if unanswered:
                    _send(url, *sent[-1])
                while True:
                    id_ = f"d{chance.randrange(60)}"
                    gone = id_ in state and chance.random() < 0.2
                    text = None if gone else _text(id_, len(sent))
                    sent.append((id_, text))
                    unanswered = 1
                    state.pop(id_, None)
                    if text is not None:
                        state[id_] = text
                    _send(url, id_, text)
                    unanswered = 0
            except (OSError, http.client.HTTPException):
                pass
            killer.wait()
            process.wait()
        shelf = StoreShelf(Path(place, "knowledge"))
        store = shelf.kept("town")
        if unanswered:  # the client sends it once more
            process, url = _started(_SERVE, place)
            _send(url, *sent[-1])
            _kill(process)
        events = [(e.document, e.kind == "removed") for e in store.events(most=10**9)]
        wrong = sum(a != b for a, b in zip(events, [(i, t is None) for i, t in sent], strict=False))
        figures = {"kills": kills, "changes": len(sent)} | _checked(store, state)
        figures["lost_events"] += max(len(sent) - len(events), 0)
        figures["doubled_events"] += max(len(events) - len(sent), 0)
        figures["events_out_of_order"] = wrong
        shelf.close()
        return figures


def by_query(kills: int, chance: random.Random) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as place:
        folder, at = Path(place, "tables"), Path(place, "store")
        folder.mkdir()
        changes, rows = 0, _replaced(folder, 0, chance)
        for _ in range(kills):
            process, _ = _started(_QUERY, str(at), str(folder))
            end = time.monotonic() + chance.uniform(0.05, 0.5)
            while time.monotonic() < end:
                changes += 1
                rows = _replaced(folder, changes, chance)
                time.sleep(0.02)
            _kill(process)
        store = KnowledgeStore(at)
        query = TableQuery(sql="select * from orders order by id", database=str(folder), every="1h")
        run_due(store, {"orders": query}, _HOURS)
        events = store.events(most=10**9)
        hashes = [event.hash for event in events]
        kept = store.looking.execute(f'select id, total from "{stored_name("orders")}" order by id')
        figures = {
            "kills": kills,
            "changes": changes,
            "events": len(events),
            "lost_events": int([tuple(row) for row in kept] != rows),
            "doubled_events": sum(a == b for a, b in pairwise(hashes)),
            "gaps_in_numbers": sum(event.number != n for n, event in enumerate(events, 1)),
            "wrong_passages": sum(table.rows != len(rows) for table in store.tables()),
            "damaged_files": _damaged(store),
        }
        store.close()
        return figures


def _replaced(folder: Path, change: int, chance: random.Random) -> list[tuple[int, int]]:
    """Replace the table's file whole by other rows, and return them."""
    rows = [(n, change * 1000 + chance.randrange(1000)) for n in range(chance.randrange(5, 300))]
    part = folder / "orders.part"
    part.write_text("id,total\n" + "".join(f"{id_},{total}\n" for id_, total in rows))
    part.rename(folder / "orders.csv")
    return rows


def _text(name: str, change: int) -> str:
    return f"The rule of section {name} is change{change} today."


def _send(url: str, id_: str, text: str | None) -> None:
    """Put a document, or remove it where there is no text."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    try:
        if text is None:
            connection.request("DELETE", f"/v1/knowledge/town?id={id_}")
        else:
            body = json.dumps({"id": id_, "text": text})
            headers = {"content-type": "application/json"}
            connection.request("POST", "/v1/knowledge/town", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200 and not (text is None and answer.status == 404):
            raise ValueError(f"the service answered {answer.status}: {content[:200]!r}")
    finally:
        connection.close()


def _started(code: str, *arguments: str) -> tuple["subprocess.Popen[bytes]", str]:
    """A process that runs the code, and the first line that it printed."""
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, process.stdout.readline().decode().strip()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def _checked(store: KnowledgeStore, files: Mapping[str, str]) -> dict[str, int]:
    doubled = gaps = wrong = 0
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
    for name, text in files.items():
        passages = [passage.text for passage in store.passages_of(name)]
        wrong += passages != [text]
        word = next(word for word in content_words(text) if word.startswith("change"))
        by_words = store.passages(store.by_words([word], 5))
        wrong += [passage.document for passage in by_words] != [name]
    return {
        "events": len(events),
        "lost_events": len(set(files) ^ set(state)),
        "doubled_events": doubled,
        "gaps_in_numbers": gaps,
        "wrong_passages": wrong,
        "damaged_files": _damaged(store),
    }


def _damaged(store: KnowledgeStore) -> int:
    (whole,) = store.looking.execute("pragma integrity_check").fetchone()
    return int(whole != "ok")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--others", type=int, default=50, help="kills of the API and of a query")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    figures: dict[str, Any] = {
        "folder": by_folder(args.kills, chance),
        "api": by_api(args.others, chance),
        "query": by_query(args.others, chance),
    }
    text = json.dumps(figures, indent=1) + "\n"
    sys.stdout.write(text)
    if args.out is not None:
        args.out.write_text(text)
    bad = ("lost_events", "doubled_events", "gaps_in_numbers", "wrong_passages", "damaged_files")
    names = (*bad, "events_out_of_order")
    return int(any(own.get(name, 0) for own in figures.values() for name in names))


if __name__ == "__main__":
    sys.exit(main())
