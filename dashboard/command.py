"""`waggle dashboard`: the pages by themselves, over any telemetry; or as one file to send."""

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
        Path | None, typer.Argument(help="A telemetry folder. Default: that of the configuration.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Overrides dashboard.host.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 8050.")] = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="Write all pages to this one file, and serve nothing.")
    ] = None,
    last: Annotated[
        str, typer.Option(help="Of a snapshot: 15m, 1h, 6h, 24h, 7d, 30d or all.")
    ] = "all",
    theme: Annotated[str, typer.Option(help="Of a snapshot: light or dark.")] = "light",
) -> None:
    """Watch it learn: the learning curve, plans, trials, reuse, requests, in a browser.

    `waggle serve` starts it too. By itself it needs no service: it reads telemetry as any analyst.
    """
    config = here.config
    place = DashboardOptions.of(config)
    if telemetry is not None:
        folder = _folder(telemetry)
        beside = folder.parent / config.keys.file  # whose telemetry it is, theirs are the keys
        keys = str(beside) if beside.exists() else place.keys
        place = replace(place, telemetry=str(folder), keys=keys)
    place = replace(place, host=host or place.host, port=port or place.port)
    if snapshot is not None:
        _snapshot(place, snapshot, last, theme)
        return
    from dashboard.running import Taken, run  # Dash takes a second to load

    if not is_loopback(place.host) and not _keys(place):
        hint = "make one with `waggle keys new NAME --scope analyst`, or use 127.0.0.1"
        wrong = f"--host {place.host} is open to the network, and there is no key"
        raise InputRefused(wrong, hint)
    if not (place.folder / CATALOG_FILE).exists():
        out.print(f"[yellow]There is no telemetry in {escape(str(place.folder))} yet.[/]")
    out.print(f"Dashboard: {place.url}    Ctrl-C stops it.")
    try:
        run(place)
    except Taken as taken:
        raise CommandRefused(str(taken), "give another --port") from None
    except KeyboardInterrupt:
        pass
    out.print("Stopped.")


def _folder(given: Path) -> Path:
    """The folder of telemetry, also where the data folder above it was meant."""
    for one in (given, given / "telemetry"):
        if (one / CATALOG_FILE).exists():
            return one.resolve()
    if not given.is_dir():
        raise InputRefused(f"{given} is no folder", f"name one that holds {CATALOG_FILE}")
    return given.resolve()


def _keys(place: DashboardOptions) -> bool:
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
    from dashboard.page_snapshot import written
    from dashboard.running import board_of

    with out.status("Drawing …"):
        board = board_of(place)
        try:
            content = written(board, view)
        finally:
            board.close()
    try:
        path.write_text(content)
    except OSError as error:
        raise InputRefused(f"--snapshot {path} cannot be written", str(error.strerror)) from None
    out.print(f"Written: {path}, {len(content.encode()) / 2**20:.1f} MiB; it needs nothing else.")
