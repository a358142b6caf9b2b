"""Makes Serve bound what callers can hold of the port that it opens for them in each replica.

Headers that would command Serve are passed over, and nobody gets its list of applications. Requests
go straight to the replica's application, if there is one. No setting changes any of this.
"""

import os
from typing import Any

import ray.serve._private.replica as serve_replica
from ray.serve._private.common import RequestMetadata, RequestProtocol

from router.deployment.replicas.callers_port import Counting, counting_of, straight_to
from router.wire.asgi import Receive, Scope, Send
from router.wire.bounded_protocol import ConnectionBounds, bounded, connections_within
from router.wire.header_text import for_serve
from router.wire.listener import Application

_MOST_CONNECTIONS = 12_288  # HAProxy holds up to 10,000
_SERVES_LIST = "/-/routes"  # lists Serve's applications for whoever asks, by whatever name


def guard_port(straight: Application | None) -> None:
    start = serve_replica.start_asgi_http_server

    async def start_guarded(app: Any, options: Any, **settings: Any) -> Any:
        async def filtered(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                scope["headers"] = for_serve(scope["headers"])
                if scope["path"] == _SERVES_LIST:
                    scope["path"] += "/"  # Serve would answer; the router refuses what it lacks
            await app(scope, receive, send)

        def counting() -> Counting:
            return _counting_of(app.__self__)

        task, server = await start(filtered, options, **settings)
        # The task begins after this; the server reads its settings then.
        config = server.config
        config.http = bounded(ConnectionBounds(connections_within(_MOST_CONNECTIONS)))
        if straight is not None:
            port = straight_to(straight, config.app(), options, counting)
            if port is not None:
                config.app = lambda: port
                config.proxy_headers = False  # no part of a router asks where a caller is
        return task, server

    serve_replica.start_asgi_http_server = start_guarded


def _counting_of(replica: Any) -> Counting:
    if serve_replica.is_tracing_enabled():
        raise AttributeError("Serve has to trace them")
    request = RequestMetadata(
        request_id="",
        internal_request_id="",
        call_method="__call__",
        route=replica._route_prefix,
        app_name=replica._deployment_id.app_name,
        is_streaming=True,
        _request_protocol=RequestProtocol.HTTP,
        is_direct_ingress=True,
    )
    collected = os.environ.get("RAY_enable_metrics_collection") != "0"  # noqa: SIM112 - Ray's name
    return counting_of(replica, request, collected=collected)
