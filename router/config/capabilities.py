"""Whether a backend can answer a request: capabilities, window and own rules decide. Pure."""

from router.config.values import BackendSettings
from router.domain import Request


def able(settings: BackendSettings, request: Request) -> str:
    """Why this backend cannot answer the request; empty if it can."""
    if settings.off:
        return settings.off
    missing = {*request.reading.needs, request.operation} - {*settings.capabilities}
    if missing:
        return f"cannot do {', '.join(sorted(missing))}"
    native = request.native
    if native is not None and native.needs and native.dialect not in settings.speaks:
        return f"does not speak {native.dialect}, which {', '.join(native.needs)} needs"
    if settings.context_window is not None:
        tokens = request.reading.tokens
        if tokens > settings.context_window:
            return f"about {tokens} tokens do not fit its window of {settings.context_window}"
    return settings.refuses(request)
