"""`waggle scores`: shows what the learner of a running service knows about each plan."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from router.cli.client import ServiceRefused
from router.cli.context import CommandContext, UrlOption, in_context
from router.cli.terminal import InputRefused, err, out

_COLUMNS = ("plan", "quality", "$ per 1k", "seconds", "p95", "utility", "would get", "had")


@in_context
def scores(
    here: CommandContext,
    kind: Annotated[str | None, typer.Argument(help="One kind of request; default: all.")] = None,
    url: UrlOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON of /v1/learner.")] = False,
) -> None:
    """Show what the learner knows: each plan's quality, cost and time, by kind of request."""
    learner = here.client(url).get("/v1/learner")
    if "error" in learner:
        raise ServiceRefused(learner["error"]["message"])
    if as_json:
        out.print_json(orjson.dumps(learner).decode())
        return
    if learner.get("state") != "learning":
        out.print("The learner is starting.")
        return
    kinds = [row for row in learner["kinds"] if kind is None or row["kind"] == kind]
    if not kinds:
        names = ", ".join(row["kind"] for row in learner["kinds"])
        raise InputRefused(f"the learner has no scores for the kind {kind}; there are: {names}")
    for row in kinds:
        out.print(_table(row))
        if "outlook" in row:
            out.print(_prospect(row))
    pinned = f", pinned to {learner['pinned']}" if learner["pinned"] else ""
    out.print(
        f"{learner['learned']} judged answers; snapshot {learner['snapshot'] or 'none yet'}"
        f"{pinned}; strategy {learner['strategy']}; curiosity {learner['curiosity']}"
    )
    out.print(_guard(learner["guard"]))
    if learner["behaviours"]:
        out.print(_behaviours(learner["behaviours"]))
    for arm, answers in learner["bursts"].items():
        out.print(f"[yellow]{arm} is tried more, for {answers:g} more judged answers[/]")
    if learner["trouble"]:
        err.print(f"[red]Telemetry cannot be read:[/] {learner['trouble']}")


def _guard(guard: Mapping[str, Any]) -> str:
    """How far contexts count, in a sentence."""
    if "gain" not in guard:
        return "Plans are chosen by what they are worth on the whole: too few answers are judged."
    return (
        f"Choosing by context gains {guard['gain']:+.4f} a request (at least "
        f"{guard['at_least']:+.4f}, by {guard['judged']} judged answers), and counts "
        f"{guard['counts']:.0%}"
    )


def _behaviours(behaviours: Sequence[Mapping[str, Any]]) -> Table:
    """How answers were rated after what users did, and the weight each behaviour has earned."""
    table = Table(title="what users did", box=None)
    for name in ("behaviour", "claims", "rated answers", "their rating", "weight"):
        table.add_column(name, justify="left" if name in ("behaviour", "claims") else "right")
    for row in sorted(behaviours, key=lambda row: -row["weight"]):
        table.add_row(
            *(row["behaviour"], row["claims"], str(row["compared"])),
            *(f"{row['rated']:.3f}", f"{row['weight']:.3f}"),
        )
    return table


def _table(kind: Mapping[str, Any]) -> Table:
    table = Table(title=f"{kind['named_by'] or 'all requests'} {kind['kind']}".strip(), box=None)
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "plan" else "right")
    plans = sorted(kind["plans"], key=lambda plan: -plan["utility"])
    for plan in plans:
        tail = plan["tail_seconds"]
        best = plan["utility"] == plans[0]["utility"]
        table.add_row(
            f"[bold]{plan['plan']}[/]" if best else plan["plan"],
            f"{plan['quality']:.3f} ± {plan['interval']:.3f}" if plan["judged"] else "unknown",
            f"{plan['usd_per_1k']:.4g}",
            f"{plan['seconds']:.3f}" if plan["requests"] else "unknown",
            f"{tail:.3f}" if tail is not None else "",
            f"{plan['utility']:.3f}",
            f"{100 * plan['share']:.1f}%",
            f"{plan['requests']} ({100 * plan['traffic']:.0f}%), {plan['judged']} judged",
        )
    return table


def _prospect(kind: Mapping[str, Any]) -> str:
    """Whether there is anything to learn on a kind, and what exploring costs a day."""
    exploring = kind["exploring"]
    usd = exploring["usd_per_day"]
    dollars = f"{'-' if usd < 0 else ''}${abs(usd):.4g}"
    return (
        f"{kind['verdict']}\n[dim]gain {kind['gain']:.3f} ± {1.96 * kind['gain_deviation']:.3f}, "
        f"left {kind['left']:.3f} a request; exploring costs {exploring['utility_per_day']:.3g} "
        f"utility and {dollars} a day, on {exploring['requests_per_day']:,.0f} requests[/]\n"
    )
