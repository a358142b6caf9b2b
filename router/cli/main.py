"""`waggle ...`: puts all commands together; each command or group has a file of its own.

A command's file is imported when the command is named, as importing all of them takes a second.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from router.cli.terminal import InputRefused, RefusingGroup, out
from router.version import version

# The names by panel of the help. A name stands for the function or the group in its file.
_PANELS = {
    "Run the service": "init serve status stop reload check guard doctor deploy",
    "Send requests": "connect ask batch evaluate mcp demo",
    "See what it learned": "dashboard report scores patterns sql",
    "Change what it does": (
        "simplify warm cards trial growth data models routes policy specialist knowledge"
    ),
    "Look after keys and data": (
        "audit budgets keys alerts solutions conversations telemetry sandbox migrate"
    ),
}
_PANEL_OF = {name: panel for panel, names in _PANELS.items() for name in names.split()}
_ABOVE = {"demo", "dashboard"}  # their packages register them as entry points


class CommandsByName(RefusingGroup):
    """The group of all commands. Only its help, and a name that is no command, load all of them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(_PANEL_OF)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in self.commands and cmd_name in _PANEL_OF:
            self.commands[cmd_name] = _load(cmd_name)
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in _PANEL_OF:
            load_all(self)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=CommandsByName,
    help="A self-optimizing router for language models. Start with: waggle init, waggle serve",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(version())
        raise typer.Exit


@app.callback()
def _before(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def _not_installed() -> None:
    """This command is missing from the installation: run `make env`."""
    wrong = "this installation is older than the code and lacks this command"
    raise InputRefused(wrong, "run `make env`")


def _above(name: str) -> Callable[..., None]:
    """A command from a package above this one, which registers the command as an entry point."""
    for entry in entry_points(group="waggle.commands", name=name):
        command: Callable[..., None] = entry.load()
        return command
    return _not_installed


def _load(name: str) -> Any:
    """The command or the group of this name, from its file."""
    panel, holder = _PANEL_OF[name], typer.Typer(add_completion=False)
    file = None if name in _ABOVE else import_module(f"router.cli.{name}")
    group = getattr(file, f"{name}_app", None)
    if group is not None:
        holder.add_typer(group, rich_help_panel=panel)
    else:
        command = getattr(file, name) if file is not None else _above(name)
        loose = command is _not_installed  # a missing command takes any options, then refuses
        settings = {"ignore_unknown_options": loose, "allow_extra_args": loose}
        holder.command(name, rich_help_panel=panel, context_settings=settings)(command)
    return get_group(holder).commands[name]


def load_all(group: TyperGroup) -> None:
    for name in _PANEL_OF:
        group.get_command(typer.Context(group), name)


def main() -> None:
    os.umask(0o077)  # what a command or its children write may hold words of callers
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
