"""A model of one's own, from a Hugging Face folder, run here by transformers.

Several may share one accelerator: as many as `at_once` says are in its memory, and where another is
asked for, the one that was asked for longest ago makes room as soon as nobody uses it. The folder's
own code is never run, and weights are read as safetensors only.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from router.backends.base import Backend, BackendSettings, Capability, Name, SecretReader


class LocalSettings(BackendSettings):
    kind: Literal["local"]
    models: dict[Name, str] = Field(
        min_length=1, description="name: folder; a caller names one in `model`; default: the first"
    )
    at_once: int = Field(1, ge=1, le=16, description="models in memory at the same time")
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    max_new_tokens: int = Field(512, ge=1, le=100_000, description="where a caller names no bound")
    capabilities: tuple[Capability, ...] = ("chat",)

    @model_validator(mode="after")
    def _sound(self) -> "LocalSettings":
        for name, folder in self.models.items():
            if not folder:
                raise ValueError(f"the folder of {name} is empty: name one")
        return self

    def build(self, read_secret: SecretReader) -> Backend:  # noqa: ARG002 - it has none
        # Only the process that runs models loads torch.
        from router.backends.models import LocalBackend

        return LocalBackend(self)

    @property
    def aliases(self) -> tuple[str, ...]:
        return tuple(self.models)

    def folder(self, name: str) -> Path:
        return Path(self.models[name])

    def asked(self, fields: Mapping[str, Any]) -> str:
        """Which of the models a request means."""
        model = fields.get("model")
        return model if model in self.models else next(iter(self.models))
