"""A replica of the router: the endpoint behind Serve's ingress, and the loops that keep it current.

A router calls each backend replica over the replica's own HTTP port. Serve places, watches and
scales the replicas; this module decides nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from router.api.app import App
from router.api.assemble import Router, assemble
from router.audit_log import AuditLog
from router.calls.hop import Hops
from router.config.config import Config
from router.config.environment import TOKEN_VARIABLE, read_secret
from router.deployment.replicas.addresses import ReplicaAddresses
from router.deployment.replicas.garbage import keep_collecting, settle_garbage
from router.deployment.replicas.hive import HandleHive
from router.deployment.replicas.learner import HandleLearner
from router.deployment.replicas.process import STOP_SECONDS, log_to, settle
from router.keys import Key
from router.knowledge.feeding.process import FeederProcess
from router.telemetry.journal import FileJournal
from router.telemetry.keeper import KeeperProcess
from router.telemetry.log import Rotation
from router.telemetry.lookup import CatalogMemory
from router.telemetry.metrics import Metrics
from router.wire.asgi import Receive, Scope, Send, lifespan

_WARMING_SECONDS = 10.0  # that the start waits for stores to be read for claims


class Ingress:
    """The ASGI application for Serve: it passes requests to the router in the same process."""

    app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif Ingress.app is not None:
            await Ingress.app(scope, receive, send)


@serve.deployment(
    name="router",
    max_ongoing_requests=2000,
    health_check_period_s=1,
    graceful_shutdown_timeout_s=STOP_SECONDS,
)
@serve.ingress(Ingress())
class RouterReplica:
    async def __init__(self, hive: DeploymentHandle, learner: DeploymentHandle) -> None:
        settle(Ingress())
        self._hive, self._learner = HandleHive(hive), HandleLearner(learner)
        self._name = serve.get_replica_context().replica_id.unique_id
        self._addresses = ReplicaAddresses()
        self._router: Router | None = None
        self._keeper: KeeperProcess | None = None
        self._feeder: FeederProcess | None = None
        self._memory: CatalogMemory | None = None
        self._tasks: list[asyncio.Future[Any]] = []

    async def reconfigure(self, settings: Mapping[str, Any]) -> None:
        """Serve calls this for new settings; everything changes except the process."""
        config = Config.model_validate(settings["config"])
        keys = [Key.model_validate(key) for key in settings["keys"]]
        self._addresses.follow(config.backends)
        first = self._router is None
        if self._router is None or self._keeper is None or self._feeder is None:
            log_to(config.data / "logs" / "waggle.log")
            keeper = self._keeper = KeeperProcess(config.telemetry_folder, config.telemetry)
            feeder = self._feeder = FeederProcess(config)
            router = self._router = self._assembled(config, keys)

            def watch() -> None:
                keeper.watch()
                feeder.watch()

            Ingress.app = router.app
            background = router.background
            self._tasks = [
                asyncio.ensure_future(background.keep_exchanging(also=watch)),
                asyncio.ensure_future(background.keep_learning()),
                asyncio.ensure_future(background.keep_following()),
                asyncio.ensure_future(background.keep_forgetting()),
                asyncio.ensure_future(background.keep_telling_rights()),
                asyncio.ensure_future(router.batches.keep_working()),
                asyncio.ensure_future(keep_collecting(lambda: router.app.running)),
            ]
            settle_garbage()
            router.engine.tell("router", self._name, "started")
        else:
            router = self._router
            router.reconfigure(config, keys)
            self._keeper.follow(config.telemetry)
            self._feeder.follow(config)
            if self._memory is not None:
                self._memory.follow(config.telemetry.grace_seconds)
        # Without stores, the start does not wait for the warm-up: the first request is slower.
        wait_seconds = _WARMING_SECONDS if first else 0.0
        self._warming = await router.engine.claims.begin(config, wait_seconds=wait_seconds)
        # Every router reports the deployment; its identifier makes all reports one event.
        router.engine.tell_once("configuration", settings["deployed"], "in force")

    def _assembled(self, config: Config, keys: Sequence[Key]) -> Router:
        metrics, folder = Metrics(), config.telemetry_folder
        grace_seconds = config.telemetry.grace_seconds
        memory = self._memory = CatalogMemory(folder, grace_seconds=grace_seconds)
        rotation = Rotation(config.telemetry.seal_seconds, config.telemetry.seal_rows)
        return assemble(
            config,
            directory=self._addresses,
            hops=Hops(read_secret(TOKEN_VARIABLE)),
            hive=self._hive,
            journal=FileJournal(folder, "router", metrics, rotation=rotation),
            metrics=metrics,
            memory=memory,
            name=self._name,
            keys=keys,
            learner=self._learner,
            audit=AuditLog(config.data),
        )

    async def __del__(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._router is not None:
            self._router.engine.tell("router", self._name, "stopped")
            self._router.close()
        if self._keeper is not None:
            self._keeper.close()
        if self._feeder is not None:
            self._feeder.close()
