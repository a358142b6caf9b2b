"""`waggle patterns`: which kinds of requests there are, and where something could be gained."""

from typing import Annotated, Any

import duckdb
import orjson
import typer
from rich.markup import escape
from rich.table import Table

from router.cli.context import CommandContext, JsonOption, in_context, telemetry_catalog
from router.cli.terminal import CommandRefused, InputRefused, out
from router.config.config import Config
from router.telemetry.store import catalog, manifest

PatternId = Annotated[
    str | None, typer.Argument(help="A pattern, such as p7: shows its plans; default: all.")
]


@in_context
def patterns(here: CommandContext, pattern: PatternId = None, as_json: JsonOption = False) -> None:
    """Show the patterns of traffic: requests that are alike, how they are answered, and what the
    best plan known for them could bring."""
    weights = _weights(here.config)
    rows = _rows(here.config, f"FROM pattern_values({weights})")
    if pattern is not None:
        _show_one(here.config, pattern, rows, weights, as_json=as_json)
        return
    rows = [row for row in rows if row["state"] == "living"]
    if as_json:
        out.print_json(orjson.dumps(rows, default=str).decode())
    elif not rows:
        out.print("No pattern was found yet: ten of at least a hundred requests must be alike.")
    else:
        out.print(_table(rows))
        out.print("[dim]One pattern, with its plans and its rows: waggle patterns ID[/]")


def _show_one(
    config: Config,
    pattern: str,
    rows: list[dict[str, Any]],
    weights: str,
    *,
    as_json: bool,
) -> None:
    row = next((row for row in rows if row["pattern"] == pattern), None)
    if row is None:
        names = ", ".join(row["pattern"] for row in rows) or "none yet"
        raise InputRefused(f"there is no pattern {pattern}", f"there are: {names}")
    where = f"pattern = '{pattern}'"
    plans = _rows(config, f"FROM pattern_plans({weights}) WHERE {where}")
    sql = f"select ts, plan, quality, cost_usd, latency_ms from requests where {where} order by ts"
    if as_json:
        shown = {**row, "plans": plans, "sql": sql}
        out.print_json(orjson.dumps(shown, default=str).decode())
        return
    out.print(_table([row]))
    if row["into_pattern"]:
        out.print(f"It was merged into {row['into_pattern']}.")
    table = Table("plan", box=None)
    for name in ("requests", "judged", "quality", "$ per 1k", "ms", "utility"):
        table.add_column(name, justify="right")
    for plan in plans:
        table.add_row(
            escape(plan["plan"]),
            f"{plan['n']:,}",
            f"{plan['judged']:,}",
            _number(plan["quality"]),
            _number(plan["usd_per_1k"]),
            _number(plan["mean_ms"], 0),
            _number(plan["utility"]),
        )
    out.print(table)
    out.print(f'Its rows: waggle sql "{sql}"', soft_wrap=True)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("pattern", no_wrap=True)
    table.add_column("name")
    for name in ("requests", "share", "spread"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("utility\nnow", justify="right", no_wrap=True)
    table.add_column("best plan", overflow="fold")
    table.add_column("could\nbring", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["pattern"],
            escape(row["name"]),
            f"{row['requests']:,}",
            f"{row['share'] or 0:.1%}",
            _number(row["spread"], 2),
            _number(row["utility_now"]),
            escape(row["best_plan"] or "unknown"),
            _number(row["could_bring"]),
        )
    return table


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _weights(config: Config) -> str:
    """The weights by which this service routes, as arguments of the macros."""
    preference = config.objective.preference
    return f"cost_weight := {preference.cost!r}, latency_weight := {preference.latency!r}"


def _rows(config: Config, sql: str) -> list[dict[str, Any]]:
    """The rows of a query, over views of our own: nothing in the folder but rows is believed."""
    folder = telemetry_catalog(config).parent.absolute()
    try:
        with duckdb.connect(config={"python_enable_replacements": False}) as con:
            for statement in catalog.in_memory(folder, manifest.load(folder)):
                con.execute(statement)
            cursor = con.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except duckdb.Error as error:
        raise CommandRefused(f"telemetry cannot be read: {error}") from None
