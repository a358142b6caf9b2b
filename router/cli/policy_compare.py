"""`waggle policy compare`: what two policies would have brought on the requests of the last days.

The answer is an estimate from logged chances. It changes nothing: a trial does.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import duckdb
import orjson
import typer
from rich.markup import escape
from rich.table import Table

from learner.offpolicy import OffPolicyEstimate
from router.cli.context import CommandContext, JsonOption, in_context, telemetry_catalog
from router.cli.terminal import CommandRefused, InputRefused, out
from router.cli.trial_book import open_ledger
from router.trials.drawn_rows import MOST_ROWS, LeftOut, drawn_rows, left_out
from router.trials.policy_comparison import PolicyComparison, compared, verdict
from router.trials.policy_odds import named_policy
from router.trials.policy_values import MEASURES, ValueEstimate

_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_UNITS_OF = {"utility": 1.0, "quality": 1.0, "cost_usd": 1000.0, "seconds": 1.0}
PolicyName = Annotated[
    str,
    typer.Argument(
        help="A plan (always that plan), bandit, ladder, or one of `waggle trial strategies`."
    ),
]


@in_context
def compare(
    here: CommandContext,
    a: PolicyName,
    b: PolicyName,
    since: Annotated[
        str, typer.Option(help="How far to look back, e.g. 12h, 7d, 4w; or a time in UTC.")
    ] = "7d",
    as_json: JsonOption = False,
) -> None:
    """Estimate what two policies would have brought on the same requests, and the difference.

    Example: waggle policy compare dear bandit --since 7d
    """
    until = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    begin = moment(since, until)
    book = open_ledger(here).book
    first, second = named_policy(a, book), named_policy(b, book)
    with duckdb.connect(str(telemetry_catalog(book.config)), read_only=True) as con:
        rows, others = drawn_rows(con, begin, until), left_out(con, begin, until)
    if not rows:
        wrong = f"no request since {begin:%Y-%m-%d %H:%M} had its plan drawn{_others(others)}"
        raise CommandRefused(wrong, "look further back with --since")
    comparison = compared(first, second, rows, book.config, book.config.objective.preference)
    sentence = verdict(comparison)
    if as_json:
        out.print_json(orjson.dumps(_fields(comparison, begin, others, sentence)).decode())
    else:
        _show(comparison, begin, others, sentence)
    if any(policy.values["cost_usd"].robust is None for policy in comparison.policies):
        raise typer.Exit(1)


def moment(text: str, now: dt.datetime) -> dt.datetime:
    """The moment that --since means: a span before now, or a date or time in UTC."""
    span = _SPAN.fullmatch(text.strip())
    try:
        if span is not None:
            return now - dt.timedelta(**{_UNITS[span[2]]: float(span[1])})
        given = dt.datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        wrong = f"--since {text}: it is a span such as 12h, 7d or 4w, or a time such as 2026-05-28"
        raise InputRefused(wrong) from None
    return given if given.tzinfo is None else given.astimezone(dt.UTC).replace(tzinfo=None)


def _show(
    comparison: PolicyComparison, begin: dt.datetime, others: Sequence[LeftOut], sentence: str
) -> None:
    table = Table("", "utility", "quality", "$ per 1,000", "seconds", "worth answers", box=None)
    for policy in comparison.policies:
        values = policy.values
        cells = [_cell(values[name].robust, _UNITS_OF[name]) for name in MEASURES]
        table.add_row(f"[bold]{escape(policy.name)}[/]", *cells, _worth(values))
    apart = [
        _cell(comparison.differences[name].estimate, _UNITS_OF[name], sign="+") for name in MEASURES
    ]
    table.add_row("difference", *apart, "")
    out.print(f"{comparison.rows:,} requests since {begin:%Y-%m-%d %H:%M}, with 95% intervals")
    out.print(table)
    out.print(escape(sentence), soft_wrap=True)
    if comparison.unusable:
        out.print(f"For {comparison.unusable:,} more requests, the odds of both are not known.")
    if comparison.rows + comparison.unusable >= MOST_ROWS:
        out.print(f"Only the latest {MOST_ROWS:,} requests were read.")
    if others:
        out.print(f"Left out{_others(others)}.")


def _cell(estimate: OffPolicyEstimate | None, unit: float, sign: str = "") -> str:
    if estimate is None:
        return "cannot be told"
    value, low, high = (unit * number for number in (estimate.value, estimate.low, estimate.high))
    return f"{value:{sign}.4g} \\[{low:{sign}.4g}, {high:{sign}.4g}]"


def _worth(values: Mapping[str, ValueEstimate]) -> str:
    quality, cost = values["quality"], values["cost_usd"]
    return f"{quality.effective:.0f} judged, {cost.effective:.0f} in all"


def _others(others: Sequence[LeftOut]) -> str:
    """The requests that were left out, in words."""
    parts = [f"{row.n:,} {row.why}" for row in others]
    return f": {', '.join(parts)}" if parts else ""


def _fields(
    comparison: PolicyComparison, begin: dt.datetime, others: Sequence[LeftOut], sentence: str
) -> dict[str, Any]:
    a, b = comparison.policies
    return {
        "a": a.name,
        "b": b.name,
        "since": begin.isoformat(timespec="seconds"),
        "requests": comparison.rows,
        "odds_unknown": comparison.unusable,
        "left_out": {row.why: {"n": row.n, "cost_usd": row.cost_usd} for row in others},
        "policies": {
            side: {name: _value_fields(value) for name, value in policy.values.items()}
            for side, policy in (("a", a), ("b", b))
        },
        "difference": {
            name: None if apart.estimate is None else _estimate_fields(apart.estimate)
            for name, apart in comparison.differences.items()
        },
        "choose_alike": comparison.differences["cost_usd"].agree,
        "meaning": sentence,
    }


def _value_fields(value: ValueEstimate) -> dict[str, Any]:
    if value.robust is None:
        return {"refused": value.why, "effective": value.effective, "judged": value.judged}
    estimates = {"dr": value.robust, "ips": value.ips, "snips": value.snips}
    return {
        **{name: _estimate_fields(row) for name, row in estimates.items() if row is not None},
        "effective": value.effective,
        "judged": value.judged,
    }


def _estimate_fields(estimate: OffPolicyEstimate) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
