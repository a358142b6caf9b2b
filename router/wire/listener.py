"""Serves an ASGI application on a port of its own, in the running event loop."""

from typing import Protocol

import uvicorn

from router.wire.asgi import Receive, Scope, Send
from router.wire.bounded_protocol import ConnectionBounds, bounded, connections_within

_MOST_CONNECTIONS = 8192  # two routers with 2,000 requests each, and as many again


class Application(Protocol):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class Listener:
    """Listens at `address` from `open` to `close`."""

    def __init__(self, bounds: ConnectionBounds | None = None) -> None:
        self.address = ""
        self._bounds = bounds or ConnectionBounds(connections_within(_MOST_CONNECTIONS))
        self._server: uvicorn.Server | None = None

    async def open(self, app: Application, *, host: str) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=0,
            http=bounded(self._bounds),
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=False,
            # Routers reuse their connections, so keep idle connections open.
            timeout_keep_alive=600,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        # Uvicorn's main loop only refreshes the date header and waits for signals; we need neither.
        self._server = server
        port = server.servers[0].sockets[0].getsockname()[1]
        self.address = f"{host}:{port}"

    async def close(self) -> None:
        if self._server is not None:
            self._server.force_exit = True  # the caller has already waited for its calls to end
            await self._server.shutdown()
