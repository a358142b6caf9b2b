"""`waggle ...`: puts all commands together; each command or group has a file of its own."""

import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Annotated

import typer

from router.cli.alerts import alerts_app
from router.cli.ask import ask
from router.cli.audit import audit
from router.cli.batch import batch
from router.cli.budgets import budgets
from router.cli.cards import cards
from router.cli.check import check
from router.cli.connect import connect
from router.cli.conversations import conversations_app
from router.cli.deploy import deploy
from router.cli.doctor import doctor
from router.cli.evaluate import evaluate
from router.cli.guard import guard
from router.cli.init import init
from router.cli.keys import keys_app
from router.cli.mcp import mcp
from router.cli.policy import policy_app
from router.cli.reload import reload
from router.cli.report import report
from router.cli.routes import routes_app
from router.cli.sandbox import sandbox_app
from router.cli.scores import scores
from router.cli.serve import serve
from router.cli.simplify import simplify
from router.cli.solutions import solutions_app
from router.cli.specialist import specialist_app
from router.cli.sql import sql
from router.cli.status import status
from router.cli.stop import stop
from router.cli.telemetry import telemetry_app
from router.cli.terminal import InputRefused, RefusingGroup, out
from router.cli.trial import trial_app
from router.cli.warm import warm
from router.version import version

app = typer.Typer(
    cls=RefusingGroup,
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


def _add(panel: str, **commands: Callable[..., None]) -> None:
    for name, command in commands.items():
        loose = command is _not_installed  # a missing command takes any options, then refuses
        settings = {"ignore_unknown_options": loose, "allow_extra_args": loose}
        app.command(name, rich_help_panel=panel, context_settings=settings)(command)


_add(
    "Run the service",
    init=init,
    serve=serve,
    status=status,
    stop=stop,
    reload=reload,
    check=check,
    guard=guard,
    doctor=doctor,
    deploy=deploy,
)
_add(
    "Send requests",
    connect=connect,
    ask=ask,
    batch=batch,
    evaluate=evaluate,
    mcp=mcp,
    demo=_above("demo"),
)
_add("See what it learned", dashboard=_above("dashboard"), report=report, scores=scores, sql=sql)
_add("Change what it does", simplify=simplify, warm=warm, cards=cards)
for _group in (trial_app, routes_app, policy_app, specialist_app):
    app.add_typer(_group, rich_help_panel="Change what it does")
_add("Look after keys and data", audit=audit, budgets=budgets)
for _group in (
    *(keys_app, alerts_app, solutions_app),
    *(conversations_app, telemetry_app, sandbox_app),
):
    app.add_typer(_group, rich_help_panel="Look after keys and data")


def main() -> None:
    os.umask(0o077)  # what a command or its children write may hold words of callers
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
