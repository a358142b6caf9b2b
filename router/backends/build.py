"""Builds a backend from its settings; no other module knows both.

`build` imports a kind only when it builds that kind: only a process that runs a `local` model loads
torch, and only a process that validates records loads a validator.
"""

from pathlib import Path

from router.backends.endpoints import Endpoints
from router.backends.foreign import json_or_none
from router.backends.protocol import Backend, SecretReader
from router.config.backends import (
    AnyBackend,
    EncoderSettings,
    EnricherSettings,
    GeneratorSettings,
    KnowledgeSettings,
    LearnedSettings,
    LocalSettings,
    OpenAISettings,
    SandboxSettings,
    SingleBackend,
    SpecialistSettings,
    TwinSettings,
    ValidatorSettings,
)
from router.config.environment import proxy_for
from router.config.llama import LlamaSettings
from router.config.network import AnthropicSettings, GeminiSettings
from router.dialects.gemini_reply import status_of
from router.domain import Fault
from router.encoding.encoder import CannotEncode, packaged_model


def build(settings: AnyBackend, read_secret: SecretReader) -> Backend:
    """The backend for these settings; a new kind of backend needs a new case here."""
    if isinstance(settings, TwinSettings):
        from router.backends.twin_backend import TwinBackend

        return TwinBackend(settings, build(settings.writer, read_secret))
    return _single(settings, read_secret)


def _single(settings: SingleBackend, read_secret: SecretReader) -> Backend:
    """The backend for settings that name no other backend."""
    match settings:
        case OpenAISettings() | AnthropicSettings() | GeminiSettings():
            return _remote(settings, read_secret)
        case GeneratorSettings():
            from router.backends.generator_backend import GeneratorBackend

            return GeneratorBackend(settings)
        case EnricherSettings():
            from router.backends.enricher_backend import EnricherBackend

            return EnricherBackend(settings)
        case ValidatorSettings():
            from router.backends.validator_backend import ValidatorBackend

            return ValidatorBackend(settings)
        case SpecialistSettings():
            from router.backends.specialist_backend import SpecialistBackend

            return SpecialistBackend(settings)
        case KnowledgeSettings():
            from router.backends.knowledge_backend import KnowledgeBackend

            return KnowledgeBackend(settings)
        case LearnedSettings():
            from router.backends.learned_backend import LearnedBackend

            return LearnedBackend(settings)
        case LocalSettings():
            from router.backends.local_backend import LocalBackend

            return LocalBackend(settings)
        case LlamaSettings():
            from router.backends.llama_backend import LlamaBackend

            return LlamaBackend(settings)
        case EncoderSettings():
            from router.backends.encoder_backend import EncoderBackend

            home = Path(settings.encoders or "var/encoders")
            return EncoderBackend(_model_folder(settings), home)
        case SandboxSettings():
            from router.backends.sandbox_backend import SandboxBackend

            return SandboxBackend(settings)


def _remote(
    settings: OpenAISettings | AnthropicSettings | GeminiSettings, read_secret: SecretReader
) -> Backend:
    match settings:
        case OpenAISettings():
            from router.backends.openai_backend import OpenAIBackend

            return OpenAIBackend(settings, Endpoints(settings, read_secret, proxy_for))
        case AnthropicSettings():
            from router.backends.anthropic_backend import AnthropicBackend

            headers = {"anthropic-version": settings.version}
            endpoints = Endpoints(settings, read_secret, proxy_for, headers=headers, root="/v1")
            return AnthropicBackend(settings, endpoints)
        case GeminiSettings():
            from router.backends.gemini_backend import GeminiBackend

            endpoints = Endpoints(
                settings, read_secret, proxy_for, root="/v1beta", judge=_status_of_gemini
            )
            return GeminiBackend(settings, endpoints)


def _status_of_gemini(status: int, body: bytes) -> int:
    return status_of(status, json_or_none(body))


def _model_folder(settings: EncoderSettings) -> Path:
    try:
        return Path(settings.folder) if settings.folder else packaged_model()
    except CannotEncode as error:
        raise Fault("unavailable", str(error)) from None
