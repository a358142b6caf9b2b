"""Serves Dash's scripts and styles, each compressed once for all browsers."""

import gzip
import re
from collections.abc import Callable, Container, Mapping

from dash.fingerprint import check_fingerprint

from dashboard.responses import App, Headers, SiteResponse, fetch, refusal

_PACKAGES = "/_dash-component-suites/"
STATIC = (_PACKAGES, "/assets/")
_NOTHING = SiteResponse(404)


class StaticFiles:
    """The scripts and styles that the app serves below the paths in `STATIC`."""

    def __init__(self, app: App, registered: Callable[[], Mapping[str, Container[str]]]) -> None:
        """`registered` names the files of each package that Dash may serve."""
        self._app = app
        self._registered = registered
        self._files: dict[tuple[str, bool], tuple[Headers, bytes]] = {}

    @property
    def count(self) -> int:
        """How many files are kept in memory."""
        return len(self._files)

    async def load(self) -> None:
        """Compress the first page's scripts in advance, because the largest takes a moment.

        The page is requested first, because Dash registers its scripts only then.
        """
        page = await fetch(self._app, "/")
        for path in re.findall(rb'src="(/[^"?]+)', page.body):
            if path.decode().startswith(STATIC):
                await self.file(path.decode(), {})

    async def file(self, path: str, request_headers: Mapping[bytes, bytes]) -> SiteResponse:
        # The fingerprint in a name may be any: all such names are kept as one file.
        name = check_fingerprint(path)  # type: ignore[no-untyped-call]
        if name not in self._files:
            response = await fetch(self._app, path) if self._exists(name[0]) else _NOTHING
            if response.status != 200:
                return refusal(404, f"There is no file {path[:200]!r}.")
            kept = tuple(
                (name, value)
                for name, value in response.headers
                if name in (b"content-type", b"cache-control", b"etag")
            )
            self._files[name] = kept, gzip.compress(response.body, 6)
        headers, gzipped = self._files[name]
        tag = dict(headers).get(b"etag")
        if tag is not None and request_headers.get(b"if-none-match") == tag:
            return SiteResponse(304, headers=headers)
        if b"gzip" in request_headers.get(b"accept-encoding", b""):
            packed = (*headers, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))
            return SiteResponse(200, gzipped, packed)
        return SiteResponse(200, gzip.decompress(gzipped), headers)

    def _exists(self, path: str) -> bool:
        """Whether Dash knows the file: for a package's unknown file, Dash would answer 500."""
        if not path.startswith(_PACKAGES):
            return True
        package, _, name = path.removeprefix(_PACKAGES).partition("/")
        return name in self._registered().get(package, ())
