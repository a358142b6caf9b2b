"""Refuses what a web page of somebody else makes a browser send.

A service without keys trusts whoever reaches loopback, and every page that the operator visits can
reach it through the operator's browser. A browser says truthfully by which name it came (`Host`,
so a name that was rebound to 127.0.0.1 shows) and for which page (`Origin`, `Sec-Fetch-Site`). And
before a page may send JSON to another site, the browser asks that site, and Waggle never agrees.

Not covered: programs on this machine, which can send any header. Keys are made for programs.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address

from router.wire.errors import Refused

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*))(?::[0-9]{0,5})?", re.I)
_NO_FORM_SENDS = frozenset({b"authorization", b"x-api-key"})
_MOST_SHOWN = 80  # characters of a header in an error
_MOST_KEPT = 256  # names to remember; a caller can send any number

_Headers = Mapping[bytes, bytes]


class ForeignPage(Refused):
    """The request came by a foreign name or from a foreign page, and this service has no keys."""


class LocalNames:
    """The names under which a service without keys may be used: loopback's, and the `also` ones."""

    def __init__(self, also: Iterable[str] = ()) -> None:
        self._also = frozenset(_plain(name) for name in also)
        self._usual: set[bytes] = set()  # values of `Host` that were right before

    def check(self, headers: _Headers, *, http_version: str = "1.1") -> None:
        """Raise `ForeignPage` unless the request came by a local name and from a local page."""
        self.check_host(headers, http_version=http_version)
        if b"origin" in headers or b"sec-fetch-site" in headers:
            self._check_page(headers)

    def check_host(self, headers: _Headers, *, http_version: str = "1.1") -> None:
        """Raise `ForeignPage` unless the request came by a local name."""
        host = headers.get(b"host")
        if host in self._usual:
            return
        if host is None:
            if http_version != "1.0":  # no browser leaves the header out
                raise _foreign(421, "foreign_host", "Host", "is missing")
            return
        if not self._is_local(host.decode("latin-1")):
            raise _foreign(421, "foreign_host", "Host", f"is {_shown(host)}")
        if len(self._usual) < _MOST_KEPT:
            self._usual.add(host)

    def _check_page(self, headers: _Headers) -> None:
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site", b"")
        if origin is not None:
            scheme, _, authority = origin.decode("latin-1").partition("://")
            if scheme.lower() not in ("http", "https") or not self._is_local(authority):
                raise _foreign(403, "foreign_origin", "Origin", f"is {_shown(origin)}")
        elif site.strip().lower() == b"cross-site":
            raise _foreign(403, "foreign_origin", "Sec-Fetch-Site", "is 'cross-site'")

    def _is_local(self, authority: str) -> bool:
        match = _AUTHORITY.fullmatch(authority)
        if match is None:
            return False
        name = _plain(match[1])
        if name in self._also or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            return ip_address(name.strip("[]")).is_loopback
        except ValueError:
            return False


def from_own_page(headers: _Headers) -> bool:
    """Whether a form was sent by a page of this site itself, under whatever name it is known.

    A browser says so in `Sec-Fetch-Site` where the site is loopback or has TLS, and in `Origin`
    everywhere. A program sends neither header, and has no cookies that a page could misuse.
    """
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        return site.strip().lower() in (b"same-origin", b"none")
    if origin is None:
        return True
    _, _, authority = origin.partition(b"://")
    return authority != b"" and authority.lower() == headers.get(b"host", b"").lower()


def check_media(headers: _Headers, also: Collection[str] = ()) -> None:
    """Refuse a body that its sender does not call JSON, or one of `also`: any page may send every
    other kind."""
    kind = headers.get(b"content-type", b"")
    if kind == b"application/json":
        return
    media = kind.partition(b";")[0].strip().lower()
    if media == b"application/json" or (
        media.startswith(b"application/") and media.endswith(b"+json")
    ):
        return
    if media.decode("latin-1") in also:
        _check_sender(headers)
        return
    shown = f"not {_shown(kind)}" if kind else "and it is missing"
    kinds, example = " or ".join((*also, "application/json")), (*also, "application/json")[0]
    message = (
        f"`Content-Type` must be {kinds}, {shown}: send the header "
        f"`content-type: {example}` (curl: -H 'content-type: {example}')."
    )
    raise Refused(415, "unsupported_media_type", message, "content-type")


def _check_sender(headers: _Headers) -> None:
    """Refuse a form that any page could have sent: one without a header that a page cannot add to
    a form. Every client of a model's API sends its key, also where none is needed."""
    if not _NO_FORM_SENDS & headers.keys() and headers.get(b"sec-fetch-site") != b"same-origin":
        message = (
            "A form must come with the header `Authorization`, which no web page can add to one: "
            "send your key or, without keys, any word (curl: -H 'authorization: Bearer none')."
        )
        raise Refused(403, "unsigned_form", message, "authorization")


def _foreign(status: int, code: str, header: str, value: str) -> ForeignPage:
    message = (
        f"`{header}` {value}. Without keys, Waggle answers only by this machine's own names "
        "(localhost, 127.0.0.1, [::1]) and to pages from there: use such a name, list the other "
        "name in `server.hosts`, or make a key with `waggle keys new NAME`."
    )
    return ForeignPage(status, code, message, header.lower())


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _shown(value: bytes) -> str:
    return repr(value[:_MOST_SHOWN].decode("latin-1"))
