"""The Dash application: empty pages, which the script in the browser fills.

Dash itself reads no telemetry. `dashboard.web.Site` in front of Dash decides who may reach it.
"""

from typing import Any

import orjson
from dash import Dash, Input, Output, State
from fastapi import FastAPI

from dashboard import layout
from dashboard.board import PAGES
from dashboard.login import LoginDoor

# The first plot needs these two scripts, which Dash by itself would load late. Plotly is most of a
# page's bytes, so the browser begins to load Plotly at once.
_GRAPH = "/_dash-component-suites/dash/dcc/async-graph.js"
_PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"


def dash_app(door: LoginDoor) -> Any:
    bare = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app: Any = Dash(
        "dashboard",
        server=bare,  # type: ignore[arg-type]
        backend="fastapi",
        title="Waggle",
        update_title="",
        serve_locally=True,
        compress=False,
        enable_mcp=False,
        add_log_handler=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.backend.websocket_capability = False  # neither the pages nor the site use websockets
    icon = '<link rel="icon" type="image/svg+xml" href="/assets/waggle.svg">'
    app.index_string = app.index_string.replace("<html>", '<html lang="en">')
    early = (
        f'<link rel="preload" as="script" href="{_GRAPH}"><script async src="{_PLOTLY}"></script>'
    )
    app.index_string = app.index_string.replace("{%favicon%}", icon + early)
    app.layout = lambda: layout.whole(signed_in=door.locked)

    app.callback(Output("page", "children"), Input("url", "pathname"))(_page_at)
    app.clientside_callback(
        "window.dash_clientside.waggle.refresh",
        Output("refreshed", "data"),
        Input("tick", "n_intervals"),
        Input("url", "search"),
        Input("page", "children"),
        State("url", "pathname"),
    )
    return app


def callback_problem(body: bytes) -> str:
    """What is wrong with a request to `/_dash-update-component`; empty if Dash can answer it.

    The server has one callback, which draws the page at a path.
    """
    try:
        call = orjson.loads(body)
        [url] = call["inputs"]
        drawn = (call["output"], call["outputs"], url["id"], url["property"])
        changed, path = call.get("changedPropIds", []), url.get("value")
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return "The body must be the JSON of a Dash callback: reload the page."
    if drawn != ("page.children", {"id": "page", "property": "children"}, "url", "pathname"):
        return "The only callback here is `page.children` from `url.pathname`: reload the page."
    if not isinstance(path, str | None) or changed not in ([], ["url.pathname"]):
        return "`url.pathname` must be a path, a string: reload the page."
    return ""


async def _page_at(path: str | None) -> Any:
    name = (path or "").strip("/") or "learning"
    return layout.page_frame(PAGES[name]) if name in PAGES else layout.unknown_page(name)
