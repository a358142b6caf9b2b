"""`waggle connect`: prints or writes what an app needs to use the service."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Table

from router.cli.client import service_address
from router.cli.connecting import APPS, MCP_CLIENTS, ConnectedApp
from router.cli.context import CommandContext, UrlOption, in_context, stored_keys
from router.cli.terminal import InputRefused, err, out
from router.wire.addresses import is_loopback, reachable


@in_context
def connect(
    here: CommandContext,
    app: Annotated[str, typer.Argument(help="The app. Without it: the list of apps.")] = "",
    model: Annotated[str, typer.Option(help='A plan, a backend, or "auto".')] = "auto",
    write: Annotated[
        Path | None, typer.Option(help="Write the text to this new file instead of printing it.")
    ] = None,
    url: UrlOption = None,
) -> None:
    """Print what an app needs to use this service: its base URL, key, model and headers.

    Example: waggle connect langchain
    """
    if not app:
        _list()
        return
    chosen = APPS.get(app.lower())
    if chosen is None:
        raise InputRefused(f"{app} is no app that Waggle knows", f"there are {', '.join(APPS)}")
    address = _address(here, url)
    text = chosen.filled(address, model)
    if write is None:
        out.file.write(text)
    else:
        _write(write, text)
    _hints(here, chosen, address, remote=url is not None)


def _list() -> None:
    table = Table("app", "", "belongs into", "how far it is known to work", box=None)
    for app in APPS.values():
        table.add_row(app.name, app.title, app.place, app.proof.partition(":")[0])
    out.print(table)
    out.print("\nwaggle connect APP prints what the app needs.", markup=False)


def _address(here: CommandContext, url: str | None) -> str:
    """The service's address without `/v1`: from --url, the running service or the configuration."""
    if url is not None:
        return service_address(url).geturl()
    running = here.running
    if running is not None:
        return running.url
    server = here.config.server
    err.print("[yellow]No service runs here: start one with `waggle serve`.[/]")
    return f"http://{reachable(server.host)}:{server.port}"


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        mend = "name a new file, or print the text and copy what you need"
        raise InputRefused(f"{path} exists", mend) from None
    except OSError as error:
        raise InputRefused(f"{path} cannot be written", str(error.strerror)) from None
    err.print(f"Written: {escape(str(path))}")


def _hints(here: CommandContext, app: ConnectedApp, address: str, *, remote: bool) -> None:
    """Say on the error output what the text itself cannot know."""
    err.print(f"\n{app.title}: belongs into {app.place}; {app.proof}.", markup=False)
    if app.name in MCP_CLIENTS:
        err.print(f"{app.title} takes tools over MCP too: {MCP_CLIENTS[app.name]}.", markup=False)
    loopback = is_loopback(urlsplit(address).hostname or "")
    if not app.local and loopback:
        err.print(
            f"[yellow]{app.title} cannot reach {escape(address)}: it needs a public address.[/]"
        )
    if remote or stored_keys(here.config):
        name = app.name
        err.print(
            f"Key: `waggle keys new {name}` makes one; then: export WAGGLE_API_KEY=wg-...",
            markup=False,
        )
    else:
        err.print("Key: none is needed; the service has no keys and answers on loopback only.")
