"""`waggle ...`: all commands put together; each command or group has a file of its own."""

import sys
from importlib.metadata import entry_points

import typer

from router.cli.ask import ask
from router.cli.batch import batch
from router.cli.check import check
from router.cli.deploy import deploy
from router.cli.doctor import doctor
from router.cli.keys import keys_app
from router.cli.policy import policy_app
from router.cli.reload import reload
from router.cli.report import report_command
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
from router.cli.terminal import InputRefused, RefusingGroup
from router.cli.trial import trial_app
from router.cli.warm import warm

app = typer.Typer(
    cls=RefusingGroup,
    help="A self-optimizing router for language models. Start with: waggle serve",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _not_installed() -> None:
    wrong = "this installation is older than the code and lacks this command"
    raise InputRefused(wrong, "run `make env`")


# The dashboard and the demo stand above the command line, so each registers its own command.
_registered = {entry.name: entry for entry in entry_points(group="waggle.commands")}
for _name in ("dashboard", "demo"):
    if _name in _registered:
        app.command(_name)(_registered[_name].load())
    else:
        _any_arguments = {"ignore_unknown_options": True, "allow_extra_args": True}
        app.command(_name, context_settings=_any_arguments)(_not_installed)

for _command in (
    serve, check, ask, status, stop, reload, deploy, doctor, scores, warm, simplify, sql, batch,
):  # fmt: skip
    app.command()(_command)
app.command("report")(report_command)

for _name, _group in {
    "keys": keys_app,
    "policy": policy_app,
    "telemetry": telemetry_app,
    "sandbox": sandbox_app,
    "specialist": specialist_app,
    "solutions": solutions_app,
    "trial": trial_app,
    "routes": routes_app,
}.items():
    app.add_typer(_group, name=_name)


def main() -> None:
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
