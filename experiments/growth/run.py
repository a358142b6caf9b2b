"""Measures growth on worlds written by somebody who had not seen it. `make bench-growth`

python -m experiments.growth.run --only planted,stationary --seeds 0,1
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.progress import track

from experiments.growth import figures
from experiments.growth.committee import measured
from experiments.growth.harness import WRITER, Play, playing
from experiments.growth.patterns import of_patterns
from experiments.growth.report import readme_table
from experiments.growth.splits import of_splits
from experiments.growth.stages import of_stages, of_whole_stages
from experiments.growth.worlds import changing, doubles, planted, stationary
from experiments.readme import put

HERE = Path(__file__).parent
UNSEEN_FROM = 1000
Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(WORLDS), help="worlds, with commas between")
    parser.add_argument("--seeds", default="", help="seeds, with commas; default: all seen ones")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    path = HERE / "result.json"
    result: Result = json.loads(path.read_text()) if path.exists() else {}
    result["machine"] = f"{os.cpu_count()} cores, {platform.machine()}"
    for name in options.only.split(","):
        work, seen = WORLDS[name]
        seeds = [int(seed) for seed in options.seeds.split(",")] if options.seeds else list(seen)
        for seed, row in _many(work, seeds, options.jobs, name):
            _keep(result, name, seed, row)
            path.write_text(json.dumps(result, indent=2) + "\n")  # what was measured stays
    put("growth", readme_table(result))
    print(readme_table(result))


def _keep(result: Result, name: str, seed: int, row: Result) -> None:
    """Put a seed's figures in the place of earlier ones."""
    half = "unseen" if seed >= UNSEEN_FROM else "seen"
    kept = result.setdefault(name, {}).get(half, {"seeds": [], "runs": []})
    rows = {**dict(zip(kept["seeds"], kept["runs"], strict=True)), seed: row}
    result[name][half] = {"seeds": sorted(rows), "runs": [rows[each] for each in sorted(rows)]}


def _many(
    work: Callable[[int], Result], seeds: Sequence[int], jobs: int, title: str
) -> Iterator[tuple[int, Result]]:
    """Each seed with its figures, as soon as they are there."""
    with get_context("spawn").Pool(min(jobs, len(seeds))) as pool:
        yield from track(zip(seeds, pool.imap(work, seeds), strict=True), title, total=len(seeds))


def of_planted(
    seed: int, *, author: bool = False, meant: bool = False, serve: str = "all"
) -> Result:
    world = planted.World(seed)
    models = [*planted.MODELS, *([WRITER] if author else [])]
    changes: Result = {"growth": {"serve": serve, **({"author": WRITER} if author else {})}}
    if meant:
        changes["objective"] = {"learning": {"encode": True}}

    async def play(each: Play) -> Result:
        own = await each.windows(world.stream)
        return {
            "seed": seed,
            "requests": len(each.played),
            **figures.planted(world, each.played, planted.PLANTED),
            "efficiency": figures.curve(world, each.played, planted.SHARES),
            "own_efficiency": own,
            "own_course": await each.course(world.stream),
            "seconds": round(each.seconds),
        }

    return _played(world, models, seed, play, changes)


def of_authored(seed: int) -> Result:
    """The planted world, with a model that writes instructions: half of them are right."""
    return of_planted(seed, author=True)


def of_meant(seed: int) -> Result:
    """The planted world, with vectors of sentences, as `reuse: {mode: similar}` has them too."""
    return of_planted(seed, meant=True)


def of_chosen(seed: int) -> Result:
    """The same, if the bandit may choose among an adopted plan and others."""
    return of_planted(seed, meant=True, serve="bandit")


def of_changing(seed: int) -> Result:
    world = changing.World(seed)

    async def play(each: Play) -> Result:
        own = await each.windows(world.stream)
        return {
            "seed": seed,
            "requests": len(each.played),
            "own_efficiency": own,
            "change_at": world.change_at,
            "falls_at_best": round(world.fall(), 1),
            "efficiency": figures.curve(world, each.played, planted.SHARES),
            "seconds": round(each.seconds),
        }

    return _played(world, list(planted.MODELS), seed, play)


def of_stationary(seed: int) -> Result:
    world = stationary.World(seed)

    async def play(each: Play) -> Result:
        await each.requests(world.stream)
        served = figures.grown(each.played, list(world.models))
        return {
            "seed": seed,
            "variant": world.variant,
            "requests": len(each.played),
            "grown": served,
            "bad": world.bad(served),
            "seconds": round(each.seconds),
        }

    return _played(world, list(world.models), seed, play)


def of_doubles(seed: int) -> Result:
    world = doubles.Plans(seed)

    def answer(request: Any, model: str, *, attempt: int = 0, **_: Any) -> Any:
        return world.answer(model, request, attempt)

    async def play(each: Play) -> Result:
        await each.requests(world.stream)
        book = each.waggle.publisher.director.book
        return {
            "seed": seed,
            "requests": len(each.played),
            "serving": book.serving.key,
            **figures.doubles(world, book.serving.without, {}),
            **figures.named_doubles(world, await each.issues(world.stream)),
            "seconds": round(each.seconds),
        }

    return _played(world, list(world.plans), seed, play, answer=answer)


def of_committee(half: int) -> Result:
    """The questions of one half; the "seed" says which, as for worlds."""
    name = "unseen" if half >= UNSEEN_FROM else "seen"
    return {
        "exact": asyncio.run(measured(name)),
        "loose": asyncio.run(measured(name, loose=True)),
    }


def _played(
    world: Any,
    models: Sequence[str],
    seed: int,
    play: Callable[[Play], Any],
    changes: Result | None = None,
    answer: Callable[..., Any] | None = None,
) -> Result:
    async def run() -> Result:
        with tempfile.TemporaryDirectory() as folder:
            async with playing(
                world, models, folder, seed=seed, changes=changes, answer=answer
            ) as each:
                row: Result = await play(each)
                return row

    return asyncio.run(run())


WORLDS: dict[str, tuple[Callable[[int], Result], Sequence[int]]] = {
    "patterns": (of_patterns, planted.SEEN_SEEDS[:2]),
    "splits": (of_splits, (0, 1)),
    "stages": (of_stages, doubles.SEEN_SEEDS[:1]),
    "whole_stages": (of_whole_stages, doubles.SEEN_SEEDS[:1]),
    "committee": (of_committee, (0,)),
    "planted": (of_planted, planted.SEEN_SEEDS),
    "meant": (of_meant, planted.SEEN_SEEDS[:1]),
    "chosen": (of_chosen, planted.SEEN_SEEDS[:1]),
    "authored": (of_authored, planted.SEEN_SEEDS[:2]),
    "doubles": (of_doubles, doubles.SEEN_SEEDS),
    "changing": (of_changing, changing.SEEN_SEEDS),
    "stationary": (of_stationary, stationary.SEEN_SEEDS),
}


if __name__ == "__main__":
    main()
