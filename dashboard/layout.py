"""The frame around all pages, and the empty places of a page's panels."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from dashboard.board import PAGES
from dashboard.panel import Page, Panel
from dashboard.view import ALL, LASTS

_TICK_MS = 1000


def whole(*, signed_in: bool) -> html.Div:
    """The frame, which stays the same while the viewer changes pages."""
    links = [
        html.A(page.title, href=f"/{name}", **_data(page=name)) for name, page in PAGES.items()
    ]
    links.append(html.A("Playground", href="/playground", **_data(page="playground")))
    spans = [
        html.Button(_span_label(last), type="button", **_data(last=last), **_aria(pressed="false"))
        for last in (*LASTS, ALL)
    ]
    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Interval(id="tick", interval=_TICK_MS),
            dcc.Store(id="refreshed"),
            html.A("To the content", href="#page", className="skip"),
            html.Header(
                className="top",
                children=[
                    html.Div("Waggle", className="brand"),
                    html.Nav(links, **_aria(label="pages")),
                    html.Div(
                        className="right",
                        children=[
                            html.Span("…", id="state", className="state", role="status"),
                            html.Span("", id="fresh", className="fresh"),
                            _button("‖ pause", "pause", pressed="false"),
                            _button("theme", "theme", id="theme"),
                            *([html.A("sign out", href="/logout")] if signed_in else []),
                        ],
                    ),
                ],
            ),
            html.Div(
                className="bar",
                role="group",
                children=[
                    html.Div(spans, className="spans", role="group", **_aria(label="span of time")),
                    html.Button(
                        "✕ whole span", id="whole", type="button", hidden=True, **_data(act="whole")
                    ),
                    html.Div(id="filters", className="filters"),
                ],
                **_aria(label="what is shown"),
            ),
            html.Main(id="page", tabIndex=-1),
            html.Div(id="toast", className="toast", role="status"),
            html.Dialog(
                id="sqlbox",
                children=[
                    html.P("The browser does not allow copying. Copy the query from this box:"),
                    dcc.Textarea(id="sqltext", readOnly=True, title="the query"),
                    _button("close", "close"),
                ],
                **_aria(label="the query of a panel"),
            ),
        ]
    )


def page_frame(page: Page) -> html.Div:
    """A page's title, and an empty place for each panel."""
    return html.Div(
        [
            html.H1(page.title),
            html.P(page.summary, className="says"),
            html.Div([_panel(panel) for panel in page.panels], className="panels"),
        ],
        **_data(filters=",".join(page.filters)),
    )


def playground_frame() -> html.Div:
    """The playground's title, and an empty place that a script fills."""
    return html.Div(
        [
            html.H1("Playground"),
            html.P(
                "Ask several plans the same, side by side: what they answer, cost and take, and "
                "which of them auto would choose. A thumb teaches the learner.",
                className="says",
            ),
            html.Div(id="playground"),
        ]
    )


def unknown_page(name: str) -> html.Div:
    links: Sequence[Any] = [html.Li(html.A(p.title, href=f"/{n}")) for n, p in PAGES.items()]
    return html.Div(
        [html.H1("Nothing here"), html.P(f"There is no page {name!r}."), html.Ul(links)]
    )


def _panel(panel: Panel) -> html.Section:
    graph = panel.form == "graph"
    classes = ["panel", panel.size, "tall" if panel.tall else ""]
    classes += ["graphs" if graph else "", "broad" if panel.broad else ""]
    acts = [
        ("copy SQL", "sql", "copy the query of"),
        ("CSV", "csv", "download the rows of"),
    ]
    if graph:
        acts.append(("PNG", "png", "download a picture of"))
    buttons = [
        html.Button(
            label,
            type="button",
            **_data(act=act, panel=panel.id),
            **_aria(label=f"{label}: {words} {panel.title}"),
        )
        for label, act, words in acts
    ]
    inside: list[Any] = [
        html.Header(
            [html.H2(panel.title, id=f"title-{panel.id}"), html.Div(buttons, className="acts")]
        ),
        html.Div(id=f"b-{panel.id}", className="body"),
    ]
    if graph:
        drawn = html.Div(id=f"s-{panel.id}")  # the script adds the plot with its first figure
        label = {"tabIndex": 0, "role": "region", **_aria(label=f"{panel.title}, drawn")}
        inside.append(html.Div(drawn, className="scroll", **label) if panel.broad else drawn)
    if panel.note:
        inside.append(html.P(panel.note, className="note"))
    return html.Section(
        inside,
        id=f"panel-{panel.id}",
        className=" ".join(filter(None, classes)),
        **_data(form="loading"),
        **_aria(labelledby=f"title-{panel.id}"),
    )


def _button(text: str, act: str, *, pressed: str = "", **more: Any) -> html.Button:
    aria = _aria(pressed=pressed) if pressed else {}
    return html.Button(text, type="button", **_data(act=act), **aria, **more)


def _span_label(last: str) -> str:
    return "All" if last == ALL else last.replace("m", " min").replace("h", " h").replace("d", " d")


def _data(**values: str) -> Mapping[str, Any]:
    return {f"data-{name}": value for name, value in values.items()}


def _aria(**values: str) -> Mapping[str, Any]:
    return {f"aria-{name}": value for name, value in values.items()}
