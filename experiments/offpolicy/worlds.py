"""Logs of simulated policies over recorded outcomes, where the true value of any policy is known.

All models answered each prompt, so the value of a policy is its mean over the table. A log is drawn
from the table with replacement; each row keeps one model's outcome and the chances of all models.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from experiments.replay.outcomes import BFCL_POOL, ORIGINS

Matrix = NDArray[np.float64]
Index = NDArray[np.intp]
Chance = np.random.Generator
_BATCH = 50  # rows between two updates of a policy that learns
_FLOOR = 0.02  # the least chance of a model, over the number of models


@dataclass(frozen=True, slots=True)
class World:
    """The outcomes of every model (a column) on every prompt (a row), and the prompts' groups."""

    name: str
    groups: Index
    rewards: Mapping[str, Matrix]
    by_group: Matrix  # mean quality of each model in each group

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.rewards["quality"].shape
        return rows, columns


@dataclass(frozen=True, slots=True)
class DrawnLog:
    """The rows of a log: which prompt, the chance of every model, the choice, and if judged."""

    prompts: Index
    odds: Matrix
    choices: Index
    judged: NDArray[np.bool_]


def world_of(name: str, data: Path) -> World:
    path = data / f"{name}.parquet"
    if not path.is_file():
        print(f"{path} is missing; its original is published at {ORIGINS[name]}", file=sys.stderr)
        raise SystemExit(2)
    frame = pl.read_parquet(path)
    costs = [column for column in ("cost_usd", "cost_est_usd") if column in frame.columns]
    frame = frame.with_columns(
        key=pl.concat_str("category", pl.col("prompt_id").cast(pl.String), separator="/"),
        usd=pl.coalesce(*costs),
    )
    if name == "bfcl_july":
        frame = frame.filter(pl.col("model").is_in(list(BFCL_POOL)))
    quality, usd = (
        frame.pivot("model", index=["key", "category"], values=values, aggregate_function="first")
        for values in ("score", "usd")
    )
    models = [column for column in quality.columns if column not in ("key", "category")]
    whole = quality.drop_nulls()
    scores = whole.select(models).to_numpy().astype(np.float64)
    _, groups = np.unique(whole["category"].to_list(), return_inverse=True)
    rewards = {"quality": scores}
    joined = whole.select("key").join(usd, on="key", how="left").select(models)
    spent = joined.to_numpy().astype(np.float64)
    if np.isfinite(spent).any(axis=0).all():
        spent = np.where(np.isnan(spent), np.nanmean(spent, axis=0), spent)
        rewards["cost"] = spent
        rewards["utility"] = scores - 0.1 * np.log10(1 + 1000 * spent)
    by_group = np.array([scores[groups == group].mean(axis=0) for group in np.unique(groups)])
    return World(name, groups.astype(np.intp), rewards, by_group)


def _softmax(values: Matrix) -> Matrix:
    shares = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def floored(odds: Matrix, floor: float = _FLOOR) -> Matrix:
    return np.asarray((1 - floor) * odds + floor / odds.shape[1])


def _greedy(world: World, share: float) -> Matrix:
    """Mostly the best model of the group; `share` of the requests are spread over all models."""
    best = np.eye(world.shape[1])[world.by_group.argmax(axis=1)]
    return np.asarray(floored(best, share)[world.groups])


def _soft(world: World) -> Matrix:
    return np.asarray(floored(_softmax(6 * world.by_group))[world.groups])


def _uniform(world: World) -> Matrix:
    rows, columns = world.shape
    return np.full((rows, columns), 1 / columns)


def _narrow(world: World) -> Matrix:
    """Only the best and the third best model are ever asked."""
    odds = np.zeros(world.shape)
    odds[:, np.argsort(-world.by_group.mean(axis=0))[:3:2]] = 0.5
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


NARROW = "a coin between two models"
STANDING: Mapping[str, Callable[[World], Matrix]] = {
    "nine in ten to the best of its group": lambda world: _greedy(world, 0.1),
    "softmax of the group's quality": _soft,
    "even": _uniform,
    NARROW: _narrow,
}
LEARNING = "a bandit that learns as it goes"
LOGS = (*STANDING, LEARNING)


def drawn(world: World, log: str, size: int, *, by_plan: bool, chance: Chance) -> DrawnLog:
    """Draw a log. With `by_plan`, how many answers are judged depends on the model."""
    rows, columns = world.shape
    prompts = chance.integers(rows, size=size).astype(np.intp)
    if log == LEARNING:
        odds, choices = _learning(world, prompts, chance)
    else:
        odds = STANDING[log](world)[prompts]
        choices = _chosen(odds, chance)
    share = np.where(np.arange(columns) % 2, 0.35, 0.7)[choices] if by_plan else 1.0
    return DrawnLog(prompts, odds, choices, chance.random(size) < share)


def _chosen(odds: Matrix, chance: Chance) -> Index:
    edges = odds.cumsum(axis=1)
    uniform = chance.random((len(odds), 1)) * edges[:, -1:]
    return np.asarray((uniform > edges).sum(axis=1), dtype=np.intp)


def _learning(world: World, prompts: Index, chance: Chance) -> tuple[Matrix, Index]:
    """Softmax of the means so far, by group, ever sharper; the floor stays."""
    quality, groups = world.rewards["quality"], world.groups[prompts]
    sums, counts = np.full_like(world.by_group, 0.5), np.ones_like(world.by_group)
    odds, choices = np.empty((len(prompts), world.shape[1])), np.empty(len(prompts), dtype=np.intp)
    for start in range(0, len(prompts), _BATCH):
        now = slice(start, start + _BATCH)
        overall = sums.sum(axis=0) / counts.sum(axis=0)
        means = (sums + 5 * overall) / (counts + 5)
        sharp = min(2 + start / 100, 30.0)
        odds[now] = floored(_softmax(sharp * means[groups[now]]), 0.1)
        choices[now] = _chosen(odds[now], chance)
        at = groups[now], choices[now]
        np.add.at(sums, at, quality[prompts[now], choices[now]])
        np.add.at(counts, at, 1.0)
    return odds, choices


def targets(world: World) -> dict[str, Matrix]:
    """The policies to estimate: the odds of each model for each prompt of the table."""
    rows, columns = world.shape
    mean = world.by_group.mean(axis=0)
    best, second = np.argsort(-mean)[:2]
    each = np.eye(columns)

    def always(arm: Any) -> Matrix:
        return np.tile(each[arm], (rows, 1))

    return {
        "always the best model": always(best),
        "always the middle model": always(np.argsort(-mean)[columns // 2]),
        "the best model of each group": each[world.by_group.argmax(axis=1)][world.groups],
        "a coin between the two best": (always(best) + always(second)) / 2,
        "even": _uniform(world),
    }
