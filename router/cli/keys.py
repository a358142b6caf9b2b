"""`waggle keys ...`: makes, lists, changes and revokes API keys; a running service applies each
change."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.table import Table

from router.cli.budgets import limits_text
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
    dollars_per_month: Annotated[
        float | None, typer.Option(help="Most dollars per month (UTC).")
    ] = None,
    team: Annotated[
        str, typer.Option(help="A team of keys.teams, in whose budget the key counts too.")
    ] = "",
    shares: Annotated[
        str, typer.Option(help="A group: keys of the same group share solutions.")
    ] = "",
) -> None:
    """Make a key and show it only now: the file of keys holds just a salted hash.

    Example: waggle keys new alice --rpm 60 --dollars 5
    """
    config = here.config
    _check_names(config, plan or (), team)
    limits = _given_limits(rpm, tpm, dollars, dollars_per_month)
    rights = {"scopes": tuple(scope or ("app",)), "plans": tuple(plan or ())}
    try:
        text, key = new_key(name, _now(), **rights, limits=limits, team=team, shares=shares)
    except ValidationError as error:
        raise InputRefused(mistakes(error)) from None
    _change(here, "key made", lambda stored: _with_key(stored, key))
    out.print(text, markup=False)
    err.print("Waggle cannot show the key again. Send it as `Authorization: Bearer …`.")
    _bring_to_service(here)


@keys_app.command("list")
@in_context
def list_keys(here: CommandContext) -> None:
    """List every key, without its secret."""
    columns = ("id", "name", "scopes", "plans", "limits", "team", "shares", "created", "revoked")
    table = Table(*columns, box=None)
    for key in stored_keys(here.config):
        rights = ", ".join(key.scopes), ", ".join(key.plans) or "all", _limits(key)
        groups = key.team, key.shares
        table.add_row(key.id, key.name, *rights, *groups, key.created, key.revoked)
    out.print(table)


@keys_app.command("change")
@in_context
def change_key(
    here: CommandContext,
    name_or_id: Annotated[str, typer.Argument(help="Name or id, from `waggle keys list`.")],
    rpm: Annotated[int | None, typer.Option(help="Most requests per minute; 0: no limit.")] = None,
    tpm: Annotated[int | None, typer.Option(help="Most tokens per minute; 0: no limit.")] = None,
    dollars: Annotated[
        float | None, typer.Option(help="Most dollars per day (UTC); 0: no limit.")
    ] = None,
    dollars_per_month: Annotated[
        float | None, typer.Option(help="Most dollars per month (UTC); 0: no limit.")
    ] = None,
    team: Annotated[str | None, typer.Option(help='The team of the key; "" for none.')] = None,
) -> None:
    """Change the limits or the team of a key; what is not named stays. The secret stays too.

    Example: waggle keys change alice --dollars 10 --team search
    """
    config = here.config
    _check_names(config, (), team or "")
    new = {
        name: value or None
        for name, value in _given_limits(rpm, tpm, dollars, dollars_per_month).items()
        if value is not None
    }
    if not new and team is None:
        raise InputRefused("nothing to change", "name a limit or a team; see --help")

    def change(stored: tuple[Key, ...]) -> list[Key]:
        chosen = _matching(stored, name_or_id)
        return [_changed(key, new, team) if key in chosen else key for key in stored]

    _change(here, "key changed", change)
    out.print(f"Changed {name_or_id}.")
    _bring_to_service(here)


@keys_app.command("revoke")
@in_context
def revoke_key(
    here: CommandContext,
    name_or_id: Annotated[str, typer.Argument(help="Name or id, from `waggle keys list`.")],
) -> None:
    """Revoke a key: the running service refuses the key at once."""
    revoked: list[str] = []

    def revoke(stored: tuple[Key, ...]) -> list[Key]:
        matching = _matching(stored, name_or_id)
        revoked.extend(key.name for key in matching)
        end = {"revoked": _now()}
        return [key.model_copy(update=end) if key in matching else key for key in stored]

    _change(here, "key revoked", revoke)
    out.print(f"Revoked {', '.join(revoked)}.")
    _bring_to_service(here)


def _change(
    here: CommandContext, what: str, change: Callable[[tuple[Key, ...]], Iterable[Key]]
) -> None:
    """Change the stored keys; the audit log gets each change before the keys are saved."""

    def recorded(stored: tuple[Key, ...]) -> Iterable[Key]:
        changed = tuple(change(stored))
        earlier = {key.id: key for key in stored}
        for key in changed:
            before = earlier.get(key.id)
            if key != before:
                old = _open_fields(before) if before is not None else {}
                new = _open_fields(key)
                here.record(what, key.name, before=_beside(old, new), after=_beside(new, old))
        return changed

    try:
        change_keys(here.config.keys_file, recorded)
    except ValueError as error:
        raise InputRefused(str(error)) from None


def _open_fields(key: Key) -> dict[str, Any]:
    """The fields of a key that are no secret, and that are not empty."""
    fields = key.model_dump(mode="json", exclude={"salt", "digest"})
    fields["limits"] = {name: bound for name, bound in fields["limits"].items() if bound}
    return {name: value for name, value in fields.items() if value}


def _beside(fields: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """The fields whose values differ from the others', and the id."""
    differing = {name for name, value in fields.items() if others.get(name) != value}
    return {name: value for name, value in fields.items() if name in {"id", *differing}}


def _check_names(config: Config, plans: Iterable[str], team: str) -> None:
    for plan in plans:
        if plan not in config.plans:
            names = ", ".join(config.plans)
            raise InputRefused(f"--plan {plan}: no such plan; there are {names}")
    if team and team not in config.keys.teams:
        names = ", ".join(config.keys.teams) or "none"
        wrong = f"--team {team}: no such team; keys.teams has: {names}"
        mend = (
            f"write `keys: {{teams: {{{team}: {{}}}}}}` in the configuration, then `waggle reload`"
        )
        raise InputRefused(wrong, mend)


def _given_limits(
    rpm: int | None, tpm: int | None, dollars: float | None, dollars_per_month: float | None
) -> dict[str, float | None]:
    return {
        "requests_per_minute": rpm,
        "tokens_per_minute": tpm,
        "dollars_per_day": dollars,
        "dollars_per_month": dollars_per_month,
    }


def _matching(stored: Iterable[Key], name_or_id: str) -> list[Key]:
    """The keys with this name or id, but for revoked ones."""
    valid = [key for key in stored if not key.revoked]
    matching = [key for key in valid if name_or_id in (key.id, key.name)]
    if not matching:
        names = ", ".join(key.name for key in valid) or "none"
        raise InputRefused(f"no key is called {name_or_id}; there are: {names}")
    return matching


def _changed(key: Key, limits: Mapping[str, float | None], team: str | None) -> Key:
    fields = key.model_dump()
    fields["limits"] |= limits
    if team is not None:
        fields["team"] = team
    try:
        return Key.model_validate(fields)
    except ValidationError as error:
        raise InputRefused(mistakes(error)) from None


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
    return limits_text(key.limits) if key.limits.any else "none"


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
