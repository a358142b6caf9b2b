"""Turns rows into figures: plain values that Plotly draws. These functions are pure.

People who see few colours can distinguish these colours (Okabe and Ito). Dashes, symbols and
patterns say the same as the colours. Names are escaped, because Plotly reads a little HTML.
"""

import datetime as dt
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.panel import Figure, PanelQuery
from dashboard.source import Rows


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours of a theme."""

    text: str
    muted: str
    grid: str
    card: str
    palette: tuple[str, ...]
    good: str
    bad: str
    scale: tuple[str, ...]


INKS = {
    "light": Ink(
        *("#1b2430", "#55606e", "#e3e7ec", "#ffffff"),
        ("#0072b2", "#c25700", "#00795a", "#a8498a", "#8a6d00", "#2b7fb8", "#6b5bd2", "#5c6670"),
        *("#00795a", "#b3401f"),
        ("#f3f6fa", "#9cc5e3", "#2b7fb8", "#08406f"),
    ),
    "dark": Ink(
        *("#e8ecf1", "#a3adb9", "#2c3540", "#171d25"),
        ("#56b4e9", "#f0a13c", "#2fc49a", "#e08cc4", "#e6d44a", "#8fc7ee", "#b0a4ff", "#b4bec9"),
        *("#2fc49a", "#ff8a65"),
        ("#1c2530", "#23557d", "#3f93cf", "#c7e5fb"),
    ),
}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")
PATTERNS = ("", "/", ".", "x", "\\", "-", "|", "+")
_HEIGHT = 300
_TALL = 420
_MOST_MARKS = 24


def plain(text: object) -> str:
    """The text, escaped so that Plotly finds no markup in it."""
    return html.escape(str(text), quote=False)


def colour(query: PanelQuery, plan: str) -> tuple[str, int]:
    """A plan's colour, which is the same in all panels, and the plan's number."""
    plans = query.facts.plans
    number = plans.index(plan) if plan in plans else len(plans)
    palette = INKS[query.view.theme].palette
    return palette[number % len(palette)], number


def faded(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def figure(
    query: PanelQuery, data: Sequence[Mapping[str, Any]], *, tall: bool = False, **layout: Any
) -> Figure:
    ink = INKS[query.view.theme]
    base: dict[str, Any] = {
        "height": _TALL if tall else _HEIGHT,
        "margin": {"l": 56, "r": 14, "t": 14, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": ink.text},
        "colorway": list(ink.palette),
        "hoverlabel": {"bgcolor": ink.card, "font": {"color": ink.text}, "bordercolor": ink.muted},
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "font": {"size": 11},
        },
        "xaxis": axis(query),
        "yaxis": axis(query),
        "uirevision": query.view.query,
    }
    for name, value in layout.items():
        nested = isinstance(value, dict) and isinstance(base.get(name), dict)
        base[name] = {**base[name], **value} if nested else value
    return {"data": list(data), "layout": base}


def axis(query: PanelQuery, title: str = "", **more: Any) -> dict[str, Any]:
    ink = INKS[query.view.theme]
    return {
        "title": {"text": title, "font": {"size": 11, "color": ink.muted}, "standoff": 6},
        "gridcolor": ink.grid,
        "linecolor": ink.grid,
        "zerolinecolor": ink.muted,
        "tickfont": {"color": ink.muted},
        "automargin": True,
        **more,
    }


def over_time(
    query: PanelQuery,
    data: Sequence[Mapping[str, Any]],
    title: str,
    *,
    tall: bool = False,
    bars: str = "",
    **y: Any,
) -> Figure:
    """A curve over the span. A viewer who drags along the curve sets the span of all panels."""
    span = query.span
    signs, shapes = _marks(query)
    return figure(
        query,
        data,
        tall=tall,
        xaxis=axis(query, type="date", range=[_at(span.since), _at(span.until)]),
        yaxis=axis(query, title, fixedrange=True, **y),
        dragmode="zoom",
        hovermode="x unified",
        shapes=shapes,
        annotations=signs,
        meta={"brush": True},
        **_BARS[bars],
    )


_BARS: Mapping[str, Mapping[str, str]] = {
    "": {},
    "shares": {"barmode": "stack", "barnorm": "percent"},
    "stack": {"barmode": "stack"},
    "overlay": {"barmode": "overlay"},
}
SIGNS = {"drift": "▲", "configuration": "●", "strategy": "◆", "switch": "◆", "growth": "✚"}


def _marks(query: PanelQuery) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mark each event in the span by a line, with a sign for its kind at the top."""
    ink = INKS[query.view.theme]
    marks = [row for row in query.facts.marks if query.span.since <= row["ts"] < query.span.until]
    lines = []
    signs = []
    for row in marks[-_MOST_MARKS:]:
        at = _at(row["ts"])
        ends = {"xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1}
        line = {"color": ink.muted, "width": 1, "dash": "dot"}
        lines.append({"type": "line", "layer": "below", "line": line, **ends})
        place = {"xref": "x", "yref": "paper", "x": at, "y": 1, "yanchor": "top"}
        hover = plain(f"{row['kind']} {row['subject']}: {row['state']}, {row['ts']:%m-%d %H:%M:%S}")
        font = {"size": 10, "color": ink.muted}
        sign = {"text": SIGNS[row["kind"]], "showarrow": False, "font": font, "hovertext": hover}
        signs.append(place | sign)
    return signs, lines


def lines(
    query: PanelQuery,
    rows: Rows,
    name: str,
    label: str,
    *,
    number: int = 0,
    places: str = ".3f",
    unit: str = "",
    width: float = 2,
) -> dict[str, Any]:
    ink = INKS[query.view.theme]
    drawn = ink.palette[number % len(ink.palette)]
    few = len(rows) <= 40
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "name": plain(label),
        "x": [_at(row["bucket"]) for row in rows],
        "y": [row[name] for row in rows],
        "line": {"color": drawn, "width": width, "dash": DASHES[number % len(DASHES)]},
        "marker": {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 6, "color": drawn},
        "hovertemplate": f"%{{y:{places}}}{unit}<extra>{plain(label)}</extra>",
        "connectgaps": True,
    }


def band(query: PanelQuery, rows: Rows, low: str, high: str, label: str) -> list[dict[str, Any]]:
    """The area between two curves. Rows in which either value is unknown are left out."""
    drawn = INKS[query.view.theme].palette[0]
    complete = [row for row in rows if row[low] is not None and row[high] is not None]
    base = {
        "type": "scatter",
        "mode": "lines",
        "x": [_at(row["bucket"]) for row in complete],
        "line": {"width": 0, "color": drawn},
        "hoverinfo": "skip",
    }
    return [
        {**base, "y": [row[low] for row in complete], "showlegend": False, "name": "low"},
        {
            **base,
            "y": [row[high] for row in complete],
            "name": plain(label),
            "fill": "tonexty",
            "fillcolor": faded(drawn, 0.18),
        },
    ]


def stacked(
    query: PanelQuery,
    rows: Rows,
    by: str,
    value: str,
    names: Sequence[str],
    *,
    hues: Mapping[str, tuple[str, int]],
    unit: str = "",
) -> list[dict[str, Any]]:
    """Shares of a whole over time. A click on a name hides it; two clicks hide all other names."""
    buckets = sorted({row["bucket"] for row in rows})
    values = {(row[by], row["bucket"]): row[value] for row in rows}
    drawn = []
    for name in names:
        hue, number = hues[name]
        drawn.append(
            {
                "type": "bar",
                "name": plain(name),
                "x": [_at(bucket) for bucket in buckets],
                "y": [values.get((name, bucket), 0) for bucket in buckets],
                "marker": {
                    "color": hue,
                    "line": {"width": 0},
                    "pattern": pattern(query, number),
                },
                "hovertemplate": f"%{{y:,}}{unit}<extra>{plain(name)}</extra>",
                "width": query.span.bucket_seconds * 1000,
                "offset": 0,
            }
        )
    return drawn


def pattern(query: PanelQuery, number: int) -> dict[str, Any]:
    """A pattern to draw over a colour, so that the colour keeps its strength."""
    ink = INKS[query.view.theme]
    shape = PATTERNS[number % len(PATTERNS)]
    return {"shape": shape, "fillmode": "overlay", "fgcolor": ink.card, "fgopacity": 0.4, "size": 8}


def _at(moment: object) -> object:
    return moment.isoformat() if isinstance(moment, dt.datetime) else moment
