"""Builds one router, for the service, the demo or the tests.

The three differ in journal, hive, directory, clock and chance, so these are arguments. The caller
opens the router's port and runs its loops. The demo and the tests run without Ray, and use
`hosted_backends`.
"""

import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from router.api.app import App
from router.api.background import Background
from router.api.incoming import Admission
from router.api.learner import LearnerClient
from router.audit_log import AuditLog
from router.backends.build import build
from router.backends.host import Host, HostDoor
from router.backends.protocol import SecretReader
from router.batches.owner import BatchOwner
from router.budgets import Moment
from router.calls.attempts import Attempts, Directory
from router.calls.hop import Hops
from router.config.config import Config
from router.conversations.memory import ConversationMemory
from router.engine.allowances import Allowances
from router.engine.conversations import Homes
from router.engine.engine import Engine
from router.hive import Hive
from router.keys import Key
from router.request.statistical import warm
from router.telemetry.journal import Journal
from router.telemetry.lookup import Memory
from router.telemetry.metrics import Metrics
from router.wire.frame_server import FrameServer


@dataclass(frozen=True, slots=True)
class Router:
    """One router: `app` answers requests, `background` exchanges news with hive and learner, and
    `batches` carries out the batches of all routers, if no other router does."""

    engine: Engine
    admission: Admission
    app: App
    background: Background
    conversations: ConversationMemory
    batches: BatchOwner

    def reconfigure(self, config: Config, keys: Iterable[Key]) -> None:
        self.conversations.reconfigure(config.conversations)
        self.engine.reconfigure(config)
        self.admission.replace_keys(keys)

    def close(self) -> None:
        if self.engine.recall is not None:
            self.engine.recall.memory.close()
        self.conversations.close()
        self.engine.journal.close()


def assemble(
    config: Config,
    *,
    directory: Directory,
    hops: Hops,
    hive: Hive,
    journal: Journal,
    metrics: Metrics,
    memory: Memory,
    name: str,
    keys: Iterable[Key] = (),
    learner: LearnerClient | None = None,
    audit: AuditLog | None = None,
    remembers: bool = True,
    wall: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.monotonic,
    uniform: Callable[[], float] = random.random,
) -> Router:
    """Build a router that is ready for requests, the first one too. `remembers` says whether it
    may reuse solutions, `audit` where it writes administrative acts."""
    warm()
    engine = Engine(
        config,
        Attempts(directory, hops),
        journal,
        Allowances(hive, metrics, name=name, clock=lambda: Moment(wall(), steady())),
        metrics,
        Homes(),
        wall=wall,
        steady=steady,
        uniform=uniform,
        remembers=remembers,
    )
    admission = Admission(engine, keys)
    conversations = ConversationMemory(
        config.conversations_folder, config.conversations, engine.rights.reads
    )
    batches = BatchOwner(
        lambda scope, receive, send: app(scope, receive, send),
        lambda: engine.config,
        live=lambda: app.running,
        wall=wall,
        steady=steady,
        tell=engine.tell,
        may_read=engine.rights.reads,
    )
    app = App(
        engine,
        admission,
        hive=hive,
        memory=memory,
        conversations=conversations,
        learner=learner,
        audit=audit,
        name=name,
        started_at=int(wall()),
        batches=batches,
    )
    background = Background(
        engine,
        hive,
        memory,
        conversations,
        learner=learner,
        name=name,
        running=lambda: app.running,
    )
    return Router(engine, admission, app, background, conversations, batches)


@dataclass(frozen=True, slots=True)
class HostedBackends:
    """A directory of backends that run in this process, each on a socket of its own."""

    hosts: dict[str, Host] = field(default_factory=dict)
    listening: dict[str, list[str]] = field(default_factory=dict)

    def addresses(self, backend: str) -> Sequence[str]:
        return self.listening.get(backend, ())


@asynccontextmanager
async def hosted_backends(
    config: Config,
    *,
    token: str,
    read_secret: SecretReader,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[HostedBackends]:
    """Run every configured backend in this process, as long as the context is open."""
    hosted = HostedBackends()
    async with AsyncExitStack() as stack:
        for name, settings in config.backends.items():
            backend = build(settings, read_secret)
            stack.push_async_callback(backend.close)
            host = hosted.hosts[name] = Host(settings, backend, clock=clock)
            server = FrameServer(HostDoor({name: host}), token)
            await server.open()
            stack.push_async_callback(server.close)
            hosted.listening[name] = [server.address]
        yield hosted
