"""Which headers of a caller go on: what Waggle reads must be text, and nothing commands Ray Serve.

Serve reads some headers before any code of ours does, obeys them, and answers 500 where their bytes
are no text.
"""

from collections.abc import Mapping

from router.wire.asgi import HeaderList
from router.wire.errors import BadRequest

_OURS = (b"x-waggle-", b"x-llm-", b"x-session-id", b"authorization", b"idempotency-key")
# Serve obeys these headers; they belong to whoever runs the service, not to callers.
_COMMANDS = frozenset((b"x-request-timeout-seconds", b"x-request-disconnect-disabled"))
# Serve decodes these headers, and ours do without them.
_DECODED = frozenset(
    (b"x_request_id", b"serve_multiplexed_model_id", b"traceparent", b"tracestate")
)
# Serve's name for a caller's session: a name that no caller uses, as x-session-id is ours.
SERVES_SESSION = "waggleservesession"
_MOST_SHOWN = 80  # bytes of a header in an error


def check_text(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a header that Waggle reads, and whose bytes are no UTF-8."""
    if b"".join(headers.values()).isascii():
        return
    for name, value in headers.items():
        if name.startswith(_OURS) and not _is_text(value):
            header, shown = name.decode("latin-1"), repr(value[:_MOST_SHOWN])[1:]
            message = f"`{header}` must be UTF-8 text, not the bytes {shown}: encode it as UTF-8."
            raise BadRequest(message, header)


def for_serve(headers: HeaderList) -> HeaderList:
    """The headers that Serve may see: without its commands, and without what it cannot decode."""
    return [
        (name, value)
        for name, value in headers
        if name not in _COMMANDS and (value.isascii() or _is_safe(name, value))
    ]


def _is_safe(name: bytes, value: bytes) -> bool:
    plain = name.replace(b"-", b"_")
    serves = plain in _DECODED or plain == SERVES_SESSION.encode()
    return not serves or _is_text(value)


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
