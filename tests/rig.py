"""A whole Waggle on loopback without Ray: real sockets, real HTTP servers, one event loop.

`Upstream` is a scripted model server, which can also misbehave byte by byte.
"""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yaml

from router.api.assemble import HostedBackends, Router, assemble, hosted_backends
from router.api.background import Background
from router.api.learner import LearnerClient
from router.calls.hop import Hops
from router.config.config import Config
from router.config.server import KeyLimits
from router.domain import Event, PolicyInForce, Refusal, Signal, Trace, TrialNews
from router.engine.engine import Engine
from router.hive import HiveState, Lease, News
from router.keys import Key
from router.telemetry.journal import NotDurable
from router.telemetry.lookup import StoredRequest, StoredSignal
from router.telemetry.metrics import Metrics
from router.wire.listener import Listener

TOKEN = "rig-token"


class MemoryJournal:
    """Keeps everything that is written down, for a test to look at. `full` acts as a full disk."""

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
    """The memory of telemetry, read from a memory journal instead of the catalog."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self.away = False
        self.earlier_scores: Mapping[str, float] = {}  # of rows that the journal does not hold

    async def find(self, request_id: str) -> StoredRequest | None:
        self._check()
        for trace in self._journal.traces:
            if trace.request.id == request_id:
                return StoredRequest(trace.about, tuple(self._signals_about(request_id)))
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


class LocalHive:
    """The hive without a process around it. `away` acts as a hive that cannot be reached."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.state = HiveState()
        self.away = False
        self.clock = clock

    async def lease(self, key_id: str, limits: KeyLimits) -> Lease:
        self._check()
        return self.state.lease(key_id, limits, self.clock())

    async def spend(self, key_id: str, tokens: int, cost_usd: float) -> None:
        self._check()
        self.state.spend(key_id, tokens, cost_usd, self.clock())

    async def exchange(self, router: str, news: News) -> News:
        self._check()
        return self.state.exchange(router, news, self.clock())

    async def all_metrics(self) -> Mapping[str, bytes]:
        self._check()
        return self.state.all_metrics()

    def _check(self) -> None:
        if self.away:
            raise ConnectionError("the hive is away")


Script = Callable[["Wire"], Awaitable[None]]


@dataclass
class Wire:
    """One request at the upstream, and the connection to answer it on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body)

    def raw(self, data: bytes) -> None:
        self.writer.write(data)

    def head(self, status: int = 200, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} X"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.raw("\r\n".join([*lines, "", ""]).encode())

    async def json(self, value: Any, status: int = 200, **headers: str) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        length = {"content_type": "application/json", "content_length": str(len(body))}
        self.head(status, **(length | headers))
        self.raw(body)
        await self.writer.drain()

    def events(self) -> None:
        self.head(content_type="text/event-stream", transfer_encoding="chunked")

    async def chunk(self, data: bytes) -> None:
        self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await self.writer.drain()

    async def event(self, value: Any) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        await self.chunk(b"data: " + data + b"\n\n")

    def close(self) -> None:
        self.writer.transport.abort()


def completion(text: str = "hello", **extra: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    base = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "up-1"}
    return base | {"choices": [choice], "usage": usage} | extra


def delta(content: str | None = None, finish: str | None = None, **extra: Any) -> dict[str, Any]:
    inner = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": inner, "finish_reason": finish}
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "up-1"}
    return base | {"choices": [choice]} | extra


async def answer_well(wire: Wire) -> None:
    """Answer as a healthy model server does: in a stream, and with usage, if asked for them."""
    if not wire.fields.get("stream"):
        await wire.json(completion())
        return
    wire.events()
    for word in ("one ", "two ", "three"):
        await wire.event(delta(word))
    await wire.event(delta(finish="stop"))
    if (wire.fields.get("stream_options") or {}).get("include_usage"):
        usage = completion()["usage"]
        await wire.event(delta() | {"choices": [], "usage": usage})
    await wire.event(b"[DONE]")
    await wire.chunk(b"")


@dataclass
class Upstream:
    script: Script = answer_well
    seen: list[Wire] = field(default_factory=list)
    running: int = 0
    most: int = 0
    url: str = ""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                pairs = (line.split(": ", 1) for line in head[1:] if line)
                headers = {name.lower(): value for name, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                wire = Wire(reader, writer, head[0].split(" ")[1], headers, body)
                self.seen.append(wire)
                self.running += 1
                self.most = max(self.most, self.running)
                try:
                    await self.script(wire)
                    await writer.drain()
                finally:
                    self.running -= 1
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Upstream"]:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._open):
                writer.transport.abort()


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """An ASGI application on a port of loopback; its address."""
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
    hive: LocalHive
    client: aiohttp.ClientSession

    @property
    def engine(self) -> Engine:
        return self.router.engine

    @property
    def background(self) -> Background:
        return self.router.background

    async def post(self, path: str, body: Any, **headers: str) -> "HttpAnswer":
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(
            self.url + path, data=io.BytesIO(data), headers=named
        ) as answer:
            return await read_answer(answer)

    async def get(self, path: str, **headers: str) -> "HttpAnswer":
        async with self.client.get(self.url + path, headers=headers) as answer:
            return await read_answer(answer)

    async def chat(self, text: str = "hi", *, model: str = "auto", **more: Any) -> "HttpAnswer":
        headers = more.pop("headers", {})
        messages = [{"role": "user", "content": text}]
        body = {"model": model, "messages": messages} | more
        return await self.post("/v1/chat/completions", body, **headers)


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]

    @property
    def events(self) -> list[Any]:
        lines = [block[6:] for block in self.body.decode().split("\n\n") if block[:6] == "data: "]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]


async def read_answer(answer: aiohttp.ClientResponse) -> HttpAnswer:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return HttpAnswer(answer.status, headers, await answer.read())


@asynccontextmanager
async def rig(
    text: str,
    *,
    keys: Sequence[Key] = (),
    hive: LocalHive | None = None,
    learner: LearnerClient | None = None,
    name: str = "r1",
) -> AsyncIterator[Rig]:
    """A running Waggle with this configuration."""
    config = Config.model_validate(yaml.safe_load(text))
    hive = hive or LocalHive()
    async with AsyncExitStack() as stack:
        backends = await stack.enter_async_context(
            hosted_backends(config, token=TOKEN, read_secret=lambda name: "sk-upstream-secret")
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
        )
        remembering = router.engine.recall
        if remembering is not None:
            stack.callback(remembering.memory.close)
            await asyncio.to_thread(remembering.memory.wait, 60)
        address = await stack.enter_async_context(listening(router.app))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Rig(f"http://{address}", router, backends, journal, memory, hive, client)
