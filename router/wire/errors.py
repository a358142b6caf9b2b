"""Errors that a caller gets instead of an answer, in OpenAI's format.

A `Refused` carries everything that the caller gets: a status, a code, a message that is safe to
show, the field at fault, and headers. `router/api/app.py` sends every `Refused` in the same way.
Any other exception is a defect of Waggle, and the caller gets a 500.
"""

import orjson

from router.wire.asgi import HeaderList


class Refused(Exception):
    """The request is refused; `message` is written for the caller."""

    def __init__(
        self, status: int, code: str | None, message: str, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param

    @property
    def body(self) -> bytes:
        kind = kind_of(self.status)
        return error_body(self.message, kind, code=self.code, param=self.param)

    @property
    def headers(self) -> HeaderList:
        return []


class BadRequest(Refused):
    """The request breaks a rule of the protocol, in the field `param`."""

    def __init__(self, message: str, param: str | None = None, *, status: int = 400) -> None:
        super().__init__(status, None, message, param)


class Limited(Refused):
    """A limit refuses the request, until `retry_after` seconds are over. None: no wait helps."""

    def __init__(
        self, message: str, retry_after: float | None, headers: HeaderList | None = None
    ) -> None:
        super().__init__(429, "rate_limit_exceeded", message)
        self.retry_after = retry_after
        self._headers = headers or []

    @property
    def headers(self) -> HeaderList:
        wait = self.retry_after
        return [*self._headers, *([retry_after_header(wait)] if wait is not None else [])]


class Unroutable(Refused):
    """No plan can answer this request, or the request names a plan that does not exist."""


class NotFound(Refused):
    """The request names a thing that does not exist."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(404, code, message, param)


class MethodNotAllowed(Refused):
    """The path exists, but does not take this method."""

    def __init__(self, method: str, path: str, allowed: list[str]) -> None:
        message = f"{path} takes {' or '.join(allowed)}, not {method}."
        super().__init__(405, "method_not_allowed", message)
        self.allowed = allowed

    @property
    def headers(self) -> HeaderList:
        return [(b"allow", ", ".join(self.allowed).encode())]


class Unavailable(Refused):
    """A part of Waggle that this request needs does not answer now; it may answer later."""

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(503, code, message)
        self.retry_after = retry_after

    @property
    def headers(self) -> HeaderList:
        return [] if self.retry_after is None else [retry_after_header(self.retry_after)]


class TooSlow(Refused):
    """The body did not arrive in time. The connection is closed, because more of it may come."""

    def __init__(self, message: str) -> None:
        super().__init__(408, "body_too_slow", message)

    @property
    def headers(self) -> HeaderList:
        return [(b"connection", b"close")]


def retry_after_header(seconds: float) -> tuple[bytes, bytes]:
    return b"retry-after", str(max(1, round(seconds + 0.5))).encode()


def error_body(
    message: str, kind: str, *, code: str | None = None, param: str | None = None
) -> bytes:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return orjson.dumps({"error": error})


def kind_of(status: int) -> str:
    """The `type` that OpenAI gives an error of this status."""
    match status:
        case 401:
            return "authentication_error"
        case 403:
            return "permission_error"
        case 404:
            return "not_found_error"
        case 429:
            return "rate_limit_error"
        case _:
            return "server_error" if status >= 500 else "invalid_request_error"
