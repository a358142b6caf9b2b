"""Backends of models as plans by their own names, for a file that leaves `plans` out. Pure."""

from typing import Any

from router.config.backends import KINDS


def with_plans(raw: Any) -> Any:
    """The raw values of a file with a plan for each backend that is a model for chat, if the file
    has no `plans`. A file that has some names there all plans that it wants."""
    if not isinstance(raw, dict) or raw.get("plans") is not None:
        return raw
    backends = raw.get("backends")
    items = backends.items() if isinstance(backends, dict) else ()
    plans = {name: {"ask": name} for name, settings in items if _chats(settings)}
    return {**raw, "plans": plans} if plans else raw


def _chats(settings: Any) -> bool:
    kind = KINDS.get(str(settings.get("kind"))) if isinstance(settings, dict) else None
    if kind is None or not kind.is_model:
        return False
    capabilities = settings.get("capabilities") or kind.model_fields["capabilities"].default
    return isinstance(capabilities, list | tuple) and "chat" in capabilities
