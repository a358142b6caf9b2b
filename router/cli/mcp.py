"""`waggle mcp`: lets agents use a running service as an MCP server."""

from typing import Annotated

import typer

from router.cli.context import CommandContext, UrlOption, in_context
from router.cli.terminal import CommandRefused, err
from router.wire.addresses import is_loopback

_PORT = 8791


@in_context
def mcp(
    here: CommandContext,
    http: Annotated[
        bool, typer.Option("--http", help="Serve streamable HTTP on /mcp instead of stdio.")
    ] = False,
    host: Annotated[str, typer.Option(help="Address to listen on, with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on, with --http.")] = _PORT,
    url: UrlOption = None,
) -> None:
    """Serve tools of a running service to agents: ask, route, explain, scores, sql, feedback.

    WAGGLE_API_KEY holds the key. Example: claude mcp add waggle -- waggle mcp
    """
    # Loads the MCP SDK, which no other command needs.
    from router.cli.mcp_server import NO_KEYS, Caller, is_open, run_http, run_stdio

    caller = Caller(here.url(url), here.key)
    if not http:
        run_stdio(caller)
        return
    if not is_loopback(host) and is_open(caller.url):
        raise CommandRefused(f"--host {host} is no loopback address", NO_KEYS)
    err.print(f"MCP: http://{host}:{port}/mcp (tools of {caller.url})", markup=False)
    run_http(caller, host, port, here.config.server.hosts)
