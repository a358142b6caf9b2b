"""What the claims of a store add to a decision, by how large the store is.

    python -m experiments.knowledge.claims [--passages 200 1000] [--out FILE]

The words and the vectors of the store are drawn, as in `million`. Half of the requests share no
telling word with the store; the other half ask about it.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from experiments.knowledge.million import DrawnVectors, fill, words
from router.api.parse import parse_chat
from router.config.config import Config
from router.config.knowledge import StoreSettings
from router.demo.in_process import Clock, in_process_service
from router.domain import Request
from router.encoding.home import encoder_of
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.declaring import declare

if TYPE_CHECKING:
    from router.engine.engine import Engine

_BEGINNING = 1_700_000_000.0
_OTHER = (
    "Write a short poem about the sea.",
    "Translate good morning into French.",
    "Fix this function, please: it returns nothing.",
    "Sum up what we said in two lines.",
    "Which books should I read this summer?",
)
_ROUNDS = 40


class NamedVectors(DrawnVectors):
    """Drawn vectors under the name of a real encoder."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def configuration(place: str, encoders: Path | None, *, knowledge: bool) -> Config:
    backends: dict[str, Any] = {
        name: {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": name}
        for name in ("a", "b")
    }
    plans = {name: {"ask": name} for name in backends}
    more: dict[str, Any] = {}
    if knowledge:
        own = {"home": f"{place}/knowledge", "keys": f"{place}/keys.json"}
        own |= {"encoders": str(encoders)} if encoders else {}
        backends["desk"] = {"kind": "knowledge", "stores": ["drawn"], **own}
        plans["desk"] = {"ask": "desk"}
        more = {"knowledge": {"drawn": {"visible": "public"}}}
    return Config.model_validate(
        {"server": {"data": place}, "backends": backends, "plans": plans, **more}
    )


def requests(texts: Sequence[str]) -> list[Request]:
    bodies = ({"model": "auto", "messages": [{"role": "user", "content": t}]} for t in texts)
    return [
        parse_chat(orjson.dumps(body), {}, request_id=f"r{n}", key_id="")
        for n, body in enumerate(bodies)
    ]


def decided(engine: "Engine", sample: Sequence[Request]) -> float:
    """Milliseconds of a decision, the median."""
    times = []
    for request in sample:
        began = time.perf_counter()
        engine.decide(request, backend="", allowed=())
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


async def measured(passages: int, encoders: Path | None) -> dict[str, Any]:
    chance = np.random.default_rng(3)
    kinds = {
        "other": requests([*_OTHER] * (_ROUNDS // len(_OTHER))),
        "about_the_store": requests([f"{' '.join(words(chance, 8))}?" for _ in range(_ROUNDS)]),
    }
    result: dict[str, Any] = {"passages": passages}
    with tempfile.TemporaryDirectory() as place:
        shelf = StoreShelf(Path(place, "knowledge"))
        if passages:
            name = encoder_of(None, str(encoders) if encoders else None).name
            declare(shelf.rights, {"drawn": StoreSettings(visible="public")}, lambda _: "")
            fill(shelf.kept("drawn"), passages, NamedVectors(name))
        shelf.close()
        config = configuration(place, encoders, knowledge=passages > 0)
        async with in_process_service(config, clock=Clock(_BEGINNING), seed=1) as service:
            await asyncio.to_thread(service.engine.claims.warm, config)
            for kind, sample in kinds.items():
                decided(service.engine, sample[:5])
                result[kind] = round(decided(service.engine, sample), 3)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, nargs="+", default=[200, 1_000])
    parser.add_argument("--encoders", type=Path, help="where encoders were exported")
    parser.add_argument("--out", type=Path, help="a file for the figures")
    given = parser.parse_args()
    rows = [asyncio.run(measured(count, given.encoders)) for count in (0, *given.passages)]
    for row in rows:
        row["times"] = {
            kind: round(row[kind] / rows[0][kind], 2) for kind in ("other", "about_the_store")
        }
    text = json.dumps({"milliseconds_of_a_decision": rows}, indent=1)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
