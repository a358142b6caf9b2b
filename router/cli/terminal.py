"""The screen, and the one way in which a command is refused.

A command raises `CommandRefused`; the group that runs all commands prints it and sets the exit
status. Nothing here ends the process.
"""

from typing import Any

from rich.console import Console
from rich.markup import escape
from typer import Exit
from typer.core import TyperGroup

from router.config.yaml_tree import ConfigError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class CommandRefused(Exception):
    """The service or this machine does not allow the command now."""

    status = 1

    def __init__(self, wrong: str, mend: str = "") -> None:
        super().__init__(f"{wrong}: {mend}" if mend else wrong)


class InputRefused(CommandRefused):
    """An option, a file or the configuration has to change first."""

    status = 2


class RefusingGroup(TyperGroup):
    """All commands; a refusal below becomes a message on the screen and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            show_problems(error)
            raise Exit(2) from None
        except CommandRefused as refused:
            show_refusal(refused)
            raise Exit(refused.status) from None


def show_refusal(refused: Exception) -> None:
    err.print(f"[red]waggle:[/] {escape(str(refused))}", soft_wrap=True)


def show_problems(error: ConfigError) -> None:
    for problem in error.problems:
        place = f"{problem.file}:{problem.line}"
        mistake = f"[bold]{escape(problem.key)}[/] = {escape(problem.value)}"
        rule = f"{escape(problem.rule)}. {escape(problem.mend)}"
        err.print(f"[red]{escape(place)}[/] {mistake}: {rule}", soft_wrap=True)
    count = len(error.problems)
    err.print(f"{count} problem{'s' if count > 1 else ''}. Nothing was started or changed.")
