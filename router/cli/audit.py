"""`waggle audit`: shows who changed what, and proves that the audit log is whole."""

from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from router.audit_log import AuditLog, Head
from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.terminal import CommandRefused, InputRefused, out


@in_context
def audit(
    here: CommandContext,
    last: Annotated[int, typer.Option(min=0, help="How many acts to show; 0: all.")] = 50,
    expect: Annotated[
        str | None,
        typer.Option(help="A number and hash, N:HASH, of earlier, which the log must continue."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the administrative acts, and check that no line was changed, taken out or cut off.

    Keep the last line of the output elsewhere: with --expect, it proves later that the log was not
    written anew.
    """
    log = AuditLog(here.config.data)
    try:
        expected = Head.read(expect) if expect is not None else None
    except ValueError as error:
        raise InputRefused(f"--expect: {error}") from None
    acts = list(log.lines())
    shown = acts[-last:] if last else acts
    if as_json:
        for act in shown:
            print(orjson.dumps(act).decode())  # noqa: T201 - for programs
    elif shown:
        out.print(_table(shown))
    else:
        out.print("No administrative act was done on this data folder.")
    problems = log.problems(expected)
    if problems:
        raise CommandRefused(f"{log.path} is not whole", "; ".join(problems[:5]))
    if not as_json:
        out.print(f"{len(acts)} acts, whole up to {log.head}", soft_wrap=True, markup=False)


def _table(acts: list[dict[str, Any]]) -> Table:
    table = Table("n", "when (UTC)", "who", "what", "subject", "before", "after", box=None)
    for act in acts:
        fields = (act.get(name) for name in ("n", "at", "who", "what", "subject"))
        number, at, who, what, subject = fields
        changes = (_text(act.get("before")), _text(act.get("after")))
        table.add_row(str(number), str(at), _name(who), str(what), str(subject), *changes)
    return table


def _name(who: Any) -> str:
    if not isinstance(who, dict):
        return ""
    if "key" in who:
        return f"key {who.get('name', '')} {who['key']}".rstrip()
    sudo = f" (sudo by {who['sudo']})" if who.get("sudo") else ""
    return f"user {who.get('user', '')}{sudo}"


def _text(values: Any) -> str:
    if not isinstance(values, dict):
        return ""
    pairs = ((name, value) for name, value in values.items() if value not in (None, "", [], {}))
    return ", ".join(f"{name} {_plain(value)}" for name, value in pairs)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return _text(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
