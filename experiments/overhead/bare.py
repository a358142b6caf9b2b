"""The smallest Ray Serve app: one hop behind the same ingress, two replicas, no routing.

    bare.py PORT UPSTREAM_PORT FOLDER

This app has the settings and the HTTP client of Waggle, so that the routing is the only difference
between the two.
"""

import sys
import time
from pathlib import Path

from router.config.environment import export
from router.deployment.proxy import haproxy, install_proxy
from router.deployment.ray_environment import free_ports, ray_settings
from router.wire.asgi import Receive, Scope, Send, lifespan, read_body, respond
from router.wire.http_client import ConnectionPool


class PassOn:
    """Send each body to the upstream, and return the upstream's answer."""

    pool: ConnectionPool | None = None

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        body = await read_body(receive)
        self.pool = self.pool or ConnectionPool("127.0.0.1", self.upstream)
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
        connection = await self.pool.send(head % len(body), body)
        kind = connection.headers[b"content-type"]
        if kind != b"text/event-stream":
            answer = await connection.whole()
            connection.finish()
            await respond(send, 200, answer, [(b"content-type", kind)])
            return
        headers = [(b"content-type", kind)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for piece in connection.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        connection.finish()
        await send({"type": "http.response.body", "body": b""})


def main(port: int, upstream: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    binary = haproxy()
    export(ray_settings(folder, binary, "bare" * 16, free_ports(3)), force=True)
    install_proxy(folder, binary)
    import ray
    from ray import serve

    ray.init(
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=str(folder),
        object_store_memory=80 * 2**20,
        log_to_driver=False,
    )
    serve.start(
        http_options={"host": "127.0.0.1", "port": port},
        logging_config={"enable_access_log": False},
    )

    @serve.deployment(
        num_replicas=2, max_ongoing_requests=2000, ray_actor_options={"num_cpus": 0.05}
    )
    @serve.ingress(PassOn(upstream))
    class Bare:
        pass

    serve.run(Bare.bind(), route_prefix="/")
    print("up", flush=True)
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
