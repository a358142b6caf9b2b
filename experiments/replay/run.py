"""Measures how well the learner learns, beside its controls and other learners. `make bench-replay`

python -m experiments.replay.run --data DIR [--only main,costs,...] [--seeds 8]
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.progress import Progress

from experiments.readme import put
from experiments.replay.measuring import bounds, measured, open_bandit, paced, timings, traded
from experiments.replay.outcomes import BFCL_POOL, Outcomes, contexts
from experiments.replay.players import (
    Climbs,
    MabWiserLinTS,
    NoContext,
    Ours,
    Player,
    RiverLinUCB,
    UniformPlayer,
    VowpalWabbit,
)
from experiments.replay.playing import COST, Conditions, loaded, play, stream
from experiments.replay.report import plots, readme_table, savings_table, tables
from learner.deciding import BanditSettings
from learner.explore import epsilon, inverse_gap, upper_bound
from learner.policy import Context

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PLAYERS = (
    *("waggle", "waggle, guarded", "waggle, inverse gap", "waggle, epsilon"),
    "waggle, LinUCB softened",
    *("Thompson without context", "rule ladder", "random", "River LinUCBDisjoint"),
    *("Vowpal Wabbit squarecb", "Vowpal Wabbit regcb", "MABWiser LinTS"),
)
RULES = {
    "inverse gap": inverse_gap(60.0),
    "epsilon": epsilon(0.05),
    "LinUCB softened": upper_bound(0.5),
}


def _player(name: str, outcomes: Outcomes, seen: Sequence[Context], seed: int) -> Player:
    own, _, rule = name.partition(", ")
    if rule == "guarded":  # The operator chose the best single model.
        return Ours(outcomes, BanditSettings(safe_share=0.1), default=outcomes.best(COST))
    if own == "waggle":
        return Ours(outcomes, rule=RULES[rule]) if rule else Ours(outcomes)
    if own == "Vowpal Wabbit squarecb" or own == "Vowpal Wabbit regcb":
        return VowpalWabbit(outcomes, own.rpartition(" ")[2], seed)
    match own:
        case "Thompson without context":
            return NoContext(outcomes)
        case "rule ladder":
            return Climbs(outcomes, seen)
        case "random":
            return UniformPlayer(outcomes)
        case "River LinUCBDisjoint":
            return RiverLinUCB(outcomes, seed)
        case "MABWiser LinTS":
            return MabWiserLinTS(outcomes, seen, seed)
    raise ValueError(f"no player is called {name!r}; the players are {', '.join(PLAYERS)}")


CONDITIONS = {
    "all judged": Conditions(),
    "30% judged": Conditions(share=0.3),
    "10% judged": Conditions(share=0.1),
    "3% judged": Conditions(share=0.03),
    "judged 200 later": Conditions(delay=200),
    "judged 1000 later": Conditions(delay=1000),
    "best model fails by half": Conditions(drift=True),
    "best model comes late": Conditions(joins=True),
    "dearest model gets cheap": Conditions(price_cut=True),
    "policies 200 answers old": Conditions(),
    "warm start of 400 prompts": Conditions(warm=400),
}
SWEEP = (0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 0.5)
TRADES = (("llmrouter", True), ("bfcl_july", False), ("routellm_mmlu", False))
_LARGE_SEEDS = 3  # seeds for routellm_mmlu, which has 14,000 prompts
BUDGETS = (0.3, 0.5, 0.7)  # shares of the way from the cheapest model's cost to the strongest's


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one player, for a cell of a table."""

    table: str
    data_set: str
    tagged: bool
    name: str
    seed: int
    weight: float = COST


def work(job: Job, data: Path, cache: Path) -> dict[str, Any]:
    outcomes = loaded(job.data_set, data, cache)
    order, seen = stream(outcomes, job.seed, tagged=job.tagged)
    match job.table:
        case "main":
            player = _player(job.name, outcomes, seen, job.seed)
            played = play(outcomes, player, order, seen, job.seed, Conditions())
            return measured(outcomes, played, order)
        case "worlds":
            return _under_conditions(job, outcomes, order, seen)
        case "costs":
            player = Ours(outcomes, cost_weight=job.weight, every=25)
            played = play(outcomes, player, order, seen, job.seed, Conditions(), job.weight)
            return traded(outcomes, played, order, job.weight)
    return paced(outcomes, order, seen, job.weight, job.seed)


def _under_conditions(
    job: Job, outcomes: Outcomes, order: list[int], seen: list[Context]
) -> dict[str, Any]:
    conditions = CONDITIONS[job.name]
    best = outcomes.best(COST)
    arms = [n for n in range(len(outcomes.arms)) if n != best] if conditions.joins else []
    player = Ours(outcomes, every=200 if "old" in job.name else 20, arms=arms)
    if conditions.warm:  # `waggle warm` fits its lens before it reads the prompts.
        seen = contexts(outcomes, order, tagged=job.tagged, early=True)
        player.teach(order[: conditions.warm], seen)
        order = order[conditions.warm :]
    played = play(outcomes, player, order, seen, job.seed, conditions)
    half = len(order) // 2
    best_after = played.worth[half:].mean(axis=0).max()
    after = float(played.utility[half:].mean() - best_after)
    return measured(outcomes, played, order) | {"after": after, "drifts": played.drifts}


def jobs(only: Sequence[str], seeds: int) -> list[Job]:
    listed: list[Job] = []
    streams = (
        ("llmrouter", True),
        ("llmrouter", False),
        ("bfcl_july", False),
        ("near_equal", False),
    )
    for seed in range(seeds):
        if "main" in only:
            listed += [Job("main", d, t, name, seed) for d, t in streams for name in PLAYERS]
        if "worlds" in only:
            listed += [Job("worlds", "llmrouter", True, name, seed) for name in CONDITIONS]
        if "costs" in only:
            for name, tagged in TRADES:
                if name != "routellm_mmlu" or seed < _LARGE_SEEDS:
                    listed += [Job("costs", name, tagged, f"{w:g}", seed, w) for w in SWEEP]
        if "budget" in only:
            listed += [Job("budget", "llmrouter", True, f"{b:g}", seed, b) for b in BUDGETS]
    return sorted(listed, key=lambda job: (job.data_set, job.seed, job.tagged))


def _work(arguments: tuple[Job, Path, Path]) -> tuple[Job, dict[str, Any]]:
    return arguments[0], work(*arguments)


def main() -> None:
    options = _options()
    only = options.only.split(",")
    path = HERE / "result.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    todo = [
        job
        for job in jobs(only, options.seeds)
        if job.table != "main" or job.name.startswith(options.players)
    ]
    for name, streams in tables(_run_all(todo, options.data, options.cache)).items():
        for stream_name, rows in streams.items():
            result.setdefault(name, {}).setdefault(stream_name, {}).update(rows)
    if "main" in only and not options.players:
        result["bounds"] = {
            f"{name}{', tagged' if tagged else ''}": bounds(
                loaded(name, options.data, options.cache), min(options.seeds, 4), tagged=tagged
            )
            for name, tagged in (("llmrouter", True), ("llmrouter", False), ("bfcl_july", False))
        }
    if "open_bandit" in only:
        result["open_bandit"] = open_bandit(options.data)
    if "timings" in only:
        result["timings"] = timings(loaded("llmrouter", options.data, options.cache))
    result["seeds"] = options.seeds
    result["bfcl_pool"] = list(BFCL_POOL)
    path.write_text(json.dumps(result, indent=1) + "\n")
    plots(result, options.plots)
    put("replay", readme_table(result))
    put("savings", savings_table(result), "replay")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("WAGGLE_DATA", str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(default), help="folder of data sets")
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "replay", help="for vectors")
    parser.add_argument("--seeds", type=int, default=8, help="number of shuffled streams")
    parser.add_argument("--players", default="", help="the beginning of players' names")
    parser.add_argument("--only", default="main,worlds,costs,budget,open_bandit,timings")
    parser.add_argument("--plots", type=Path, default=ROOT / "var" / "replay")
    return parser.parse_args()


def _run_all(todo: list[Job], data: Path, cache: Path) -> list[tuple[Job, dict[str, Any]]]:
    """Run the jobs in two processes, and return their results."""
    for name in sorted({job.data_set for job in todo}):
        loaded(name, data, cache)  # The two processes will share this data.
    results = []
    with Progress() as progress, get_context("fork").Pool(2) as pool:
        bar = progress.add_task("Replaying", total=len(todo))
        arguments = [(job, data, cache) for job in todo]
        for result in pool.imap_unordered(_work, arguments, chunksize=4):
            results.append(result)
            progress.advance(bar)
    return results


if __name__ == "__main__":
    main()
