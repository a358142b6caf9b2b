"""Measures whether facts come back over backends that change every turn, and whether any crosses.

    python -m experiments.memory.run [--dialogues N] [--out FILE]

Two routers share one data folder; three scripted backends of two dialects answer in turn, one of
them with a window of 1,500 tokens. Two controls could say no: with `truncation: auto` facts must be
lost, and the attempts of strangers must bring words when the owner's own key makes them.
"""

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments import readme
from experiments.memory.dialogues import Dialogue, Script, Tally, mixed, script, strangers
from experiments.memory.report import readme_table
from router.keys import new_key
from tests.conversations.recalling import RecallingModel
from tests.conversations.remembering import remembering
from tests.rig import Rig

HERE = Path(__file__).parent
_KEYS, _AT_ONCE, _ASKS = 20, 8, 4
_WINDOW = 1_500
_REUSE = {"mode": "exact", "keep": "all"}  # memory of answers must not cross keys either


def scripts(count: int, seed: int) -> list[Script]:
    chance = random.Random(seed)
    keys = [new_key(f"key{n}", "2026-01-01", shares="everybody") for n in range(_KEYS)]
    return [script(n, keys[n % _KEYS][1], keys[n % _KEYS][0], chance) for n in range(count)]


async def played(count: int, seed: int, truncation: str = "") -> dict[str, Any]:
    tally, own, each = Tally(), Tally(), scripts(count, seed)
    models = {
        "small": RecallingModel(),
        "claude": RecallingModel("anthropic"),
        "long": RecallingModel(),
    }
    settings: dict[str, dict[str, Any]] = {
        "small": {"context_window": _WINDOW},
        "claude": {"context_window": 200_000, "price": {"input": 3.0, "output": 15.0}},
        "long": {"context_window": 100_000},
    }
    keys = list({each.key.id: each.key for each in each}.values())
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            routers = [
                await stack.enter_async_context(
                    remembering(Path(folder), models, settings=settings, keys=keys, reuse=_REUSE)
                )
                for _ in range(2)
            ]
            await _played_all(each, routers, (tally, own), seed, truncation)
    requests = [request for model in models.values() for request in model.requests]
    return {
        "dialogues": count,
        "keys": len(keys),
        **dict(sorted(tally.counts.items())),
        "calls for a summary": sum(model.summaries for model in models.values()),
        "requests at backends": len(requests),
        "requests with words of two dialogues": mixed(requests),
        "the same attempts by the owner": dict(own.counts),
        "by backend": dict(sorted(tally.backends.items())),
        "wrong": tally.wrong[:20],
    }


async def _played_all(
    each: Sequence[Script],
    routers: Sequence[Rig],
    tallies: tuple[Tally, Tally],
    seed: int,
    truncation: str,
) -> None:
    turns, (tally, own) = asyncio.Semaphore(_AT_ONCE), tallies

    async def play(script: Script) -> None:
        async with turns:
            chance = random.Random(f"{seed} {script.number}")
            dialogue = Dialogue(script, routers, tally, chance, truncation)
            await dialogue.begin()
            await dialogue.tell()
            await dialogue.ask(_ASKS)
            stranger = each[(script.number + 1) % len(each)]  # of the next key
            await strangers(dialogue, stranger, routers, tally, chance)
            himself = replace(stranger, key=script.key, secret=script.secret)
            await strangers(dialogue, himself, routers, own, chance)

    await asyncio.gather(*(play(script) for script in each))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dialogues", type=int, default=200)
    parser.add_argument("--out", type=Path, default=HERE / "result.json")
    arguments = parser.parse_args()
    result = {
        "remembered": asyncio.run(played(arguments.dialogues, seed=23)),
        "dropped": asyncio.run(played(arguments.dialogues, seed=23, truncation="auto")),
    }
    print(json.dumps(result, indent=1))
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    if arguments.out == HERE / "result.json":
        readme.put("memory", readme_table(result))


if __name__ == "__main__":
    main()
