"""Shows numbers, tables and texts as Dash components. A text from a row never becomes markup."""

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from dash import html

from dashboard.panel import Empty

UNKNOWN = "\N{EN DASH}"
_SENTENCE = 40  # characters; a cell with longer text is never narrower than a few words
_WIDE = 12  # characters; a tile shows longer values in a smaller font


def number(value: float | None, places: str = ",.0f", unit: str = "") -> str:
    """A number with its unit. An unknown number appears as a dash, never as zero."""
    return UNKNOWN if value is None else f"{value:{places}}{unit}"


def with_half(value: float | None, half: float | None, places: str = ".3f") -> str:
    if value is None:
        return UNKNOWN
    return f"{value:{places}}" + (f" ± {half:{places}}" if half is not None else "")


def between(low: float | None, mean: float | None, high: float | None) -> str:
    if mean is None:
        return UNKNOWN
    if low is None or high is None:
        return f"{mean:+.4f}"
    return f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"


def dollars(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    sign, size = ("\N{MINUS SIGN}" if value < 0 else ""), abs(value)
    if size == 0:
        return "$0"
    return f"{sign}${size:,.2f}" if size >= 1 else f"{sign}${size:.3g}"


def when(moment: dt.datetime | None) -> str:
    return UNKNOWN if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def tile(title: str, value: str, more: str = "", *, tone: str = "") -> html.Div:
    """One figure at the head of a page. A sign says the same as the colour."""
    sign = {"good": "▲ ", "bad": "▼ ", "warn": "! "}.get(tone, "")
    return html.Div(
        className=f"tile {tone}".strip(),
        children=[
            html.Div(title, className="tile-title"),
            html.Div(
                f"{sign}{value}", className="tile-value" + (" long" if len(value) > _WIDE else "")
            ),
            html.Div(more, className="tile-more"),
        ],
    )


def tiles(*children: html.Div) -> list[Any]:
    return [html.Div(list(children), className="tiles")]


Cell = Any  # a text, or a Dash component


def table(
    head: Sequence[str], rows: Sequence[Sequence[Cell]], *, numeric: Sequence[int] = (), label: str
) -> html.Div:
    """A table. The reader can scroll it sideways if it is wider than the screen."""
    return html.Div(
        tabIndex=0,
        role="region",
        className="scroll",
        **{"aria-label": label},  # type: ignore[arg-type]
        children=html.Table(
            [
                html.Thead(
                    html.Tr(
                        [
                            html.Th(title, scope="col", className="number" if at in numeric else "")
                            for at, title in enumerate(head)
                        ]
                    )
                ),
                html.Tbody(
                    [
                        html.Tr(
                            [
                                html.Td(cell, className="number" if at in numeric else _words(cell))
                                for at, cell in enumerate(row)
                            ]
                        )
                        for row in rows
                    ]
                ),
            ]
        ),
    )


def _words(cell: Cell) -> str:
    return "words" if isinstance(cell, str) and len(cell) > _SENTENCE else ""


def link(text: str, **view: str) -> html.A:
    """A link that changes the given values of the view; the script keeps all other values."""
    changes = urlencode(view)
    return html.A(text, href="#", **{"data-go": changes})  # type: ignore[arg-type]


def lift_of_trial(row: Mapping[str, Any]) -> Cell:
    """The lift that a row gives, which leads to the trial with its rows."""
    words = between(row["low"], row["lift"], row["high"])
    return link(words, page="trials", trial=row["trial_id"]) if row["trial_id"] else words


def act_button(words: str, do: str, name: str, *, of: str) -> html.Button:
    """A button for what an admin may do with a thing of this name; `growth.js` carries it out."""
    data = {"data-grow": do, "data-plan": name, "data-of": of, "aria-label": f"{words} {name}"}
    return html.Button(words, **data)  # type: ignore[arg-type]


def badge(state: str) -> html.Span:
    """A state in words. A sign before the words says the same as the colour."""
    good = {"adopted", "held", "closed", "proven", "ok", "in force", "serves", "grew", "right"}
    good |= {"learned", "live", "finished"}
    bad = {
        "rolled back",
        "forbidden",
        "removed",
        "broken",
        "open",
        "wrong",
        "shrank",
        "failed",
        "violated",
        "vetoed",
    }
    bad |= {"no judged answers", "no judged answers any more"}
    busy = {"running", "shadow", "adopting", "unknown", "worth learning", "waiting", "decided"}
    busy |= {"on trial", "won, waits"}
    tone = (
        "good" if state in good else "bad" if state in bad else "busy" if state in busy else "calm"
    )
    sign = {"good": "✓", "bad": "✗", "busy": "…", "calm": "·"}[tone]
    return html.Span(f"{sign} {state}", className=f"badge {tone}")


def run_badge(state: str, why_not: str | None) -> html.Span:
    """The state of a training run. A run may finish with a model that did not pass its test."""
    return badge("not passed" if state == "finished" and why_not else state)


def code(text: str, label: str) -> html.Div:
    return html.Div(
        html.Pre(text),
        tabIndex=0,
        role="region",
        className="scroll code",
        **{"aria-label": label},  # type: ignore[arg-type]
    )


def difference(before: str, after: str, names: tuple[str, str]) -> html.Div:
    """The difference between two texts, line by line. Signs say the same as the colours."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="")
    rows = []
    for line in lines:
        sort = {"+": "added", "-": "gone", "@": "place"}.get(line[:1], "")
        rows.append(html.Span(line + "\n", className=sort))
    return html.Div(
        html.Pre(rows or "no difference"),
        tabIndex=0,
        role="region",
        className="scroll code diff",
        **{"aria-label": f"from {names[0]} to {names[1]}"},  # type: ignore[arg-type]
    )


def empty(nothing: Empty) -> html.Div:
    words: list[Any] = [html.P(nothing.words)]
    if nothing.command:
        words.append(html.Code(nothing.command))
    return html.Div(words, className="empty")
