"""Whether the learner gets better, beside its controls and others' learners. `make bench-replay`

python -m experiments.replay.run --data DIR [--only main,costs,...] [--seeds 8]
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.progress import Progress

from experiments.readme import put
from experiments.replay.outcomes import (
    BFCL_POOL,
    Matrix,
    Outcomes,
    contexts,
    features_seconds,
    load,
)
from experiments.replay.players import (
    Climbs,
    MabWiserLinTS,
    NoContext,
    Ours,
    Player,
    Random,
    RiverLinUCB,
    Vector,
    VowpalWabbit,
)
from experiments.replay.report import plots, readme_table, savings_table, tables
from learner.deciding import BanditSettings
from learner.explore import epsilon, inverse_gap, upper_bound
from learner.offpolicy import normalised, weighted
from learner.pacing import Pacer
from learner.policy import Arm, Context, Feedback

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
COST = 0.1
_READY: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class World:
    """How a stream differs from the plain one."""

    share: float = 1.0  # of answers that anybody judges
    delay: int = 0  # answers until a judgement is known
    drift: bool = False  # halfway, the best single model loses half of its quality
    joins: bool = False  # halfway, the best single model comes; before, it is not there
    price_cut: bool = False  # halfway, the dearest model costs what the cheapest does
    warm: int = 0  # prompts scored on all models beforehand


@dataclass(frozen=True, slots=True)
class Played:
    """Step by step, what the odds were worth; and what every arm would have been."""

    utility: Vector
    quality: Vector
    cost: Vector
    worth: Matrix  # of each arm, step by step
    drifts: int = 0


def play(
    outcomes: Outcomes,
    player: Player,
    order: Sequence[int],
    seen: Sequence[Context],
    seed: int,
    world: World,
    weight: float = COST,
) -> Played:
    chance = np.random.default_rng(1000 + seed)
    quality, dearness = outcomes.quality, outcomes.dearness
    best = int((quality - weight * dearness).mean(axis=0).argmax())
    half = len(order) // 2
    told: list[tuple[float, float, float]] = []
    worth = np.zeros((len(order), quality.shape[1]))
    late: list[tuple[int, int, int, float]] = []
    for step, at in enumerate(order):
        row, dear = quality[at], weight * dearness
        if step >= half and world.drift:
            row = np.where(np.arange(len(row)) == best, 0.5 * row, row)
        if step >= half and world.price_cut:
            dear = np.where(np.arange(len(row)) == int(dearness.argmax()), 0.0, dear)
        if step == half and isinstance(player, Ours):
            if world.joins:
                player.joins(best)
            if world.price_cut:
                player.rates[outcomes.arms[int(dearness.argmax())]] = 0.0
                player._policy = None
        odds = player.odds(at, seen[at])
        worth[step] = row - dear
        told.append((float(odds @ worth[step]), float(odds @ row), float(odds @ outcomes.cost[at])))
        arm = int(min(np.searchsorted(np.cumsum(odds), chance.random()), len(odds) - 1))
        if chance.random() < world.share:
            late.append((step + world.delay, at, arm, float(row[arm])))
        while late and late[0][0] <= step:
            _, then, taken, good = late.pop(0)
            player.learn(then, seen[then], taken, good)
    return Played(*np.array(told).T, worth, getattr(player, "drifts", 0))


def _prepared(name: str, data: Path, cache: Path) -> Outcomes:
    key = f"outcomes {name}"
    if key not in _READY:
        if name == "near_equal":
            whole = _prepared("bfcl_july", data, cache)
            close = np.argsort(-whole.quality.mean(axis=0))[:5]
            told = whole.only(close.tolist(), name)
            # The same price for all: what is left is quality alone, within a few hundredths.
            _READY[key] = replace(told, cost=np.full(told.cost.shape, 0.001))
        else:
            _READY[key] = load(name, data, cache)
    return _READY[key]  # type: ignore[no-any-return]


def _stream(outcomes: Outcomes, seed: int, *, tagged: bool) -> tuple[list[int], list[Context]]:
    key = f"{outcomes.name} {seed} {tagged}"
    if key not in _READY:
        for old in [k for k in _READY if k.startswith(f"{outcomes.name} ")][:-1]:
            del _READY[old]
        order = np.random.default_rng(seed).permutation(len(outcomes.prompts)).tolist()
        _READY[key] = (order, contexts(outcomes, order, tagged=tagged))
    return _READY[key]  # type: ignore[no-any-return]


PLAYERS = (
    *(
        "waggle",
        "waggle, guarded",
        "waggle, inverse gap",
        "waggle, epsilon",
        "waggle, LinUCB softened",
    ),
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
    if rule == "guarded":  # by an operator who picked the best single model
        default = int((outcomes.quality - COST * outcomes.dearness).mean(axis=0).argmax())
        return Ours(outcomes, BanditSettings(safe_share=0.1), default=default)
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
            return Random(outcomes)
        case "River LinUCBDisjoint":
            return RiverLinUCB(outcomes, seed)
        case "MABWiser LinTS":
            return MabWiserLinTS(outcomes, seen, seed)
    raise ValueError(f"no such player: {name}")


WORLDS = {
    "all judged": World(),
    "30% judged": World(share=0.3),
    "10% judged": World(share=0.1),
    "3% judged": World(share=0.03),
    "judged 200 later": World(delay=200),
    "judged 1000 later": World(delay=1000),
    "best model fails by half": World(drift=True),
    "best model comes late": World(joins=True),
    "dearest model gets cheap": World(price_cut=True),
    "policies 200 answers old": World(),
    "warm start of 400 prompts": World(warm=400),
}
SWEEP = (0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 0.5)
TRADES = (("llmrouter", True), ("bfcl_july", False), ("routellm_mmlu", False))
_LARGE_SEEDS = 3  # of a set of 14,000 prompts
BUDGETS = (0.3, 0.5, 0.7)  # of what the strongest model costs


@dataclass(frozen=True, slots=True)
class Job:
    table: str
    data_set: str
    tagged: bool
    name: str
    seed: int
    weight: float = COST


def work(job: Job, data: Path, cache: Path) -> dict[str, Any]:
    outcomes = _prepared(job.data_set, data, cache)
    order, seen = _stream(outcomes, job.seed, tagged=job.tagged)
    if job.table == "main":
        player = _player(job.name, outcomes, seen, job.seed)
        return _measured(outcomes, play(outcomes, player, order, seen, job.seed, World()), order)
    if job.table == "worlds":
        return _in_world(job, outcomes, order, seen)
    if job.table == "costs":
        player = Ours(outcomes, cost_weight=job.weight, every=25)
        told = play(outcomes, player, order, seen, job.seed, World(), job.weight)
        return _traded(outcomes, told, order, job.weight)
    return _paced(job, outcomes, order, seen)


def _in_world(
    job: Job, outcomes: Outcomes, order: list[int], seen: list[Context]
) -> dict[str, Any]:
    world = WORLDS[job.name]
    best = int((outcomes.quality - COST * outcomes.dearness).mean(axis=0).argmax())
    arms = [n for n in range(len(outcomes.arms)) if n != best] if world.joins else []
    every = 200 if "old" in job.name else 20
    player = Ours(outcomes, every=every, arms=arms)
    if world.warm:  # `waggle warm` fits its lens before it reads: all of it is seen through it
        seen = contexts(outcomes, order, tagged=job.tagged, early=True)
        player.teach(order[: world.warm], seen)
        order = order[world.warm :]
    told = play(outcomes, player, order, seen, job.seed, world)
    half = len(order) // 2
    after = told.worth[half:].mean(axis=0)
    return _measured(outcomes, told, order) | {
        "after": float(told.utility[half:].mean() - after.max()),
        "drifts": told.drifts,
    }


def _measured(outcomes: Outcomes, told: Played, order: Sequence[int]) -> dict[str, Any]:
    """Utility over the best single arm of the whole stream, and what controls of equal cost do."""
    fifth = len(order) // 5
    single = int(told.worth.mean(axis=0).argmax())
    over = told.utility - told.worth[:, single]
    last = slice(len(order) - fifth, None)
    return {
        "last_fifth": float(over[last].mean()),
        "all": float(over.mean()),
        "first_200": float(over[:200].mean()),
        "over_mix": float(told.utility[last].mean() - _mix(outcomes, told, order, last)),
        "quality": float(told.quality[last].mean()),
        "usd_per_1k": float(1000 * told.cost[last].mean()),
        "curve": [float(part.mean()) for part in np.array_split(over, 40)],
        "drifts": told.drifts,
    }


def _mix(outcomes: Outcomes, told: Played, order: Sequence[int], last: slice) -> float:
    """What a coin between the cheapest arm and the strongest brings, at exactly our cost."""
    cost, worth = outcomes.cost[list(order)][last].mean(axis=0), told.worth[last].mean(axis=0)
    low, high = int(cost.argmin()), int(outcomes.quality.mean(axis=0).argmax())
    if low == high or cost[high] == cost[low]:
        return float(worth[high])
    share = min(max((told.cost[last].mean() - cost[low]) / (cost[high] - cost[low]), 0.0), 1.0)
    return float((1 - share) * worth[low] + share * worth[high])


def _traded(
    outcomes: Outcomes, told: Played, order: Sequence[int], weight: float
) -> dict[str, Any]:
    fifth = len(order) // 5
    last = slice(len(order) - fifth, None)
    rows = list(order)[last]
    strong = int(outcomes.quality.mean(axis=0).argmax())
    cheap = int(outcomes.cost.mean(axis=0).argmin())
    return {
        "weight": weight,
        "quality": float(told.quality[last].mean()),
        "cost": float(told.cost[last].mean()),
        "strong_quality": float(outcomes.quality[rows, strong].mean()),
        "strong_cost": float(outcomes.cost[rows, strong].mean()),
        "cheap_quality": float(outcomes.quality[rows, cheap].mean()),
        "cheap_cost": float(outcomes.cost[rows, cheap].mean()),
    }


def _paced(job: Job, outcomes: Outcomes, order: list[int], seen: list[Context]) -> dict[str, Any]:
    """Dollars for each thousand requests, paced step by step."""
    strong = int(outcomes.quality.mean(axis=0).argmax())
    mean = outcomes.cost.mean(axis=0)
    budget = float(1000 * (mean.min() + job.weight * (mean[strong] - mean.min())))
    player = Ours(outcomes, every=1, pacer=Pacer(budget, 1000))
    player.rates = {arm: float(c) for arm, c in zip(outcomes.arms, mean, strict=True)}
    chance = np.random.default_rng(1000 + job.seed)
    player.cost_weight = 0.0
    spent, worst, quality = 0.0, -1.0, []
    for step, at in enumerate(order[: len(order) // 1000 * 1000]):
        if step % 10:
            assert player._policy is not None
            player._policy = replace(player._policy, pacer=player.pacer)
            player._told = 0
        odds = player.odds(at, seen[at])
        arm = int(min(np.searchsorted(np.cumsum(odds), chance.random()), len(odds) - 1))
        cost = float(outcomes.cost[at, arm])
        spent += cost
        quality.append(float(outcomes.quality[at, arm]))
        assert player.pacer is not None
        player.pacer = player.pacer.after(cost)
        player.learn(at, seen[at], arm, quality[-1])
        if (step + 1) % 1000 == 0:
            worst = max(worst, spent / (budget * (step + 1) / 1000) - 1)
    used = spent / (budget * (len(quality) / 1000))
    return {
        "share": job.weight,
        "used": used,
        "worst_overshoot": worst,
        "quality": float(np.mean(quality)),
    }


def bounds(outcomes: Outcomes, seeds: int, *, tagged: bool) -> dict[str, float]:
    """What the whole truth would bring: a ridge on every arm's outcome, and the oracle."""
    ridge, oracle = [], []
    for seed in range(seeds):
        order, seen = _stream(outcomes, seed, tagged=tagged)
        names = {n: at for at, n in enumerate(sorted({k for c in seen for k in c}))}
        x = np.zeros((len(seen), len(names) + 1))
        x[:, 0] = 1.0
        for at, context in enumerate(seen):
            for name, value in context.items():
                x[at, names[name] + 1] = value
        worth = outcomes.quality - COST * outcomes.dearness
        cut = len(order) - len(order) // 5
        train, test = order[:cut], order[cut:]
        fit = np.linalg.solve(
            x[train].T @ x[train] + 3.0 * np.eye(x.shape[1]), x[train].T @ worth[train]
        )
        taken = (x[test] @ fit).argmax(axis=1)
        single = int(worth.mean(axis=0).argmax())
        ridge.append(float((worth[test, taken] - worth[test, single]).mean()))
        oracle.append(float((worth[test].max(axis=1) - worth[test, single]).mean()))
    return {"full_information": float(np.mean(ridge)), "oracle": float(np.mean(oracle))}


def open_bandit(data: Path) -> list[dict[str, Any]]:
    """Value of the Thompson policy of another shop, from its random one, beside what was logged."""
    frame = pl.read_parquet(data / "open_bandit_small.parquet")
    rows = []
    for campaign in frame["campaign"].unique().sort():
        part = frame.filter(pl.col("campaign") == campaign)
        wanted = part.filter(pl.col("policy") == "bts")
        logged = part.filter(pl.col("policy") == "random")
        odds = wanted.group_by("item_id", "position").agg(n=pl.len())
        total = wanted.group_by("position").agg(total=pl.len())
        odds = odds.join(total, on="position").with_columns(odds=pl.col("n") / pl.col("total"))
        told = logged.join(odds, on=["item_id", "position"], how="left").fill_null(0.0)
        arguments = (
            told["click"].to_numpy().astype(float),
            told["propensity_score"].to_numpy().astype(float),
            told["odds"].to_numpy().astype(float),
        )
        truth = wanted["click"].to_numpy().astype(float)
        ips, snips = weighted(*arguments), normalised(*arguments)
        rows.append(
            {
                "campaign": campaign,
                "logged": float(truth.mean()),
                "logged_error": float(truth.std(ddof=1) / len(truth) ** 0.5),
                "random": float(arguments[0].mean()),
                "ips": ips.value,
                "ips_error": ips.deviation,
                "snips": snips.value,
                "snips_error": snips.deviation,
                "effective": snips.effective,
            }
        )
    return rows


def timings(outcomes: Outcomes) -> dict[str, float]:
    """One decision among eight arms at 32 features, and all features of a prompt."""
    chance = np.random.default_rng(0)
    arms = [Arm(f"plan-{n}") for n in range(8)]
    player = Ours(outcomes)
    bandit = type(player.bandit)("timing", BanditSettings())
    bandit.set_arms(arms)

    def context() -> Context:
        told = {f"lex.{n}": float(chance.normal()) for n in range(16)}
        told |= {f"part.{n}": float(chance.random()) for n in range(10)}
        return told | {f"task={chance.integers(5)}": 1.0}

    for n in range(400):
        arm = arms[int(chance.integers(8))]
        bandit.learn(Feedback(str(n), arm, context(), float(chance.random() < 0.5)))
    policy = bandit.policy().priced(dict.fromkeys(arms, 0.001))
    asked = [context() for _ in range(2000)]
    begun = time.perf_counter()
    for one in asked:
        policy.distribution(one, arms)
    decision = (time.perf_counter() - begun) / len(asked)
    order, _ = _stream(outcomes, 0, tagged=False)
    features = features_seconds(outcomes, order)
    return {
        "features_of_policy": float(len(policy.posterior.names)),
        "decision_us": 1e6 * decision,
        "features_us_mean": 1e6 * float(features.mean()),
        "features_us_p50": 1e6 * float(np.median(features)),
    }


def jobs(only: Sequence[str], seeds: int) -> list[Job]:
    told: list[Job] = []
    streams = (
        ("llmrouter", True),
        ("llmrouter", False),
        ("bfcl_july", False),
        ("near_equal", False),
    )
    for seed in range(seeds):
        if "main" in only:
            told += [Job("main", d, t, name, seed) for d, t in streams for name in PLAYERS]
        if "worlds" in only:
            told += [Job("worlds", "llmrouter", True, name, seed) for name in WORLDS]
        if "costs" in only:
            for name, tagged in TRADES:
                if name != "routellm_mmlu" or seed < _LARGE_SEEDS:
                    told += [Job("costs", name, tagged, f"{w:g}", seed, w) for w in SWEEP]
        if "budget" in only:
            told += [Job("budget", "llmrouter", True, f"{b:g}", seed, b) for b in BUDGETS]
    return sorted(told, key=lambda job: (job.data_set, job.seed, job.tagged))


def _work(told: tuple[Job, Path, Path]) -> tuple[Job, dict[str, Any]]:
    return told[0], work(*told)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("WAGGLE_DATA", str(ROOT.parent / "shared" / "data"))
    options.add_argument("--data", type=Path, default=Path(default))
    options.add_argument("--cache", type=Path, default=ROOT / "var" / "replay")
    options.add_argument("--seeds", type=int, default=8)
    options.add_argument("--players", default="", help="of the main table: names that begin so")
    options.add_argument("--only", default="main,worlds,costs,budget,open_bandit,timings")
    options.add_argument("--plots", type=Path, default=ROOT / "var" / "replay")
    told = options.parse_args()
    only = told.only.split(",")
    path = HERE / "result.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    todo = jobs(only, told.seeds)
    todo = [job for job in todo if job.table != "main" or job.name.startswith(told.players)]
    found: list[tuple[Job, dict[str, Any]]] = []
    for name in sorted({job.data_set for job in todo}):
        _prepared(name, told.data, told.cache)  # vectors are made once, before there are two of us
    with Progress() as progress, get_context("fork").Pool(2) as pool:
        bar = progress.add_task("Replaying", total=len(todo))
        arguments = [(job, told.data, told.cache) for job in todo]
        for one in pool.imap_unordered(_work, arguments, chunksize=4):
            found.append(one)
            progress.advance(bar)
    for name, streams in tables(found).items():
        for stream, rows in streams.items():
            result.setdefault(name, {}).setdefault(stream, {}).update(rows)
    if "main" in only and not told.players:
        result["bounds"] = {
            f"{name}{', tagged' if tagged else ''}": bounds(
                _prepared(name, told.data, told.cache), min(told.seeds, 4), tagged=tagged
            )
            for name, tagged in (("llmrouter", True), ("llmrouter", False), ("bfcl_july", False))
        }
    if "open_bandit" in only:
        result["open_bandit"] = open_bandit(told.data)
    if "timings" in only:
        result["timings"] = timings(_prepared("llmrouter", told.data, told.cache))
    result["seeds"] = told.seeds
    result["bfcl_pool"] = list(BFCL_POOL)
    path.write_text(json.dumps(result, indent=1) + "\n")
    plots(result, told.plots)
    put("replay", readme_table(result))
    put("savings", savings_table(result), "replay")


if __name__ == "__main__":
    main()
