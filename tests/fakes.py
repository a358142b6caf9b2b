"""Fakes of the parts that a router talks to. Each really works, and a test can look into it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from router.budgets import AccountReport, BudgetUse, Lease
from router.domain import Event, PolicyInForce, Refusal, Signal, Trace, TrialNews
from router.hive import LocalHive, News
from router.telemetry.journal import NotDurable
from router.telemetry.lookup import StoredRequest, StoredSignal


class MemoryJournal:
    """Keeps everything that a router writes, for tests to read. `full` simulates a full disk."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.refusals: list[Refusal] = []
        self.events: list[Event] = []
        self.policies: list[PolicyInForce] = []
        self.trials: list[TrialNews] = []
        self.signals: list[Signal] = []
        self.full = False

    @property
    def trouble(self) -> str:
        return "No space left on device" if self.full else ""

    def append(self, trace: Trace) -> None:
        self.traces.append(trace)

    def refuse(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)

    def note(self, event: Event) -> None:
        self.events.append(event)

    def policy(self, policy: PolicyInForce) -> None:
        self.policies.append(policy)

    def trial(self, news: TrialNews) -> None:
        self.trials.append(news)

    async def keep(self, signals: Sequence[Signal]) -> None:
        if self.full:
            raise NotDurable(self.trouble)
        self.signals += signals

    def say(self, signals: Sequence[Signal]) -> None:
        self.signals += signals

    def close(self) -> None:
        pass

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        self.full = True
        yield
        self.full = False


class MemoryOf:
    """Finds requests and scores in a memory journal, where the real one reads the catalog."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self.away = False
        self.earlier_scores: Mapping[str, float] = {}  # scores from rows that the journal lacks

    async def find(self, request_id: str) -> StoredRequest | None:
        self._check()
        for trace in self._journal.traces:
            if trace.request.id == request_id:
                signals = tuple(self._signals_about(request_id))
                return StoredRequest(trace.about, signals, of_stores=bool(trace.sources))
        return None

    async def scores(self) -> Mapping[str, float]:
        self._check()
        judged: dict[str, list[float]] = {}
        for trace in self._journal.traces:
            latest = {
                (signal.source, signal.metric): (signal.score, signal.weight)
                for signal in self._journal.signals
                if signal.about.request_id == trace.request.id and signal.score is not None
            }
            if latest:
                total = sum(score * weight for score, weight in latest.values())
                quality = total / sum(weight for _, weight in latest.values())
                judged.setdefault(trace.backend, []).append(quality)
        scores = {name: (1 + sum(each)) / (2 + len(each)) for name, each in judged.items()}
        return {**self.earlier_scores, **scores}

    def _signals_about(self, request_id: str) -> Iterator[StoredSignal]:
        for signal in self._journal.signals:
            if signal.about.request_id == request_id:
                content = (signal.value, signal.score, signal.comment, signal.demonstration)
                at = round(signal.at * 1e6)
                yield StoredSignal(signal.id, signal.source, signal.metric, content, at)

    def _check(self) -> None:
        if self.away:
            raise LookupError("telemetry cannot be read: the rig said so")


class LosableHive:
    """A hive that a test can put out of reach with `away`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._hive = LocalHive(clock)
        self.away = False

    async def lease_all(self, reports: Sequence[AccountReport]) -> Sequence[Lease | None]:
        return await self._reach().lease_all(reports)

    async def exchange(self, router: str, news: News) -> News:
        return await self._reach().exchange(router, news)

    async def all_metrics(self) -> Mapping[str, bytes]:
        return await self._reach().all_metrics()

    async def budget_uses(self, wall: float) -> Mapping[str, BudgetUse]:
        return await self._reach().budget_uses(wall)

    def _reach(self) -> LocalHive:
        if self.away:
            raise ConnectionError("the hive is away")
        return self._hive
