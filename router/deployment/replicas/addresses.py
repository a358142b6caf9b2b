"""The addresses of each backend's replicas, read from the handles of Ray Serve."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import ray
from ray import serve
from ray.serve.handle import DeploymentHandle

from router.config.values import BackendSettings
from router.deployment.applications import application_of, deployment_of

_READ_AGAIN_SECONDS = 0.05


def open_handle(application: str) -> DeploymentHandle:
    """A handle that follows the replicas of a backend's application from now on."""
    handle = serve.get_deployment_handle(deployment_of(application), application)
    handle._init()  # a handle starts at its first call, but our calls never use handles
    return handle


class ReplicaAddresses:
    """A `Directory` of the replicas that Serve's controller announces.

    The controller keeps the replicas in a handle current, but this version of Ray has no public
    name for them. A custom request router has such a name, but Serve refuses one for a deployment
    that leads its application. So this class reads private attributes of the handle.
    """

    def __init__(
        self,
        open_handle: Callable[[str], DeploymentHandle] = open_handle,
        *,
        node: str | None = None,
    ) -> None:
        """`node` is this router's; by default Ray says it."""
        self._open_handle = open_handle
        self._node = ray.get_runtime_context().get_node_id() if node is None else node
        self._handles: dict[str, DeploymentHandle] = {}  # by application
        self._applications: dict[str, str] = {}  # by backend
        self._read: dict[str, tuple[float, tuple[str, ...]]] = {}

    def follow(self, backends: Mapping[str, BackendSettings]) -> None:
        """Follow the replicas of these backends, and drop all other backends."""
        self._applications = {name: application_of(name, each) for name, each in backends.items()}
        wanted = set(self._applications.values())
        for application in wanted - self._handles.keys():
            self._handles[application] = self._open_handle(application)
        for application in self._handles.keys() - wanted:
            del self._handles[application]
        self._read.clear()

    def addresses(self, backend: str) -> Sequence[str]:
        now = time.monotonic()
        application = self._applications.get(backend, "")
        read_at, addresses = self._read.get(application, (0.0, ()))
        if now - read_at > _READ_AGAIN_SECONDS:
            addresses = tuple(_addresses_of(self._handles.get(application), self._node))
            self._read[application] = (now, addresses)
        return addresses


def _addresses_of(handle: DeploymentHandle | None, node: str) -> Iterator[str]:
    """Of a replica on this node its Unix socket, of others their ports."""
    router = handle._router._asyncio_router.request_router if handle is not None else None
    for replica in router.curr_replicas.values() if router is not None else ():
        place = replica.replica_metadata
        if "socket" in place:
            yield place["socket" if place["node"] == node else "tcp"]
