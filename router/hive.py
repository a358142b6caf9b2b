"""The hive, which all routers share: each key's use, the homes of conversations, all counters.

One process holds the hive. Routers lease requests from the hive in batches, and keep working when
it does not answer. Times are seconds since the epoch, because a limit in dollars ends with the day.

A restart loses the counts of the last minute and the homes of conversations.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import orjson

from router.config.server import KeyLimits
from router.domain import Home
from router.files import write_whole

_MINUTE, _DAY = 60, 86_400
_SESSIONS = 200_000
_METRICS_SECONDS = 30  # the hive drops the counters of a router that is silent for longer


@dataclass(frozen=True, slots=True)
class Lease:
    """Permission for `granted` requests until `until`, or the reason for a refusal."""

    granted: int
    until: float = 0.0
    retry_after: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """The homes of conversations that moved since `position`, and a router's own counters."""

    sessions: Mapping[str, Home] = field(default_factory=dict)
    position: int = 0
    metrics: bytes = b""


class Hive(Protocol):
    async def lease(self, key_id: str, limits: KeyLimits) -> Lease: ...
    async def spend(self, key_id: str, tokens: int, cost_usd: float) -> None: ...
    async def exchange(self, router: str, news: News) -> News: ...
    async def all_metrics(self) -> Mapping[str, bytes]: ...


class _Window:
    """A sum of amounts over the last sixty seconds."""

    def __init__(self) -> None:
        self._by_second: OrderedDict[int, int] = OrderedDict()
        self.total = 0

    def add(self, now: float, amount: int) -> None:
        second = int(now)
        self._by_second[second] = self._by_second.get(second, 0) + amount
        self.total += amount

    def forget(self, now: float) -> None:
        while self._by_second and next(iter(self._by_second)) <= int(now) - _MINUTE:
            self.total -= self._by_second.popitem(last=False)[1]

    def seconds_until_below(self, bound: int, now: float) -> float:
        left = self.total
        for second, amount in self._by_second.items():
            left -= amount
            if left < bound:
                return max(second + _MINUTE + 1 - now, 0.1)
        return float(_MINUTE)


@dataclass(slots=True)
class _Use:
    """The requests, tokens and dollars that one key has used."""

    requests: _Window = field(default_factory=_Window)
    tokens: _Window = field(default_factory=_Window)
    day: int = 0
    spent_usd: float = 0.0


class HiveState:
    """The state of the hive. The file `ledger` stores the dollars that each key spent today."""

    def __init__(self, ledger: Path | None = None) -> None:
        self._ledger: Path | None = None
        self._uses: dict[str, _Use] = {}
        self._sessions: OrderedDict[str, tuple[int, Home]] = OrderedDict()
        self._position = 0
        self._metrics: dict[str, tuple[float, bytes]] = {}
        self._unsaved = False
        if ledger is not None:
            self.keep_in(ledger)

    def keep_in(self, ledger: Path) -> None:
        """Use this file as the ledger: read the dollars spent, and save them there from now on."""
        if ledger != self._ledger:
            self._ledger = ledger
            self._restore()

    def lease(self, key_id: str, limits: KeyLimits, now: float) -> Lease:
        use = self._use(key_id, now)
        use.requests.forget(now)
        use.tokens.forget(now)
        if limits.dollars_per_day is not None and use.spent_usd >= limits.dollars_per_day:
            wait = _DAY - now % _DAY
            spent = f"${use.spent_usd:.4f} of ${limits.dollars_per_day:.4f}"
            return Lease(0, retry_after=wait, reason=f"its dollars_per_day are spent: {spent}")
        most_tokens = limits.tokens_per_minute
        if most_tokens is not None and use.tokens.total >= most_tokens:
            wait = use.tokens.seconds_until_below(most_tokens, now)
            reason = f"tokens_per_minute = {most_tokens} are used up"
            return Lease(0, retry_after=wait, reason=reason)
        most = limits.requests_per_minute
        if most is None:
            # Only tokens or dollars bound this key. Routers report both at once: lease one request.
            return Lease(1, until=now + 1)
        if use.requests.total >= most:
            wait = use.requests.seconds_until_below(most, now)
            return Lease(0, retry_after=wait, reason=f"requests_per_minute = {most} are used up")
        # Lease a small bound request by request, and a large bound in slices, to save calls.
        bounded_otherwise = most_tokens is not None or limits.dollars_per_day is not None
        slice_ = 1 if bounded_otherwise else max(1, most // 100)
        granted = min(slice_, most - use.requests.total)
        use.requests.add(now, granted)
        return Lease(granted, until=now + 5)

    def spend(self, key_id: str, tokens: int, cost_usd: float, now: float) -> None:
        use = self._use(key_id, now)
        use.tokens.add(now, tokens)
        use.spent_usd += cost_usd
        self._unsaved = self._unsaved or cost_usd > 0

    def exchange(self, router: str, news: News, now: float) -> News:
        """Store a router's news, and return the news of other routers since its position."""
        for session, home in news.sessions.items():
            self._position += 1
            self._sessions.pop(session, None)
            self._sessions[session] = (self._position, home)
        while len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)
        self._metrics[router] = (now, news.metrics)
        self._metrics = {
            name: (at, metrics)
            for name, (at, metrics) in self._metrics.items()
            if now - at < _METRICS_SECONDS
        }
        fresh: dict[str, Home] = {}
        for session, (position, home) in reversed(self._sessions.items()):
            # A router's position beyond ours dates from before our restart: then send everything.
            if position <= news.position <= self._position:
                break
            if session not in news.sessions:
                fresh[session] = home
        self.save()
        return News(fresh, self._position)

    def all_metrics(self) -> Mapping[str, bytes]:
        return {router: metrics for router, (_, metrics) in self._metrics.items()}

    def save(self) -> None:
        if not self._unsaved or self._ledger is None:
            return
        spent = {key: [use.day, use.spent_usd] for key, use in self._uses.items()}
        write_whole(self._ledger, orjson.dumps(spent))
        self._unsaved = False

    def _restore(self) -> None:
        if self._ledger is None or not self._ledger.exists():
            return
        try:
            for key, (day, spent) in orjson.loads(self._ledger.read_bytes()).items():
                self._uses[key] = _Use(day=int(day), spent_usd=float(spent))
        except (orjson.JSONDecodeError, ValueError, TypeError, AttributeError):
            # Set an unreadable ledger aside, for people to look at, and count from zero.
            self._ledger.replace(self._ledger.with_suffix(".unreadable"))

    def _use(self, key_id: str, now: float) -> _Use:
        use = self._uses.setdefault(key_id, _Use(day=int(now // _DAY)))
        if use.day != int(now // _DAY):
            use.day, use.spent_usd = int(now // _DAY), 0.0
        return use


class LocalHive:
    """The hive of routers that run in one process; `clock` gives the seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._state, self._clock = HiveState(), clock

    async def lease(self, key_id: str, limits: KeyLimits) -> Lease:
        return self._state.lease(key_id, limits, self._clock())

    async def spend(self, key_id: str, tokens: int, cost_usd: float) -> None:
        self._state.spend(key_id, tokens, cost_usd, self._clock())

    async def exchange(self, router: str, news: News) -> News:
        return self._state.exchange(router, news, self._clock())

    async def all_metrics(self) -> Mapping[str, bytes]:
        return self._state.all_metrics()
