"""Fifty calls side by side on two routers, on keys, teams and tags that all have budgets.

The routers are real, and so are their sockets; the backends are scripted, and the clock stands
still, so that no day and no minute ends. The costs of answers vary by a factor of twenty, and half
of the calls give no `max_tokens`: then the router must guess.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from router.domain import Request, Trace
from router.keys import Key, new_key
from tests.fakes import LosableHive
from tests.rig import Rig, rig
from tests.upstream import Upstream, Wire, completion

CALLS = 50
_MOST_WAVES = 8
_WALL = 1_795_780_800.0  # noon of a day in the middle of a month
_TEXT = """
backends: {{a: {{kind: openai, base_url: "{url}", price: {{input: 100, output: 1000}}}}}}
plans: {{p: {{ask: a}}}}
server: {{replicas: 2}}
reuse: {{mode: "off"}}
keys: {keys}
"""
# A company with two teams; one has a team of its own. Each level is bound in its own way.
_BUDGETS = """{
  teams: {
    company: {dollars_per_month: 4.5},
    products: {parent: company, dollars_per_day: 2.8},
    search: {parent: products, dollars_per_month: 1.7},
    support: {parent: company, dollars_per_day: 2.2}},
  tags: {nightly: {dollars_per_day: 1.1}, eu: {dollars_per_month: 2.4}}}"""
_KEYS: Sequence[tuple[str, float]] = (
    *(("search", 0.9), ("search", 1.3)),
    *(("products", 1.2), ("products", 0.7)),
    *(("support", 1.6), ("support", 0.8)),
)
_BOUNDS = {
    "team company": 4.5,
    "team products": 2.8,
    "team search": 1.7,
    "team support": 2.2,
    "tag nightly": 1.1,
    "tag eu": 2.4,
}
_ABOVE = {
    "search": ("search", "products", "company"),
    "products": ("products", "company"),
    "support": ("support", "company"),
}


@dataclass(frozen=True)
class Figures:
    """What a round spent. `excess`: by how much each budget was exceeded, in dollars."""

    calls: int
    answered: int
    dearest_usd: float  # the cost of the dearest single call
    spent: dict[str, float]
    excess: dict[str, float]
    granted: float  # the share of the company's budget that was spent in the end

    @property
    def worst(self) -> float:
        """The largest excess, in costs of the dearest single call."""
        return max(self.excess.values()) / self.dearest_usd


async def round_of(seed: int, *, bounded: bool = True) -> Figures:
    """Send waves of calls until one is refused as a whole. Without `bounded`, one wave and no
    budget: what the same calls would have cost."""
    chance = random.Random(seed)
    async with Upstream(_answers(chance)).listening() as up, AsyncExitStack() as stack:
        made = [_key(n, team, usd, bounded=bounded) for n, (team, usd) in enumerate(_KEYS)]
        keys = [key for _, key in made]
        free = "{teams: {company: {}, products: {}, search: {}, support: {}}}"
        text = _TEXT.format(url=up.url, keys=_BUDGETS if bounded else free)
        hive = LosableHive(lambda: 1000.0)
        routers = [
            await stack.enter_async_context(
                rig(text, keys=keys, hive=hive, name=name, wall=_wall, steady=_steady)
            )
            for name in ("r1", "r2")
        ]
        calls = 0
        for _ in range(_MOST_WAVES if bounded else 1):
            statuses = await _wave(routers, [text for text, _ in made], chance)
            calls += len(statuses)
            if 200 not in statuses:
                break
        return _figures(calls, [trace for each in routers for trace in each.journal.traces], keys)


def _wall() -> float:
    return _WALL


def _steady() -> float:
    return 1000.0


def _key(number: int, team: str, usd: float, *, bounded: bool) -> tuple[str, Key]:
    limits = {"dollars_per_day": usd} if bounded else {}
    return new_key(f"k{number}", "", team=team, limits=limits)


def _answers(chance: random.Random) -> Callable[[Wire], Any]:
    async def answer(wire: Wire) -> None:
        tokens = chance.randint(10, 200)
        most = wire.fields.get("max_tokens")
        usage = {"prompt_tokens": 20, "completion_tokens": min(tokens, most or tokens)}
        await wire.json(completion(usage={**usage, "total_tokens": 20 + tokens}))

    return answer


async def _wave(routers: Sequence[Rig], keys: Sequence[str], chance: random.Random) -> list[int]:
    calls = []
    for n in range(CALLS):
        headers = {"authorization": f"Bearer {chance.choice(keys)}"}
        tags = [tag for tag in ("nightly", "eu") if chance.random() < 0.3]
        if tags:
            headers["x-waggle-tags"] = ", ".join(tags)
        more: dict[str, Any] = (
            {"max_tokens": chance.choice((50, 200))} if chance.random() < 0.5 else {}
        )
        calls.append(routers[n % 2].chat(headers=headers, **more))
    answers = await asyncio.gather(*calls)
    return [answer.status for answer in answers]


def _figures(calls: int, traces: Sequence[Trace], keys: Sequence[Key]) -> Figures:
    costs = [(trace.request, trace.cost_usd or 0.0) for trace in traces if trace.status == 200]
    names = {key.id: key.name for key in keys}
    spent: dict[str, float] = {}
    for request, usd in costs:
        for budget in _budgets_of(request, names):
            spent[budget] = spent.get(budget, 0.0) + usd
    bounds = _BOUNDS | {f"key k{n}": usd for n, (_, usd) in enumerate(_KEYS)}
    excess = {name: max(spent.get(name, 0.0) - usd, 0.0) for name, usd in bounds.items()}
    dearest = max(usd for _, usd in costs)
    granted = spent["team company"] / _BOUNDS["team company"]
    return Figures(calls, len(costs), dearest, spent, excess, granted)


def _budgets_of(request: Request, names: dict[str, str]) -> list[str]:
    teams = [f"team {team}" for team in _ABOVE[request.team]]
    return [f"key {names[request.key_id]}", *teams, *(f"tag {tag}" for tag in request.tags)]
