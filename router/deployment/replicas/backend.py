"""A replica of a backend; routers call it directly over HTTP, on a port of its own."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ray
from ray import serve

from router.backends.build import build
from router.backends.encoder_backend import EncoderBackend
from router.backends.host import Host
from router.backends.llama_backend import LlamaBackend
from router.config.backends import LocalSettings
from router.config.config import Config
from router.config.environment import TOKEN_VARIABLE, read_secret
from router.config.values import BackendSettings
from router.deployment.replicas.memory_watch import MemoryWatch
from router.deployment.replicas.process import STOP_SECONDS, log, log_to, settle
from router.domain import Event, Fault, new_id
from router.telemetry.journal import FileJournal
from router.telemetry.metrics import Metrics
from router.wire.asgi import Receive, Scope, Send
from router.wire.listener import Listener

_LEAVING_SECONDS = 0.5
# An encoder loads its model once the rest of a service has usually started: five seconds of CPU and
# 330 MB. A replica with tighter bounds loads its model at the first call.
_WARM_AFTER_SECONDS = 10.0
_WARM_MEMORY_MB = 512


class ReplicaDoor:
    """The ASGI application on the replica's port; calls wait for the backend's settings."""

    def __init__(self) -> None:
        self.host: Host | None = None
        self.opened = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.opened.wait()
        assert self.host is not None
        await self.host(scope, receive, send)


class BackendReplica:
    """One replica of one backend. Serve calls only the methods below."""

    async def __init__(self) -> None:
        settle()
        self._door = ReplicaDoor()
        self._port = Listener()
        self._memory = MemoryWatch(self._tell_of_memory)
        self._data = Path()
        self._name = ""
        self._warming: asyncio.Future[None] | None = None
        await self._port.open(self._door, host=ray.util.get_node_ip_address())

    async def reconfigure(self, settings: Mapping[str, Any]) -> None:
        config = Config.model_validate(
            {"backends": {"it": settings["backend"]}, "plans": {"p": {"ask": "it"}}}
        )
        backend = config.backends["it"]
        if not self._name:
            self._name, self._data = str(settings["name"]), Path(settings["data"])
            log_to(self._data / "logs" / "waggle.log")
        self._memory.most_mb = backend.replica_memory_mb
        built = build(backend, read_secret)
        if isinstance(backend, LocalSettings):
            # Serve keeps at most `at_once` models, and drops the least recently used one first.
            keep = serve.multiplexed(max_num_models_per_replica=backend.at_once)
            built.get = keep(_loader(built.load))
        if isinstance(built, EncoderBackend) and _has_room(backend):
            self._stop_warming()
            self._warming = asyncio.ensure_future(_warm_later(built))
        if isinstance(built, LlamaBackend) and not built.settings.lazy:
            self._stop_warming()
            self._warming = asyncio.ensure_future(_load_now(built, self._name))
        if self._door.host is None:
            self._door.host = Host(backend, built, token=read_secret(TOKEN_VARIABLE))
            self._door.opened.set()
        else:
            # The old backend closes after its last call; Serve need not wait until then.
            self._changing = asyncio.ensure_future(self._door.host.reconfigure(backend, built))

    def _stop_warming(self) -> None:
        if self._warming is not None:
            self._warming.cancel()

    def _tell_of_memory(self, memory_mb: int, most_mb: int) -> None:
        """Say in the log and in telemetry why this replica ends; the memory watch calls this."""
        log.error(
            "a replica of %s used %d MB of memory, and replica_memory_mb = %d: it ends now, and a "
            "new one starts. Raise replica_memory_mb if its requests need more.",
            *(self._name, memory_mb, most_mb),
        )
        journal = FileJournal(self._data / "telemetry", "backend", Metrics())
        detail = {"memory_mb": memory_mb, "replica_memory_mb": most_mb}
        now = time.time()
        journal.note(Event(new_id(now), now, "backend", self._name, "out of memory", detail))
        journal.close()

    def record_replica_metadata(self) -> dict[str, str]:
        return {"http": self._port.address}

    def record_autoscaling_stats(self) -> dict[str, float]:
        return {"ongoing": float(self._door.host.ongoing if self._door.host else 0)}

    async def __del__(self) -> None:
        """Wait until routers drop this replica, and answer the calls that still arrive."""
        self._stop_warming()
        if self._door.host is not None:
            await asyncio.sleep(_LEAVING_SECONDS)
            await self._door.host.drain(STOP_SECONDS - 2)
        await self._port.close()


def _has_room(settings: BackendSettings) -> bool:
    return settings.replica_memory_mb is None or settings.replica_memory_mb >= _WARM_MEMORY_MB


async def _warm_later(encoder: EncoderBackend) -> None:
    await asyncio.sleep(_WARM_AFTER_SECONDS)
    await encoder.warm()


async def _load_now(model: LlamaBackend, name: str) -> None:
    """Load a model before its first call; the call itself would name the trouble again."""
    try:
        await model.warm()
    except Fault as fault:
        log.error("the model of %s was not loaded: %s", name, fault.detail)


def _loader(load: Callable[[str], Any]) -> Callable[[str], Any]:
    """A new function for each backend, because Serve stores the models on the function."""

    async def loaded(model_id: str) -> Any:
        return await load(model_id)

    return loaded
