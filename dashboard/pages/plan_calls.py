"""Calls to backends: what each stage of a plan costs, and when each backend was in use."""

import datetime as dt
from typing import Any

from dashboard.figures import (
    INKS,
    PATTERNS,
    axis,
    figure,
    over_time,
    pattern,
    plain,
)
from dashboard.panel import (
    PanelQuery,
    Shown,
    nothing_yet,
)
from dashboard.source import Rows


def stages(query: PanelQuery) -> str:
    return f"""
select plan, coalesce(role, 'ask') as stage, backend, count(*) as calls, sum(cost_usd) as usd,
       avg(latency_ms) as mean_ms, avg((error_type is not null)::int) as failed
from {query.calls} where plan is not null group by all order by plan, stage, backend"""


def show_stages(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    priced = any(row["usd"] for row in rows)
    names = list(dict.fromkeys(f"{row['stage']} · {row['backend']}" for row in rows))
    plans = sorted({row["plan"] for row in rows})
    palette = INKS[query.view.theme].palette
    drawn = []
    for place, name in enumerate(names):
        own = {row["plan"]: row for row in rows if f"{row['stage']} · {row['backend']}" == name}
        value = "usd" if priced else "mean_ms"
        drawn.append(
            {
                **{"type": "bar", "orientation": "h", "name": plain(name)},
                "y": [plain(plan) for plan in plans],
                "x": [own[plan][value] or 0 if plan in own else 0 for plan in plans],
                "marker": {
                    "color": palette[place % len(palette)],
                    "pattern": pattern(query, place),
                },
                "customdata": [
                    [own[plan]["calls"], own[plan]["mean_ms"], own[plan]["failed"]]
                    if plan in own
                    else [0, 0, 0]
                    for plan in plans
                ],
                "hovertemplate": ("$%{x:.5f}" if priced else "%{x:.1f} ms per call")
                + ", %{customdata[0]:,} calls of %{customdata[1]:.1f} ms, "
                "%{customdata[2]:.1%} failed<extra>" + plain(name) + "</extra>",
            }
        )
    title = "dollars" if priced else "milliseconds per call (no backend has a price)"
    return figure(
        query,
        drawn,
        tall=True,
        barmode="stack",
        xaxis=axis(query, title),
        yaxis=axis(query, type="category", showgrid=False),
        hovermode="closest",
    )


def health(query: PanelQuery) -> str:
    return f"""
with b as (
  select ts, subject as backend, state, detail->>'reason' as reason from events
  where kind = 'breaker' and {query.here} and subject is not null),
s as (  -- each router has its own breakers: a backend rests if any router's breaker is open
  select *, lead(ts) over (partition by backend order by ts) as next from b),
c as (
  select backend, count(*) as calls, avg((error_type is not null)::int) as failed,
         quantile_cont(latency_ms, 0.95) as p95_ms
  from {query.calls} where backend is not null group by all)
select coalesce(c.backend, s.backend) as backend, calls, failed, p95_ms, s.ts as rested,
       s.next as until, s.reason
from c full join (select * from s where state = 'open') s on s.backend = c.backend
order by backend, rested"""


def show_health(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    ink = INKS[query.view.theme]
    names = sorted({row["backend"] for row in rows}, reverse=True)
    label = {}
    for row in rows:
        failed = "no calls" if row["failed"] is None else f"{row['failed']:.1%} failed"
        p95 = "" if row["p95_ms"] is None else f", p95 {row['p95_ms']:,.0f} ms"
        label[row["backend"]] = f"{plain(row['backend'])}<br>{failed}{p95}"
    span = query.span

    def bars(name: str, own: Rows, hue: str, shape: str, hover: str) -> dict[str, Any]:
        ends = [(row["rested"], row["until"] or span.until) for row in own]
        return {
            **{"type": "bar", "orientation": "h", "name": name},
            "y": [label[row["backend"]] for row in own],
            "base": [start.isoformat() for start, _ in ends],
            "x": [max((end - start) / dt.timedelta(milliseconds=1), 1.0) for start, end in ends],
            "width": 0.45,
            "marker": {"color": hue, "pattern": pattern(query, PATTERNS.index(shape))},
            "customdata": [plain(row["reason"] or "") for row in own],
            "hovertemplate": hover + "<extra></extra>",
        }

    up = [{"backend": name, "rested": span.since, "until": None, "reason": ""} for name in names]
    rested = [row for row in rows if row["rested"] is not None]
    return over_time(
        query,
        [
            bars("in use", up, ink.good, "", "in use"),
            bars("rests (breaker open)", rested, ink.bad, "x", "rests: %{customdata}"),
        ],
        "",
        tall=True,
        bars="overlay",
        type="category",
        showgrid=False,
    )
