"""Rows as figures: plain values that Plotly reads. Pure; nothing here is asked or drawn.

Colours are told apart by people who see few of them (Okabe and Ito), and never stand alone: lines
have dashes, points have symbols, areas have patterns. Names that come from rows are escaped, since
Plotly reads a little HTML.
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
    """Where Plotly would read markup."""
    return html.escape(str(text), quote=False)


def colour(asked: PanelQuery, plan: str) -> tuple[str, int]:
    """A plan's colour, the same in every panel and at every moment; and its number."""
    plans = asked.facts.plans
    number = plans.index(plan) if plan in plans else len(plans)
    palette = INKS[asked.view.theme].palette
    return palette[number % len(palette)], number


def faded(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def figure(
    asked: PanelQuery, data: Sequence[Mapping[str, Any]], *, tall: bool = False, **layout: Any
) -> Figure:
    ink = INKS[asked.view.theme]
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
        "xaxis": axis(asked),
        "yaxis": axis(asked),
        "uirevision": asked.view.query,
    }
    for name, value in layout.items():
        nested = isinstance(value, dict) and isinstance(base.get(name), dict)
        base[name] = {**base[name], **value} if nested else value
    return {"data": list(data), "layout": base}


def axis(asked: PanelQuery, title: str = "", **more: Any) -> dict[str, Any]:
    ink = INKS[asked.view.theme]
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
    asked: PanelQuery,
    data: Sequence[Mapping[str, Any]],
    title: str,
    *,
    tall: bool = False,
    bars: str = "",
    **y: Any,
) -> Figure:
    """A curve over the span. Dragging along it is the brush that everything follows."""
    span = asked.span
    signs, shapes = _marks(asked)
    return figure(
        asked,
        data,
        tall=tall,
        xaxis=axis(asked, type="date", range=[_at(span.since), _at(span.until)]),
        yaxis=axis(asked, title, fixedrange=True, **y),
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
SIGNS = {"drift": "▲", "configuration": "●", "strategy": "◆"}


def _marks(asked: PanelQuery) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What happened meanwhile: a line each, with a sign on top that tells which sort."""
    ink = INKS[asked.view.theme]
    marks = [one for one in asked.facts.marks if asked.span.since <= one["ts"] < asked.span.until]
    lines = []
    signs = []
    for one in marks[-_MOST_MARKS:]:
        at = _at(one["ts"])
        ends = {"xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1}
        line = {"color": ink.muted, "width": 1, "dash": "dot"}
        lines.append({"type": "line", "layer": "below", "line": line, **ends})
        place = {"xref": "x", "yref": "paper", "x": at, "y": 1, "yanchor": "top"}
        told = plain(f"{one['kind']} {one['subject']}: {one['state']}, {one['ts']:%m-%d %H:%M:%S}")
        font = {"size": 10, "color": ink.muted}
        sign = {"text": SIGNS[one["kind"]], "showarrow": False, "font": font, "hovertext": told}
        signs.append(place | sign)
    return signs, lines


def lines(
    asked: PanelQuery,
    rows: Rows,
    name: str,
    label: str,
    *,
    number: int = 0,
    places: str = ".3f",
    unit: str = "",
    width: float = 2,
) -> dict[str, Any]:
    ink = INKS[asked.view.theme]
    drawn = ink.palette[number % len(ink.palette)]
    few = len(rows) <= 40
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "name": plain(label),
        "x": [_at(one["bucket"]) for one in rows],
        "y": [one[name] for one in rows],
        "line": {"color": drawn, "width": width, "dash": DASHES[number % len(DASHES)]},
        "marker": {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 6, "color": drawn},
        "hovertemplate": f"%{{y:{places}}}{unit}<extra>{plain(label)}</extra>",
        "connectgaps": True,
    }


def band(asked: PanelQuery, rows: Rows, low: str, high: str, label: str) -> list[dict[str, Any]]:
    """Between two curves; where either is unknown there is nothing."""
    drawn = INKS[asked.view.theme].palette[0]
    told = [one for one in rows if one[low] is not None and one[high] is not None]
    base = {
        "type": "scatter",
        "mode": "lines",
        "x": [_at(one["bucket"]) for one in told],
        "line": {"width": 0, "color": drawn},
        "hoverinfo": "skip",
    }
    return [
        {**base, "y": [one[low] for one in told], "showlegend": False, "name": "low"},
        {
            **base,
            "y": [one[high] for one in told],
            "name": plain(label),
            "fill": "tonexty",
            "fillcolor": faded(drawn, 0.18),
        },
    ]


def stacked(
    asked: PanelQuery,
    rows: Rows,
    by: str,
    value: str,
    names: Sequence[str],
    *,
    hues: Mapping[str, tuple[str, int]],
    unit: str = "",
) -> list[dict[str, Any]]:
    """Shares of a whole over time; a click on a name takes it out, two leave it alone."""
    buckets = sorted({one["bucket"] for one in rows})
    found = {(one[by], one["bucket"]): one[value] for one in rows}
    drawn = []
    for name in names:
        hue, number = hues[name]
        drawn.append(
            {
                "type": "bar",
                "name": plain(name),
                "x": [_at(bucket) for bucket in buckets],
                "y": [found.get((name, bucket), 0) for bucket in buckets],
                "marker": {
                    "color": hue,
                    "line": {"width": 0},
                    "pattern": pattern(asked, number),
                },
                "hovertemplate": f"%{{y:,}}{unit}<extra>{plain(name)}</extra>",
                "width": asked.span.bucket_seconds * 1000,
                "offset": 0,
            }
        )
    return drawn


def pattern(asked: PanelQuery, number: int) -> dict[str, Any]:
    """Over the colour, so that it stays as strong."""
    ink = INKS[asked.view.theme]
    shape = PATTERNS[number % len(PATTERNS)]
    return {"shape": shape, "fillmode": "overlay", "fgcolor": ink.card, "fgopacity": 0.4, "size": 8}


def _at(moment: object) -> object:
    return moment.isoformat() if isinstance(moment, dt.datetime) else moment
