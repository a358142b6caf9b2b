"""How long after a revocation a second router still gives words of the store.

    python -m experiments.knowledge.revoked [--rounds 40] [--out FILE]

Two services run in processes of their own on one data folder, and remember answers. An owner gives
and takes away access through the first; a reader asks the second, again and again and in several
ways at once: the same question, which a memory would answer, the same question to `auto`, a kept
response, and the next turn of its conversation. Words in an answer whose request began after the
revocation was acknowledged are words without right.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from router.documents.formats import Section
from router.encoding.encoder import packaged_model, prepared
from router.encoding.home import encoder_of
from router.keys import new_key, save_keys
from router.knowledge.opening import StoreShelf
from router.knowledge.stored import NewDocument
from router.knowledge.vectors import StoreVectors

_SERVE = """
import asyncio, sys
from pathlib import Path
from router.keys import load_keys
from tests.rig import rig
async def serve():
    keys = load_keys(Path(sys.argv[1], "keys.json"))
    async with rig(Path(sys.argv[1], "waggle.yaml").read_text(), keys=keys, name=sys.argv[2]) as r:
        print(r.url, flush=True)
        await asyncio.sleep(1e6)
asyncio.run(serve())
"""
_CONFIG = """
server: {{data: {place}}}
reuse: {{mode: exact, keep: all}}
backends:
  desk:
    kind: knowledge
    stores: [handbook]
    home: {place}/knowledge
    keys: {place}/keys.json
    encoders: {place}/encoders
  g: {{kind: generator}}
plans: {{ask-desk: {{ask: desk}}, other: {{ask: g}}}}
keys: {{teams: {{law: {{}}, sales: {{}}}}}}
knowledge: {{handbook: {{owner: alice}}}}
"""
_QUESTION, _WORD = "What is the price of the metal?", "zirconium"
_TEXT = f"The price of the metal in question is kept secret: {_WORD}."


class Caller:
    """A key at a service."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self._token = url, token

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def run(rounds: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        tokens = _made(Path(place))
        services = [_started(place, name) for name in ("r1", "r2")]
        try:
            first, second = (url for _, url in services)
            return _measured(
                Caller(first, tokens["alice"]), Caller(second, tokens["bob"]), rounds, seed
            )
        finally:
            for process, _ in services:
                process.kill()
                process.wait()


def _measured(owner: Caller, reader: Caller, rounds: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    seen: list[tuple[float, float]] = []  # when the requests whose answers held words began, ended
    counts = {"asked": 0}
    over = threading.Event()
    number = _give(owner)
    kept = json.loads(reader.send("POST", "/v1/responses", _turn())[1])["id"]
    _take_away(owner, number)
    ways: dict[str, Callable[[], tuple[int, str]]] = {
        "question": lambda: reader.send("POST", "/v1/chat/completions", _chat("ask-desk")),
        "auto": lambda: reader.send("POST", "/v1/chat/completions", _chat("auto")),
        "kept response": lambda: reader.send("GET", f"/v1/responses/{kept}"),
        "next turn": lambda: reader.send("POST", "/v1/responses", _turn(previous_response_id=kept)),
    }
    words = dict.fromkeys(ways, 0)

    def ask(name: str, way: Callable[[], tuple[int, str]]) -> None:
        while not over.is_set():
            begun = time.monotonic()
            _, text = way()
            counts["asked"] += 1
            if _WORD in text:
                words[name] += 1
                seen.append((begun, time.monotonic()))

    askers = [threading.Thread(target=ask, args=item) for item in ways.items()]
    for asker in askers:
        asker.start()
    late, last_words, after_grant = 0, [], []
    for _ in range(rounds):
        before, granted = len(seen), time.monotonic()
        number = _give(owner)
        earlier = dict(words)
        while not all(words[name] > earlier[name] for name in ways):  # words of this grant
            time.sleep(0.005)
        after_grant.append(seen[before][1] - granted)
        time.sleep(chance.uniform(0, 0.1))
        _take_away(owner, number)
        revoked = time.monotonic()
        time.sleep(1.2)
        late += sum(begun > revoked for begun, _ in seen)
        last_words.append(max((ended - revoked for _, ended in seen), default=0.0))
        seen.clear()
    over.set()
    for asker in askers:
        asker.join()
    return {
        "rounds": rounds,
        "load": round(os.getloadavg()[0], 1),
        "questions_to_the_second_router": counts["asked"],
        "answers_with_words_while_granted": words,
        "words_in_answers_begun_after_the_revocation": late,
        "last_words_after_the_revocation_most_seconds": round(max(*last_words, 0.0), 3),
        "first_words_after_a_grant_most_seconds": round(max(after_grant), 3),
    }


def _give(owner: Caller) -> int:
    status, text = owner.send("POST", "/v1/knowledge/handbook/grants", {"who": "key:bob"})
    if status != 200:
        raise ValueError(f"the grant was answered {status}: {text[:200]}")
    return int(json.loads(text)["number"])


def _take_away(owner: Caller, number: int) -> None:
    status, text = owner.send("DELETE", f"/v1/knowledge/handbook/grants/{number}")
    if status != 200:
        raise ValueError(f"the revocation was answered {status}: {text[:200]}")


def _chat(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": _QUESTION}]}


def _turn(**more: Any) -> dict[str, Any]:
    return {"model": "ask-desk", "input": _QUESTION, **more}


def _made(place: Path) -> dict[str, str]:
    """Fill the data folder; the tokens of the keys."""
    made = {
        name: new_key(name, "2026-01-01", team=team)
        for name, team in (("alice", "law"), ("bob", "sales"))
    }
    save_keys(place / "keys.json", [key for _, key in made.values()])
    (place / "waggle.yaml").write_text(_CONFIG.format(place=place))
    prepared(packaged_model(), place / "encoders")
    encoder = encoder_of(None, str(place / "encoders"))
    shelf = StoreShelf(place / "knowledge")
    store = shelf.kept("handbook")
    document = NewDocument("prices.md", "Prices", "prices.md", [Section("prices", _TEXT)], {})
    store.put(document, by="experiment")
    vectors = StoreVectors(store)
    vectors.use(encoder)
    while vectors.fill(encoder):
        pass
    shelf.close()
    return {name: token for name, (token, _) in made.items()}


def _started(place: str, name: str) -> tuple["subprocess.Popen[bytes]", str]:
    process = subprocess.Popen([sys.executable, "-c", _SERVE, place, name], stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, process.stdout.readline().decode().strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    figures = run(args.rounds, args.seed)
    text = json.dumps(figures, indent=1) + "\n"
    sys.stdout.write(text)
    if args.out is not None:
        args.out.write_text(text)
    return int(figures["words_in_answers_begun_after_the_revocation"] > 0)


if __name__ == "__main__":
    sys.exit(main())
