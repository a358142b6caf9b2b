"""`waggle budgets`: the budgets of keys, teams and tags, with what is used, held and left."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from rich.table import Table

from router.cli.client import ServiceRefused
from router.cli.context import CommandContext, JsonOption, UrlOption, in_context
from router.cli.terminal import out
from router.config.server import KeyLimits, Keys

_COLUMNS = ("budget", "limit", "", "used", "held", "left", "", "again in")


@in_context
def budgets(here: CommandContext, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show each budget of keys, teams and tags: its limits, and what is used, held and left.

    Held is what calls under way have reserved, and what a router has leased in advance.
    """
    answer = here.client(url).get("/v1/budgets")
    if "error" in answer:
        raise ServiceRefused(answer["error"]["message"])
    if as_json:
        out.print_json(orjson.dumps(answer).decode())
        return
    if not answer["budgets"]:
        out.print("No key, team or tag has a limit. `keys.limits` and `keys.teams` set some.")
        return
    table = Table(box=None)
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name in ("budget", "limit") else "right")
    for budget in answer["budgets"]:
        for row in _rows(budget):
            table.add_row(*row)
    out.print(table)


def budget_lines(keys: Keys) -> Iterator[str]:
    """The budgets of the configuration, one a line."""
    for name, team in keys.teams.items():
        above = f", part of {team.parent}" if team.parent else ""
        yield f"team {name}{above}: {limits_text(team)}"
    for name, tag in keys.tags.items():
        owners = [*(f"key {key}" for key in tag.keys), *(f"team {team}" for team in tag.teams)]
        only = f", only for {', '.join(owners)}" if owners else ""
        yield f"tag {name}{only}: {limits_text(tag)}"


def limits_text(limits: KeyLimits) -> str:
    names = tuple(KeyLimits.model_fields)
    shown = {name: getattr(limits, name) for name in names if name != "unpriced"}
    texts = [f"{name} {value:g}" for name, value in shown.items() if value is not None]
    return ", ".join(texts) or "no limit"


def _rows(budget: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    name = f"{budget['kind']} {budget['name']}" if budget["name"] else "callers without a key"
    if "parent" in budget:
        name += f" (of {budget['parent']})"
    for rule, figures in budget["limits"].items():
        dollars = rule.startswith("dollars")
        amounts = [
            f"${figures[column]:,.4f}" if dollars else f"{figures[column]:,.0f}"
            for column in ("limit", "used", "held", "left")
        ]
        share = figures["left"] / figures["limit"] if figures["limit"] else 0.0
        yield name, rule, *amounts, f"{share:.0%}", _span(figures.get("resets_in_seconds", 60))
        name = ""


def _span(seconds: float) -> str:
    hours = seconds / 3600
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.0f} h" if hours >= 1 else f"{seconds / 60:.0f} min"
