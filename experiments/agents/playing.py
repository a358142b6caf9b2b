"""Plays the sessions of the world with one player, and bills them as a provider with a cache does.

A provider keeps a prompt for five minutes after it was last read. The part that it has kept costs
the cached price, and the rest the price of writing to the cache, where the provider has one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from experiments.agents.players import STRONG, Player
from experiments.agents.world import Play, Task
from router.catalog import Price
from router.domain import Usage
from router.request.text import prompt_text, tokens_in

KEPT_SECONDS = 300.0
_LEAST_TOKENS = 1024
_BETWEEN = 60.0  # seconds between two sessions
_ANSWERS = 4.0  # seconds that an answer takes


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one session."""

    number: int
    solved: bool
    dollars: float
    turns: int
    strong_turns: int
    moves: int


def play(
    tasks: Iterable[Task], player: Player, prices: dict[str, Price], seed: int
) -> Iterable[Played]:
    now = 1_780_000_000.0
    for task in tasks:
        session, caches = Play(task, seed), dict[str, tuple[int, float]]()
        dollars, plans = 0.0, list[str]()
        while not session.closed:
            now += session.pause()
            plan = player.choose(session, now)
            tokens = tokens_in(prompt_text({"messages": session.messages}))
            written = session.answer(strong=plan == STRONG)
            usage = _used(caches.get(plan), tokens, written, prices[plan], now)
            cost = prices[plan].cost_usd(
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cached_tokens=usage.cached_tokens,
                written_tokens=usage.written_tokens,
            )
            now += _ANSWERS
            caches[plan] = tokens + written, now
            player.answered(usage, cost, now)
            dollars += cost
            plans.append(plan)
        now += _BETWEEN
        strong = plans.count(STRONG)
        moves = sum(before != after for before, after in pairwise(plans))
        yield Played(task.number, session.over == "solved", dollars, len(plans), strong, moves)


def _used(
    cache: tuple[int, float] | None, tokens: int, output: int, price: Price, now: float
) -> Usage:
    cached = 0
    if cache is not None and now - cache[1] < KEPT_SECONDS:
        cached = min(cache[0], tokens)
    if cached < _LEAST_TOKENS:
        cached = 0
    written = 0 if price.cache_write is None else tokens - cached
    return Usage(tokens, output, cached_tokens=cached, written_tokens=written)
