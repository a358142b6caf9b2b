"""The site: signs viewers in, and answers with pages, views as JSON, and panels as CSV.

A view is drawn and compressed once for all viewers. A viewer whose copy is still right gets a 304.
Pages load nothing from other hosts: a header makes the browser refuse to.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, parse_qsl

from dashboard.board import PAGES, Board
from dashboard.csv_table import csv_table
from dashboard.dash_app import BadCallback, callback_body, dash_app
from dashboard.login import COOKIE, LoginDoor, LoginRefused, login_page
from dashboard.playground import LONGEST, PREFIX, Playground, is_act
from dashboard.responses import (
    HTML,
    JSON,
    SiteResponse,
    received,
    redirect,
    refusal,
)
from dashboard.source import Missing, QueryFailed
from dashboard.static_files import STATIC, StaticFiles
from dashboard.view import PageView, UnreadableView, view_of
from router.wire.asgi import (
    BodyTooLarge,
    BodyTooSlow,
    CallerLeft,
    Message,
    Receive,
    Scope,
    Send,
    read_body,
)
from router.wire.errors import retry_after_header
from router.wire.web_pages import ForeignPage, LocalNames, from_own_page

_LONGEST_FORM = 4096
_CALLBACK = "/_dash-update-component"
ALWAYS_ANSWERED = frozenset({"/health"})  # even where viewers hold all connections
_OPEN_TO_ALL = ("/assets/waggle.css", "/assets/waggle.svg")


class Site:
    """An ASGI application: a login door with Dash and the board behind the door."""

    def __init__(
        self, board: Board, door: LoginDoor, *, hosts: Iterable[str] = (), service: str = ""
    ) -> None:
        """`hosts` are names by which the site answers without keys, beside loopback's own.
        `service` is the address of the service that the playground asks."""
        self._playground = Playground(service)
        self._board, self._door, self._names = board, door, LocalNames(hosts)
        dash = dash_app(door)
        self._dash = dash.server
        self._static = StaticFiles(self._dash, lambda: dash.registered_paths)
        scripts = " ".join(("'self'", *dash.csp_hashes()))
        self._headers = (
            (
                b"content-security-policy",
                f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
                "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
                "form-action 'self'; frame-ancestors 'none'".encode(),
            ),
            (b"x-content-type-options", b"nosniff"),
            # With `no-referrer`, browsers would hide the origin of our own login form from us.
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"x-frame-options", b"DENY"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "websocket":
                await send({"type": "websocket.close", "code": 1008})
            case "http":
                try:
                    answer = await self._respond(scope, receive, send)
                except BodyTooLarge:
                    most = LONGEST if scope["path"].startswith(PREFIX) else _LONGEST_FORM
                    answer = refusal(413, f"The form is larger than {most} bytes.")
                except BodyTooSlow as slow:
                    answer = refusal(408, f"The form came too slowly: {slow}.")
                except CallerLeft:
                    return
                if isinstance(answer, SiteResponse):
                    await self._send(answer, send)
                elif answer is not None:
                    await self._dash(scope, answer, self._with_headers(send))
            case _:  # messages about the server's start and end
                await self._dash(scope, receive, self._load_before_startup(send))

    async def _respond(
        self, scope: Scope, receive: Receive, send: Send
    ) -> SiteResponse | Receive | None:
        """The site's own response, or if Dash has to answer, what Dash receives. None: the
        response was sent already."""
        path, headers = scope["path"], dict(scope["headers"])
        cookies = headers.get(b"cookie", b"").decode("latin-1")
        foreign = self._foreign(scope, headers)
        if foreign is not None:
            return foreign
        if path == "/login":
            return await self._login(scope, receive)
        if path == "/logout":
            return self._logout(headers, cookies)
        if path in ALWAYS_ANSWERED:
            return SiteResponse(200, b'{"status":"ok"}', (JSON,))
        if not self._door.admits(cookies) and path not in _OPEN_TO_ALL:
            if path.startswith(("/data/", "/csv/", PREFIX, "/_")):
                return refusal(401, "Sign in with an analyst's key: open /login.")
            return redirect(b"/login")
        if path.startswith("/data/"):
            return await self._data(scope, headers)
        if path.startswith("/csv/"):
            return await self._csv(scope)
        if path.startswith(PREFIX):
            response = await self._playground.respond(scope, receive, self._with_headers(send))
            if response is not None and response.status == 200 and is_act(path):
                self._board.renew()
            return response
        if path.startswith(STATIC):
            return await self._static.file(path, headers)
        return await self._callback(scope, receive) if path == _CALLBACK else receive

    def _foreign(self, scope: Scope, headers: Mapping[bytes, bytes]) -> SiteResponse | None:
        """The refusal of a request by a foreign name, or of a form on a foreign page.

        A link on another page may open the dashboard, so only what can change something is refused.
        With keys any name is right: the browser gives its cookie to the name of the sign-in alone.
        """
        changes = scope["method"] not in ("GET", "HEAD")
        if changes and not from_own_page(headers):
            return refusal(403, "A page of another site sent this: open the dashboard itself.")
        if self._door.locked:
            return None
        check = self._names.check if changes else self._names.check_host
        try:
            check(headers, http_version=scope["http_version"])
        except ForeignPage as foreign:
            return refusal(foreign.status, foreign.message)
        return None

    async def _callback(self, scope: Scope, receive: Receive) -> SiteResponse | Receive:
        """What Dash receives instead: a body that was read and checked."""
        try:
            body = callback_body(await read_body(receive, most=_LONGEST_FORM))
        except BadCallback as bad:
            return refusal(400, str(bad))
        scope["headers"] = [
            *((name, value) for name, value in scope["headers"] if name != b"content-type"),
            JSON,
        ]
        return received(body)

    async def _data(self, scope: Scope, headers: Mapping[bytes, bytes]) -> SiteResponse:
        try:
            view = _view(scope)
        except UnreadableView as unreadable:
            return refusal(400, str(unreadable))
        page = await self._board.page(view)
        tag = f'"{page.tag}"'.encode()
        common = ((b"etag", tag), (b"cache-control", b"no-store"))
        if headers.get(b"if-none-match") == tag:
            return SiteResponse(304, headers=common)
        if b"gzip" in headers.get(b"accept-encoding", b""):
            return SiteResponse(200, page.gzipped, (JSON, *common, (b"content-encoding", b"gzip")))
        return SiteResponse(200, page.content, (JSON, *common))

    async def _csv(self, scope: Scope) -> SiteResponse:
        *_, page, panel = ("", "", *scope["path"].split("/"))[-2:]
        try:
            view = _view(scope, page)
            if panel not in {each.id for each in PAGES[page].panels}:
                return refusal(404, f"There is no panel {panel!r} on the page {page!r}.")
            answer = await self._board.panel_rows(view, panel)
        except (UnreadableView, Missing, QueryFailed) as trouble:
            return refusal(400, str(trouble))
        name = f'attachment; filename="waggle-{page}-{panel}.csv"'.encode()
        kind = (b"content-type", b"text/csv; charset=utf-8")
        content = csv_table(answer.columns, answer.rows)
        return SiteResponse(200, content, (kind, (b"content-disposition", name)))

    async def _login(self, scope: Scope, receive: Receive) -> SiteResponse:
        if scope["method"] != "POST":
            if not self._door.locked:
                return redirect(b"/")
            return SiteResponse(200, login_page(""), (HTML,))
        form = parse_qs(
            (await read_body(receive, most=_LONGEST_FORM)).decode("utf-8", "replace"),
            max_num_fields=16,
        )
        address = (scope.get("client") or ("",))[0]
        try:
            word = self._door.enter(form.get("key", [""])[0], address=address)
        except LoginRefused as refused:
            page, seconds = login_page(str(refused)), refused.wait_seconds
            if seconds > 0:
                return SiteResponse(429, page, (HTML, retry_after_header(seconds)))
            return SiteResponse(401, page, (HTML,))
        cookie = f"{COOKIE}={word}; Path=/; HttpOnly; SameSite=Strict"
        if scope.get("scheme") == "https":
            cookie += "; Secure"
        return redirect(b"/", (b"set-cookie", cookie.encode()))

    def _logout(self, headers: Mapping[bytes, bytes], cookies: str) -> SiteResponse:
        if not from_own_page(headers):
            return redirect(b"/")  # a link on another page signs nobody out
        self._door.leave(cookies)
        expired = f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict".encode()
        return redirect(b"/login", (b"set-cookie", expired))

    def _load_before_startup(self, send: Send) -> Send:
        async def after_loading(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._static.load()
            await send(message)

        return after_loading

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._headers]}
            await send(message)

        return send_with_headers

    async def _send(self, response: SiteResponse, send: Send) -> None:
        length = (b"content-length", str(len(response.body)).encode())
        headers = [length, *self._headers, *response.headers]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})


def _view(scope: Scope, page: str = "") -> PageView:
    name = page or scope["path"].rsplit("/", 1)[-1]
    if name not in PAGES:
        raise UnreadableView(f"There is no page {name!r}: there are {', '.join(PAGES)}.")
    return view_of(name, dict(parse_qsl(scope["query_string"].decode("latin-1"))))
