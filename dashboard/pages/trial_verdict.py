"""The page's part about one trial: its confidence sequence, verdict, guardrails and two sides."""

import json
from collections.abc import Mapping
from typing import Any

from dash import html

from dashboard.components import (
    badge,
    between,
    dollars,
    number,
    table,
    tile,
    tiles,
    when,
)
from dashboard.figures import INKS, axis, faded, figure, plain
from dashboard.panel import Empty, PanelQuery, Shown
from dashboard.source import Row, Rows
from router.telemetry.sql import quoted

NO_TRIAL = Empty(
    "No trial was opened yet. A trial compares two strategies, and you may read its verdict at any "
    "time:",
    "waggle trial new",
)
_GUARDS = {"errors": "failures", "p95": "p95 (log)", "cost": "cost (log)"}


def _chosen(query: PanelQuery) -> str:
    """SQL for the id of the trial that the viewer chose, or of the trial that changed last."""
    if query.view.trial:
        return quoted(query.view.trial)
    return "(select trial_id from trials order by changed desc, trial_id limit 1)"


def sequence(query: PanelQuery) -> str:
    return f"""
select h.ts, h.name, h.state, h.candidate, h."current", h.requests, h.lift_low, h.lift,
       h.lift_high, h.why
from trial_history h where trial_id = {_chosen(query)} and requests is not null
order by requests, ts"""


def show_sequence(rows: Rows, query: PanelQuery) -> Shown:
    looks = [row for row in rows if row["lift"] is not None]
    if not looks:
        return Empty("The sequence begins with the first judged requests of the trial.")
    sure = [row for row in looks if row["lift_low"] is not None and row["lift_high"] is not None]
    ink = INKS[query.view.theme]
    x = [row["requests"] for row in sure]
    hue = ink.palette[0]
    name = plain(f"{looks[-1]['candidate']} over {looks[-1]['current']}")
    edge = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip"}
    data: list[Mapping[str, Any]] = [
        {**edge, "y": [row["lift_low"] for row in sure], "line": {"width": 0}, "showlegend": False},
        {
            **edge,
            "y": [row["lift_high"] for row in sure],
            "line": {"width": 0},
            **{"fill": "tonexty", "fillcolor": faded(hue, 0.18), "name": "95% interval"},
        },
        {
            **{"type": "scatter", "mode": "lines+markers", "name": name},
            "x": [row["requests"] for row in looks],
            "y": [row["lift"] for row in looks],
            "line": {"color": hue, "width": 2},
            "customdata": [[plain(row["state"]), when(row["ts"])] for row in looks],
            "hovertemplate": "after %{x:,} requests: %{y:+.4f}<br>%{customdata[0]}, "
            "%{customdata[1]}<extra></extra>",
        },
    ]
    zero = {
        **{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0},
        "line": {"color": ink.muted, "dash": "dash", "width": 1},
    }
    return figure(
        query,
        data,
        tall=True,
        shapes=[zero],
        xaxis=axis(query, "requests in the trial", rangemode="tozero"),
        yaxis=axis(query, "utility added per request"),
        hovermode="closest",
    )


def verdict(query: PanelQuery) -> str:
    return f"""
select h.trial_id, h.name, h.state, h.candidate, h."current", h.opened_by, h.share, h.ts, h.why,
       h.requests, h.lift_low, h.lift, h.lift_high, h.guards, h.split_p,
       t.settings->>'split' as split, t.settings->'numbers'->'assigned' as assigned,
       (t.settings->'numbers'->>'apart_share')::double as apart_share
from trial_history h join trials t using (trial_id) where trial_id = {_chosen(query)}
order by h.ts desc, h.requests desc nulls last limit 1"""


def show_verdict(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return NO_TRIAL
    row = rows[0]
    guards = json.loads(row["guards"]) if row["guards"] else {}
    lift = between(row["lift_low"], row["lift"], row["lift_high"])
    return [
        html.P([html.Strong(f"{row['name']}: "), badge(row["state"])]),
        html.P(row["why"] or "", className="said"),
        *tiles(
            tile("lift of utility", lift, f"after {number(row['requests'])} requests"),
            tile("decided apart", number(row["apart_share"], ".0%"), "same plan: costs nothing"),
            _ratio(row),
        ),
        table(
            ("guardrail", "state", "candidate minus current"),
            [
                (
                    _GUARDS.get(name, name),
                    badge(guard["state"]),
                    between(guard["low"], guard["mean"], guard["high"]),
                )
                for name, guard in guards.items()
            ],
            numeric=(2,),
            label="guardrails",
        )
        if guards
        else html.P("Guardrails are checked after the first judged answers.", className="quiet"),
    ]


def _ratio(row: Row) -> html.Div:
    """Whether each side got its share of requests. A wrong share means that the trial is broken."""
    assigned = json.loads(row["assigned"]) if row["assigned"] else {}
    counts = ", ".join(f"{name} {count:,}" for name, count in assigned.items()) or "no requests yet"
    if row["split_p"] is None:
        return tile("sample ratio", "unknown", counts)
    fair = row["split_p"] >= 0.001
    return tile(
        "sample ratio",
        "as meant" if fair else "off",
        f"p = {row['split_p']:.3g}; {counts}",
        tone="" if fair else "bad",
    )


def sides(query: PanelQuery) -> str:
    return f"""
select variant, count(*) as n, count(*) filter (apart) as decided_apart,
       count(quality) filter (apart) as judged, avg(quality) filter (apart) as quality,
       1.96 * stddev(quality) filter (apart) / sqrt(nullif(count(quality) filter (apart), 0))
         as half,
       1000 * avg(cost_usd) as usd_per_1k, quantile_cont(latency_ms, 0.95) as p95_ms,
       avg((error_type is not null)::int) as failed
from (select * from exposures where {query.tail}) where trial_id = {_chosen(query)}
group by variant order by variant"""


def show_sides(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("No request of this time was part of the trial.")
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
                    row["variant"],
                    number(row["n"]),
                    number(row["decided_apart"]),
                    number(row["judged"]),
                    number(row["quality"], ".3f")
                    + (f" ± {row['half']:.3f}" if row["half"] is not None else ""),
                    dollars(row["usd_per_1k"]),
                    number(row["p95_ms"], ",.0f", " ms"),
                    number(row["failed"], ".1%"),
                )
                for row in rows
            ],
            numeric=range(1, 8),
            label="sides of the trial",
        )
    ]
