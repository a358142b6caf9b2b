"""What the model of a backend takes of a translated request, by the tables of models. Pure."""

from functools import lru_cache

from router.catalog import look_up
from router.config.values import BackendSettings
from router.dialects.extensions import Manners

_NEW_BOUND = ("openai", "azure")  # their models that reason know `max_completion_tokens` only
_PLAIN = Manners()


def manners_of(settings: BackendSettings) -> Manners:
    return _PLAIN if settings.named_model is None else _manners(*settings.named_model)


@lru_cache(maxsize=4096)
def _manners(model: str, base_url: str) -> Manners:
    facts = look_up(model, base_url)
    if facts is None:
        return _PLAIN
    newer = facts.provider in _NEW_BOUND and facts.reasons is not False
    return Manners(facts.efforts, "max_completion_tokens" if newer else "max_tokens")
