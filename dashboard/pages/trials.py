"""Which strategies competed, what was found, who serves now, and how that came to be."""

import json
from collections.abc import Mapping
from typing import Any

from dash import html

from dashboard.figures import INKS, axis, faded, figure, plain
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown
from dashboard.parts import (
    badge,
    between,
    code,
    difference,
    dollars,
    link,
    number,
    table,
    tile,
    tiles,
    when,
)
from dashboard.source import Row, Rows, moment
from router.telemetry.sql import quoted

_OPEN = "('shadow', 'running', 'adopting', 'decided', 'adopted')"
_NONE = Empty(
    "No trial was opened yet. One strategy against another, with a verdict that may be looked at "
    "any time:",
    "waggle trial new",
)
_GUARDS = {"errors": "failures", "p95": "p95 (log)", "cost": "cost (log)"}


def _chosen(asked: PanelQuery) -> str:
    """The trial that was picked, else the one that changed last."""
    if asked.view.trial:
        return quoted(asked.view.trial)
    return "(select trial_id from trials order by changed desc, trial_id limit 1)"


def listed(asked: PanelQuery) -> str:
    since, until = moment(asked.span.since), moment(asked.span.until)
    return f"""
with h as (
  select *, min(ts) over (partition by trial_id) as began from trial_history
  qualify row_number() over (partition by trial_id order by ts desc) = 1)
select trial_id, name, state, candidate, "current", opened_by, share, began, ts as changed,
       requests, lift_low, lift, lift_high, split_p, why
from h where began < {until} and (ts >= {since} or state in {_OPEN})
order by state in {_OPEN} desc, ts desc, trial_id limit 100"""


def _listed(rows: Rows, asked: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return _NONE
    return [
        table(
            ("trial", "state", "candidate", "against", "lift a request", "requests", "verdict"),
            [
                (
                    link(one["name"] or one["trial_id"], trial=one["trial_id"]),
                    badge(one["state"]),
                    one["candidate"] or "",
                    one["current"] or "",
                    between(one["lift_low"], one["lift"], one["lift_high"]),
                    number(one["requests"]),
                    one["why"] or "",
                )
                for one in rows
            ],
            numeric=(4, 5),
            label="trials",
        )
    ]


def sequence(asked: PanelQuery) -> str:
    return f"""
select h.ts, h.name, h.state, h.candidate, h."current", h.requests, h.lift_low, h.lift,
       h.lift_high, h.why
from trial_history h where trial_id = {_chosen(asked)} and requests is not null
order by requests, ts"""


def _sequence(rows: Rows, asked: PanelQuery) -> Shown:
    told = [one for one in rows if one["lift"] is not None]
    if not told:
        return Empty("Nothing to compare yet: it begins with the first judged requests.")
    sure = [one for one in told if one["lift_low"] is not None and one["lift_high"] is not None]
    ink = INKS[asked.view.theme]
    x = [one["requests"] for one in sure]
    hue = ink.palette[0]
    name = plain(f"{told[-1]['candidate']} over {told[-1]['current']}")
    edge = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip"}
    data: list[Mapping[str, Any]] = [
        {**edge, "y": [o["lift_low"] for o in sure], "line": {"width": 0}, "showlegend": False},
        {
            **edge,
            "y": [one["lift_high"] for one in sure],
            "line": {"width": 0},
            **{"fill": "tonexty", "fillcolor": faded(hue, 0.18), "name": "holds at every look"},
        },
        {
            **{"type": "scatter", "mode": "lines+markers", "name": name},
            "x": [one["requests"] for one in told],
            "y": [one["lift"] for one in told],
            "line": {"color": hue, "width": 2},
            "customdata": [[plain(one["state"]), when(one["ts"])] for one in told],
            "hovertemplate": "after %{x:,} requests: %{y:+.4f}<br>%{customdata[0]}, "
            "%{customdata[1]}<extra></extra>",
        },
    ]
    zero = {
        **{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0},
        "line": {"color": ink.muted, "dash": "dash", "width": 1},
    }
    return figure(
        asked,
        data,
        tall=True,
        shapes=[zero],
        xaxis=axis(asked, "requests in the trial", rangemode="tozero"),
        yaxis=axis(asked, "utility added a request"),
        hovermode="closest",
    )


def verdict(asked: PanelQuery) -> str:
    return f"""
select h.trial_id, h.name, h.state, h.candidate, h."current", h.opened_by, h.share, h.ts, h.why,
       h.requests, h.lift_low, h.lift, h.lift_high, h.guards, h.split_p,
       t.settings->>'split' as split, t.settings->'numbers'->'assigned' as assigned,
       (t.settings->'numbers'->>'apart_share')::double as apart_share
from trial_history h join trials t using (trial_id) where trial_id = {_chosen(asked)}
order by h.ts desc, h.requests desc nulls last limit 1"""


def _verdict(rows: Rows, asked: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return _NONE
    one = rows[0]
    guards = json.loads(one["guards"]) if one["guards"] else {}
    lift = between(one["lift_low"], one["lift"], one["lift_high"])
    return [
        html.P([html.Strong(f"{one['name']}: "), badge(one["state"])]),
        html.P(one["why"] or "", className="said"),
        *tiles(
            tile("lift of utility", lift, f"after {number(one['requests'])} requests"),
            tile("decided apart", number(one["apart_share"], ".0%"), "alike costs nothing"),
            _ratio(one),
        ),
        table(
            ("guardrail", "state", "candidate less current"),
            [
                (
                    _GUARDS.get(name, name),
                    badge(told["state"]),
                    between(told["low"], told["mean"], told["high"]),
                )
                for name, told in guards.items()
            ],
            numeric=(2,),
            label="guardrails",
        )
        if guards
        else html.P("Guardrails are looked at once answers were judged.", className="quiet"),
    ]


def _ratio(one: Row) -> html.Div:
    """Whether the sides got their share of requests: else something is wrong with the trial."""
    assigned = json.loads(one["assigned"]) if one["assigned"] else {}
    told = ", ".join(f"{name} {count:,}" for name, count in assigned.items()) or "nobody yet"
    if one["split_p"] is None:
        return tile("sample ratio", "unknown", told)
    fair = one["split_p"] >= 0.001
    return tile(
        "sample ratio",
        "as meant" if fair else "off",
        f"p = {one['split_p']:.3g}; {told}",
        tone="" if fair else "bad",
    )


def sides(asked: PanelQuery) -> str:
    return f"""
select variant, count(*) as n, count(*) filter (apart) as decided_apart,
       count(quality) filter (apart) as judged, avg(quality) filter (apart) as quality,
       1.96 * stddev(quality) filter (apart) / sqrt(nullif(count(quality) filter (apart), 0))
         as half,
       1000 * avg(cost_usd) as usd_per_1k, quantile_cont(latency_ms, 0.95) as p95_ms,
       avg((error_type is not null)::int) as failed
from (select * from exposures where {asked.tail}) where trial_id = {_chosen(asked)}
group by variant order by variant"""


def _sides(rows: Rows, asked: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("No request of this time was part of it.")
    return [
        table(
            (
                "side",
                "requests",
                "decided apart",
                "judged",
                "quality, apart",
                "$ per 1,000",
                "p95",
                "failed",
            ),
            [
                (
                    one["variant"],
                    number(one["n"]),
                    number(one["decided_apart"]),
                    number(one["judged"]),
                    number(one["quality"], ".3f")
                    + (f" ± {one['half']:.3f}" if one["half"] is not None else ""),
                    dollars(one["usd_per_1k"]),
                    number(one["p95_ms"], ",.0f", " ms"),
                    number(one["failed"], ".1%"),
                )
                for one in rows
            ],
            numeric=range(1, 8),
            label="sides of the trial",
        )
    ]


def served(asked: PanelQuery) -> str:
    return f"""
select ts, kind, subject, state, detail->>'why' as why from events
where ts < {moment(asked.span.until)}
  and (kind = 'strategy' and state = 'serves'
       or kind = 'trial' and state in ('adopted', 'rolled back'))
order by ts desc, subject limit 50"""


def _served(rows: Rows, asked: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("What was configured serves; nothing was adopted in its place yet.")
    return [
        table(
            ("when (UTC)", "what", "state", "why"),
            [
                (when(one["ts"]), one["subject"], badge(one["state"]), one["why"] or "")
                for one in rows
            ],
            label="strategies that served",
        )
    ]


def functions(asked: PanelQuery) -> str:
    return f"""
select policy_version, first_used, settings->>'source' as source from policies
where (settings->>'source') is not null and first_used < {moment(asked.span.until)}
order by first_used desc limit 8"""


def _functions(rows: Rows, asked: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "No routing function yet. What was learned, as code to read:", "waggle routes distill"
        )
    told: list[Any] = []
    for at, one in enumerate(rows):
        name, older = one["policy_version"], rows[at + 1] if at + 1 < len(rows) else None
        inside: list[Any] = [html.Summary(f"{name}, {when(one['first_used'])}")]
        if older is not None:
            inside += [
                html.P(f"Beside {older['policy_version']}:"),
                difference(older["source"], one["source"], (older["policy_version"], name)),
            ]
        inside += [html.P("Whole:"), code(one["source"], f"source of {name}")]
        told.append(html.Details(inside, open=at == 0))
    return told


PAGE = Page(
    "trials",
    "Trials",
    "One strategy against another; what may be believed at every look, and what came of it.",
    (
        Panel(
            "trials",
            "Trials",
            listed,
            _listed,
            form="parts",
            size="whole",
            note="Intervals hold at every look, however often one looks (95%).",
        ),
        Panel(
            "sequence",
            "Confidence sequence",
            sequence,
            _sequence,
            tall=True,
            note="What the candidate adds to the utility of a request. Above zero throughout: it "
            "is better.",
        ),
        Panel("verdict", "Verdict", verdict, _verdict, form="parts"),
        Panel(
            "sides",
            "Both sides",
            sides,
            _sides,
            form="parts",
            size="whole",
            note="Of the newest requests in the span.",
        ),
        Panel("served", "Who served", served, _served, form="parts"),
        Panel("functions", "Routing functions", functions, _functions, form="parts"),
    ),
    filters=(),
)
