"""A whole Waggle in one process, without Ray and with a clock that the caller sets.

Backends, telemetry, the learner and its trials are real. `waggle demo --weeks` uses this service to
simulate weeks in minutes; `router.deployment` deploys a real service.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from router.api.assemble import assemble, hosted_backends
from router.api.parse import parse_chat
from router.backends.host import Host
from router.backends.protocol import Backend
from router.calls.hop import Hops
from router.config.config import Config
from router.config.environment import read_secret
from router.domain import Signal, Trace, new_id
from router.engine.engine import Engine
from router.hive import LocalHive
from router.knowledge.feeding.process import FeederProcess
from router.telemetry.journal import FileJournal
from router.telemetry.keeper import KeeperProcess
from router.telemetry.log import Rotation
from router.telemetry.lookup import CatalogMemory
from router.telemetry.metrics import Metrics
from router.telemetry.store import catalog

if TYPE_CHECKING:
    from router.learning.publisher import Publisher


@dataclass
class Clock:
    """A clock that moves only when the caller moves it."""

    now: float

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True, slots=True)
class InProcessReply:
    """An answer, and the trace of its request."""

    status: int
    text: str
    trace: Trace


@dataclass
class InProcessService:
    """A running service that callers call directly; it learns only when they call `learn`."""

    config: Config
    engine: Engine
    publisher: "Publisher"
    clock: Clock
    hosts: Mapping[str, Host]

    async def ask(self, prompt: str, *, task: str = "", **more: Any) -> InProcessReply:
        body = {"model": "auto", "messages": [{"role": "user", "content": prompt}]} | more
        headers = {b"x-waggle-task": task.encode()} if task else {}
        request = parse_chat(
            orjson.dumps(body), headers, request_id=new_id(self.clock()), key_id=""
        )
        request = await self.engine.with_sources(request)
        lookup = await self.engine.look(request, scope="demo", backend="", allowed=())
        if lookup is not None and lookup.answers:
            answer = await self.engine.remembered(request, lookup)
        else:
            decision = await self.engine.decided(request, backend="", allowed=(), lookup=lookup)
            answer = await self.engine.answer(request, decision, lookup)
        text = ""
        if answer.status == 200:
            text = orjson.loads(answer.body)["choices"][0]["message"]["content"] or ""
        return InProcessReply(answer.status, text, answer.trace)

    def judge(self, trace: Trace, score: float) -> None:
        """Record the app's score of an answer."""
        now = self.clock()
        self.engine.say([Signal(new_id(now), now, trace.about, "app", "score", score=score)])

    async def ready(self) -> None:
        """Wait until the memory is open."""
        if self.engine.recall is not None:
            await asyncio.to_thread(self.engine.recall.memory.wait, 120.0)

    async def settled(self) -> None:
        """Wait until the memory holds what was answered and judged: weeks pass in no time."""
        if self.engine.recall is None:
            return
        memory, keeping = self.engine.recall.memory, self.engine.replying.keeping
        await memory.written()
        if keeping is not None and keeping.forms is not None:
            await keeping.forms.settled()
            await memory.written()

    async def learn(self) -> None:
        """Run one turn of the learner and its trials, and bring the result to the router."""
        await asyncio.to_thread(self.publisher.turn)
        following = self.engine.following
        following.hear(self.publisher.news(following.take_request()), now=self.clock())
        await self.engine.steer()

    def change(self, backend: str, wrap: Callable[[Backend], Backend]) -> None:
        """Wrap a backend in another one, as a provider may change its model overnight."""
        host = self.hosts[backend]
        host.backend = wrap(host.backend)


@asynccontextmanager
async def in_process_service(
    config: Config, *, clock: Clock, seed: int, publisher: "Publisher | None" = None
) -> AsyncIterator[InProcessService]:
    """Start the service in this event loop, and stop it when the context ends. It learns by
    itself, unless the `publisher` of a learner elsewhere is given."""

    chance = random.Random(seed)
    token = secrets.token_hex(8)
    async with AsyncExitStack() as stack:
        backends = await stack.enter_async_context(
            hosted_backends(config, token=token, read_secret=read_secret)
        )
        metrics, folder = Metrics(), config.telemetry_folder
        rotation = Rotation(config.telemetry.seal_seconds, config.telemetry.seal_rows)
        journal = FileJournal(
            folder, "router", metrics, rotation=rotation, wall=clock, watch_clock=False
        )
        stack.callback(journal.close)
        keeper = KeeperProcess(folder, config.telemetry)
        stack.callback(keeper.close)
        feeder = FeederProcess(config)
        stack.callback(feeder.close)
        hops = Hops(token)
        stack.callback(hops.forget, frozenset())
        engine = assemble(
            config,
            directory=backends,
            hops=hops,
            hive=LocalHive(clock),
            journal=journal,
            metrics=metrics,
            memory=CatalogMemory(folder),
            name="demo",
            remembers=True,
            wall=clock,
            steady=clock,
            uniform=chance.random,
        ).engine
        await asyncio.to_thread(catalog.appeared, folder, seconds=60)
        if publisher is None:
            from router.learning.publisher import Publisher  # loads River, which takes a second

            publisher = Publisher(config, journal, clock)
        watching = asyncio.ensure_future(_watch(keeper, feeder))
        try:
            yield InProcessService(config, engine, publisher, clock, backends.hosts)
        finally:
            watching.cancel()
            if engine.functions is not None:
                await engine.functions.close()
            if engine.recall is not None:
                engine.recall.memory.close()
            if engine.replying.keeping is not None and engine.replying.keeping.forms is not None:
                await engine.replying.keeping.forms.close()
            with suppress(asyncio.CancelledError):
                await watching
            await asyncio.to_thread(publisher.close)


async def _watch(keeper: KeeperProcess, feeder: FeederProcess) -> None:
    while True:
        keeper.watch()
        feeder.watch()
        await asyncio.sleep(0.5)
