"""Starts, connects, updates and stops a Ray cluster with our applications on it."""

import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.serve.context import _get_global_client
from ray.serve.schema import ServeDeploySchema

from router.config.config import Config
from router.deployment.applications import (
    APPLICATION,
    deployment_of,
    is_ours,
    placed,
    serve_config,
)
from router.deployment.local_service import remember_deployed
from router.keys import Key

# Routers no longer call a removed backend; their last calls to it may take this long to arrive.
_LETTING_GO_SECONDS = 0.5


class DeploymentFailed(RuntimeError):
    """An application cannot start; the message holds Serve's reason."""


class DeploymentTooSlow(TimeoutError):
    """Some applications did not start in time; the message names them."""


def start_ray(folder: Path) -> str:
    """Start a Ray cluster of our own on loopback, and return its address."""
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
        # On a busy machine Serve may drop the first proxy before it runs, and start another. The
        # second call finds the new proxy.
        start()


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
    applications = client.get_serve_details().get("applications", {}) if client else {}
    written = (applications.get(APPLICATION) or {}).get("deployed_app_config") or {}
    for deployment in written.get("deployments", []):
        if deployment["name"] == "router":
            settings = deployment["user_config"]
            config = Config.model_validate(settings["config"])
            return config, [Key.model_validate(key) for key in settings["keys"]]
    return None, []


def _apply(written: Mapping[str, Any], tell: Callable[[str], None], give_up_at: float) -> None:
    """Deploy a Serve config, and wait until all its applications run."""
    client = _get_global_client()
    if client is None:
        raise RuntimeError("Serve is not running: start_serve() comes first")
    client.deploy_apps(ServeDeploySchema(**written))
    while True:
        applications = _applications()
        failed = {
            name: application
            for name, application in applications.items()
            if application.status in ("DEPLOY_FAILED", "UNHEALTHY")
        }
        if failed:
            raise DeploymentFailed("; ".join(_reason(*item) for item in failed.items()))
        waiting = [name for name, each in applications.items() if each.status != "RUNNING"]
        if applications and not waiting:
            return
        tell(f"{len(applications) - len(waiting)} of {len(applications)} parts are up")
        if time.monotonic() > give_up_at:
            raise DeploymentTooSlow(f"not up in time: {', '.join(waiting)}")
        time.sleep(0.05)


def _applications() -> dict[str, Any]:
    """Serve's overview of each of our applications, by name."""
    return {name: each for name, each in serve.status().applications.items() if is_ours(name)}


def _reason(name: str, application: Any) -> str:
    messages = [application.message, *(d.message for d in application.deployments.values())]
    return f"{deployment_of(name)}: {' '.join(filter(None, messages))[-800:]}"


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
