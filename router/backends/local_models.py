"""Loads the models of a `local` backend from Hugging Face folders, and keeps some in memory."""

import asyncio
import gc
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from router.config.backends import LocalSettings
from router.domain import Fault

_WITHOUT = (
    "{name} cannot be loaded: {missing} is not installed here, and a backend of `kind: local` "
    "needs it. Run `pip install torch==2.13.0 transformers`, or run the model as a GGUF file by "
    "`kind: llama`, which needs neither"
)


@dataclass(slots=True)
class LoadedModel:
    """A model and its tokenizer in memory."""

    name: str
    model: Any
    tokenizer: Any
    device: str

    @property
    def most_tokens(self) -> int:
        return int(getattr(self.model.config, "max_position_embeddings", 0) or 2**20)


Load = Callable[[str], Awaitable[LoadedModel]]


class ModelShelf:
    """Keeps at most `most` models in memory; a new model replaces the least recently used."""

    def __init__(self, load: Load, most: int) -> None:
        self._load = load
        self._most = most
        self._models: OrderedDict[str, LoadedModel] = OrderedDict()

    async def get(self, name: str) -> LoadedModel:
        if name not in self._models:
            while len(self._models) >= self._most:
                self._models.popitem(last=False)
                gc.collect()
            self._models[name] = await self._load(name)
        self._models.move_to_end(name)
        return self._models[name]


async def load_model(name: str, settings: LocalSettings) -> LoadedModel:
    return await asyncio.to_thread(_load, name, settings)


def _load(name: str, settings: LocalSettings) -> LoadedModel:
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ModuleNotFoundError as error:
        raise Fault("unavailable", _WITHOUT.format(name=name, missing=error.name)) from None
    folder = settings.folder(name)
    if not (folder / "config.json").is_file():
        raise Fault("unavailable", f"{folder} holds no model (config.json)")
    device = settings.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype: Any = "auto" if settings.dtype == "auto" else getattr(torch, settings.dtype)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, dtype=dtype
        )
        return LoadedModel(name, model.to(device).eval(), tokenizer, device)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise Fault("unavailable", f"{name} in {folder} cannot be loaded: {error}") from None
