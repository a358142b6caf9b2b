"""`waggle dashboard`: shows the pages of any telemetry, or writes them to one file."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dashboard.view import UnreadableView, view_of
from router.cli.context import CommandContext, in_context
from router.cli.terminal import CommandRefused, InputRefused, out
from router.config.dashboard_options import DashboardOptions
from router.keys import load_keys
from router.telemetry.store.catalog import CATALOG_FILE
from router.wire.addresses import is_loopback


@in_context
def dashboard(
    here: CommandContext,
    telemetry: Annotated[
        Path | None,
        typer.Argument(help="A telemetry folder. Default: the folder in the configuration."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Overrides dashboard.host.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 8050.")] = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="Write all pages to this file, and serve nothing.")
    ] = None,
    last: Annotated[
        str, typer.Option(help="Span of a snapshot: 15m, 1h, 6h, 24h, 7d, 30d or all.")
    ] = "all",
    theme: Annotated[str, typer.Option(help="Theme of a snapshot: light or dark.")] = "light",
) -> None:
    """Watch Waggle learn: the learning curve, plans, trials, reuse and requests, in a browser.

    `waggle serve` starts the dashboard too. This command needs no service, only telemetry.
    """
    config = here.config
    place = DashboardOptions.of(config)
    if telemetry is not None:
        folder = _folder(telemetry)
        beside = folder.parent / config.keys.file  # the keys of this telemetry's service
        keys = str(beside) if beside.exists() else place.keys
        service = place.service if folder == place.folder.resolve() else ""
        place = replace(place, telemetry=str(folder), keys=keys, service=service)
    place = replace(place, host=host or place.host, port=port or place.port)
    if snapshot is not None:
        _snapshot(place, snapshot, last, theme)
        return
    from dashboard.running import PortTaken, run  # Dash takes a second to load

    if not is_loopback(place.host) and not _has_keys(place):
        hint = "make one with `waggle keys new NAME --scope analyst`, or use 127.0.0.1"
        wrong = f"--host {place.host} is open to the network, and there is no key"
        raise InputRefused(wrong, hint)
    if not (place.folder / CATALOG_FILE).exists():
        out.print(f"[yellow]There is no telemetry in {escape(str(place.folder))} yet.[/]")
    out.print(f"Dashboard: {place.url}    Ctrl-C stops it.")
    try:
        run(place)
    except PortTaken as taken:
        raise CommandRefused(str(taken), "give another --port") from None
    except KeyboardInterrupt:
        pass
    out.print("Stopped.")


def _folder(given: Path) -> Path:
    """The telemetry folder, also if the caller names the data folder above it."""
    for folder in (given, given / "telemetry"):
        if (folder / CATALOG_FILE).exists():
            return folder.resolve()
    if not given.is_dir():
        raise InputRefused(f"{given} is no folder", f"name one that holds {CATALOG_FILE}")
    return given.resolve()


def _has_keys(place: DashboardOptions) -> bool:
    try:
        return bool(load_keys(Path(place.keys)))
    except ValueError as error:
        raise InputRefused(str(error)) from None


def _snapshot(place: DashboardOptions, path: Path, last: str, theme: str) -> None:
    if not (place.folder / CATALOG_FILE).exists():
        hint = "start `waggle serve` once, or name another folder"
        raise CommandRefused(f"there is no telemetry in {place.folder}", hint)
    try:
        view = view_of("learning", {"last": last, "theme": theme})
    except UnreadableView as wrong:
        raise InputRefused(str(wrong)) from None
    from dashboard.page_snapshot import snapshot
    from dashboard.running import board_of

    with out.status("Drawing …"):
        board = board_of(place)
        try:
            content = snapshot(board, view)
        finally:
            board.close()
    try:
        path.write_text(content)
    except OSError as error:
        raise InputRefused(f"--snapshot {path} cannot be written", str(error.strerror)) from None
    size = len(content.encode()) / 2**20
    out.print(f"Written: {path}, {size:.1f} MiB. The file needs nothing else.")
