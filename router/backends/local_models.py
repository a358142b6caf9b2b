"""Loads the models of a `local` backend from Hugging Face folders, and keeps some in memory."""

import asyncio
import gc
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.backends.chat_form import CHAT_FORM
from router.config.backends import LocalSettings
from router.domain import Fault
from router.machine import MIB, memory_free_mb
from router.models.card import BrokenModel
from router.models.model_files import opened
from router.models.registry import NoSuchModel, Registry

_WITHOUT = (
    "{name} cannot be loaded: {missing} is not installed here, and a backend of `kind: local` "
    "needs it. Run `pip install torch==2.13.0 transformers`, or run the model as a GGUF file by "
    "`kind: llama`, which needs neither"
)
_WIDTH = {"float32": 4, "bfloat16": 2, "float16": 2}  # bytes of a weight
_BESIDE = 1.2  # what a model takes beside its weights, as a multiple
_VERSION = "\0"  # between the name of an adapted model and the digest of its adapter
_LEFT_MB = 256  # of the machine's memory, for everything else


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
    """Keeps models in memory: at most `most`, and as many as fit into what is free. A new model
    replaces the least recently used.

    `need` says how many bytes a model takes, and `free` how many can be had just now.
    """

    def __init__(
        self,
        load: Load,
        most: int | None,
        need: Callable[[str], int] = lambda _: 0,
        free: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._load = load
        self._most = most
        self._need, self._free = need, free
        self._models: OrderedDict[str, LoadedModel] = OrderedDict()

    async def get(self, name: str) -> LoadedModel:
        if name not in self._models:
            await self._make_room(name)
            self._models[name] = await self._load(name)
        self._models.move_to_end(name)
        return self._models[name]

    async def _make_room(self, name: str) -> None:
        while self._most is not None and len(self._models) >= self._most:
            self._evict()
        need, free = self._need(name), await asyncio.to_thread(self._free)
        while free is not None and need > free:
            if not self._models:
                raise Fault(
                    "unavailable",
                    f"{name} needs about {need // MIB:,} MiB of memory, and {free // MIB:,} MiB "
                    "can be had: end what uses the memory, or take a smaller model or dtype",
                )
            self._evict()
            free = await asyncio.to_thread(self._free)

    def _evict(self) -> None:
        self._models.popitem(last=False)
        gc.collect()


def bytes_needed(stands_as: str, settings: LocalSettings) -> int:
    """The bytes that a model takes in memory, by the size of its weights and their type; 0 if the
    folder does not tell."""
    folder = settings.folder(stands_as.partition(_VERSION)[0])
    weights = [path.stat().st_size for path in folder.glob("*.safetensors")]
    try:
        described = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return 0
    stored = str(described.get("dtype") or described.get("torch_dtype") or "float32")
    wanted = stored if settings.dtype == "auto" else settings.dtype
    return int(sum(weights) * _WIDTH.get(wanted, 4) / _WIDTH.get(stored, 4) * _BESIDE)


def bytes_free(settings: LocalSettings) -> int | None:
    """The bytes that a model on the configured device can have; None if nobody can tell."""
    if settings.device != "cpu":
        try:
            import torch
        except ModuleNotFoundError:
            return None  # whoever loads the model says what is missing
        if torch.cuda.is_available():
            device = None if settings.device == "auto" else settings.device
            return int(torch.cuda.mem_get_info(device)[0])
    free_mb = memory_free_mb()
    return None if free_mb is None else max(free_mb - _LEFT_MB, 0) * MIB


def shelf_name(name: str, settings: LocalSettings) -> str:
    """Under which name a model stands on the shelf: an adapter stands there with its version, so
    that another version is loaded once it is promoted."""
    adapted = settings.adapters.get(name)
    if adapted is None:
        return name
    try:
        _, version = Registry(Path(settings.home or "")).find(adapted.model)
    except NoSuchModel as error:
        raise Fault("no_model", str(error)) from None
    return f"{name}{_VERSION}{version.digest}"


async def load_model(stands_as: str, settings: LocalSettings) -> LoadedModel:
    return await asyncio.to_thread(_load, stands_as, settings)


def _adapter(name: str, digest: str, settings: LocalSettings) -> tuple[str, dict[str, bytes]]:
    """What an adapter is called, and its files."""
    try:
        card, files = opened(Registry(Path(settings.home or "")).files, digest)
    except BrokenModel as error:
        raise Fault("no_model", str(error)) from None
    if card.kind != "adapter":
        wrong = f"{name} names {card.reference}, which is a {card.kind} and no adapter"
        raise Fault("no_model", f"{wrong}: name it in a backend of kind learned")
    if card.features != CHAT_FORM:
        wrong = f"{card.reference} learned from {card.features}, and this Waggle writes {CHAT_FORM}"
        raise Fault("no_model", f"{wrong}: train it again with `waggle models train {card.name}`")
    return card.reference, files


def _load(stands_as: str, settings: LocalSettings) -> LoadedModel:
    name, _, digest = stands_as.partition(_VERSION)
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
        if digest:
            from router.models.lora import merge

            reference, files = _adapter(name, digest, settings)
            merge(model, files, f"{reference} for {settings.adapters[name].of}")
        return LoadedModel(name, model.to(device).eval(), tokenizer, device)
    except BrokenModel as error:
        raise Fault("no_model", str(error)) from None
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise Fault("unavailable", f"{name} in {folder} cannot be loaded: {error}") from None
