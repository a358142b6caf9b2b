"""`waggle routes prompts`: the prompts that write functions, their lineage and their scores."""

from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Column, Table

from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.terminal import InputRefused, out, utc_minute
from router.cli.trial_book import open_ledger
from router.trials.prompt_versions import PromptVersion, chances, competing, versions_of


@in_context
def prompts(
    here: CommandContext,
    version: Annotated[
        int | None, typer.Argument(help="A version, to show its text and what it achieved.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions of the prompt that has functions written, with what each achieved.

    Two versions compete: the better the functions of a version, the more often it writes the next.

    Example: waggle routes prompts 2
    """
    book = open_ledger(here).book
    versions = versions_of(book)
    chance = chances(competing(book))
    if version is not None:
        numbers = ", ".join(str(each.version) for each in versions) or "none yet"
        chosen = [each for each in versions if each.version == version]
        if not chosen:
            wrong = f"{version}: no version of the prompt has this number. There are: {numbers}"
            raise InputRefused(wrong)
        versions = chosen
    rows = [_row(each, chance.get(each.version, 0.0)) for each in versions]
    if as_json:
        out.print_json(orjson.dumps({"prompts": rows}).decode())
    elif not rows:
        out.print("No prompt was used yet: `waggle routes write` asks for a function.")
    elif version is not None:
        _show(versions[0])
    else:
        out.print(_table(rows))


def _row(version: PromptVersion, chance: float) -> dict[str, Any]:
    return {
        "version": version.version,
        "parent": version.parent or None,
        "author": version.author,
        "at": version.at,
        "state": "retired" if version.retired else "competes",
        "functions": len(version.achieved),
        "won": sum(each.score >= 1 for each in version.achieved),
        "score": None if version.score is None else round(version.score, 4),
        "chance": round(chance, 3),
        "why": version.retired or version.why,
        "text": version.text,
        "achieved": [
            {"function": each.function, "score": each.score, "why": each.why, "at": each.at}
            for each in version.achieved
        ],
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    """The versions, of which only the reasons are wrapped where a terminal is narrow."""
    heads = ("version", "by", "at", "state", "won", "score", "next")
    table = Table(*(Column(head, no_wrap=True) for head in heads), "why", box=None)
    for row in rows:
        score = "" if row["score"] is None else f"{row['score']:.2f}"
        origin = f"{row['version']} from {row['parent']}" if row["parent"] else f"{row['version']}"
        next_one = f"{row['chance']:.0%}" if row["state"] == "competes" else ""
        won = f"{row['won']} of {row['functions']}"
        made = escape(row["author"]), utc_minute(row["at"])
        table.add_row(origin, *made, row["state"], won, score, next_one, escape(row["why"]))
    return table


def _show(version: PromptVersion) -> None:
    origin = f", from version {version.parent}" if version.parent else ""
    out.print(f"[bold]Version {version.version}[/]{origin}: {escape(version.why)}")
    if version.retired:
        out.print(f"Retired: {escape(version.retired)}")
    out.print(escape(version.text))
    for each in version.achieved:
        out.print(f"{each.score:.2f} {escape(each.function or 'refused')}: {escape(each.why)}")
