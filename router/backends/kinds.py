"""Every kind of backend there is. A new one is a module beside this one, and a line here."""

from typing import Annotated

from pydantic import Field

from router.backends.encoder import EncoderSettings
from router.backends.enricher import EnricherSettings
from router.backends.generator import GeneratorSettings
from router.backends.local import LocalSettings
from router.backends.openai import OpenAISettings
from router.backends.sandbox import SandboxSettings
from router.backends.specialist import SpecialistSettings
from router.backends.validator import ValidatorSettings

AnyBackend = Annotated[
    OpenAISettings
    | GeneratorSettings
    | EnricherSettings
    | ValidatorSettings
    | SpecialistSettings
    | LocalSettings
    | EncoderSettings
    | SandboxSettings,
    Field(discriminator="kind"),
]
