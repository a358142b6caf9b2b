"""Requests whose callers name a model, and what `auto` would choose for them.

Recorded: every model answered every prompt, so what `auto` would have brought is known for each
request. No better: made up, so that the switch would be false whatever the numbers happen to be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.offpolicy.worlds import World, floored

Values = NDArray[np.float64]
Index = NDArray[np.intp]
Chance = np.random.Generator
MARGIN = 0.02
_CLOSE = 0.005  # quality that the settled `auto` may lose in a group, in hindsight
_BATCH = 50  # requests between two updates of an `auto` that learns
_WEIGHT = 0.1  # of log-cost, as in `optimize: balanced`


@dataclass(frozen=True, slots=True)
class ShadowRequests:
    """What callers named and what `auto` drew; the first column is the named plan's outcome."""

    groups: Index
    apart: NDArray[np.bool_]
    quality: Values
    usd: Values

    @property
    def saved(self) -> Values:
        return np.asarray(self.usd[:, 0] - self.usd[:, 1])

    @property
    def gained(self) -> Values:
        return np.asarray(self.quality[:, 1] - self.quality[:, 0])


def priced(world: World) -> World:
    """The world; if no cost was recorded, the best model costs ten times what each other costs."""
    if "cost" in world.rewards:
        return world
    usd = np.full(world.shape, 0.001)
    usd[:, world.by_group.mean(axis=0).argmax()] = 0.01
    return replace(world, rewards={**world.rewards, "cost": usd})


def settled(world: World) -> Index:
    """For each group the cheapest model that is about as good as the best single one."""
    quality, usd = world.by_group, _mean_usd(world)
    strong = int(quality.mean(axis=0).argmax())
    able = quality >= quality[:, [strong]] - _CLOSE
    return np.asarray(np.where(able, usd, np.inf).argmin(axis=1), dtype=np.intp)


def recorded(
    world: World, auto: str, callers: str, size: int, *, share: float, chance: Chance
) -> ShadowRequests:
    prompts = chance.integers(world.shape[0], size=size)
    groups = world.groups[prompts]
    named = _named(world, callers, groups, chance)
    if auto == "settled":
        chosen = settled(world)[groups]
    else:
        chosen = _learning(world, prompts, named, share, chance)
    both = np.stack([named, chosen], axis=1)
    rows = prompts[:, None]
    quality, usd = world.rewards["quality"][rows, both], world.rewards["cost"][rows, both]
    return ShadowRequests(groups, named != chosen, quality, usd)


def _mean_usd(world: World) -> Values:
    usd, groups = world.rewards["cost"], world.groups
    return np.array([usd[groups == group].mean(axis=0) for group in np.unique(groups)])


def _named(world: World, callers: str, groups: Index, chance: Chance) -> Index:
    """The best single model; or, if callers differ, the cheapest one now and then."""
    strong = int(world.by_group.mean(axis=0).argmax())
    named = np.full(len(groups), strong, dtype=np.intp)
    if callers == "differ":
        cheap = int(_mean_usd(world).mean(axis=0).argmin())
        named[chance.random(len(groups)) < np.where(groups % 2, 0.5, 0.2)] = cheap
    return named


def _learning(world: World, prompts: Index, named: Index, share: float, chance: Chance) -> Index:
    """Softmax of the utility seen so far, by group, ever sharper; it learns from served answers."""
    utility = world.rewards["quality"] - _WEIGHT * np.log10(1 + 1000 * world.rewards["cost"])
    groups = world.groups[prompts]
    sums, counts = np.full_like(world.by_group, 0.3), np.ones_like(world.by_group)
    chosen = np.empty(len(prompts), dtype=np.intp)
    for start in range(0, len(prompts), _BATCH):
        now = slice(start, start + _BATCH)
        means = (sums + 5 * sums.sum(axis=0) / counts.sum(axis=0)) / (counts + 5)
        worth = min(5 + start / 100, 40.0) * means[groups[now]]
        odds = np.exp(worth - worth.max(axis=1, keepdims=True))
        edges = floored(odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)
        chosen[now] = (chance.random((len(edges), 1)) * edges[:, -1:] > edges).sum(axis=1)
        served = np.where(chance.random(len(edges)) < share, chosen[now], named[now])
        at = groups[now], served
        np.add.at(sums, at, utility[prompts[now], served])
        np.add.at(counts, at, 1.0)
    return chosen


def _made(named: float, auto: float, dearer: float, size: int, chance: Chance) -> ShadowRequests:
    """Answers that are good so often, and costs of any size that differ by a factor on the mean."""
    quality = (chance.random((size, 2)) < [named, auto]).astype(float)
    usd = 0.01 * chance.lognormal(0, 1, (size, 2)) * [1.0, dearer]
    return ShadowRequests(
        np.zeros(size, dtype=np.intp), np.ones(size, dtype=np.bool_), quality, usd
    )


NO_BETTER: Mapping[str, Callable[[int, Chance], ShadowRequests]] = {
    "the same": lambda size, chance: _made(0.8, 0.8, 1.0, size, chance),
    "better answers, saves nothing": lambda size, chance: _made(0.8, 0.95, 1.0, size, chance),
    "saves nine tenths, loses just the margin": lambda size, chance: _made(
        0.8, 0.8 - MARGIN - 1e-9, 0.1, size, chance
    ),
    "saves nine tenths, loses twice the margin": lambda size, chance: _made(
        0.8, 0.8 - 2 * MARGIN, 0.1, size, chance
    ),
    "nearly perfect, loses just the margin": lambda size, chance: _made(
        0.99, 0.99 - MARGIN - 1e-9, 0.1, size, chance
    ),
}
