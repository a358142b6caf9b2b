"""The dashboard as one ASGI application: what Dash serves, and beside it the views as JSON and CSV.

A view costs a viewer little: it was worked out and packed for all, and who has it already is told
so in a header. Nothing is loaded from elsewhere, and the browser is told to refuse it.
"""

import asyncio
import csv
import gzip
import io
import re
from collections.abc import Awaitable, Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import orjson
from dash import Dash, Input, Output, State
from fastapi import FastAPI

from dashboard import layout
from dashboard.board import PAGES, Board
from dashboard.login import COOKIE, LoginDoor, LoginRefused
from dashboard.source import Missing, QueryFailed
from dashboard.view import PageView, UnreadableView, view_of

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_LONGEST_FORM = 4096
# What the first plot waits for, and would be asked for only once its place is there. Plotly is most
# of a page's weight: begun at once, it is read while the rest is.
_GRAPH = "/_dash-component-suites/dash/dcc/async-graph.js"
_PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"
_STATIC = ("/_dash-component-suites/", "/assets/")
_OPEN_TO_ALL = ("/assets/waggle.css", "/assets/waggle.svg")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Site:
    """Dash behind a door."""

    def __init__(
        self, board: Board, door: LoginDoor, *, hosts: frozenset[str] | None = None
    ) -> None:
        self._board, self._door, self._hosts = board, door, hosts
        self._dash = _dash(door)
        self._server = self._dash.server
        scripts = " ".join(("'self'", *self._dash.csp_hashes()))
        self._headers = (
            (
                b"content-security-policy",
                f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
                "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
                "form-action 'self'; frame-ancestors 'none'".encode(),
            ),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"x-frame-options", b"DENY"),
        )
        self._static: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":  # the server's own beginning and end
            await self._server(scope, receive, self._begun(send))
            return
        path, headers = scope["path"], dict(scope["headers"])
        cookies = headers.get(b"cookie", b"").decode("latin-1")
        if not self._expected(headers):
            words = "This dashboard is known by another name: open it at 127.0.0.1, or give --host."
            await self._reply(send, 421, words.encode(), b"text/plain; charset=utf-8")
        elif path == "/login":
            await self._login(scope, receive, send)
        elif path == "/logout":
            self._door.leave(cookies)
            gone = f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict".encode()
            await self._reply(
                send, 303, b"", more=((b"location", b"/login"), (b"set-cookie", gone))
            )
        elif path == "/health":
            await self._reply(send, 200, b'{"status":"ok"}')
        elif not self._door.admits(cookies) and path not in _OPEN_TO_ALL:
            await self._turn_away(path, send)
        elif path.startswith("/data/"):
            await self._data(scope, headers, send)
        elif path.startswith("/csv/"):
            await self._csv(scope, send)
        elif path.startswith(_STATIC):
            await self._file(scope, headers, receive, send)
        else:
            await self._server(scope, receive, self._guarded(send))

    def _expected(self, headers: Mapping[bytes, bytes]) -> bool:
        """Without keys, only under names of this machine: no other site may lead a browser here."""
        if self._hosts is None or self._door.locked:
            return True
        host = headers.get(b"host", b"").decode("latin-1").rpartition(":")
        name = (host[0] or host[2]) if host[2].isdigit() else "".join(host)
        return name.strip("[]").lower() in self._hosts

    async def _turn_away(self, path: str, send: Send) -> None:
        if path.startswith(("/data/", "/csv/", "/_")):
            words = {"error": "Sign in with an analyst's key: open /login."}
            await self._reply(send, 401, orjson.dumps(words))
        else:
            await self._reply(send, 303, b"", more=((b"location", b"/login"),))

    async def _data(self, scope: Scope, headers: Mapping[bytes, bytes], send: Send) -> None:
        try:
            view = _view(scope)
        except UnreadableView as wrong:
            await self._reply(send, 400, orjson.dumps({"error": str(wrong)}))
            return
        drawn = await self._board.page(view)
        tag = f'"{drawn.tag}"'.encode()
        more = ((b"etag", tag), (b"cache-control", b"no-store"))
        if headers.get(b"if-none-match") == tag:
            await self._reply(send, 304, b"", more=more)
        elif b"gzip" in headers.get(b"accept-encoding", b""):
            packed = (*more, (b"content-encoding", b"gzip"))
            await self._reply(send, 200, drawn.packed, more=packed)
        else:
            await self._reply(send, 200, drawn.content, more=more)

    async def _csv(self, scope: Scope, send: Send) -> None:
        *_, page, panel = ("", "", *scope["path"].split("/"))[-2:]
        try:
            view = _view(scope, page)
            if panel not in {one.id for one in PAGES[page].panels}:
                words = {"error": f"There is no panel {panel!r} on the page {page!r}."}
                await self._reply(send, 404, orjson.dumps(words))
                return
            told = await self._board.table(view, panel)
        except (UnreadableView, Missing, QueryFailed) as wrong:
            await self._reply(send, 400, orjson.dumps({"error": str(wrong)}))
            return
        name = f'attachment; filename="waggle-{page}-{panel}.csv"'.encode()
        content = table_of(told.columns, told.rows)
        kind = b"text/csv; charset=utf-8"
        await self._reply(send, 200, content, kind, more=((b"content-disposition", name),))

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            if not self._door.locked:
                await self._reply(send, 303, b"", more=((b"location", b"/"),))
                return
            await self._reply(send, 200, _login_page(""), b"text/html; charset=utf-8")
            return
        form = parse_qs((await _body(receive)).decode("utf-8", "replace"))
        try:
            word = self._door.enter(form.get("key", [""])[0])
        except LoginRefused as refused:
            content = _login_page(str(refused))
            await self._reply(send, 401, content, b"text/html; charset=utf-8")
            return
        cookie = f"{COOKIE}={word}; Path=/; HttpOnly; SameSite=Strict"
        if scope.get("scheme") == "https":
            cookie += "; Secure"
        more = ((b"location", b"/"), (b"set-cookie", cookie.encode()))
        await self._reply(send, 303, b"", more=more)

    async def _file(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        """Scripts are packed once, not for each browser."""
        path = scope["path"]
        if path not in self._static:
            held: list[Mapping[str, Any]] = []

            async def hold(message: Mapping[str, Any]) -> None:
                held.append(message)

            bare = [(n, v) for n, v in scope["headers"] if n not in (b"if-none-match", b"range")]
            await self._server({**scope, "headers": bare}, receive, hold)
            body = b"".join(message.get("body", b"") for message in held)
            if held[0]["status"] != 200:
                await self._reply(send, held[0]["status"], body)
                return
            told = [
                (n, v)
                for n, v in held[0]["headers"]
                if n in (b"content-type", b"cache-control", b"etag")
            ]
            self._static[path] = told, gzip.compress(body, 6)
        told, packed = self._static[path]
        tag = dict(told).get(b"etag")
        if tag is not None and headers.get(b"if-none-match") == tag:
            await self._reply(send, 304, b"", more=tuple(told))
        elif b"gzip" in headers.get(b"accept-encoding", b""):
            more = (*told, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))
            await self._reply(send, 200, packed, b"", more=more)
        else:
            await self._reply(send, 200, gzip.decompress(packed), b"", more=tuple(told))

    def _begun(self, send: Send) -> Send:
        """Dash lists its scripts at the first `/` alone; and packing the largest takes a moment."""

        async def told(message: Mapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                page = await self._asked("/")
                for path in re.findall(rb'(?:src|preload" as="script" href)="(/[^"?]+)', page):
                    await self._asked(path.decode())
            await send(message)

        return told

    async def _asked(self, path: str) -> bytes:
        """As a browser would, from within."""
        held: list[Mapping[str, Any]] = []

        given = [{"type": "http.request", "body": b"", "more_body": False}]

        async def nothing() -> Mapping[str, Any]:
            if not given:
                await asyncio.Event().wait()  # it stays on the line, until it is hung up
            return given.pop()

        async def hold(message: Mapping[str, Any]) -> None:
            held.append(message)

        scope = {
            **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http"},
            **{"method": "GET", "path": path, "raw_path": path.encode(), "root_path": ""},
            **{"query_string": b"", "headers": [], "client": None, "server": ("127.0.0.1", 80)},
        }
        if path.startswith(_STATIC):
            await self._file(scope, {}, nothing, hold)
        else:
            await self._server(scope, nothing, hold)
        return b"".join(message.get("body", b"") for message in held)

    def _guarded(self, send: Send) -> Send:
        async def told(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._headers]}
            await send(message)

        return told

    async def _reply(
        self,
        send: Send,
        status: int,
        body: bytes,
        kind: bytes = b"application/json",
        *,
        more: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        told = [(b"content-length", str(len(body)).encode()), *self._headers, *more]
        if kind and body:
            told.append((b"content-type", kind))
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": body})


def _dash(door: LoginDoor) -> Any:
    """Dash with its pages; the browser fetches what is on them itself."""
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
    app.backend.websocket_capability = False  # nothing here needs one, and the door has none
    icon = '<link rel="icon" type="image/svg+xml" href="/assets/waggle.svg">'
    app.index_string = app.index_string.replace("<html>", '<html lang="en">')
    early = (
        f'<link rel="preload" as="script" href="{_GRAPH}"><script async src="{_PLOTLY}"></script>'
    )
    app.index_string = app.index_string.replace("{%favicon%}", icon + early)
    app.layout = lambda: layout.whole(signed_in=door.locked)

    app.callback(Output("page", "children"), Input("url", "pathname"))(_of)
    app.clientside_callback(
        "window.dash_clientside.waggle.refresh",
        Output("heard", "data"),
        Input("tick", "n_intervals"),
        Input("url", "search"),
        Input("page", "children"),
        State("url", "pathname"),
    )
    return app


async def _of(path: str | None) -> Any:
    name = (path or "").strip("/") or "learning"
    return layout.of_page(PAGES[name]) if name in PAGES else layout.unknown(name)


def _view(scope: Scope, page: str = "") -> PageView:
    name = page or scope["path"].rsplit("/", 1)[-1]
    if name not in PAGES:
        raise UnreadableView(f"There is no page {name!r}: there are {', '.join(PAGES)}.")
    return view_of(name, dict(parse_qsl(scope["query_string"].decode("latin-1"))))


async def _body(receive: Receive) -> bytes:
    content = b""
    while len(content) <= _LONGEST_FORM:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            break
    return content[:_LONGEST_FORM]


def table_of(columns: tuple[str, ...], rows: Any) -> bytes:
    """As CSV. What a spreadsheet would take for a formula is marked as a text."""
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return told.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return value


def _login_page(wrong: str) -> bytes:
    said = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Waggle: sign in</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/assets/waggle.css"></head>
<body><main class="login"><h1>Waggle</h1>{said}
<form method="post" action="/login"><label for="key">An analyst's key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Sign in</button></form>
<p class="quiet">Made with <code>waggle keys new NAME --scope analyst</code>.</p>
</main></body></html>
""".encode()
