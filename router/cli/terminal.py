"""What every `waggle` command shares: the screen, the options, and how a command ends badly."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from router.config.config import Config
from router.config.load import at_home, find, load
from router.config.yaml_tree import ConfigError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Default: ./waggle.yaml, else the embedded default."),
]
DataOption = Annotated[Path | None, typer.Option("--data", help="Overrides server.data.")]
UrlOption = Annotated[str | None, typer.Option("--url", help="Default: the service running here.")]


class Stop(typer.Exit):
    """Ends a command with a message for the person who ran it."""

    def __init__(self, message: str, code: int = 1) -> None:
        err.print(f"[red]waggle:[/] {escape(message)}", soft_wrap=True)
        super().__init__(code)


def read(path: Path | None, **overrides: Any) -> Config:
    """The configuration, or every problem in it on the screen and exit status 2."""
    try:
        config = load(find(path))
    except ConfigError as error:
        show_problems(error)
        raise typer.Exit(2) from None
    given = {name: value for name, value in overrides.items() if value is not None}
    server = config.server.model_copy(update=given)
    server = type(server).model_validate(server.model_dump())
    return at_home(config.model_copy(update={"server": server}))


def show_problems(error: ConfigError) -> None:
    for problem in error.problems:
        place = f"{problem.file}:{problem.line}"
        said = f"[bold]{escape(problem.key)}[/] = {escape(problem.value)}: {escape(problem.rule)}."
        err.print(f"[red]{escape(place)}[/] {said} {escape(problem.mend)}", soft_wrap=True)
    count = len(error.problems)
    err.print(f"{count} problem{'s' if count > 1 else ''}. Nothing was started or changed.")
