"""The screen, and how a command refuses.

A command raises `CommandRefused`, or an error whose message is meant for the user. The group of all
commands prints the message and sets the exit status.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from typer import Exit
from typer.core import TyperGroup

from router.config.problems import ConfigError
from router.wire.plain_text import plain


class PlainConsole(Console):
    """A console whose texts cannot command the terminal; only rich's own styles can."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)


out = PlainConsole(highlight=False)
err = PlainConsole(stderr=True, highlight=False)


class CommandRefused(Exception):
    """The state of the service or of this machine does not allow the command now."""

    def __init__(self, wrong: str, mend: str = "") -> None:
        super().__init__(f"{wrong}: {mend}" if mend else wrong)


class InputRefused(CommandRefused):
    """An option, a file or the configuration must change before the command can run."""


# By name: a command that cannot meet an error does not spend half its time on importing its file.
_STATUS: Mapping[str, int] = {
    "router.cli.terminal.InputRefused": 2,
    "router.cli.terminal.CommandRefused": 1,
    "router.trials.book.Rejected": 2,
    "router.encoding.encoder.CannotEncode": 1,
    "router.training.data_query.DataRefused": 2,
    "router.telemetry.store.manifest.Damaged": 1,
    "sandbox.runner.RunRefused": 1,
    "router.reuse.solution_store.UnreadableStore": 1,
}


def _status_of(error: Exception) -> int | None:
    """The exit status of a refusal; None if the error is none."""
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return next((_STATUS[name] for name in names if name in _STATUS), None)


class RefusingGroup(TyperGroup):
    """The group of all commands: turns a refusal into a message and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            show_problems(error)
            raise Exit(2) from None
        except Exception as error:
            status = _status_of(error)
            if status is None:
                raise
            show_refusal(error)
            raise Exit(status) from None


def show_refusal(refused: Exception) -> None:
    err.print(f"[red]waggle:[/] {escape(str(refused))}", soft_wrap=True)


def show_problems(error: ConfigError) -> None:
    for problem in error.problems:
        mistake = f"[bold]{escape(problem.key)}[/] = {escape(problem.value)}"
        rule = f"{escape(problem.rule)}. {escape(problem.mend)}"
        err.print(f"[red]{escape(problem.place)}[/] {mistake}: {rule}", soft_wrap=True)
    count = len(error.problems)
    err.print(f"{count} problem{'s' if count > 1 else ''}. Nothing was started or changed.")


def entries(rows: Iterable[tuple[str, str]]) -> Group:
    """A list for narrow screens: each entry has a line with its name, and under it a sentence.
    Names are whole, so that they can be copied."""
    parts: list[RenderableType] = []
    for head, words in rows:
        parts.append(head)
        parts += [Padding(escape(words), (0, 0, 0, 4))] if words else []
    return Group(*parts)


def facts(rows: Mapping[str, str]) -> Table:
    """A table with names in one column and values in the other."""
    grid = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        grid.add_row(f"[bold]{name}[/]", escape(value))
    return grid


def utc_time(at: float) -> str:
    """A time in UTC to the second: 2026-05-28 12:00:00."""
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def utc_minute(at: float) -> str:
    """A time in UTC to the minute: 2026-05-28 12:00; empty if the time is 0, unknown."""
    return utc_time(at)[:-3] if at else ""
