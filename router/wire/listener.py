"""An ASGI application on a port of its own, in the event loop that is already running."""

from typing import Protocol

import uvicorn

from router.wire.asgi import Receive, Scope, Send


class Application(Protocol):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class Port:
    """Opened with `open`; from then on `address` is where it listens."""

    def __init__(self) -> None:
        self.address = ""
        self._server: uvicorn.Server | None = None

    async def open(self, app: Application, *, host: str) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=0,
            http="httptools",
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=False,
            # Routers keep their connections; one closed under them costs a reconnect.
            timeout_keep_alive=600,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        # Its main loop only refreshes the date header and waits for signals: neither is ours.
        self._server = server
        port = server.servers[0].sockets[0].getsockname()[1]
        self.address = f"{host}:{port}"

    async def close(self) -> None:
        if self._server is not None:
            self._server.force_exit = True  # who closes has drained before
            await self._server.shutdown()
