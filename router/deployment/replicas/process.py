"""What the process of every replica sets up first: its port, its memory, its log."""

import gc
import logging
import traceback
from pathlib import Path
from typing import Any

import ray
import ray.serve._private.replica as serve_replica
from ray._common.tls_utils import add_port_to_grpc_server

STOP_SECONDS = 20.0
log = logging.getLogger("waggle")


def settle() -> None:
    """Call this first in the `__init__` of a replica."""
    _listen_on_this_node_only()
    # What is loaded stays, and requests leave no cycles, so the collector may look less often.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _listen_on_this_node_only() -> None:
    """Have Serve open the port between replicas on this node's own address.

    Serve opens the port after our `__init__`, on every interface of the machine, and no setting
    says otherwise.
    """

    def add_port(server: Any, address: str) -> int:
        host, port = ray.util.get_node_ip_address(), address.rpartition(":")[2]
        return int(add_port_to_grpc_server(server, f"{host}:{port}"))

    serve_replica.add_port_to_grpc_server = add_port


class _Formatter(logging.Formatter):
    """Serve replaces `print` in its replicas, and the usual formatting of tracebacks uses it."""

    def formatException(self, ei: Any) -> str:
        return "".join(traceback.format_exception(*ei)).rstrip()


def log_to(path: Path) -> None:
    """Write our own warnings and errors, of all replicas, to one file that people find."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    handler.setFormatter(_Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    log.addHandler(handler)
