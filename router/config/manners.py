"""What the model of a backend takes of a translated request, by the tables of models. Pure."""

from functools import lru_cache

from router.catalog import look_up
from router.catalog.names import provider_of
from router.config.values import BackendSettings
from router.dialects.extensions import Manners

# Their models that reason know `max_completion_tokens` only, and take a system's message anywhere.
_OPENAIS = ("openai", "azure")
_PLAIN = Manners()


def manners_of(settings: BackendSettings) -> Manners:
    return _PLAIN if settings.named_model is None else _manners(*settings.named_model)


@lru_cache(maxsize=4096)
def _manners(model: str, base_url: str) -> Manners:
    facts, reads = look_up(model, base_url), provider_of(base_url) != "openai"
    if facts is None:
        return Manners(reads_reasoning=reads)
    openais = facts.provider in _OPENAIS
    bound = "max_completion_tokens" if openais and facts.reasons is not False else "max_tokens"
    return Manners(facts.efforts, bound, system_anywhere=openais, reads_reasoning=reads)
