"""The first setup in the process of every replica: its ports, its memory, its log."""

import gc
import logging
import os
import time
from pathlib import Path
from typing import Any

import ray
import ray.serve._private.replica as serve_replica
from ray._common.tls_utils import add_port_to_grpc_server
from ray.serve._private.request_router.common import ReplicaQueueLengthCache

from router.deployment.log_lines import LogFormatter
from router.deployment.replicas.serves_port import guard_port
from router.wire.listener import Application

STOP_SECONDS = 20.0
log = logging.getLogger("waggle")


def settle(app: Application | None = None) -> None:
    """Set up this process; every replica calls this first in its `__init__`.

    Requests to the port of callers go straight to `app`, if there is one.
    """
    os.umask(0o077)  # on somebody else's cluster, files must be closed to others too
    _listen_on_this_node_only()
    guard_port(app)
    measure_by_a_steady_clock()
    # Loaded objects stay and requests leave no cycles, so garbage collection may run less often.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _listen_on_this_node_only() -> None:
    """Make Serve open the port between replicas only on this node's own address.

    Otherwise Serve opens the port, after our `__init__`, on every interface of the machine; no
    setting changes this.
    """

    def add_port(server: Any, address: str) -> int:
        host, port = ray.util.get_node_ip_address(), address.rpartition(":")[2]
        return int(add_port_to_grpc_server(server, f"{host}:{port}"))

    serve_replica.add_port_to_grpc_server = add_port


def measure_by_a_steady_clock() -> None:
    """Make handles measure the age of what they know of replicas by a clock that nobody can set.

    By the wall clock, a step forward makes all of it old at once. Each call must then ask a replica
    how busy it is before it can go there; on a busy machine the answer takes longer than a call to
    the hive may wait, so a router would hear nothing from the hive. No setting changes this either.
    """
    begin = ReplicaQueueLengthCache.__init__

    def begun_steady(cache: Any, *, get_curr_time_s: Any = None, **settings: Any) -> None:
        begin(cache, get_curr_time_s=get_curr_time_s or time.monotonic, **settings)

    ReplicaQueueLengthCache.__init__ = begun_steady


def log_to(path: Path) -> None:
    """Write Waggle's own warnings and errors to one file for all replicas."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    handler.setFormatter(LogFormatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    log.addHandler(handler)
