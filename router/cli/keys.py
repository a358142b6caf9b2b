"""`waggle keys ...`: makes, lists and revokes API keys; a running service applies each change."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table

from router.cli.context import CommandContext, in_context, mistakes, stored_keys
from router.cli.reload import deploy_again
from router.cli.terminal import InputRefused, err, out
from router.config.config import Config
from router.keys import Key, change_keys, new_key

keys_app = typer.Typer(
    name="keys", help="API keys: who may send requests, and how many.", no_args_is_help=True
)


@keys_app.command("new")
@in_context
def make_key(
    here: CommandContext,
    name: Annotated[str, typer.Argument(help="Who uses the key; `waggle keys list` shows it.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="app, analyst or admin. Default: app.")
    ] = None,
    plan: Annotated[
        list[str] | None, typer.Option(help="A plan that the key may use. Default: all plans.")
    ] = None,
    rpm: Annotated[int | None, typer.Option(help="Most requests per minute.")] = None,
    tpm: Annotated[int | None, typer.Option(help="Most tokens per minute.")] = None,
    dollars: Annotated[float | None, typer.Option(help="Most dollars per day (UTC).")] = None,
    shares: Annotated[
        str, typer.Option(help="A group: keys of the same group share solutions.")
    ] = "",
) -> None:
    """Make a key and show it only now: the file of keys holds just a salted hash.

    Example: waggle keys new alice --rpm 60 --dollars 5
    """
    config = here.config
    for plan_name in plan or ():
        if plan_name not in config.plans:
            names = ", ".join(config.plans)
            raise InputRefused(f"--plan {plan_name}: no such plan; there are {names}")
    limits = {"requests_per_minute": rpm, "tokens_per_minute": tpm, "dollars_per_day": dollars}
    try:
        scopes, plans = tuple(scope or ("app",)), tuple(plan or ())
        text, key = new_key(name, _now(), scopes=scopes, plans=plans, limits=limits, shares=shares)
    except ValidationError as error:
        raise InputRefused(mistakes(error)) from None
    _change(config, lambda stored: _with_key(stored, key))
    out.print(text, markup=False)
    err.print("Waggle cannot show the key again. Send it as `Authorization: Bearer …`.")
    _bring_to_service(here)


@keys_app.command("list")
@in_context
def list_keys(here: CommandContext) -> None:
    """List every key, without its secret."""
    columns = ("id", "name", "scopes", "plans", "limits", "shares", "created", "revoked")
    table = Table(*columns, box=None)
    for key in stored_keys(here.config):
        rights = ", ".join(key.scopes), ", ".join(key.plans) or "all", _limits(key)
        table.add_row(key.id, key.name, *rights, key.shares, key.created, key.revoked)
    out.print(table)


@keys_app.command("revoke")
@in_context
def revoke_key(
    here: CommandContext,
    name_or_id: Annotated[str, typer.Argument(help="Name or id, from `waggle keys list`.")],
) -> None:
    """Revoke a key: the running service refuses the key at once."""
    config = here.config
    revoked: list[str] = []

    def revoke(stored: tuple[Key, ...]) -> list[Key]:
        valid = [key for key in stored if not key.revoked]
        matching = [key for key in valid if name_or_id in (key.id, key.name)]
        if not matching:
            names = ", ".join(key.name for key in valid) or "none"
            raise InputRefused(f"no key is called {name_or_id}; there are: {names}")
        revoked.extend(key.name for key in matching)
        end = {"revoked": _now()}
        return [key.model_copy(update=end) if key in matching else key for key in stored]

    _change(config, revoke)
    out.print(f"Revoked {', '.join(revoked)}.")
    _bring_to_service(here)


def _change(config: Config, change: Callable[[tuple[Key, ...]], Iterable[Key]]) -> None:
    try:
        change_keys(config.keys_file, change)
    except ValueError as error:
        raise InputRefused(str(error)) from None


def _with_key(stored: tuple[Key, ...], key: Key) -> tuple[Key, ...]:
    if any(other.name == key.name and not other.revoked for other in stored):
        raise InputRefused(
            f"there is a key called {key.name}", "revoke it first, or choose another name"
        )
    return (*stored, key)


def _bring_to_service(here: CommandContext) -> None:
    """Bring changed keys to a running service; a stopped service reads them at its start."""
    running = here.running
    if running is not None:
        deploy_again(here.config_of(running), running)
        err.print("The running service has the change.")


def _limits(key: Key) -> str:
    limits = key.limits.model_dump(exclude={"unpriced"}, exclude_none=True)
    return ", ".join(f"{name} {value:g}" for name, value in limits.items()) or "none"


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
