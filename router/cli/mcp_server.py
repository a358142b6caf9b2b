"""The MCP server of `waggle mcp`, over stdio or streamable HTTP, on the official SDK.

Over HTTP, `Host` and `Origin` must be names of this machine, so no web page can reach the server by
a name of its own. On loopback a caller without a key uses the key of the environment. On any other
address each request must carry a key that the service knows, and acts with that key; a service
without keys is refused.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from router.cli.client import ServiceClient, ServiceRefused
from router.cli.mcp_tools import Tools
from router.version import version
from router.wire.addresses import is_loopback

_INSTRUCTIONS = (
    "Waggle routes requests to language models and learns which plan is worth most. `ask` asks "
    "one; `feedback` says how good the answer was, which is how Waggle learns; `route`, `explain`, "
    "`scores` and `sql` show why it chooses as it does."
)
_MOST_BODY = 1_048_576
_PROBE = "/v1/models"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the service: the key that came with an MCP request, else `key`."""

    url: str
    key: str

    def client(self, headers: Mapping[str, str]) -> ServiceClient:
        return ServiceClient(self.url, _bearer(headers.get("authorization", "")) or self.key)


def server_of(caller: Caller) -> MCPServer:
    return MCPServer(
        "waggle",
        title="Waggle",
        instructions=_INSTRUCTIONS,
        version=version(),
        tools=Tools(caller.client).all(),
        log_level="WARNING",
        subscriptions=False,
    )


def run_stdio(caller: Caller) -> None:
    server_of(caller).run("stdio")


def run_http(caller: Caller, host: str, port: int, names: Sequence[str]) -> None:
    app = http_app(caller, host, names)
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)


def http_app(caller: Caller, host: str, names: Sequence[str] = ()) -> ASGIApp:
    """The ASGI application on `/mcp`; `names` are further names by which the machine is known."""
    app: Starlette = server_of(caller).streamable_http_app(
        stateless_http=True,
        json_response=True,
        max_request_body_size=_MOST_BODY,
        transport_security=_security(host, names),
        host=host,
    )
    return app if is_loopback(host) else KeyDoor(app, caller.url)


def _security(host: str, names: Sequence[str]) -> TransportSecuritySettings:
    own_names = [name for name in (host, *names) if name not in ("0.0.0.0", "::")]
    hosts = [f"[{name}]" if ":" in name else name for name in own_names]
    hosts = list(dict.fromkeys(["127.0.0.1", "localhost", "[::1]", *hosts]))
    hosts += [f"{name}:*" for name in hosts]
    origins = [f"{scheme}://{name}" for scheme in ("http", "https") for name in hosts]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


@dataclass(frozen=True, slots=True)
class KeyDoor:
    """Lets only those in who bring a key that the service knows."""

    app: ASGIApp
    url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            key = _bearer(headers.get(b"authorization", b"").decode("latin-1"))
            refusal = await asyncio.to_thread(refusal_of, self.url, key)
            if refusal:
                await _refuse(send, refusal)
                return
        await self.app(scope, receive, send)


def refusal_of(url: str, key: str) -> str:
    """Why a caller with this key may not come in from the network; empty if the caller may."""
    if not key:
        return "This MCP server needs a key: send the header `Authorization: Bearer wg-...`."
    try:
        if not _refuses(ServiceClient(url)):
            return NO_KEYS
        if _refuses(ServiceClient(url, key)):
            return "The service does not know this key: `waggle keys new NAME` makes one."
    except ServiceRefused as refused:
        return f"{refused}: start the service with `waggle serve`."
    return ""


NO_KEYS = (
    "The service has no keys, so everybody on the network could use it: make a key with "
    "`waggle keys new NAME`, or bind to 127.0.0.1."
)


def is_open(url: str) -> bool:
    """Whether the service answers callers without a key. Raises `ServiceRefused`."""
    return not _refuses(ServiceClient(url))


def _refuses(client: ServiceClient) -> bool:
    """Whether the service knows no such caller. A key without the scope is a known one."""
    error = client.get(_PROBE).get("error")
    return isinstance(error, dict) and str(error.get("code", "")).endswith("_api_key")


async def _refuse(send: Send, message: str) -> None:
    body = json.dumps({"error": {"message": message, "code": "key_needed"}}).encode()
    headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _bearer(authorization: str) -> str:
    scheme, _, key = authorization.strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
