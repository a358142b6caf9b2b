"""The page about trials: which strategies competed, with which verdict, and who serves now."""

from typing import Any

from dash import html

from dashboard.components import (
    badge,
    between,
    code,
    difference,
    link,
    number,
    table,
    when,
)
from dashboard.pages import trial_verdict
from dashboard.pages.written import WRITTEN_PANEL
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown
from dashboard.source import Rows, moment

_OPEN = "('shadow', 'running', 'adopting', 'decided', 'adopted')"


def listed(query: PanelQuery) -> str:
    since, until = moment(query.span.since), moment(query.span.until)
    return f"""
with h as (
  select *, min(ts) over (partition by trial_id) as began from trial_history
  qualify row_number() over (partition by trial_id order by ts desc) = 1)
select trial_id, name, state, candidate, "current", opened_by, share, began, ts as changed,
       requests, lift_low, lift, lift_high, split_p, why
from h where began < {until} and (ts >= {since} or state in {_OPEN})
order by state in {_OPEN} desc, ts desc, trial_id limit 100"""


def _listed(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return trial_verdict.NO_TRIAL
    return [
        table(
            ("trial", "state", "candidate", "against", "lift", "requests", "verdict"),
            [
                (
                    link(row["name"] or row["trial_id"], trial=row["trial_id"]),
                    badge(row["state"]),
                    row["candidate"] or "",
                    row["current"] or "",
                    between(row["lift_low"], row["lift"], row["lift_high"]),
                    number(row["requests"]),
                    row["why"] or "",
                )
                for row in rows
            ],
            numeric=(4, 5),
            label="trials",
        )
    ]


def served(query: PanelQuery) -> str:
    return f"""
select ts, kind, subject, state, detail->>'why' as why from events
where ts < {moment(query.span.until)}
  and (kind = 'strategy' and state = 'serves'
       or kind = 'trial' and state in ('adopted', 'rolled back'))
order by ts desc, subject limit 50"""


def _served(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("The configured strategy serves. No trial has replaced it yet.")
    return [
        table(
            ("when (UTC)", "what", "state", "why"),
            [
                (when(row["ts"]), row["subject"], badge(row["state"]), row["why"] or "")
                for row in rows
            ],
            label="strategies that served",
        )
    ]


def functions(query: PanelQuery) -> str:
    return f"""
select policy_version, first_used, settings->>'source' as source from policies
where (settings->>'source') is not null and first_used < {moment(query.span.until)}
order by first_used desc limit 8"""


def _functions(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "There is no routing function yet. This command writes what was learned as code:",
            "waggle routes distill",
        )
    parts: list[Any] = []
    for at, row in enumerate(rows):
        name, older = row["policy_version"], rows[at + 1] if at + 1 < len(rows) else None
        inside: list[Any] = [html.Summary(f"{name}, {when(row['first_used'])}")]
        if older is not None:
            inside += [
                html.P(f"Changes since {older['policy_version']}:"),
                difference(older["source"], row["source"], (older["policy_version"], name)),
            ]
        inside += [html.P("Full source:"), code(row["source"], f"source of {name}")]
        parts.append(html.Details(inside, open=at == 0))
    return parts


PAGE = Page(
    "trials",
    "Trials",
    "Comparisons of two strategies, their verdicts, and the strategies that served.",
    (
        Panel(
            "trials",
            "Trials",
            listed,
            _listed,
            form="parts",
            size="whole",
            note="Lift is utility added per request. However often you look, the 95% intervals "
            "stay valid.",
        ),
        Panel(
            "sequence",
            "Confidence sequence",
            trial_verdict.sequence,
            trial_verdict.show_sequence,
            tall=True,
            note="The utility that the candidate adds per request. If the whole interval is above "
            "zero, the candidate is better.",
        ),
        Panel(
            "verdict", "Verdict", trial_verdict.verdict, trial_verdict.show_verdict, form="parts"
        ),
        Panel(
            "sides",
            "Both sides",
            trial_verdict.sides,
            trial_verdict.show_sides,
            form="parts",
            size="whole",
            note="From the newest requests in the span. “Apart” counts the requests for which the "
            "two strategies chose different plans.",
        ),
        Panel("served", "Who served", served, _served, form="parts"),
        WRITTEN_PANEL,
        Panel("functions", "Routing functions", functions, _functions, form="parts"),
    ),
    filters=(),
)
