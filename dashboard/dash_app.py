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
# page's bytes, so the browser begins to load Plotly at once. A preload of the other would do, but
# browsers warn of a preload that a busy machine uses late.
_GRAPH = "/_dash-component-suites/dash/dcc/async-graph.js"
_PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"


_DRAWN = {"id": "page", "property": "children"}
_CHANGED = "url.pathname"


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
    early = "".join(f'<script async src="{script}"></script>' for script in (_PLOTLY, _GRAPH))
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


class BadCallback(ValueError):
    """The request calls no callback of this site. The message tells the sender of it why."""


def callback_body(body: bytes) -> bytes:
    """The body for Dash of a request to `/_dash-update-component`. Raises `BadCallback`.

    The server has one callback, which draws the page at a path. Dash answers 500 to everything that
    it does not expect, so it gets what was checked here and nothing else.
    """
    try:
        call = orjson.loads(body)
        [url] = call["inputs"]
        drawn = (call["output"], call["outputs"], url["id"], url["property"])
        changed, path = call.get("changedPropIds", []), url.get("value")
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise BadCallback("The body must be a Dash callback, as JSON: reload the page.") from None
    if drawn != ("page.children", _DRAWN, "url", "pathname"):
        only = "The only callback here is `page.children` from `url.pathname`"
        raise BadCallback(f"{only}: reload the page.")
    if not isinstance(path, str | None) or changed not in ([], [_CHANGED]):
        raise BadCallback("`url.pathname` must be a path, a string: reload the page.")
    inputs = [{"id": "url", "property": "pathname", "value": path}]
    call = {"output": "page.children", "outputs": _DRAWN, "inputs": inputs}
    return orjson.dumps(call | {"changedPropIds": changed})


async def _page_at(path: str | None) -> Any:
    name = (path or "").strip("/") or "learning"
    if name == "playground":
        return layout.playground_frame()
    return layout.page_frame(PAGES[name]) if name in PAGES else layout.unknown_page(name)
