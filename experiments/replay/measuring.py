"""The figures of a replay: utility, money saved, budgets, bounds, estimated values and times."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from experiments.replay.outcomes import Outcomes, features_seconds
from experiments.replay.players import Ours
from experiments.replay.playing import COST, Played, drawn, last_fifth, stream
from learner.bandit_learner import Bandit
from learner.deciding import BanditSettings
from learner.offpolicy import normalised, weighted
from learner.pacing import Pacer
from learner.policy import Arm, Context, Feedback


def measured(outcomes: Outcomes, played: Played, order: Sequence[int]) -> dict[str, Any]:
    """Utility over the best single arm, and over a random mixture of two arms at equal cost."""
    single = int(played.worth.mean(axis=0).argmax())
    over = played.utility - played.worth[:, single]
    last = last_fifth(order)
    mixture = _mixture(outcomes, played, order, last)
    return {
        "last_fifth": float(over[last].mean()),
        "all": float(over.mean()),
        "first_200": float(over[:200].mean()),
        "over_mix": float(played.utility[last].mean() - mixture),
        "quality": float(played.quality[last].mean()),
        "usd_per_1k": float(1000 * played.cost[last].mean()),
        "curve": [float(part.mean()) for part in np.array_split(over, 40)],
        "drifts": played.drifts,
    }


def _mixture(outcomes: Outcomes, played: Played, order: Sequence[int], last: slice) -> float:
    """The worth of a random mixture of the cheapest and the strongest arm that costs as much."""
    cost, worth = outcomes.cost[list(order)][last].mean(axis=0), played.worth[last].mean(axis=0)
    low, high = int(cost.argmin()), int(outcomes.quality.mean(axis=0).argmax())
    if low == high or cost[high] == cost[low]:
        return float(worth[high])
    share = min(max((played.cost[last].mean() - cost[low]) / (cost[high] - cost[low]), 0.0), 1.0)
    return float((1 - share) * worth[low] + share * worth[high])


def traded(
    outcomes: Outcomes, played: Played, order: Sequence[int], weight: float
) -> dict[str, Any]:
    """Quality and cost for one weight of cost, beside the strongest and the cheapest model."""
    last = last_fifth(order)
    rows = list(order)[last]
    strong = int(outcomes.quality.mean(axis=0).argmax())
    cheap = int(outcomes.cost.mean(axis=0).argmin())
    return {
        "weight": weight,
        "quality": float(played.quality[last].mean()),
        "cost": float(played.cost[last].mean()),
        "strong_quality": float(outcomes.quality[rows, strong].mean()),
        "strong_cost": float(outcomes.cost[rows, strong].mean()),
        "cheap_quality": float(outcomes.quality[rows, cheap].mean()),
        "cheap_cost": float(outcomes.cost[rows, cheap].mean()),
    }


def paced(
    outcomes: Outcomes, order: Sequence[int], seen: Sequence[Context], share: float, seed: int
) -> dict[str, Any]:
    """How well the bandit keeps a budget for each thousand requests. `share` sets the budget: 0 is
    the cost of the cheapest model, 1 the cost of the strongest model."""
    strong = int(outcomes.quality.mean(axis=0).argmax())
    mean = outcomes.cost.mean(axis=0)
    budget = float(1000 * (mean.min() + share * (mean[strong] - mean.min())))
    pacer = Pacer(budget, 1000)
    player = Ours(outcomes, cost_weight=0.0, every=10, pacer=pacer)
    player.rates = {arm: float(cost) for arm, cost in zip(outcomes.arms, mean, strict=True)}
    chance = np.random.default_rng(1000 + seed)
    spent, worst, quality = 0.0, -1.0, []
    for step, at in enumerate(order[: len(order) // 1000 * 1000]):
        odds = player.odds(at, seen[at])
        arm = drawn(odds, chance.random())
        cost = float(outcomes.cost[at, arm])
        spent += cost
        quality.append(float(outcomes.quality[at, arm]))
        pacer = pacer.after(cost)
        player.pace(pacer)
        player.learn(at, seen[at], arm, quality[-1])
        if (step + 1) % 1000 == 0:
            worst = max(worst, spent / (budget * (step + 1) / 1000) - 1)
    return {
        "share": share,
        "used": spent / (budget * (len(quality) / 1000)),
        "worst_overshoot": worst,
        "quality": float(np.mean(quality)),
    }


def bounds(outcomes: Outcomes, seeds: int, *, tagged: bool) -> dict[str, float]:
    """Gain over the best single arm of an oracle, and of a regression on the outcomes of all
    arms."""
    ridge, oracle = [], []
    for seed in range(seeds):
        order, seen = stream(outcomes, seed, tagged=tagged)
        names = {n: at for at, n in enumerate(sorted({k for context in seen for k in context}))}
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
        chosen = (x[test] @ fit).argmax(axis=1)
        single = outcomes.best(COST)
        ridge.append(float((worth[test, chosen] - worth[test, single]).mean()))
        oracle.append(float((worth[test].max(axis=1) - worth[test, single]).mean()))
    return {"full_information": float(np.mean(ridge)), "oracle": float(np.mean(oracle))}


def open_bandit(data: Path) -> list[dict[str, Any]]:
    """The estimated value of a shop's Thompson policy, beside the value that the shop logged."""
    frame = pl.read_parquet(data / "open_bandit_small.parquet")
    rows = []
    for campaign in frame["campaign"].unique().sort():
        part = frame.filter(pl.col("campaign") == campaign)
        thompson = part.filter(pl.col("policy") == "bts")
        logged = part.filter(pl.col("policy") == "random")
        odds = thompson.group_by("item_id", "position").agg(n=pl.len())
        total = thompson.group_by("position").agg(total=pl.len())
        odds = odds.join(total, on="position").with_columns(odds=pl.col("n") / pl.col("total"))
        joined = logged.join(odds, on=["item_id", "position"], how="left").fill_null(0.0)
        clicks, propensities, shares = (
            joined[name].to_numpy().astype(float) for name in ("click", "propensity_score", "odds")
        )
        truth = thompson["click"].to_numpy().astype(float)
        ips = weighted(clicks, propensities, shares)
        snips = normalised(clicks, propensities, shares)
        rows.append(
            {
                "campaign": campaign,
                "logged": float(truth.mean()),
                "logged_error": float(truth.std(ddof=1) / len(truth) ** 0.5),
                "random": float(clicks.mean()),
                "ips": ips.value,
                "ips_error": ips.deviation,
                "snips": snips.value,
                "snips_error": snips.deviation,
                "effective": snips.effective,
            }
        )
    return rows


def timings(outcomes: Outcomes) -> dict[str, float]:
    """Microseconds of a decision among eight arms, and microseconds to compute its features."""
    chance = np.random.default_rng(0)
    arms = [Arm(f"plan-{n}") for n in range(8)]
    bandit = Bandit("timing", BanditSettings())
    bandit.set_arms(arms)

    def context() -> Context:
        lens = {f"lex.{n}": float(chance.normal()) for n in range(16)}
        parts = {f"part.{n}": float(chance.random()) for n in range(10)}
        return lens | parts | {f"task={chance.integers(5)}": 1.0}

    for n in range(400):
        arm = arms[int(chance.integers(8))]
        bandit.learn(Feedback(str(n), arm, context(), float(chance.random() < 0.5)))
    policy = bandit.policy().priced(dict.fromkeys(arms, 0.001))
    requests = [context() for _ in range(2000)]
    begun = time.perf_counter()
    for request in requests:
        policy.distribution(request, arms)
    decision = (time.perf_counter() - begun) / len(requests)
    order, _ = stream(outcomes, 0, tagged=False)
    features = features_seconds(outcomes, order)
    return {
        "features_of_policy": float(len(policy.posterior.names)),
        "decision_us": 1e6 * decision,
        "features_us_mean": 1e6 * float(features.mean()),
        "features_us_p50": 1e6 * float(np.median(features)),
    }
