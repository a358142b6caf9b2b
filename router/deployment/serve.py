"""Ray Serve around the router: the only file that imports Ray. Nothing is decided here.

One application holds the routers and the hive; each backend is an application of its own, so that
one can come or go without the others noticing. A router reaches a backend replica over that
replica's own HTTP port, which Serve's long poll tells it; Serve places, watches and scales them.
"""

import asyncio
import contextlib
import gc
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
import ray.serve._private.replica as serve_replica
from ray import serve
from ray._common.tls_utils import add_port_to_grpc_server
from ray.serve.config import AutoscalingContext
from ray.serve.context import _get_global_client
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ServeDeploySchema

from router.api.app import App
from router.api.assemble import Router, assemble
from router.backends.build import build as backend_for
from router.backends.host import Host
from router.calls.hop import Hops
from router.config.backends import LocalSettings
from router.config.config import Config
from router.config.environment import TOKEN_VARIABLE, read_secret
from router.config.server import KeyLimits
from router.domain import new_id
from router.hive import HiveState, Lease, News
from router.keys import Key
from router.request.statistical import reading_of
from router.routing.messages import NewsRequest, Published
from router.telemetry.journal import FileJournal
from router.telemetry.keeper import KeeperProcess
from router.telemetry.log import Rotation
from router.telemetry.lookup import CatalogMemory
from router.telemetry.metrics import Metrics
from router.wire.asgi import Receive, Scope, Send, lifespan
from router.wire.listener import Port

APPLICATION = "waggle"
_BACKEND_PREFIX = "waggle-backend-"
_STOP_SECONDS = 20.0
_READ_AGAIN_SECONDS = 0.05
_LEAVING_SECONDS = 0.5
_LEARNS_EVERY = 1.0
_LEARNERS_NICE = 5
_log = logging.getLogger("waggle")
# Read once at the start, since patterns are compiled when they are first used.
_LIKELY = {"messages": [{"role": "user", "content": "Draw 10 values from N(0, 1) as CSV, seed 1"}]}


class Ingress:
    """What Serve is given as the ASGI application: it finds the real one in its own process."""

    app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif Ingress.app is not None:
            await Ingress.app(scope, receive, send)


class Addresses:
    """A `Directory` read off Serve's long poll: where the replicas of each backend listen.

    The replicas that a handle knows are kept current by the controller's push, but have no public
    name in this version of Ray; a custom request router, which has one, is refused for a deployment
    that leads its application. So this reads what the handle holds.
    """

    def __init__(self) -> None:
        self._handles: dict[str, DeploymentHandle] = {}
        self._read: dict[str, tuple[float, tuple[str, ...]]] = {}

    def follow(self, backends: Iterable[str]) -> None:
        """Begin to listen for the replicas of these backends, and stop for all others."""
        for backend in backends:
            if backend not in self._handles:
                handle = serve.get_deployment_handle(backend, _BACKEND_PREFIX + backend)
                handle._init()  # what its first call would do; ours do not go through it
                self._handles[backend] = handle
        for backend in self._handles.keys() - set(backends):
            del self._handles[backend]

    def addresses(self, backend: str) -> Sequence[str]:
        now = time.monotonic()
        read_at, found = self._read.get(backend, (0.0, ()))
        if now - read_at > _READ_AGAIN_SECONDS:
            found = tuple(_addresses_of(self._handles.get(backend)))
            self._read[backend] = (now, found)
        return found


def _addresses_of(handle: DeploymentHandle | None) -> Iterator[str]:
    known = handle._router._asyncio_router.request_router if handle is not None else None
    for replica in known.curr_replicas.values() if known is not None else ():
        if "http" in replica.replica_metadata:
            yield replica.replica_metadata["http"]


class HandleHive:
    """The hive over a Serve handle."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def lease(self, key_id: str, limits: KeyLimits) -> Lease:
        leased: Lease = await self._ask(self._handle.lease.remote(key_id, limits))
        return leased

    async def spend(self, key_id: str, tokens: int, cost_usd: float) -> None:
        await self._ask(self._handle.spend.remote(key_id, tokens, cost_usd))

    async def exchange(self, router: str, news: News) -> News:
        heard: News = await self._ask(self._handle.exchange.remote(router, news))
        return heard

    async def all_metrics(self) -> Mapping[str, bytes]:
        told: Mapping[str, bytes] = await self._ask(self._handle.all_metrics.remote())
        return told

    @staticmethod
    async def _ask(response: Any) -> Any:
        async with asyncio.timeout(0.5):
            return await response


@serve.deployment(name="hive", max_ongoing_requests=1000, health_check_period_s=1)
class HiveReplica:
    async def __init__(self) -> None:
        _settle()
        self._state = HiveState()

    async def reconfigure(self, settings: Mapping[str, Any]) -> None:
        self._state.keep_in(Path(settings["data"]) / "ledger.json")

    async def lease(self, key_id: str, limits: KeyLimits) -> Lease:
        return self._state.lease(key_id, limits, time.time())

    async def spend(self, key_id: str, tokens: int, cost_usd: float) -> None:
        self._state.spend(key_id, tokens, cost_usd, time.time())

    async def exchange(self, router: str, news: News) -> News:
        return self._state.exchange(router, news, time.time())

    async def all_metrics(self) -> Mapping[str, bytes]:
        return self._state.all_metrics()


@serve.deployment(name="learner", max_ongoing_requests=1000, health_check_period_s=2)
class LearnerReplica:
    """One for all routers. What it does takes its time, and happens beside its loop."""

    async def __init__(self) -> None:
        _settle()
        self._publisher: Any = None
        self._turning: asyncio.Task[None] | None = None

    async def reconfigure(self, settings: Mapping[str, Any]) -> None:
        from router.learning.publisher import Publisher  # River and what it brings

        config = Config.model_validate(settings["config"])
        if self._publisher is None:
            _log_to(config.data / "logs" / "waggle.log")
            os.nice(_LEARNERS_NICE)
            rotation = Rotation(config.telemetry.seal_seconds, config.telemetry.seal_rows)
            folder = config.telemetry_folder
            self._journal = FileJournal(folder, "learner", Metrics(), rotation=rotation)
            self._publisher = Publisher(config, self._journal)
            self._turning = asyncio.ensure_future(self._keep_turning())
        else:
            await asyncio.to_thread(self._publisher.reconfigure, config)

    async def _keep_turning(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._publisher.turn)
            except Exception:  # what it has is still handed out
                _log.exception("the learner could not go on, and tries again")
            await asyncio.sleep(_LEARNS_EVERY)

    async def news(self, request: NewsRequest) -> Published:
        published: Published = self._publisher.hear(request)
        return published

    async def report(self) -> Mapping[str, Any]:
        report: Mapping[str, Any] = await asyncio.to_thread(self._publisher.told)
        return report

    async def trials(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = await asyncio.to_thread(self._publisher.trials, command)
        return answer

    async def __del__(self) -> None:
        if self._turning is not None:
            self._turning.cancel()
        if self._publisher is not None:
            await asyncio.to_thread(self._publisher.close)
            self._journal.close()


class HandleLearner:
    """The learner over a Serve handle."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def news(self, request: NewsRequest) -> Published:
        async with asyncio.timeout(5):
            published: Published = await self._handle.news.remote(request)
        return published

    async def report(self) -> Mapping[str, Any]:
        async with asyncio.timeout(10):
            report: Mapping[str, Any] = await self._handle.report.remote()
        return report

    async def trials(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        async with asyncio.timeout(30):
            answer: Mapping[str, Any] = await self._handle.trials.remote(command)
        return answer


@serve.deployment(
    name="router",
    max_ongoing_requests=2000,
    health_check_period_s=1,
    graceful_shutdown_timeout_s=_STOP_SECONDS,
)
@serve.ingress(Ingress())
class RouterReplica:
    async def __init__(self, hive: DeploymentHandle, learner: DeploymentHandle) -> None:
        _settle()
        reading_of(_LIKELY)
        self._learner = HandleLearner(learner)
        self._name = serve.get_replica_context().replica_id.unique_id
        self._hive = HandleHive(hive)
        self._addresses = Addresses()
        self._hops = Hops(read_secret(TOKEN_VARIABLE))
        self._router: Router | None = None
        self._keeper: KeeperProcess | None = None
        self._exchanging: asyncio.Task[None] | None = None
        self._learning: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    async def reconfigure(self, settings: Mapping[str, Any]) -> None:
        """Serve's light reconfigure: everything changes but the process."""
        config = Config.model_validate(settings["config"])
        keys = [Key.model_validate(key) for key in settings["keys"]]
        self._addresses.follow(config.backends)
        if self._router is None:
            _log_to(config.data / "logs" / "waggle.log")
            self._keeper = KeeperProcess(config.telemetry_folder, config.telemetry)
            self._router = self._start(config, keys)
            Ingress.app = self._router.app
            background = self._router.background
            self._exchanging = asyncio.ensure_future(
                background.keep_exchanging(also=self._keeper.watch)
            )
            self._learning = asyncio.ensure_future(background.keep_learning())
            self._following = asyncio.ensure_future(background.keep_following())
            self._router.engine.tell("router", self._name, "started")
        else:
            self._router.reconfigure(config, keys)
            if self._keeper is not None:
                self._keeper.follow(config.telemetry)
        # Not in the way of the start: until it is done the first question is slower, no more.
        warm = self._router.engine.claims.warm
        self._warming = asyncio.ensure_future(asyncio.to_thread(warm, config))
        # One event however many routers tell of it: they were told by the same deployment.
        self._router.engine.tell_once("configuration", settings["deployed"], "in force")

    def _start(self, config: Config, keys: Sequence[Key]) -> Router:
        metrics = Metrics()
        journal = FileJournal(
            config.telemetry_folder,
            "router",
            metrics,
            rotation=Rotation(config.telemetry.seal_seconds, config.telemetry.seal_rows),
        )
        return assemble(
            config,
            directory=self._addresses,
            hops=self._hops,
            hive=self._hive,
            journal=journal,
            metrics=metrics,
            memory=CatalogMemory(config.telemetry_folder),
            name=self._name,
            keys=keys,
            learner=self._learner,
        )

    async def __del__(self) -> None:
        for task in (self._exchanging, self._learning, self._following):
            if task is not None:
                task.cancel()
        if self._router is not None:
            self._router.engine.tell("router", self._name, "stopped")
            self._router.close()
        if self._keeper is not None:
            self._keeper.close()


class ReplicaDoor:
    """The ASGI application of a backend replica, whose address is announced before its settings
    come."""

    def __init__(self) -> None:
        self.host: Host | None = None
        self.opened = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.opened.wait()
        assert self.host is not None
        await self.host(scope, receive, send)


class BackendReplica:
    """One replica of one backend, on a port of its own. Serve calls nothing on it but this."""

    async def __init__(self) -> None:
        _settle()
        self._door = ReplicaDoor()
        self._port = Port()
        await self._port.open(self._door, host=ray.util.get_node_ip_address())

    async def reconfigure(self, settings: Mapping[str, Any]) -> None:
        config = Config.model_validate(
            {"backends": {"it": settings["backend"]}, "plans": {"p": {"ask": "it"}}}
        )
        backend = config.backends["it"]
        built = backend_for(backend, read_secret)
        if isinstance(backend, LocalSettings):
            # Serve keeps the models: so many at once, the least recently used out first.
            keep = serve.multiplexed(max_num_models_per_replica=backend.at_once)
            built.get = keep(_loader(built.load))
        if self._door.host is None:
            self._door.host = Host(backend, built, token=read_secret(TOKEN_VARIABLE))
            self._door.opened.set()
        else:
            # The old one is closed when its last call has ended; Serve need not wait for that.
            self._changing = asyncio.ensure_future(self._door.host.reconfigure(backend, built))

    def record_replica_metadata(self) -> dict[str, str]:
        return {"http": self._port.address}

    def record_autoscaling_stats(self) -> dict[str, float]:
        return {"ongoing": float(self._door.host.ongoing if self._door.host else 0)}

    async def __del__(self) -> None:
        """Routers hear that we leave; what they still send in that moment is answered."""
        if self._door.host is not None:
            await asyncio.sleep(_LEAVING_SECONDS)
            await self._door.host.drain(_STOP_SECONDS - 2)
        await self._port.close()


def _loader(load: Callable[[str], Any]) -> Callable[[str], Any]:
    """A function of its own for each backend: Serve hangs what it keeps on the function."""

    async def loaded(model_id: str) -> Any:
        return await load(model_id)

    return loaded


def _settle() -> None:
    """What each of our replicas does first."""
    _listen_on_this_node_only()
    # What is loaded stays; requests leave no cycles, so the collector may look less often.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _listen_on_this_node_only() -> None:
    """Have Serve open the port between replicas, after our `__init__`, on this node's own
    address. It is written to take every interface of the machine, and no setting says otherwise."""

    def add_port(server: Any, address: str) -> int:
        host, port = ray.util.get_node_ip_address(), address.rpartition(":")[2]
        return int(add_port_to_grpc_server(server, f"{host}:{port}"))

    serve_replica.add_port_to_grpc_server = add_port


class _Formatter(logging.Formatter):
    """Serve replaces `print` in its replicas, which the usual way to format a traceback uses."""

    def formatException(self, ei: Any) -> str:
        return "".join(traceback.format_exception(*ei)).rstrip()


def _log_to(path: Path) -> None:
    """Our own warnings and errors, of all routers, in one file that people find."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    handler.setFormatter(_Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    _log.addHandler(handler)


def scale(context: AutoscalingContext) -> tuple[int, dict[str, Any]]:
    """As many replicas as keep the calls in flight on each at what was asked for.

    Serve counts calls made through its handles; ours come over HTTP, so each replica reports them.
    """
    ongoing = sum(context.aggregated_metrics.get("ongoing", {}).values())
    wanted = float((context.config and context.config.target_ongoing_requests) or 1)
    return max(1, -int(-ongoing // wanted)), {}


def build(args: Mapping[str, str]) -> serve.Application:  # noqa: ARG001 - what `serve deploy` calls
    return RouterReplica.bind(HiveReplica.bind(), LearnerReplica.bind())


def build_backend(args: Mapping[str, str]) -> serve.Application:
    deployment = serve.deployment(
        BackendReplica,
        name=args["name"],
        max_ongoing_requests=1000,
        health_check_period_s=1,
        graceful_shutdown_timeout_s=_STOP_SECONDS,
    )
    return deployment.bind()


def router_settings(config: Config, keys: Sequence[Key]) -> dict[str, Any]:
    return {
        "config": config.model_dump(mode="json"),
        "keys": [key.model_dump(mode="json") for key in keys],
        "deployed": new_id(time.time()),
    }


def schema(
    config: Config, keys: Sequence[Key], *, backends_of: Config | None = None
) -> dict[str, Any]:
    """What `serve deploy` takes. `backends_of`: another configuration whose backends also run."""
    others = backends_of.backends if backends_of else {}
    backends = {**others, **config.backends}
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": config.server.host, "port": config.server.port},
        "logging_config": {"enable_access_log": False},
        "applications": [
            {
                "name": APPLICATION,
                "route_prefix": "/",
                "import_path": "router.deployment.serve:build",
                "deployments": [
                    {
                        "name": "router",
                        "num_replicas": config.server.replicas,
                        "user_config": router_settings(config, keys),
                        "ray_actor_options": {"num_cpus": 0.05},
                    },
                    {
                        "name": "learner",
                        "user_config": {"config": config.model_dump(mode="json")},
                        "ray_actor_options": {"num_cpus": 0.05},
                    },
                    {
                        "name": "hive",
                        "user_config": {"data": str(config.data)},
                        "ray_actor_options": {"num_cpus": 0.05},
                    },
                ],
            },
            *(_backend_application(name, settings) for name, settings in backends.items()),
        ],
    }


def _backend_application(name: str, settings: Any) -> dict[str, Any]:
    replicas = settings.replicas
    deployment: dict[str, Any] = {
        "name": name,
        "user_config": {"backend": settings.model_dump(mode="json")},
        "ray_actor_options": {"num_cpus": settings.cpus, "num_gpus": settings.gpus},
    }
    if replicas.max > replicas.min:
        deployment["autoscaling_config"] = {
            "min_replicas": replicas.min,
            "max_replicas": replicas.max,
            "target_ongoing_requests": replicas.ongoing,
            "upscale_delay_s": 2,
            "downscale_delay_s": 60,
            "metrics_interval_s": 1,
            "look_back_period_s": 2,
            "policy": {"policy_function": "router.deployment.serve:scale"},
        }
    else:
        deployment["num_replicas"] = replicas.min
    return {
        "name": _BACKEND_PREFIX + name,
        "route_prefix": None,
        "import_path": "router.deployment.serve:build_backend",
        "args": {"name": name},
        "deployments": [deployment],
    }


def start_ray(folder: Path) -> str:
    """A Ray of our own on loopback; its address."""
    context = ray.init(
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=str(folder),
        object_store_memory=80 * 2**20,
        logging_level=logging.ERROR,
        log_to_driver=False,
        configure_logging=False,
    )
    return str(context.address_info["gcs_address"])


def connect(address: str) -> None:
    ray.init(
        address=address, logging_level=logging.ERROR, log_to_driver=False, configure_logging=False
    )


def start_serve(config: Config) -> None:
    logging.getLogger("ray.serve").setLevel(logging.WARNING)

    def start() -> None:
        serve.start(
            proxy_location="EveryNode",
            http_options={"host": config.server.host, "port": config.server.port},
            logging_config={"enable_access_log": False},
        )

    try:
        start()
    except ray.exceptions.RayActorError:
        # On a busy machine the first proxy is given up before it ran; Serve starts another, and
        # asked again it is there already.
        start()


def deploy(
    config: Config,
    keys: Sequence[Key],
    *,
    seconds: float,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Bring the cluster to this configuration, so that no request fails on the way.

    New backends come up before routers hear of them, and old ones leave after routers have let go.
    """
    until = time.monotonic() + seconds
    running = _running_config()
    if running is not None and config.backends.keys() - running.backends.keys():
        old_keys = _running_keys()
        grown = config.model_copy(update={"backends": {**config.backends, **running.backends}})
        _apply(schema(running, old_keys, backends_of=grown))
        _wait(tell, until)
    _apply(schema(config, keys, backends_of=running))
    _wait(tell, until)
    if running is not None and running.backends.keys() - config.backends.keys():
        # Routers have let go; what they sent just before is on its way and will be drained.
        time.sleep(0.5)
        _apply(schema(config, keys))
        _wait(tell, until)


def status() -> dict[str, Any]:
    """Each application and deployment, with its replicas, as Serve sees them."""
    told = serve.status()
    return {
        name: {
            "status": str(application.status.value),
            "message": application.message,
            "deployments": {
                deployment: {
                    "status": str(state.status.value),
                    "message": state.message,
                    "replicas": dict(state.replica_states),
                }
                for deployment, state in application.deployments.items()
            },
        }
        for name, application in told.applications.items()
        if name == APPLICATION or name.startswith(_BACKEND_PREFIX)
    }


def remove() -> None:
    """Take our applications off a cluster that is not ours."""
    client = _get_global_client()
    if client is not None:
        client.delete_apps(list(status()), blocking=True)


def stop() -> None:
    """Let calls end, then Ray. What ignores it is ended by whoever started us."""
    with contextlib.suppress(Exception):  # a half-dead cluster is stopped all the same
        remove()
    ray.shutdown()


def _apply(config: Mapping[str, Any]) -> None:
    client = _get_global_client()
    if client is None:
        raise RuntimeError("Serve is not running: start_serve() comes first")
    client.deploy_apps(ServeDeploySchema(**config))


def _running_config() -> Config | None:
    settings = _router_user_config()
    return Config.model_validate(settings["config"]) if settings else None


def _running_keys() -> list[Key]:
    return [Key.model_validate(key) for key in (_router_user_config() or {}).get("keys", [])]


def _router_user_config() -> dict[str, Any] | None:
    client = _get_global_client()
    details = client.get_serve_details() if client else {}
    application = details.get("applications", {}).get(APPLICATION)
    for deployment in ((application or {}).get("deployed_app_config") or {}).get("deployments", []):
        if deployment["name"] == "router":
            return dict(deployment["user_config"])
    return None


def _wait(tell: Callable[[str], None], until: float) -> None:
    """Until all that was applied runs; the reason, where it cannot."""
    while True:
        applications = status()
        broken = {
            name: told
            for name, told in applications.items()
            if told["status"] in ("DEPLOY_FAILED", "UNHEALTHY")
        }
        if broken:
            raise RuntimeError("; ".join(_why(name, told) for name, told in broken.items()))
        waiting = [name for name, told in applications.items() if told["status"] != "RUNNING"]
        if applications and not waiting:
            return
        tell(f"{len(applications) - len(waiting)} of {len(applications)} parts are up")
        if time.monotonic() > until:
            raise TimeoutError(f"not up in time: {', '.join(waiting)}")
        time.sleep(0.05)


def _why(name: str, told: Mapping[str, Any]) -> str:
    reasons = [told["message"], *(d["message"] for d in told["deployments"].values())]
    said = " ".join(reason for reason in reasons if reason)
    return f"{name.removeprefix(_BACKEND_PREFIX)}: {said[-800:]}"
