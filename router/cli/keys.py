"""TODO: what this module promises."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from router.cli.service import _reload
from router.cli.terminal import ConfigOption, DataOption, Stop, err, out, read
from router.config.config import Config
from router.deployment import local_service as service
from router.keys import load_keys, new_key, save_keys

keys_app = typer.Typer(help="API keys: who may ask, and how much.", no_args_is_help=True)


@keys_app.command("new")
def keys_new(
    name: str,
    scope: Annotated[list[str] | None, typer.Option(help="app, analyst or admin.")] = None,
    plan: Annotated[list[str] | None, typer.Option(help="A plan it may use; default: all.")] = None,
    rpm: Annotated[int | None, typer.Option(help="Requests per minute.")] = None,
    tpm: Annotated[int | None, typer.Option(help="Tokens per minute.")] = None,
    dollars: Annotated[float | None, typer.Option(help="Dollars per day (UTC).")] = None,
    shares: Annotated[
        str, typer.Option(help="Keys that name the same group share what was solved.")
    ] = "",
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Make a key. It is shown once; only a salted hash of it is kept."""
    config = read(config_file, data=str(data) if data else None)
    for one in plan or ():
        if one not in config.plans:
            raise Stop(f"--plan {one}: no such plan; there are {', '.join(config.plans)}", 2)
    limits = {"requests_per_minute": rpm, "tokens_per_minute": tpm, "dollars_per_day": dollars}
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    try:
        text, key = new_key(
            name,
            created,
            scopes=tuple(scope or ("app",)),
            plans=tuple(plan or ()),
            limits=limits,
            shares=shares,
        )
        kept = load_keys(config.keys_file)
    except ValueError as error:
        raise Stop(_first_line(error), 2) from None
    if any(other.name == name and not other.revoked for other in kept):
        raise Stop(f"there is a key called {name}: revoke it first, or choose another name", 2)
    save_keys(config.keys_file, (*kept, key))
    out.print(text, markup=False)
    err.print("Keep it: it cannot be shown again. Send it as `Authorization: Bearer …`.")
    _tell_running(config)


@keys_app.command("list")
def keys_list(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Every key, without its secret."""
    config = read(config_file, data=str(data) if data else None)
    table = Table(
        "id", "name", "scopes", "plans", "limits", "shares", "created", "revoked", box=None
    )
    for key in load_keys(config.keys_file):
        limits = {n: v for n, v in key.limits.model_dump().items() if v is not None}
        told = ", ".join(f"{name} {value:g}" for name, value in limits.items()) or "none"
        plans = ", ".join(key.plans) or "all"
        table.add_row(
            key.id,
            key.name,
            ", ".join(key.scopes),
            plans,
            told,
            key.shares,
            key.created,
            key.revoked,
        )
    out.print(table)


@keys_app.command("revoke")
def keys_revoke(name_or_id: str, config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Make a key worthless, at once."""
    config = read(config_file, data=str(data) if data else None)
    kept = load_keys(config.keys_file)
    hit = [key for key in kept if name_or_id in (key.id, key.name) and not key.revoked]
    if not hit:
        known = ", ".join(key.name for key in kept if not key.revoked) or "none"
        raise Stop(f"no key is called {name_or_id}; there are: {known}", 2)
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    changed = [key.model_copy(update={"revoked": now}) if key in hit else key for key in kept]
    save_keys(config.keys_file, changed)
    out.print(f"Revoked {', '.join(key.name for key in hit)}.")
    _tell_running(config)


def _tell_running(config: Config) -> None:
    """A running service learns of keys by a reload; one that is down will read them."""
    running = service.find_running(config.data)
    if running is not None:
        current = read(Path(running.config), data=config.server.data)
        _reload(current, running)
        err.print("The running service knows.")


def _first_line(error: ValueError) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    return "; ".join(line.partition(" [type=")[0] for line in lines[1:3]) or lines[0]
