"""Writes all pages into one HTML file, for a mail, a ticket or an archive.

The file loads nothing. Its only script is Plotly, which draws the figures in the file.
"""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import orjson

from dashboard.board import PAGES, Board
from dashboard.panel import Page, Panel
from dashboard.view import PageView

_VOID = frozenset({"br", "hr", "img", "input"})
_NAMES = {"className": "class", "tabIndex": "tabindex", "htmlFor": "for"}
_DRAW = """
for (const place of document.querySelectorAll("[data-figure]")) {
  const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  Plotly.newPlot(place, figure.data, figure.layout, {displaylogo: false, responsive: true,
    displayModeBar: false, showSendToCloud: false, plotlyServerURL: ""});
}
"""


def snapshot(board: Board, view: PageView) -> str:
    """The HTML text of the file: all pages of a view, one after another."""
    values = {name: board.page_values(replace(view, page=name)) for name in PAGES}
    newest = values[view.page]["newest"] or "no request yet"
    style = files("dashboard").joinpath("assets/waggle.css").read_text()
    plotly = files("plotly").joinpath("package_data/plotly.min.js").read_text()
    links = "".join(f'<a href="#{name}">{html.escape(p.title)}</a>' for name, p in PAGES.items())
    body = "\n".join("".join(_page(page, values[name])) for name, page in PAGES.items())
    return f"""<!doctype html>
<html lang="en" data-theme="{view.theme}"><head><meta charset="utf-8">
<meta http-equiv="content-security-policy" content="default-src 'none'; img-src data: blob:;
 style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Waggle: a snapshot</title>
<style>{style}</style></head><body>
<header class="top"><div class="brand">Waggle</div><nav aria-label="pages">{links}</nav>
<div class="right"><span class="fresh">snapshot; newest request {html.escape(newest)}</span></div>
</header><main>
{body}
</main><script>{plotly}</script><script>{_DRAW}</script></body></html>
"""


def _page(page: Page, values: Mapping[str, Any]) -> Iterator[str]:
    yield f'<h1 id="{page.name}">{html.escape(page.title)}</h1>'
    yield f'<p class="says">{html.escape(page.summary)}</p><div class="panels">'
    for panel in page.panels:
        shown = values["panels"][panel.id]
        if not shown.get("away"):
            yield from _panel(page, panel, shown)
    yield "</div>"


def _panel(page: Page, panel: Panel, shown: Mapping[str, Any]) -> Iterator[str]:
    name = f"{page.name}-{panel.id}"
    tall = " tall" if panel.tall else ""
    yield f'<section class="panel {panel.size}{tall}"><header><h2>{html.escape(panel.title)}</h2>'
    yield "</header>"
    if "figure" in shown:
        content = orjson.dumps(shown["figure"], option=orjson.OPT_NON_STR_KEYS).decode()
        content = content.replace("<", "\\u003c")
        yield f'<div class="graph" data-figure="{name}"></div>'
        yield f'<script type="application/json" id="{name}">{content}</script>'
    else:
        yield markup(shown.get("parts", shown.get("empty")))
    if panel.note:
        yield f'<p class="note">{html.escape(panel.note)}</p>'
    if shown["sql"]:
        yield f"<details><summary>SQL</summary><pre>{html.escape(shown['sql'])}</pre></details>"
    yield "</section>"


def markup(part: Any) -> str:
    """Write Dash's components as HTML, with every text escaped."""
    if part is None:
        return ""
    if isinstance(part, str | int | float):
        return html.escape(str(part))
    if isinstance(part, Sequence):
        return "".join(map(markup, part))
    component = part.to_plotly_json()
    name = component["type"].lower()
    children = component["props"].get("children")
    if name == "a":
        return markup(children)  # keep only the text: the link works only in a dashboard
    if name == "button":
        return ""  # nothing can be done from a snapshot
    props = {key: value for key, value in component["props"].items() if key != "children"}
    attributes = "".join(
        f' {_NAMES.get(key, key)}="{html.escape(str(value))}"'
        for key, value in props.items()
        if value is not None and value is not False and key != "id"
    )
    if name in _VOID:
        return f"<{name}{attributes}>"
    return f"<{name}{attributes}>{markup(children)}</{name}>"
