"""Serves Dash's scripts and styles, each compressed once for all browsers."""

import gzip
import re
from collections.abc import Mapping

from dashboard.responses import JSON, App, Headers, SiteResponse, fetch

STATIC = ("/_dash-component-suites/", "/assets/")


class StaticFiles:
    """The scripts and styles that the app serves below the paths in `STATIC`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._files: dict[str, tuple[Headers, bytes]] = {}

    async def load(self) -> None:
        """Compress the first page's scripts in advance, because the largest takes a moment.

        The page is requested first, because Dash registers its scripts only then.
        """
        page = await fetch(self._app, "/")
        for path in re.findall(rb'(?:src|preload" as="script" href)="(/[^"?]+)', page.body):
            if path.decode().startswith(STATIC):
                await self.file(path.decode(), {})

    async def file(self, path: str, request_headers: Mapping[bytes, bytes]) -> SiteResponse:
        if path not in self._files:
            response = await fetch(self._app, path)
            if response.status != 200:
                return SiteResponse(response.status, response.body, (JSON,))
            kept = tuple(
                (name, value)
                for name, value in response.headers
                if name in (b"content-type", b"cache-control", b"etag")
            )
            self._files[path] = kept, gzip.compress(response.body, 6)
        headers, gzipped = self._files[path]
        tag = dict(headers).get(b"etag")
        if tag is not None and request_headers.get(b"if-none-match") == tag:
            return SiteResponse(304, headers=headers)
        if b"gzip" in request_headers.get(b"accept-encoding", b""):
            packed = (*headers, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))
            return SiteResponse(200, gzipped, packed)
        return SiteResponse(200, gzip.decompress(gzipped), headers)
