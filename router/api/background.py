"""A router's background work: it exchanges news with hive and learner, and reads scores.

No failure in this module fails a request. When the hive or the learner does not answer, the router
keeps its last news and counts the failure.
"""

import asyncio
import logging
from collections.abc import Callable

from router.api.learner import LearnerClient
from router.conversations.memory import ConversationMemory
from router.domain import Event
from router.engine.engine import Engine
from router.engine.resources import ResourceWatch
from router.hive import Hive, News, packed, unpacked
from router.knowledge.lags import LagWatch
from router.telemetry.lookup import Memory

_EXCHANGES_PER_SECOND = 200  # by all routers together

_log = logging.getLogger("waggle")


class Background:
    def __init__(
        self,
        engine: Engine,
        hive: Hive,
        memory: Memory,
        conversations: ConversationMemory,
        *,
        learner: LearnerClient | None = None,
        name: str,
        running: Callable[[], int],
    ) -> None:
        """`running` returns the number of requests that are being answered."""
        self._engine = engine
        self._hive = hive
        self._memory = memory
        self._conversations = conversations
        self._learner = learner
        self._name = name
        self._running = running
        self._stale = False
        self._position = 0
        self._replicas: dict[str, int] = {}
        self._resources = ResourceWatch()
        self._lags = LagWatch(engine.rights.rights)
        self.errand: asyncio.Task[None] | None = None

    async def exchange(self) -> None:
        """Send this router's news to the hive, and take over the news of other routers."""
        engine = self._engine
        self._watch_replicas()
        self._watch_resources()
        engine.metrics.gauge("waggle_requests_running", self._running())
        hive_name, moved = engine.allowances.hive_name, engine.homes.untold()
        news = News(packed(moved), self._position, engine.metrics.snapshot(), hive_name)
        try:
            reply = await self._hive.exchange(self._name, news)
        except Exception:
            engine.homes.tell_again(moved)
            engine.metrics.count("waggle_hive_unreachable_total")
            engine.silent.setdefault("hive", engine.steady())
            return
        engine.silent.pop("hive", None)
        self._position = reply.position
        others = unpacked(reply.homes)
        # The hive has our own news after these, so they are newer.
        engine.homes.hear({name: home for name, home in others.items() if name not in moved})
        await engine.allowances.tidy(reply.hive)

    async def learn(self) -> None:
        """Read each backend's score from telemetry, for the plans that weigh votes by scores."""
        engine = self._engine
        if not engine.plans.counts_votes:
            return
        try:
            scores = await self._memory.scores()
        except LookupError as error:
            _log.warning("votes are counted by the earlier scores: %s", error)
            return
        # A backend without a score counts as much as a backend with few judgements.
        engine.scores = dict.fromkeys(engine.config.backends, 0.5) | dict(scores)

    async def follow(self) -> None:
        """Ask the learner for news. If the learner does not answer, keep its last policy."""
        if self._learner is None:
            return
        engine, following = self._engine, self._engine.following
        request, now = following.take_request(), engine.steady()
        arrived = False
        try:
            news = await self._learner.news(request)
            arrived = True
            engine.silent.pop("learner", None)
            following.hear(news, now=now)
            await engine.steer()
            self._begin_errand()
        except Exception as error:
            if not arrived:
                following.restore(request)
                engine.silent.setdefault("learner", now)
            engine.metrics.count("waggle_learner_unreachable_total")
            _log.debug("the learner did not answer: %r", error)
        self._watch_age()

    def _begin_errand(self) -> None:
        """Send the learner's prompt to a backend, in a task beside the callers' requests."""
        engine, following = self._engine, self._engine.following
        errand, following.errand = following.errand, None
        if errand is None or (self.errand is not None and not self.errand.done()):
            return

        async def run() -> None:
            following.done = (errand.id, await engine.completion(errand.backend, errand.prompt))

        self.errand = asyncio.ensure_future(run())

    def _watch_age(self) -> None:
        """Report the policy's age, and write an event when the policy becomes stale or fresh."""
        engine, following = self._engine, self._engine.following
        if following.heard_at is None:
            return
        age = engine.steady() - following.heard_at
        stale = age > engine.config.objective.learning.stale_seconds
        engine.metrics.gauge("waggle_policy_age_seconds", age)
        engine.metrics.gauge("waggle_policy_stale", float(stale or bool(following.refused)))
        if stale != self._stale:
            self._stale = stale
            state = "stale" if stale else "fresh"
            engine.tell("policy", self._name, state, version=following.version, seconds=round(age))

    def _watch_replicas(self) -> None:
        """Write an event when a backend gains or loses replicas."""
        engine = self._engine
        now = {b: len(engine.attempts.replicas(b)) for b in engine.config.backends}
        for backend, count in now.items():
            before = self._replicas.get(backend)
            if before is None and count:
                engine.tell("topology", backend, "found", replicas=count)
            elif before is not None and before != count:
                state = "grew" if count > before else "shrank"
                engine.tell("topology", backend, state, replicas=count, before=before)
        self._replicas = now

    def _watch_resources(self) -> None:
        """Write an event when a backend turns busy or usual again, and once in a while."""
        due = self._resources.look(self._engine.tries.loads, self._engine.steady())
        if due is not None:
            state, detail = due
            self._engine.tell("resources", self._name, state, **detail)

    async def keep_learning(self, seconds: float = 30.0) -> None:
        while True:
            await self.learn()
            await asyncio.sleep(seconds)

    async def keep_forgetting(self, seconds: float = 300.0) -> None:
        """Forget the conversations that have expired. Any number of routers may do it at once."""
        while True:
            await self._conversations.sweep(self._engine.wall())
            await asyncio.sleep(seconds)

    async def tell_rights(self) -> None:
        """Record what changed in the rights of stores, who used which, and how far each lags."""
        engine = self._engine
        for news in await asyncio.to_thread(engine.rights.news):
            event = Event(news.id, news.at, "knowledge", news.store, news.state, news.detail)
            engine.journal.note(event)
        for lag in await asyncio.to_thread(self._lags.news, engine.config):
            engine.journal.note(Event(lag.id, lag.at, "knowledge", lag.store, "lag", lag.detail))

    async def keep_telling_rights(self, seconds: float = 5.0) -> None:
        while True:
            await self.tell_rights()
            await asyncio.sleep(seconds)

    async def keep_following(self, seconds: float = 0.5) -> None:
        while True:
            await self.follow()
            await asyncio.sleep(seconds)

    async def keep_exchanging(
        self, seconds: float = 0.25, idle_turns: int = 4, also: Callable[[], None] = lambda: None
    ) -> None:
        """Exchange news in the next turn after a conversation moved, else every `idle_turns`
        turns. With many routers turns are longer, as the hive answers all of them."""
        turn = 0
        while True:
            routers = self._engine.allowances.leasing.routers
            await asyncio.sleep(max(seconds, routers / _EXCHANGES_PER_SECOND))
            turn += 1
            if turn >= idle_turns or self._engine.homes.has_news:
                turn = 0
                also()
                await self.exchange()
