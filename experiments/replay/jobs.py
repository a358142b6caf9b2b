"""The runs behind the tables: which players meet which streams, and their figures.

Runs on the same stream follow one another, so a process reads a stream once.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.progress import Progress
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from experiments.replay import players, rivals
from experiments.replay.budgets import SHARES, paced
from experiments.replay.conditions import CASES, EARLIER, under
from experiments.replay.full_information import extra_trees, means_of_kinds, nearest_neighbours
from experiments.replay.measuring import measured
from experiments.replay.outcomes import Outcomes
from experiments.replay.playing import COST, Conditions, Player, play
from experiments.replay.saving import WEIGHTS, traded
from experiments.replay.service import Setup, Waggle
from experiments.replay.sets import Half, load
from experiments.replay.streams import Stream, stream_of
from experiments.replay.timing import timings

PLAYERS: dict[str, Callable[[Stream], Player]] = {
    "waggle": lambda stream: Waggle(stream, Setup()),
    "waggle, unguarded": lambda stream: Waggle(stream, Setup(guarded=False)),
    "waggle, the best model as default": lambda stream: Waggle(
        stream, Setup(default=stream.outcomes.best(COST))
    ),
    "best single model": players.best_single,
    "best of each kind, in hindsight": players.best_of_each_kind,
    "Thompson without context": players.ThompsonWithoutContext,
    "rule ladder": players.rule_ladder,
    "random": players.random_choice,
    "River LinUCB": rivals.RiverLinUCB,
    "Vowpal Wabbit squarecb": rivals.VowpalWabbit,
    "MABWiser LinTS": rivals.MabWiserLinTS,
    "ParetoBandit": rivals.ParetoBandit,
    "ParetoBandit, its own features": lambda s: rivals.ParetoBandit(s, own_features=True),
}
FULL_INFORMATION = {
    "extra trees, full information": extra_trees,
    "means of kinds, full information": means_of_kinds,
    "nearest neighbours, full information": nearest_neighbours,
}
TABLES = ("main", "conditions", "saved", "budget", "timings")
TUNED = "llmrouter"  # the set for conditions and budgets, unless other sets are given


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one player on one stream."""

    table: str
    data_set: str
    tagged: bool
    name: str
    seed: int

    @property
    def stream(self) -> str:
        return f"{Path(self.data_set).stem}{', tags' if self.tagged else ''}"


@dataclass(frozen=True, slots=True)
class Places:
    """Where data and caches are, and which part of each set is played."""

    data: Path
    cache: Path
    half: Half
    most: int

    def outcomes(self, name: str) -> Outcomes:
        return load(name, self.data, self.cache, self.half, self.most)

    def stream(self, job: Job) -> Stream:
        global _latest
        beforehand = CASES[job.name].beforehand if job.table == "conditions" else ""
        early, warm = EARLIER if beforehand else 0, beforehand == "warm"
        key = job.data_set, job.seed, job.tagged, early, warm
        if _latest is None or _latest[0] != key:
            outcomes = self.outcomes(job.data_set)
            _latest = (
                key,
                stream_of(
                    outcomes,
                    job.seed,
                    tagged=job.tagged,
                    cache=self.cache,
                    early=early,
                    warm=warm,
                ),
            )
        return _latest[1]


_latest: tuple[tuple[Any, ...], Stream] | None = None  # one stream serves many jobs


def work(job: Job, places: Places) -> dict[str, Any]:
    stream = places.stream(job)
    match job.table:
        case "conditions":
            return under(CASES[job.name], stream, Setup())
        case "saved":
            return traded(stream, float(job.name))
        case "budget":
            return paced(stream, float(job.name))
        case "timings":
            return timings(stream)
    if job.name in FULL_INFORMATION:
        return FULL_INFORMATION[job.name](stream)
    player = PLAYERS[job.name](stream)
    played = play(stream, player, Conditions())
    if isinstance(player, Waggle):
        player.close()
    return measured(stream.outcomes, played)


def jobs_of(
    table: str, sets: Sequence[str], names: Sequence[str], seeds: int, places: Places
) -> list[Job]:
    listed = []
    for data_set in sets:
        kinds = set(places.outcomes(data_set).tasks)
        for seed in range(seeds):
            for tagged in (True, False) if len(kinds) > 1 else (False,):
                listed += [Job(table, data_set, tagged, name, seed) for name in names]
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
            for result in pool.imap(_work, arguments, chunksize=len(PLAYERS)):
                results.append(result)
                progress.advance(bar)
    return results


def _work(arguments: tuple[Job, Places]) -> tuple[Job, dict[str, Any]]:
    begun = time.perf_counter()
    with threadpool_limits(1):  # the threads of two processes would wait for each other
        figures = work(*arguments)
    return arguments[0], figures | {"seconds": time.perf_counter() - begun}


def todo(
    table: str, sets: Sequence[str], called: Sequence[str], seeds: int, places: Places
) -> list[Job]:
    """The runs of a table. Conditions and budgets are measured on one set. Of players and of
    conditions, those are run whose names begin as `called`, if any do."""
    tuned = [TUNED] if TUNED in sets else sets[:1]
    match table:
        case "main":
            every = [*PLAYERS, *FULL_INFORMATION]
            return jobs_of(table, sets, _called(every, called), seeds, places)
        case "conditions":
            by_start = sorted(CASES, key=lambda name: CASES[name].beforehand)
            return jobs_of(table, tuned, _called(by_start, called), seeds, places)
        case "saved":
            priced = [name for name in sets if places.outcomes(name).dearness.any()]
            names = [f"{weight:g}" for weight in WEIGHTS]
            return _tagged(jobs_of(table, priced, names, seeds, places))
        case "budget":
            return _tagged(jobs_of(table, tuned, [f"{s:g}" for s in SHARES], seeds, places))
        case "timings":
            return jobs_of(table, sets, ["timings"], 1, places)
    raise SystemExit(f"there is no table {table!r}; the tables are {', '.join(TABLES)}")


def _called(names: Sequence[str], called: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith(tuple(called))] or list(names)


def _tagged(listed: Sequence[Job]) -> list[Job]:
    tagged = {job.data_set for job in listed if job.tagged}
    return [job for job in listed if job.tagged or job.data_set not in tagged]
