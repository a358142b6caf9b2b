"""`waggle knowledge advise NAME`: what would make a store's rows quicker or smaller, measured."""

import dataclasses
import json
import math
from typing import Annotated, Any

import typer

from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.knowledge_rights_source import OPERATOR, rights_of
from router.cli.terminal import CommandRefused, InputRefused, out
from router.knowledge.advice import Advice, Finding, advise, create_index
from router.knowledge.opening import NoSuchStore, StoreShelf
from router.knowledge.rehearsal import NoRoom
from router.knowledge.rows.query_log import QueryLog

advise_app = typer.Typer()


@advise_app.command("advise")
@in_context
def advise_store(
    here: CommandContext,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The store.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Create the indexes that are proposed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Try indexes, partitions and shorter texts on a copy of a store's rows, with its own queries.

    Examples: waggle knowledge advise shop, waggle knowledge advise shop --apply
    """
    with rights_of(here) as rights:
        shelf = StoreShelf(here.config_in_force.knowledge_folder, rights)
        try:
            store = shelf.opened(name, OPERATOR, "write" if apply else "read").store
        except NoSuchStore as error:
            raise InputRefused(str(error), "`waggle knowledge list` shows the stores") from None
        log = QueryLog(store.folder)
        try:
            advice = advise(store, log)
            indexes = [each for each in advice.proposals if each.kind == "index"]
            for finding in indexes if apply else ():
                here.record("knowledge index created", name, after={"on": _place(finding)})
                create_index(store, finding)
        except NoRoom as error:
            raise CommandRefused("no copy of the store can be made", str(error)) from None
        finally:
            log.close()
            store.close()
    if as_json:
        out.print_json(json.dumps([_fields(each) for each in advice.findings]))
        return
    for line in _lines(advice, applied=apply):
        out.print(line, markup=False)


def _place(finding: Finding) -> str:
    return f"{finding.table} ({', '.join(finding.columns)})"


def _fields(finding: Finding) -> dict[str, Any]:
    fields = {each.name: getattr(finding, each.name) for each in dataclasses.fields(finding)}
    if math.isinf(finding.cost_after):  # answers differed
        return {**fields, "cost_after": None, "saved": None, "bytes_saved": finding.bytes_saved}
    return {**fields, "saved": finding.saved, "bytes_saved": finding.bytes_saved}


def _lines(advice: Advice, *, applied: bool) -> list[str]:
    if not advice.queries:
        return ["No advice: no table of 1,000 rows or more has been asked anything yet."]
    lines = [f"Tried on a copy, with the forms of {advice.queries} questions that were asked:"]
    lines += [_line(finding, applied=applied) for finding in advice.findings]
    if not advice.proposals:
        lines.append("Nothing is proposed: no change pays enough.")
    return lines


def _line(finding: Finding, *, applied: bool) -> str:
    verdict = "not worth it"
    if finding.proposed:
        verdict = "created" if applied and finding.kind == "index" else "proposed"
    if math.isinf(finding.cost_after):
        return f"not possible: {finding.kind} {_place(finding)}: an answer would differ"
    cost = f"{finding.cost_before * 1000:.2f} -> {finding.cost_after * 1000:.2f} ms a question"
    size = f"{finding.bytes_before / 2**20:.1f} -> {finding.bytes_after / 2**20:.1f} MB"
    text = f"{verdict}: {finding.kind} {_place(finding)}: {cost}, {size}"
    if finding.writing_after:
        text += f", {finding.writing_before:.2f} -> {finding.writing_after:.2f} s to load"
    return text
