"""What each plan is worth, on what, and where its money and its time go."""

import datetime as dt
from typing import Any

from dashboard.figures import (
    INKS,
    PATTERNS,
    SYMBOLS,
    axis,
    colour,
    figure,
    lines,
    over_time,
    pattern,
    plain,
)
from dashboard.panel import (
    QUALITY,
    QUALITY_HALF,
    Empty,
    Page,
    Panel,
    PanelQuery,
    Shown,
    known,
    nothing_yet,
    quantile,
)
from dashboard.source import Rows
from router.telemetry.sql import quoted


def worth(asked: PanelQuery) -> str:
    return f"""
select coalesce(kind, 'any') as kind, plan, sum(n)::bigint as n, sum(quality_n)::bigint as judged,
       {QUALITY} as quality,
       {QUALITY_HALF} as half,
       1000 * sum(cost_usd) / sum(n) as usd_per_1k, sum(latency_ms) / sum(n) as mean_ms,
       {quantile(0.95)} as p95_ms, {asked.mean_utility} as utility
from {asked.sums} where {asked.narrowed} group by all having sum(n) > 0 order by kind, plan"""


def _map(rows: Rows, asked: PanelQuery) -> Shown:
    told = [one for one in rows if known(one, "quality")]
    if not told:
        return (
            nothing_yet(asked)
            if not rows
            else Empty("No answer was judged in this time: send feedback, or choose a longer time.")
        )
    slowest = max(one["mean_ms"] for one in told) or 1.0
    dearest = max(one["usd_per_1k"] for one in told)
    cost, most = ("usd_per_1k", dearest) if dearest else ("mean_ms", slowest)
    kinds = sorted({one["kind"] for one in told})
    drawn: list[dict[str, Any]] = []
    for plan in sorted({one["plan"] for one in told}):
        hue, _ = colour(asked, plan)
        own = [one for one in told if one["plan"] == plan]
        drawn.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plain(plan),
                "x": [one[cost] for one in own],
                "y": [one["quality"] for one in own],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [min(one["half"] or 0, 1 - one["quality"]) for one in own],
                    "arrayminus": [min(one["half"] or 0, one["quality"]) for one in own],
                    "color": hue,
                    "thickness": 1,
                },
                "marker": {
                    "color": hue,
                    "symbol": [SYMBOLS[kinds.index(one["kind"]) % len(SYMBOLS)] for one in own],
                    "size": [9 + 17 * (one["mean_ms"] / slowest) ** 0.5 for one in own],
                    "opacity": 0.85,
                    "line": {"width": 1, "color": INKS[asked.view.theme].card},
                },
                "customdata": [
                    [
                        *(plain(one["kind"]), one["n"], one["judged"], one["mean_ms"]),
                        *(one["half"] or 0, one["usd_per_1k"]),
                    ]
                    for one in own
                ],
                "hovertemplate": "%{customdata[0]}: quality %{y:.3f} ± %{customdata[4]:.3f}, "
                "$%{customdata[5]:.4f} per 1,000, %{customdata[3]:.0f} ms<br>"
                "%{customdata[1]:,} requests, %{customdata[2]:,} judged<extra>"
                + plain(plan)
                + "</extra>",
            }
        )
    return figure(
        asked,
        drawn,
        tall=True,
        xaxis=axis(
            asked,
            "$ per 1,000 requests" if dearest else "milliseconds (nothing here has a price)",
            range=[-0.05 * most, 1.1 * most],
        ),
        yaxis=axis(asked, "quality"),
        hovermode="closest",
    )


def _heat(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    kinds = sorted({one["kind"] for one in rows})
    plans = sorted({one["plan"] for one in rows})
    found = {(one["kind"], one["plan"]): one for one in rows}

    def told(kind: str, plan: str) -> str:
        one = found.get((kind, plan))
        if one is None:
            return ""
        worth = "?" if one["utility"] is None else f"{one['utility']:.2f}"
        return f"{worth}<br>n {one['n']:,}"

    grid = [[(found.get((kind, plan)) or {}).get("utility") for plan in plans] for kind in kinds]
    scale = INKS[asked.view.theme].scale
    return figure(
        asked,
        [
            {
                "type": "heatmap",
                "x": [plain(plan) for plan in plans],
                "y": [plain(kind) for kind in kinds],
                "z": grid,
                "text": [[told(kind, plan) for plan in plans] for kind in kinds],
                "texttemplate": "%{text}",
                "textfont": {"size": 11},
                "colorscale": [[at / (len(scale) - 1), hue] for at, hue in enumerate(scale)],
                "xgap": 2,
                "ygap": 2,
                "colorbar": {"thickness": 10, "title": {"text": "utility"}},
                "hovertemplate": "%{y} by %{x}: %{text}<extra></extra>",
                "hoverongaps": False,
            }
        ],
        tall=True,
        xaxis=axis(asked, tickangle=-35, type="category", showgrid=False),
        yaxis=axis(asked, type="category", showgrid=False),
        hovermode="closest",
    )


def calibration(asked: PanelQuery) -> str:
    return f"""
select round(least(greatest(expected_quality, 0), 1) * 20) / 20 as predicted,
       avg(expected_quality) as expected, avg(quality) as quality, count(*) as n,
       1.96 * stddev(quality) / sqrt(count(*)) as half
from {asked.rows} where expected_quality is not null and quality is not null
group by 1 having count(*) >= 5 order by 1"""


def _calibration(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return Empty(
            "What was expected stands beside what came once five alike answers of the bandit were "
            "judged."
        )
    ink = INKS[asked.view.theme]
    most = max(one["n"] for one in rows)
    return figure(
        asked,
        [
            {
                **{"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1]},
                "name": "as expected",
                "line": {"color": ink.muted, "dash": "dash", "width": 1},
                "hoverinfo": "skip",
            },
            {
                **{"type": "scatter", "mode": "markers", "name": "came"},
                "x": [one["expected"] for one in rows],
                "y": [one["quality"] for one in rows],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [min(one["half"] or 0, 1 - one["quality"]) for one in rows],
                    "arrayminus": [min(one["half"] or 0, one["quality"]) for one in rows],
                },
                "marker": {
                    "color": ink.palette[0],
                    "size": [7 + 15 * (one["n"] / most) ** 0.5 for one in rows],
                },
                "customdata": [one["n"] for one in rows],
                "hovertemplate": "expected %{x:.3f}, came %{y:.3f}; %{customdata:,} answers"
                "<extra></extra>",
            },
        ],
        xaxis=axis(asked, "quality expected", range=[-0.03, 1.03]),
        yaxis=axis(asked, "quality that came", range=[-0.03, 1.08]),
        hovermode="closest",
    )


def stages(asked: PanelQuery) -> str:
    return f"""
select plan, coalesce(role, 'ask') as stage, backend, count(*) as calls, sum(cost_usd) as usd,
       avg(latency_ms) as mean_ms, avg((error_type is not null)::int) as failed
from {asked.calls} where plan is not null group by all order by plan, stage, backend"""


def _stages(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    priced = any(one["usd"] for one in rows)
    names = list(dict.fromkeys(f"{one['stage']} · {one['backend']}" for one in rows))
    plans = sorted({one["plan"] for one in rows})
    palette = INKS[asked.view.theme].palette
    drawn = []
    for place, name in enumerate(names):
        own = {one["plan"]: one for one in rows if f"{one['stage']} · {one['backend']}" == name}
        value = "usd" if priced else "mean_ms"
        drawn.append(
            {
                **{"type": "bar", "orientation": "h", "name": plain(name)},
                "y": [plain(plan) for plan in plans],
                "x": [own[plan][value] if plan in own else 0 for plan in plans],
                "marker": {
                    "color": palette[place % len(palette)],
                    "pattern": pattern(asked, place),
                },
                "customdata": [
                    [own[plan]["calls"], own[plan]["mean_ms"], own[plan]["failed"]]
                    if plan in own
                    else [0, 0, 0]
                    for plan in plans
                ],
                "hovertemplate": ("$%{x:.5f}" if priced else "%{x:.1f} ms a call")
                + ", %{customdata[0]:,} calls of %{customdata[1]:.1f} ms, "
                "%{customdata[2]:.1%} failed<extra>" + plain(name) + "</extra>",
            }
        )
    title = "dollars" if priced else "milliseconds a call (nothing here has a price)"
    return figure(
        asked,
        drawn,
        tall=True,
        barmode="stack",
        xaxis=axis(asked, title),
        yaxis=axis(asked, type="category", showgrid=False),
        hovermode="closest",
    )


def health(asked: PanelQuery) -> str:
    return f"""
with b as (
  select ts, subject as backend, state, detail->>'reason' as reason from events
  where kind = 'breaker' and {asked.here} and subject is not null),
s as (  -- breakers are each router's own: a backend rests where any of them says so
  select *, lead(ts) over (partition by backend order by ts) as next from b),
c as (
  select backend, count(*) as calls, avg((error_type is not null)::int) as failed,
         quantile_cont(latency_ms, 0.95) as p95_ms
  from {asked.calls} where backend is not null group by all)
select coalesce(c.backend, s.backend) as backend, calls, failed, p95_ms, s.ts as rested,
       s.next as until, s.reason
from c full join (select * from s where state = 'open') s on s.backend = c.backend
order by backend, rested"""


def _health(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    ink = INKS[asked.view.theme]
    names = sorted({one["backend"] for one in rows}, reverse=True)
    label = {}
    for one in rows:
        failed = "no calls" if one["failed"] is None else f"{one['failed']:.1%} failed"
        p95 = "" if one["p95_ms"] is None else f", p95 {one['p95_ms']:,.0f} ms"
        label[one["backend"]] = f"{plain(one['backend'])}<br>{failed}{p95}"
    span = asked.span

    def bars(name: str, own: Rows, hue: str, shape: str, told: str) -> dict[str, Any]:
        ends = [(one["rested"], one["until"] or span.until) for one in own]
        return {
            **{"type": "bar", "orientation": "h", "name": name},
            "y": [label[one["backend"]] for one in own],
            "base": [start.isoformat() for start, _ in ends],
            "x": [max((end - start) / dt.timedelta(milliseconds=1), 1.0) for start, end in ends],
            "width": 0.45,
            "marker": {"color": hue, "pattern": pattern(asked, PATTERNS.index(shape))},
            "customdata": [plain(one["reason"] or "") for one in own],
            "hovertemplate": told + "<extra></extra>",
        }

    up = [{"backend": name, "rested": span.since, "until": None, "reason": ""} for name in names]
    rested = [one for one in rows if one["rested"] is not None]
    return over_time(
        asked,
        [
            bars("answers", up, ink.good, "", "in use"),
            bars("rests (breaker open)", rested, ink.bad, "x", "rests: %{customdata}"),
        ],
        "",
        tall=True,
        bars="overlay",
        type="category",
        showgrid=False,
    )


def latency(asked: PanelQuery) -> str:
    quantiles = ", ".join(f"{quantile(q)} as p{round(100 * q)}_ms" for q in (0.5, 0.95, 0.99))
    plan = f" and plan = {quoted(asked.view.plan)}" if asked.view.plan else ""
    return f"""
select time_bucket({asked.span.every}, minute) as bucket, sum(n)::bigint as n, {quantiles},
       sum(overhead_ms) / sum(n) as overhead_ms
from {asked.sums} where {asked.narrowed}{plan} group by all having sum(n) > 0 order by 1"""


def _latency(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    data = [
        lines(asked, rows, name, label, number=at, places=",.2f", unit=" ms")
        for at, (name, label) in enumerate(
            (
                ("p50_ms", "p50"),
                ("p95_ms", "p95"),
                ("p99_ms", "p99"),
                ("overhead_ms", "Waggle's own part, mean"),
            )
        )
    ]
    return over_time(asked, data, "milliseconds (log)", tall=True, type="log")


PAGE = Page(
    "plans",
    "Plans",
    "What each plan brings on each kind of request, and what that costs and takes.",
    (
        Panel(
            "map",
            "Quality, cost, latency",
            worth,
            _map,
            tall=True,
            note="One point for each plan on each kind of request: colour is the plan, shape the "
            "kind, size the time it takes; bars are 95% intervals.",
        ),
        Panel(
            "heat",
            "Kind by plan",
            worth,
            _heat,
            tall=True,
            broad=True,
            note="Utility, and how many requests it rests on; ? where nobody judged.",
        ),
        Panel(
            "calibration",
            "Expected and come",
            calibration,
            _calibration,
            note="Of the newest requests in the span, at most 20,000.",
        ),
        Panel(
            "latency",
            "Latency",
            latency,
            _latency,
            tall=True,
            note="Percentiles to within a few percent. Waggle's own part is apart.",
        ),
        Panel(
            "stages",
            "Where the money goes",
            stages,
            _stages,
            tall=True,
            note="By stage of the plan and backend, of the newest requests in the span.",
        ),
        Panel(
            "health",
            "Backends",
            health,
            _health,
            tall=True,
            note="Solid: in use. Crossed: a router's breaker was open.",
        ),
    ),
)
