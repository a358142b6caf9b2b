"""`waggle cards`: makes cards of plans from public results, for the section `objective.cards`.

With `--into`, the command writes them into a configuration whose `objective` has no cards yet, and
only if the result is a sound configuration.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.markup import escape
from rich.table import Table

from router.cli.context import CommandContext, in_context
from router.cli.outcome_options import (
    MapOption,
    OptionalTableArgument,
    ScaleOption,
    TaskOption,
    matched_table,
)
from router.cli.terminal import InputRefused, err, out
from router.config.config import Config
from router.config.load import load
from router.files import write_durably
from router.outcomes.cards import CardSet, cards_of
from router.plans.priors import priors_of
from router.request.reading import reading_of

_LEAST = 20  # answers of a plan that a card for one kind of request rests on


@in_context
def cards(
    here: CommandContext,
    source: OptionalTableArgument = None,
    public: Annotated[
        bool,
        typer.Option("--public", help="Show what is believed of each plan, and from where."),
    ] = False,
    mapping: MapOption = None,
    scale: ScaleOption = None,
    task: TaskOption = "",
    least: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Answers that a card for one kind of request needs. Default: 20, or 1 score of a "
            "benchmark if the table has no prompts.",
        ),
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="A configuration to write the cards into.")
    ] = None,
) -> None:
    """Make cards (the quality to believe beforehand) from a table of results or a leaderboard.

    The cards go to the screen as YAML, to paste into the configuration. The learner takes the card
    of each plan that is new to it. With --public, no table is read: the command shows what the
    learner believes of each plan beforehand, by your own cards or by public results of its model.

    Example: waggle cards leaderboard.csv --map gpt-4-1106-preview=premium
    """
    if source is None or public:
        if source is not None or not public:
            raise InputRefused("name a table of results, or --public, and not both")
        out.print(_believed(here.config), soft_wrap=True)
        return
    matched = matched_table(here.config, source, pairs=mapping or (), scale=scale, task_column=task)
    card_set = cards_of(
        matched.table,
        matched.matches,
        matched.scale,
        lambda prompt: reading_of({"messages": [{"role": "user", "content": prompt}]}).kind,
        least=least or (_LEAST if matched.table.has_prompts else 1),
    )
    _tell(card_set, here.config.plans)
    text = as_yaml(card_set.cards)
    if into is None:
        typer.echo(f"objective:\n{text}", nl=False)
        return
    write_into(into, text)
    out.print(f"Wrote the cards of {len(card_set.cards)} plans into {escape(str(into))}.")


def _believed(config: Config) -> Table:
    """What is believed of each plan beforehand, and from where."""
    priors = priors_of(config)
    table = Table("plan", "quality, at least", "counts as", "from", box=None, pad_edge=False)
    for plan in config.plans:
        prior = priors.get(plan)
        if prior is None:
            table.add_row(escape(plan), "unknown", "", "")
            continue
        shown = ", ".join(f"{kind} {quality:g}" for kind, quality in prior.quality.items())
        answers = f"{prior.answers * len(prior.quality):g} answers"
        source = "your objective.cards"
        if prior.results is not None:
            count = max(prior.results.values())
            source = f"{count} public result{'' if count == 1 else 's'} of {prior.model}"
        table.add_row(escape(plan), shown, answers, escape(source))
    return table


def as_yaml(cards: Mapping[str, Mapping[str, float]]) -> str:
    """The lines of `cards`, indented as they stand below `objective:`."""
    lines = ["  cards:"]
    for plan, by_kind in cards.items():
        shown = ", ".join(f"{kind}: {quality:g}" for kind, quality in by_kind.items())
        lines.append(f"    {plan}: {{{shown}}}")
    return "\n".join(lines) + "\n"


def write_into(path: Path, text: str) -> None:
    """Put cards below `objective:`, or at the end of a file without it; every other line stays."""
    try:
        before = path.read_text()
        fields = yaml.safe_load(before) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputRefused(f"{path} cannot be read: {error}") from None
    objective = fields.get("objective") if isinstance(fields, dict) else None
    if isinstance(objective, dict) and "cards" in objective:
        raise InputRefused(f"{path} has objective.cards already", "paste what should change")
    line = re.search(r"^objective:[ \t]{0,9}(#.*)?\n", before, re.M)
    if line is not None:
        after = before[: line.end()] + text + before[line.end() :]
    elif objective is None:
        after = before.rstrip("\n") + f"\n\nobjective:\n{text}"
    else:
        mend = "write its `objective:` with one setting on each line, or paste the cards"
        raise InputRefused(f"{path} has its objective on one line", mend)
    _check(path, after)
    write_durably(path, after.encode())


def _check(path: Path, content: str) -> None:
    """Refuse, with the reasons, a content that is no sound configuration."""
    beside = path.with_name(f".{path.name}.checked")
    beside.write_text(content)
    try:
        load(beside)
    finally:
        beside.unlink()


def _tell(card_set: CardSet, plans: Mapping[str, object]) -> None:
    for benchmark, reason in card_set.left_out.items():
        err.print(f"[yellow]left out:[/] {escape(benchmark)}: {escape(reason)}", soft_wrap=True)
    for plan, by_kind in card_set.cards.items():
        rests = ", ".join(f"{kind} {card_set.counts[plan, kind]:,}" for kind in by_kind)
        err.print(f"  {plan} rests on scores of: {rests}", soft_wrap=True)
    without = [plan for plan in plans if plan not in card_set.cards]
    if without:
        err.print(f"No card for {', '.join(without)}.", soft_wrap=True)
