"""Measures how well Waggle learns, beside its controls and other learners. `make bench-replay`

python -m experiments.replay.run [--sets NAME|FILE,...] [--half dev] [--seeds 8] [--quick]
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.progress import Progress
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from experiments.replay import players, rivals
from experiments.replay.full_information import extra_trees, means_of_kinds
from experiments.replay.measuring import measured
from experiments.replay.outcomes import Outcomes
from experiments.replay.playing import Conditions, Player, play
from experiments.replay.report import harm_table, summed
from experiments.replay.service import Setup, Waggle
from experiments.replay.sets import DEV_SETS, load
from experiments.replay.streams import Stream, stream_of

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PLAYERS: dict[str, Callable[[Stream], Player]] = {
    "waggle": lambda stream: Waggle(stream, Setup()),
    "waggle, unguarded": lambda stream: Waggle(stream, Setup(guarded=False)),
    "best single model": players.best_single,
    "best of each kind, in hindsight": players.best_of_each_kind,
    "Thompson without context": players.ThompsonWithoutContext,
    "rule ladder": players.rule_ladder,
    "random": players.random_choice,
    "River LinUCB": rivals.RiverLinUCB,
    "Vowpal Wabbit squarecb": rivals.VowpalWabbit,
    "MABWiser LinTS": rivals.MabWiserLinTS,
}
FULL_INFORMATION = {
    "extra trees, full information": extra_trees,
    "means of kinds, full information": means_of_kinds,
}
_QUICK_SEEDS, _QUICK_PROMPTS = 2, 1_500


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one player on one stream."""

    table: str
    data_set: str
    tagged: bool
    name: str
    seed: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where data and caches are, and which part of each set is played."""

    data: Path
    cache: Path
    half: Any
    most: int

    def outcomes(self, name: str) -> Outcomes:
        return load(name, self.data, self.cache, self.half, self.most)

    def stream(self, job: Job) -> Stream:
        global _latest
        key = job.data_set, job.seed, job.tagged
        if _latest is None or _latest[0] != key:
            outcomes = self.outcomes(job.data_set)
            stream = stream_of(outcomes, job.seed, tagged=job.tagged, cache=self.cache)
            _latest = key, stream
        return _latest[1]


_latest: tuple[tuple[str, int, bool], Stream] | None = None  # one stream serves many jobs


def work(job: Job, places: Places) -> dict[str, Any]:
    stream = places.stream(job)
    if job.name in FULL_INFORMATION:
        return FULL_INFORMATION[job.name](stream)
    player = PLAYERS[job.name](stream)
    played = play(stream, player, Conditions())
    if isinstance(player, Waggle):
        player.close()
    return measured(stream.outcomes, played)


def jobs(sets: Sequence[str], names: Sequence[str], seeds: int, places: Places) -> list[Job]:
    listed = []
    for data_set in sets:
        kinds = set(places.outcomes(data_set).tasks)
        for seed in range(seeds):
            for tagged in (True, False) if len(kinds) > 1 else (False,):
                listed += [Job("main", data_set, tagged, name, seed) for name in names]
    return listed


def run_all(todo: Sequence[Job], places: Places, processes: int) -> list[tuple[Job, Any]]:
    arguments = [(job, places) for job in todo]
    results = []
    with Progress() as progress:
        bar = progress.add_task("Replaying", total=len(todo))
        if processes == 1:
            for argument in arguments:
                results.append(_work(argument))
                progress.advance(bar)
            return results
        with get_context("fork").Pool(processes) as pool:
            for result in pool.imap_unordered(_work, arguments, chunksize=len(PLAYERS)):
                results.append(result)
                progress.advance(bar)
    return results


def _work(arguments: tuple[Job, Places]) -> tuple[Job, dict[str, Any]]:
    begun = time.perf_counter()
    with threadpool_limits(1):  # the threads of two processes would wait for each other
        figures = work(*arguments)
    return arguments[0], figures | {"seconds": time.perf_counter() - begun}


def main() -> None:
    options = _options()
    seeds = _QUICK_SEEDS if options.quick and not options.seeds else options.seeds or 8
    most = options.most or (_QUICK_PROMPTS if options.quick else 0)
    places = Places(options.data, options.cache, options.half, most)
    sets = options.sets.split(",")
    every = [*PLAYERS, *FULL_INFORMATION]
    names = [name for name in every if name.startswith(tuple(options.players.split(",")))]
    todo = jobs(sets, names, seeds, places)
    results = run_all(todo, places, options.jobs)
    result = {
        "half": options.half,
        "seeds": seeds,
        "sets": {name: _described(places.outcomes(name)) for name in sets},
        "main": summed(results),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(harm_table(result))


def _described(outcomes: Outcomes) -> dict[str, Any]:
    return {
        "prompts": len(outcomes.prompts),
        "models": len(outcomes.arms),
        "notes": list(outcomes.notes),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("WAGGLE_DATA", str(ROOT.parent / "shared" / "data"))
    cache = os.environ.get("WAGGLE_REPLAY_CACHE", str(ROOT / "var" / "replay"))
    add = parser.add_argument
    add("--data", type=Path, default=Path(data), help="folder of data sets")
    add("--cache", type=Path, default=Path(cache), help="folder for vectors and features")
    add("--sets", default=",".join(DEV_SETS), help="names of sets, or paths of tables")
    add("--half", choices=("dev", "held", "all"), default="dev", help="the part of each set")
    add("--seeds", type=int, default=0, help="shuffled streams of each set; default: 8")
    add("--most", type=int, default=0, help="the most prompts of a set")
    add("--players", default="", help="the beginnings of players' names, with commas")
    add("--quick", action="store_true", help="2 seeds, and at most 1,500 prompts of a set")
    add("--jobs", type=int, default=1, help="processes")
    add("--out", type=Path, default=ROOT / "var" / "replay" / "result.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
