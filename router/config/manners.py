"""What the model of a backend takes of a translated request, by the tables of models. Pure."""

from functools import lru_cache

from router.catalog import look_up
from router.catalog.names import provider_of
from router.config.values import BackendSettings
from router.dialects.extensions import Manners

_NEW_BOUND = ("openai", "azure")  # their models that reason know `max_completion_tokens` only
_PLAIN = Manners()


def manners_of(settings: BackendSettings) -> Manners:
    return _PLAIN if settings.named_model is None else _manners(*settings.named_model)


@lru_cache(maxsize=4096)
def _manners(model: str, base_url: str) -> Manners:
    facts, reads = look_up(model, base_url), provider_of(base_url) != "openai"
    if facts is None:
        return Manners(reads_reasoning=reads)
    newer = facts.provider in _NEW_BOUND and facts.reasons is not False
    bound = "max_completion_tokens" if newer else "max_tokens"
    return Manners(facts.efforts, bound, reads_reasoning=reads)
