"""`waggle doctor`: shows what this machine lacks for the service, and how to mend it."""

import typer
from rich.markup import escape
from rich.table import Table

from router.cli.context import CommandContext, in_context
from router.cli.terminal import out
from router.deployment.doctor import examine
from router.deployment.proxy import haproxy

_MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "bad": "[red]bad[/]"}


@in_context
def doctor(here: CommandContext) -> None:
    """Show what this machine can and cannot do, and how to mend what is missing."""
    findings = list(examine(here.config, here.running))
    table = Table("", "what", "found", "mend", box=None)
    for finding in findings:
        cells = (finding.what, finding.state, finding.mend)
        table.add_row(_MARKS[finding.verdict], *map(escape, cells))
    out.print(table)
    if not haproxy():
        out.print("Without HAProxy, Waggle runs Ray's default proxy, which is slower.")
    raise typer.Exit(1 if any(finding.verdict == "bad" for finding in findings) else 0)
