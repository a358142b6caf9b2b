"""TODO: what this module promises."""

from router.config.values import BackendSettings
from router.domain import Request
from router.request.text import _CHARACTERS_PER_TOKEN, prompt_text


def able(settings: BackendSettings, request: Request, wanted: frozenset[str]) -> str:
    """Why this backend cannot answer the request, or nothing."""
    missing = wanted - set(settings.capabilities)
    if missing:
        return f"cannot do {', '.join(sorted(missing))}"
    if settings.context_window is not None:
        tokens = len(prompt_text(request.fields)) // _CHARACTERS_PER_TOKEN
        if tokens > settings.context_window:
            return f"about {tokens} tokens do not fit its window of {settings.context_window}"
    return settings.refuses(request.fields)
