"""Whether a model takes an effort that a plan sets, by the tables. Pure.

A model that no table knows may take any effort: its server says so itself.
"""

from functools import lru_cache

from router.catalog import look_up
from router.config.values import BackendSettings


def effort_refusal(settings: BackendSettings, model: str | None, effort: str) -> str:
    """Why the backend's model, or the `model` that a plan names, does not take the effort; empty
    if it may take it."""
    named = settings.named_model
    if named is None or not effort:
        return ""
    return _refusal(model or named[0], named[1], effort)


@lru_cache(maxsize=4096)
def _refusal(model: str, base_url: str, effort: str) -> str:
    facts = look_up(model, base_url)
    if facts is None:
        return ""
    if facts.efforts and effort not in facts.efforts:
        return f"{model} takes the efforts {', '.join(facts.efforts)}"
    if not facts.efforts and facts.reasons is False:
        return f"{model} does not reason, and takes no effort"
    return ""
