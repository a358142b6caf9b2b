"""Starts, connects, updates and stops a Ray cluster with our applications on it."""

import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.serve._private.api import _create_controller_and_proxy_refs
from ray.serve._private.application_state import StatusOverview
from ray.serve._private.client import ServeControllerClient
from ray.serve.config import ControllerOptions
from ray.serve.context import _get_global_client, _set_global_client
from ray.serve.schema import ApplicationStatus, ServeDeploySchema

from router.config.config import Config
from router.deployment.applications import (
    APPLICATION,
    deployment_of,
    is_ours,
    placed,
    serve_config,
)
from router.deployment.local_service import remember_deployed
from router.deployment.ray_node import LeanNode
from router.deployment.workers.forks import WorkerForks
from router.keys import Key

# Routers no longer call a removed backend; their last calls to it may take this long to arrive.
_LETTING_GO_SECONDS = 0.5
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.02, 0.2
_SOON_SECONDS = 0.5  # within which a reload is over
_FAILED = (ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY)


class DeploymentFailed(RuntimeError):
    """An application cannot start; the message holds Serve's reason."""


class DeploymentTooSlow(TimeoutError):
    """Some applications did not start in time; the message names them."""


_nodes: list[LeanNode] = []  # what this process has started, and stops


def start_ray(folder: Path, forks: WorkerForks | None = None) -> str:
    """Start a Ray cluster of our own on loopback, and return its address."""
    node = LeanNode(folder, forks)
    _nodes.append(node)
    connect(node.gcs_address)
    return str(node.gcs_address)


def connect(address: str) -> None:
    ray.init(
        address=address, logging_level=logging.ERROR, log_to_driver=False, configure_logging=False
    )


def start_serve(config: Config) -> None:
    """Start Serve's controller; its ingress starts beside what is deployed meanwhile."""
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    if _get_global_client(raise_if_no_controller_running=False) is not None:
        return  # on somebody else's cluster
    controller, _ = _create_controller_and_proxy_refs(
        {"host": config.server.host, "port": config.server.port},
        None,
        {"enable_access_log": False},
        None,
        ControllerOptions(),
        "EveryNode",
    )
    _set_global_client(ServeControllerClient(controller))


def deploy(
    config: Config,
    keys: Sequence[Key],
    *,
    seconds: float,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Bring the cluster to this configuration without failing a request.

    New backends start before routers learn of them; old backends leave after routers have dropped
    them.
    """
    give_up_at = time.monotonic() + seconds
    running, running_keys = _deployed()
    if running is not None and placed(config) - placed(running):
        _apply(serve_config(running, running_keys, backends_of=config), tell, give_up_at)
    _apply(serve_config(config, keys, backends_of=running), tell, give_up_at)
    if running is not None and placed(running) - placed(config):
        time.sleep(_LETTING_GO_SECONDS)
        _apply(serve_config(config, keys), tell, give_up_at)
    remember_deployed(config, keys)


def _deployed() -> tuple[Config | None, list[Key]]:
    """The configuration and the keys of the last deployment."""
    client = _get_global_client()
    # Serve's public question collects the details of every replica: a tenth of a second.
    applications = ray.get(client._controller.get_app_configs.remote()) if client else {}
    written = applications.get(APPLICATION)
    for deployment in written.deployments if written is not None else ():
        if deployment.name == "router":
            settings = deployment.user_config
            config = Config.model_validate(settings["config"])
            return config, [Key.model_validate(key) for key in settings["keys"]]
    return None, []


def _apply(written: Mapping[str, Any], tell: Callable[[str], None], give_up_at: float) -> None:
    """Deploy a Serve config, and wait until all its applications run."""
    client = _get_global_client()
    if client is None:
        raise RuntimeError("Serve is not running: start_serve() comes first")
    client.deploy_apps(ServeDeploySchema(**written))
    pause, begun = _PAUSE_SECONDS, time.monotonic()
    while True:
        applications = _applications()
        failed = [each for each in applications.values() if each.app_status.status in _FAILED]
        if failed:
            raise DeploymentFailed("; ".join(map(_reason, failed)))
        waiting = [
            "the routers" if name == APPLICATION else deployment_of(name)
            for name, each in applications.items()
            if each.app_status.status != ApplicationStatus.RUNNING
        ]
        if applications and not waiting:
            return
        up = f"{len(applications) - len(waiting)} of {len(applications)} parts are up"
        tell(f"{up}; waiting for {', '.join(waiting)} …" if waiting else up)
        if time.monotonic() > give_up_at:
            raise DeploymentTooSlow(f"not up in time: {', '.join(waiting)}")
        # Each look takes the controller's time, which it needs for what we wait for.
        time.sleep(pause)
        if time.monotonic() > begun + _SOON_SECONDS:
            pause = min(_LONGEST_PAUSE_SECONDS, pause * 1.5)


def _applications() -> dict[str, StatusOverview]:
    """The states of each of our applications and its deployments, by name."""
    client = _get_global_client(raise_if_no_controller_running=False)
    overviews = client.list_serve_statuses() if client is not None else ()
    return {each.name: each for each in overviews if is_ours(each.name)}


def _reason(application: StatusOverview) -> str:
    deployments = (each.message for each in application.deployment_statuses)
    messages = " ".join(filter(None, (application.app_status.message, *deployments)))
    return f"{deployment_of(application.name)}: {messages[-800:]}"


def lost() -> str:
    """Why Ray counts this node as lost; empty while it does not."""
    here = ray.get_runtime_context().get_node_id()
    dead = any(node["NodeID"] == here and not node["Alive"] for node in ray.nodes())
    return "Ray has declared its node dead" if dead else ""


def remove() -> None:
    """Remove our applications from the cluster, if Ray is connected and runs Serve."""
    if not ray.is_initialized():  # otherwise the search for Serve would start a Ray of our own
        return
    client = _get_global_client(raise_if_no_controller_running=False)
    if client is not None:
        client.delete_apps(list(_applications()), blocking=True)


def stop() -> None:
    """Let running calls end, then stop Ray. The caller ends processes that do not stop."""
    with contextlib.suppress(Exception):  # Ray must stop even if the cluster is half dead
        remove()
    ray.shutdown()
    while _nodes:
        _nodes.pop().kill_all_processes(check_alive=False, allow_graceful=True)
