"""The table of routes: which endpoint answers a path and a method.

A segment of a path in braces matches any one segment, which the request then has as a parameter:
`/v1/responses/{id}`. A path without braces comes before one that only matches.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from router.api.dialects.dialect import OPENAI_ERRORS, ErrorForm
from router.api.incoming import Incoming
from router.wire.errors import MethodNotAllowed, NotFound

Endpoint = Callable[[Incoming], Awaitable[None]]
JSON_ONLY: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One path. `media` are the types of bodies that a POST takes beside JSON, `form` is how the
    errors of its dialect look, and `operation` names what a refusal is recorded as, if it is."""

    path: str
    methods: Mapping[str, Endpoint]
    media: tuple[str, ...] = JSON_ONLY
    form: ErrorForm = field(default=OPENAI_ERRORS)
    operation: str = ""
    listed: bool = True  # whether the error about an unknown path names this one

    def endpoint(self, method: str, path: str) -> Endpoint:
        if method == "HEAD" and "GET" in self.methods:
            return self.methods["GET"]  # the server sends the head alone
        if method not in self.methods:
            heads = ["HEAD"] if "GET" in self.methods else []
            raise MethodNotAllowed(method, path, [*self.methods, *heads])
        return self.methods[method]


class Routes:
    def __init__(self, routes: Iterable[Route]) -> None:
        self.all = tuple(routes)
        self._exact = {route.path: route for route in self.all if "{" not in route.path}
        self._matching = [(route.path.split("/"), route) for route in self.all if "{" in route.path]

    def find(self, path: str) -> tuple[Route | None, Mapping[str, str]]:
        """The route of a path, with the parameters in the path; None if there is no route."""
        route = self._exact.get(path)
        if route is not None:
            return route, {}
        segments = path.split("/")
        for wanted, route in self._matching:
            params = _params(wanted, segments)
            if params is not None:
                return route, params
        return None, {}

    def unknown(self, path: str) -> NotFound:
        listed = ", ".join(route.path for route in self.all if route.listed)
        return NotFound("unknown_url", f"There is nothing at {path}. Known: {listed}.")


def _params(wanted: list[str], segments: list[str]) -> Mapping[str, str] | None:
    """The parameters of a path with these segments; None if the path is another one. A parameter
    that ends with `*` is the last, and takes all segments that are left."""
    last = wanted[-1]
    if last.endswith("*}") and len(segments) >= len(wanted):
        segments = [*segments[: len(wanted) - 1], "/".join(segments[len(wanted) - 1 :])]
    if len(wanted) != len(segments):
        return None
    params = {}
    for want, segment in zip(wanted, segments, strict=True):
        if want.startswith("{"):
            if not segment:
                return None
            params[want.strip("{*}")] = unquote(segment)
        elif want != segment:
            return None
    return params
