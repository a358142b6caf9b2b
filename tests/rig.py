"""A whole Waggle on loopback without Ray: real sockets, real HTTP servers, one event loop."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import yaml

from router.api.assemble import HostedBackends, Router, assemble, hosted_backends
from router.api.background import Background
from router.api.learner import LearnerClient
from router.audit_log import AuditLog
from router.calls.hop import Hops
from router.config.config import Config
from router.engine.engine import Engine
from router.keys import Key
from router.telemetry.metrics import Metrics
from router.wire.listener import Listener
from tests.fakes import LosableHive, MemoryJournal, MemoryOf
from tests.http_answer import HttpAnswer, post, read_answer

TOKEN = "rig-token"


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application on a port of loopback, and yield the address."""
    port = Listener()
    await port.open(app, host="127.0.0.1")
    try:
        yield port.address
    finally:
        await port.close()


@dataclass
class Rig:
    url: str
    router: Router
    backends: HostedBackends
    journal: MemoryJournal
    memory: MemoryOf
    hive: LosableHive
    client: aiohttp.ClientSession

    @property
    def engine(self) -> Engine:
        return self.router.engine

    @property
    def background(self) -> Background:
        return self.router.background

    async def post(self, path: str, body: Any, **headers: str) -> HttpAnswer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await post(self.client, self.url + path, body, named)

    async def get(self, path: str, **headers: str) -> HttpAnswer:
        async with self.client.get(self.url + path, headers=headers) as answer:
            return await read_answer(answer)

    async def chat(self, text: str = "hi", *, model: str = "auto", **more: Any) -> HttpAnswer:
        headers = more.pop("headers", {})
        messages = [{"role": "user", "content": text}]
        body = {"model": model, "messages": messages} | more
        return await self.post("/v1/chat/completions", body, **headers)


@asynccontextmanager
async def rig(
    text: str,
    *,
    keys: Sequence[Key] = (),
    hive: LosableHive | None = None,
    learner: LearnerClient | None = None,
    audit: AuditLog | None = None,
    name: str = "r1",
    wall: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.monotonic,
    uniform: Callable[[], float] = random.random,
) -> AsyncIterator[Rig]:
    """Run a whole Waggle with this configuration, in a folder of its own if none is given."""
    config = Config.model_validate(yaml.safe_load(text))
    hive = hive or LosableHive()
    async with AsyncExitStack() as stack:
        if "data" not in config.server.model_fields_set:
            folder = stack.enter_context(TemporaryDirectory())
            server = config.server.model_copy(update={"data": folder})
            config = config.model_copy(update={"server": server})
        backends = await stack.enter_async_context(
            hosted_backends(
                config, token=TOKEN, read_secret=lambda name: "sk-upstream-secret", clock=steady
            )
        )
        journal, metrics = MemoryJournal(), Metrics()
        hops = Hops(TOKEN)
        stack.callback(hops.forget, frozenset())
        memory = MemoryOf(journal)
        router = assemble(
            config,
            directory=backends,
            hops=hops,
            hive=hive,
            journal=journal,
            metrics=metrics,
            memory=memory,
            name=name,
            keys=keys,
            learner=learner,
            audit=audit,
            wall=wall,
            steady=steady,
            uniform=uniform,
        )
        stack.callback(router.conversations.close)
        remembering = router.engine.recall
        if remembering is not None:
            stack.callback(remembering.memory.close)
            await asyncio.to_thread(remembering.memory.wait, 60)
        address = await stack.enter_async_context(listening(router.app))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Rig(f"http://{address}", router, backends, journal, memory, hive, client)
