"""Shows how good plans are: quality, cost and latency by kind of request; expected quality."""

from typing import Any

from dashboard.figures import (
    INKS,
    SYMBOLS,
    axis,
    colour,
    figure,
    plain,
)
from dashboard.panel import (
    MEAN_USD,
    QUALITY,
    QUALITY_HALF,
    Empty,
    PanelQuery,
    Shown,
    nothing_yet,
    quantile,
)
from dashboard.source import Rows


def worth(query: PanelQuery) -> str:
    return f"""
select coalesce(kind, 'any') as kind, plan, sum(n)::bigint as n, sum(quality_n)::bigint as judged,
       {QUALITY} as quality,
       {QUALITY_HALF} as half,
       1000 * {MEAN_USD} as usd_per_1k, sum(latency_ms) / sum(n) as mean_ms,
       {quantile(0.95)} as p95_ms, {query.mean_utility} as utility
from {query.sums} where {query.narrowed} group by all having sum(n) > 0 order by kind, plan"""


def show_map(rows: Rows, query: PanelQuery) -> Shown:
    judged = [row for row in rows if row["quality"] is not None]
    if not judged:
        return (
            nothing_yet(query)
            if not rows
            else Empty("No answer of this time was judged: send feedback, or choose a longer time.")
        )
    slowest = max(row["mean_ms"] for row in judged) or 1.0
    dearest = max((row["usd_per_1k"] or 0.0 for row in judged), default=0.0)
    cost, most = ("usd_per_1k", dearest) if dearest else ("mean_ms", slowest)
    kinds = sorted({row["kind"] for row in judged})
    drawn = []
    for plan in sorted({row["plan"] for row in judged}):
        own = [row for row in judged if row["plan"] == plan]
        symbols = [SYMBOLS[kinds.index(row["kind"]) % len(SYMBOLS)] for row in own]
        sizes = [9 + 17 * (row["mean_ms"] / slowest) ** 0.5 for row in own]
        drawn.append(_points(query, plan, own, cost, symbols, sizes))
    return figure(
        query,
        drawn,
        tall=True,
        xaxis=axis(
            query,
            "$ per 1,000 requests" if dearest else "milliseconds (no backend has a price)",
            range=[-0.05 * most, 1.1 * most],
        ),
        yaxis=axis(query, "quality"),
        hovermode="closest",
    )


def _points(
    query: PanelQuery, plan: str, own: Rows, cost: str, symbols: list[str], sizes: list[float]
) -> dict[str, Any]:
    """Plot one plan: one point for each kind of request."""
    hue, _ = colour(query, plan)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plain(plan),
        "x": [row[cost] for row in own],
        "y": [row["quality"] for row in own],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [min(row["half"] or 0, 1 - row["quality"]) for row in own],
            "arrayminus": [min(row["half"] or 0, row["quality"]) for row in own],
            "color": hue,
            "thickness": 1,
        },
        "marker": {
            "color": hue,
            "symbol": symbols,
            "size": sizes,
            "opacity": 0.85,
            "line": {"width": 1, "color": INKS[query.view.theme].card},
        },
        "customdata": [
            [
                *(plain(row["kind"]), row["n"], row["judged"], row["mean_ms"]),
                *(row["half"] or 0, _per_1k(row["usd_per_1k"])),
            ]
            for row in own
        ],
        "hovertemplate": "%{customdata[0]}: quality %{y:.3f} ± %{customdata[4]:.3f}, "
        "%{customdata[5]}, %{customdata[3]:.0f} ms<br>"
        "%{customdata[1]:,} requests, %{customdata[2]:,} judged<extra>" + plain(plan) + "</extra>",
    }


def _per_1k(usd: float | None) -> str:
    return "unknown cost" if usd is None else f"${usd:.4f} per 1,000"


def show_heat(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    kinds = sorted({row["kind"] for row in rows})
    plans = sorted({row["plan"] for row in rows})
    cells = {(row["kind"], row["plan"]): row for row in rows}

    def label(kind: str, plan: str) -> str:
        row = cells.get((kind, plan))
        if row is None:
            return ""
        utility = "?" if row["utility"] is None else f"{row['utility']:.2f}"
        return f"{utility}<br>n {row['n']:,}"

    grid = [[(cells.get((kind, plan)) or {}).get("utility") for plan in plans] for kind in kinds]
    scale = INKS[query.view.theme].scale
    return figure(
        query,
        [
            {
                "type": "heatmap",
                "x": [plain(plan) for plan in plans],
                "y": [plain(kind) for kind in kinds],
                "z": grid,
                "text": [[label(kind, plan) for plan in plans] for kind in kinds],
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
        xaxis=axis(query, tickangle=-35, type="category", showgrid=False),
        yaxis=axis(query, type="category", showgrid=False),
        hovermode="closest",
    )


def calibration(query: PanelQuery) -> str:
    return f"""
select round(least(greatest(expected_quality, 0), 1) * 20) / 20 as predicted,
       avg(expected_quality) as expected, avg(quality) as quality, count(*) as n,
       1.96 * stddev(quality) / sqrt(count(*)) as half
from {query.rows} where expected_quality is not null and quality is not null
group by 1 having count(*) >= 5 order by 1"""


def show_calibration(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return Empty(
            "This panel needs five judged answers of the bandit with about the same expected "
            "quality."
        )
    ink = INKS[query.view.theme]
    most = max(row["n"] for row in rows)
    return figure(
        query,
        [
            {
                **{"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1]},
                "name": "as expected",
                "line": {"color": ink.muted, "dash": "dash", "width": 1},
                "hoverinfo": "skip",
            },
            {
                **{"type": "scatter", "mode": "markers", "name": "judged"},
                "x": [row["expected"] for row in rows],
                "y": [row["quality"] for row in rows],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [min(row["half"] or 0, 1 - row["quality"]) for row in rows],
                    "arrayminus": [min(row["half"] or 0, row["quality"]) for row in rows],
                },
                "marker": {
                    "color": ink.palette[0],
                    "size": [7 + 15 * (row["n"] / most) ** 0.5 for row in rows],
                },
                "customdata": [row["n"] for row in rows],
                "hovertemplate": "expected %{x:.3f}, judged %{y:.3f}; %{customdata:,} answers"
                "<extra></extra>",
            },
        ],
        xaxis=axis(query, "expected quality", range=[-0.03, 1.03]),
        yaxis=axis(query, "judged quality", range=[-0.03, 1.08]),
        hovermode="closest",
    )
