"""A Ray node with the processes that a service needs: the GCS, and the raylet with its workers.

Ray would also start an API server, a log monitor, an autoscaler's monitor, and two agents. Nothing
of ours asks them, and each takes a second of a core and tens of megabytes. The raylet insists on
agents, and ends with them: two processes that only sleep stand in for the agents.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import list2cmdline
from typing import Any

import ray._private.services as ray_services
from ray._private.node import Node
from ray._private.parameter import RayParams
from ray._raylet import (
    DASHBOARD_AGENT_LISTEN_PORT_NAME,
    METRICS_AGENT_PORT_NAME,
    METRICS_EXPORT_PORT_NAME,
    RUNTIME_ENV_AGENT_PORT_NAME,
    persist_port,
)

from router.deployment.ray_environment import free_ports
from router.deployment.workers.forks import WorkerForks

_STAND_IN = list2cmdline(["/bin/sh", "-c", "exec sleep infinity"])
_PORTS = (
    METRICS_AGENT_PORT_NAME,
    METRICS_EXPORT_PORT_NAME,
    DASHBOARD_AGENT_LISTEN_PORT_NAME,
    RUNTIME_ENV_AGENT_PORT_NAME,
)
_OBJECT_STORE_BYTES = 80 * 2**20


class LeanNode(Node):
    """The head node of a cluster of our own, on loopback."""

    def __init__(self, folder: Path, forks: WorkerForks | None) -> None:
        self._forks = forks
        settings = RayParams(
            node_ip_address="127.0.0.1",
            temp_dir=str(folder),
            object_store_memory=_OBJECT_STORE_BYTES,
            include_dashboard=False,
            include_log_monitor=False,
            no_monitor=True,
        )
        super().__init__(settings, head=True, shutdown_at_exit=False, ray_init_cluster=True)

    def start_api_server(self, **_: Any) -> None:
        """Start none."""

    def start_raylet(self, *arguments: Any, **settings: Any) -> None:
        start = ray_services.start_ray_process
        ray_services.start_ray_process = functools.partial(self._start_changed, start)
        try:
            super().start_raylet(*arguments, **settings)
        finally:
            ray_services.start_ray_process = start

    def _start_changed(
        self, start: Callable[..., Any], command: Sequence[str], *arguments: Any, **settings: Any
    ) -> Any:
        """Start the raylet by a changed command line."""
        # Agents tell their ports by files, for which the raylet waits. Nobody listens on these.
        for name, port in zip(_PORTS, free_ports(len(_PORTS)), strict=True):
            persist_port(self._session_dir, self._node_id, name, port)
        return start([self._changed(each) for each in command], *arguments, **settings)

    def _changed(self, option: str) -> str:
        name, _, value = option.partition("=")
        if name in ("--dashboard_agent_command", "--runtime_env_agent_command"):
            return f"{name}={_STAND_IN}"
        if name == "--num_prestart_python_workers":
            return f"{name}=0"  # a fork is there at once
        if name == "--python_worker_command" and self._forks is not None:
            return f"{name}={list2cmdline(self._forks.launcher)} {value}"
        return option
