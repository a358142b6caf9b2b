"""A replica of a backend, or of several small ones; routers call it by frames, over a Unix socket
if they run on the same node, and otherwise over TCP. Each call names its backend.
"""

import asyncio
import sqlite3
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

import ray
from ray import serve

from router.backends.build import build
from router.backends.encoder_backend import EncoderBackend
from router.backends.host import Host, HostDoor
from router.backends.knowledge_backend import KnowledgeBackend
from router.backends.llama_backend import LlamaBackend
from router.backends.local_models import Load, LoadedModel
from router.config.backends import AnyBackend, LocalSettings
from router.config.config import Config
from router.config.environment import TOKEN_VARIABLE, read_secret
from router.config.values import BackendSettings
from router.deployment.replicas.memory_watch import MemoryWatch
from router.deployment.replicas.process import STOP_SECONDS, log, log_to, settle
from router.domain import Event, Fault, new_id
from router.telemetry.journal import FileJournal
from router.telemetry.metrics import Metrics
from router.wire.frame_server import FrameServer

_MOST_MODELS = 64  # that Serve hears of, where memory is the only bound
_LEAVING_SECONDS = 0.5
# An encoder loads its model once the rest of a service has usually started: that takes 70 MB, and
# 330 MB and five seconds of CPU where the model must first be exported. A replica with tighter
# bounds loads its model at the first call.
_WARM_AFTER_SECONDS = 10.0
_WARM_MEMORY_MB = 512


class BackendReplica:
    """One replica of one backend, or of several that share a process. Serve calls only the methods
    below."""

    async def __init__(self) -> None:
        settle()
        self._door = HostDoor()
        self._server = FrameServer(self._door, read_secret(TOKEN_VARIABLE))
        self._memory = MemoryWatch(self._tell_of_memory)
        self._data = Path()
        self._warming: dict[str, asyncio.Future[None]] = {}
        self._changing: set[asyncio.Future[None]] = set()
        await self._server.open(host=ray.util.get_node_ip_address())

    async def reconfigure(self, settings: Mapping[str, Any]) -> None:
        plans = {name: {"ask": name} for name in settings["backends"]}
        config = Config.model_validate({"backends": settings["backends"], "plans": plans})
        if not self._door.opened.is_set():
            self._data = Path(settings["data"])
            log_to(self._data / "logs" / "waggle.log")
        hosts = self._door.hosts
        for name, backend in config.backends.items():
            if name not in hosts or hosts[name].settings != backend:
                self._set_up(name, backend)
        for name in hosts.keys() - config.backends.keys():
            self._later(_let_go(hosts.pop(name)))
        bounds = [backend.replica_memory_mb for backend in config.backends.values()]
        self._memory.most_mb = None if None in bounds else max(b for b in bounds if b is not None)
        self._door.opened.set()

    def _set_up(self, name: str, settings: AnyBackend) -> None:
        """Build a backend and give it to its host, which keeps its running calls."""
        try:
            built = build(settings, read_secret)
        except Exception as error:
            if not self._door.opened.is_set():
                raise RuntimeError(f"{name}: {error}") from error
            # The other backends of this process must not end because one cannot change.
            log.error("backend %s could not be changed: %s", name, error)
            return
        if isinstance(settings, LocalSettings):
            built.get = _multiplexed(built.get, settings)
        self._warm(name, settings, built)
        host = self._door.hosts.get(name)
        if host is None:
            self._door.hosts[name] = Host(settings, built)
        else:
            # The old backend closes after its last call; Serve need not wait until then.
            self._later(host.reconfigure(settings, built))

    def _warm(self, name: str, settings: AnyBackend, built: Any) -> None:
        self._stop_warming(name)
        if isinstance(built, EncoderBackend) and _has_room(settings):
            self._warming[name] = asyncio.ensure_future(_warm_later(built))
        if isinstance(built, LlamaBackend) and not built.settings.lazy:
            self._warming[name] = asyncio.ensure_future(_load_now(built, name))
        if isinstance(built, KnowledgeBackend):
            self._warming[name] = asyncio.ensure_future(_load_stores(built, name))

    def _stop_warming(self, name: str) -> None:
        warming = self._warming.pop(name, None)
        if warming is not None:
            warming.cancel()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)

    def _tell_of_memory(self, memory_mb: int, most_mb: int) -> None:
        """Say in the log and in telemetry why this replica ends; the memory watch calls this."""
        names = ", ".join(self._door.hosts)
        log.error(
            "a replica of %s used %d MB of memory, and replica_memory_mb = %d: it ends now, and a "
            "new one starts. Raise replica_memory_mb if its requests need more.",
            *(names, memory_mb, most_mb),
        )
        journal = FileJournal(self._data / "telemetry", "backend", Metrics())
        detail = {"memory_mb": memory_mb, "replica_memory_mb": most_mb}
        now = time.time()
        journal.note(Event(new_id(now), now, "backend", names, "out of memory", detail))
        journal.close()

    def record_replica_metadata(self) -> dict[str, str]:
        node = ray.get_runtime_context().get_node_id()
        return {"socket": self._server.address, "tcp": self._server.tcp, "node": node}

    def record_autoscaling_stats(self) -> dict[str, float]:
        return {"ongoing": float(sum(host.ongoing for host in self._door.hosts.values()))}

    async def __del__(self) -> None:
        """Wait until routers drop this replica, and answer the calls that still arrive."""
        for name in list(self._warming):
            self._stop_warming(name)
        if self._door.hosts:
            await asyncio.sleep(_LEAVING_SECONDS)
            drains = (host.drain(STOP_SECONDS - 2) for host in self._door.hosts.values())
            await asyncio.gather(*drains)
        await self._server.close()


async def _let_go(host: Host) -> None:
    """Close a backend that is configured no more, after its last call."""
    await host.drain(host.settings.timeouts.total)
    await host.backend.close()


def _has_room(settings: BackendSettings) -> bool:
    return settings.replica_memory_mb is None or settings.replica_memory_mb >= _WARM_MEMORY_MB


async def _warm_later(encoder: EncoderBackend) -> None:
    await asyncio.sleep(_WARM_AFTER_SECONDS)
    await encoder.warm()


async def _load_stores(backend: KnowledgeBackend, name: str) -> None:
    """Load the stores that are read often; the first question says what is wrong with a store."""
    try:
        await backend.warm()
    except (Fault, OSError, sqlite3.Error):
        log.exception("the stores of %s are not loaded before they are asked", name)


async def _load_now(model: LlamaBackend, name: str) -> None:
    """Load a model before its first call; the call itself would name the trouble again."""
    try:
        await model.warm()
    except Fault as fault:
        log.error("the model of %s was not loaded: %s", name, fault.detail)


def _multiplexed(get: Load, settings: LocalSettings) -> Load:
    """Serve hears which models this replica holds. The shelf of the backend holds the models: it
    knows how much memory is free."""
    most = _MOST_MODELS if settings.at_once == "fit" else settings.at_once

    # A new function for each backend, because Serve stores the names on the function.
    @serve.multiplexed(max_num_models_per_replica=most)  # type: ignore[untyped-decorator]
    async def noted(model_id: str) -> str:
        return model_id

    async def loaded(stands_as: str) -> LoadedModel:
        model = await get(stands_as)
        await noted(model.name)
        return model

    return loaded
