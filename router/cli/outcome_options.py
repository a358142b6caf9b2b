"""Options and messages of the commands that read tables of outcomes: `waggle warm` and `cards`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from router.cli.terminal import InputRefused, err
from router.config.config import Config
from router.outcomes.files import UnreadableTable, read_rows
from router.outcomes.names import BadMapping, NameMatches, match, names_of_plans
from router.outcomes.scores import NoScale, Scale, scale_named, scale_of
from router.outcomes.table import OutcomeTable, table_of

TableArgument = Annotated[
    Path,
    typer.Argument(
        help="A table of outcomes (.csv, .jsonl or .parquet), as other tools write it, or as "
        "`waggle evaluate` does."
    ),
]
OptionalTableArgument = Annotated[
    Path | None,
    typer.Argument(
        help="A table of outcomes (.csv, .jsonl or .parquet), as other tools write it, or as "
        "`waggle evaluate` does."
    ),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="MODEL=PLAN: the plan that a model of the table means. Repeatable."),
]
ScaleOption = Annotated[
    str | None,
    typer.Option(help="LOW..HIGH: the worst and the best score. Default: guessed, and told."),
]
TaskOption = Annotated[
    str,
    typer.Option(help="The column with the names that callers give in x-waggle-task."),
]
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class MatchedTable:
    """A table of outcomes, the plans that its models mean, and the scale of its scores."""

    table: OutcomeTable
    matches: NameMatches
    scale: Scale


def matched_table(
    config: Config, source: Path, *, pairs: Sequence[str], scale: str | None, task_column: str
) -> MatchedTable:
    """Read a table, and say how its names and its scores were understood."""
    try:
        table = table_of(read_rows(source), str(source), task_column=task_column)
        matches = match(table.models, names_of_plans(config), _pairs(pairs))
        chosen = scale_named(scale) if scale else scale_of(a.score for a in table.answers)
    except (UnreadableTable, BadMapping, NoScale) as error:
        raise InputRefused(str(error)) from None
    _tell(table, matches, chosen)
    if not matches.plans:
        raise InputRefused(
            f"no model of {source} is known to be a plan. Plans: {', '.join(config.plans)}",
            "name pairs with --map MODEL=PLAN",
        )
    return MatchedTable(table, matches, chosen)


def _pairs(pairs: Sequence[str]) -> Mapping[str, str]:
    given = {}
    for pair in pairs:
        model, mark, plan = pair.rpartition("=")
        if not mark or not model or not plan:
            raise BadMapping(f"--map {pair!r} must be MODEL=PLAN")
        given[model] = plan
    return given


def _tell(table: OutcomeTable, matches: NameMatches, scale: Scale) -> None:
    err.print(
        f"{len(table.answers):,} scores in {table.form} form, {table.missing:,} missing; "
        f"{scale.rule}."
    )
    for model, plans in matches.plans.items():
        if plans != (model,):
            err.print(f"  {escape(model)} is {', '.join(plans)}", soft_wrap=True)
    for model, reason in list(matches.unsure.items())[:_SHOWN]:
        err.print(f"[yellow]left out:[/] {escape(model)} {escape(reason)}", soft_wrap=True)
    more = len(matches.unsure) - _SHOWN
    if more > 0:
        err.print(f"[yellow]left out:[/] {more} more whose plan is not sure")
    if matches.unmatched:
        shown = ", ".join(matches.unmatched[:_SHOWN])
        rest = len(matches.unmatched) - _SHOWN
        tail = f" and {rest} more" if rest > 0 else ""
        err.print(f"[yellow]left out:[/] no plan for {escape(shown)}{tail}", soft_wrap=True)
